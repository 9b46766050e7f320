"""The home page, browsing by class, and whether the service is in order."""

from flask import Blueprint, Response, current_app, request

from interpol_graph.endpoint import api, pictures
from interpol_graph.endpoint.caching import UNCACHED
from interpol_graph.endpoint.current import ask, render, snapshot
from interpol_graph.endpoint.negotiation import language
from interpol_graph.engine.outcomes import Unavailable
from interpol_graph.graph.prefixes import TERMS
from interpol_graph.graph.questions import saved
from interpol_graph.site import pages
from interpol_graph.site.labels import Labels
from interpol_graph.site.lists import classes, members
from interpol_graph.site.phrases import phrase
from interpol_graph.site.selections import together

blueprint = Blueprint("home", __name__)
blueprint.app_context_processor(pages.context)
blueprint.app_url_defaults(pages.keep_language)
blueprint.add_url_rule("/browse/<name>", view_func=members)

#: Classes that the home page counts, most telling first.
KEY_CLASSES = (
    "AssemblySession", "Country", "NationalCentralBureau", "Person", "Mandate", "Operation", "System",
    "Resolution", "Figure", "Source", "Citation", "ConflictingClaim",
)  # fmt: skip

#: Questions that the home page leads to.
KEY_QUESTIONS = (
    "leadership-line", "executive-committee-on-day", "most-frequent-hosts", "members-over-time", "attendance-over-time",
    "operations-by-crime-area", "arrests-by-series", "database-growth", "notices-by-colour", "disagreements",
)  # fmt: skip

#: Who holds the two posts, then the last session that was held and the next one that is announced, as documents tell.
_NOW = """SELECT ?role ?thing ?start ?end ?place WHERE {
  { VALUES ?role { interpol:President interpol:SecretaryGeneral }
    ?mandate a interpol:Mandate ; interpol:office/skos:broader? ?role ; interpol:person ?thing .
    ?mandate interpol:latestEnd "9999-12-31"^^xsd:date OPTIONAL { ?mandate interpol:startDate ?start } }
  UNION { SELECT (interpol:Held AS ?role) (?s AS ?thing) ?day WHERE {
    ?s a interpol:AssemblySession ; interpol:latestEnd ?day
    FILTER NOT EXISTS { ?s interpol:status ?status FILTER(?status != interpol:Held) } } ORDER BY DESC(?day) LIMIT 1 }
  UNION { SELECT (interpol:Announced AS ?role) (?s AS ?thing) ?day WHERE {
    ?s a interpol:AssemblySession ; interpol:status interpol:Announced ; interpol:earliestStart ?day } ORDER BY ?day LIMIT 1 }
  OPTIONAL { ?thing interpol:startDate ?start } OPTIONAL { ?thing interpol:endDate ?end }
  OPTIONAL { ?thing interpol:place ?place } }"""


@blueprint.get("/")
def home() -> Response:
    """Show who leads, the last and the next session, pictures and key questions, how much the graph holds and the ways in."""
    counts = {kind.iri: (kind, number) for kind, number in classes()}
    where, who = saved()["places-map"], saved()["leadership-line"]
    asked = (question.filled({"lang": language()}) for question in (where, who))
    now, places, mandates = together([_NOW, *asked])
    labels = Labels(row[name].value for row in now for name in ("role", "thing", "place") if name in row)
    columns = ["place", "latitude", "longitude", "sessions"]
    hosts = [row for row in places if row["sessions"].value != "0"]
    drawn = {where.name: pictures.draw("map", columns, hosts, where.columns, phrase("home.map"))}
    drawn[who.name] = api.picture(who, mandates)
    return render(
        "home.html", now=now, labels=labels, asked=saved(), questions=KEY_QUESTIONS, pictures=drawn,
        counts=[counts[TERMS + name] for name in KEY_CLASSES if TERMS + name in counts],
    )  # fmt: skip


@blueprint.get("/browse/")
def browse() -> Response:
    """List the classes and how many entities each has; with ?class=IRI, the entities of any class."""
    if name := request.args.get("class"):
        return members(name)
    return render("browse.html", classes=classes())


@blueprint.get("/healthz")
def healthz() -> tuple[dict[str, str], dict[str, str]]:
    """Tell whether the engine answers."""
    if not ask("ASK {}"):
        raise Unavailable("The engine gives no answer.")
    return {"status": "ok", "digest": snapshot().digest}, {"Cache-Control": UNCACHED}


@blueprint.get("/llms.txt", defaults={"name": "llms.txt"})
@blueprint.get("/favicon.ico", defaults={"name": "mark.svg"})
def static_file(name: str) -> Response:
    """Return what language models and browsers ask for at the root."""
    return current_app.send_static_file(name)
