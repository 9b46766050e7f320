"""The home page, browsing by class, and whether the service is in order."""

import re

from flask import Blueprint, Response, current_app, request
from markupsafe import Markup

from interpol_graph.endpoint import api, pictures
from interpol_graph.endpoint.caching import UNCACHED
from interpol_graph.endpoint.current import UNBOUND, ask, iri, render, select, snapshot
from interpol_graph.endpoint.negotiation import language
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.engine.outcomes import Unavailable
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, expand, shorten
from interpol_graph.graph.questions import saved
from interpol_graph.site import pages
from interpol_graph.site.labels import Labels, Ref
from interpol_graph.site.phrases import phrase

blueprint = Blueprint("home", __name__)
blueprint.app_context_processor(pages.context)
blueprint.app_url_defaults(pages.keep_language)

#: Entities on one page of a class.
PER_PAGE = 100
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
_CLASSES = "SELECT ?class (COUNT(?s) AS ?n) WHERE { ?s a ?class FILTER(isIRI(?class)) } GROUP BY ?class"
_MEMBERS = """SELECT ?s (MIN(STR(?start)) AS ?date) (MIN(?n) AS ?number) WHERE {{
  ?s a {kind} FILTER(isIRI(?s))
  OPTIONAL {{ ?s interpol:startDate|interpol:atDate|dcterms:date ?start }}
  OPTIONAL {{ ?s interpol:number ?n }}
}} GROUP BY ?s ORDER BY ?date ?number ?s LIMIT {limit} OFFSET {offset}"""


@blueprint.get("/")
def home() -> Response:
    """Show who leads, the last and the next session, pictures and key questions, how much the graph holds and the ways in."""
    counts = {kind.iri: (kind, number) for kind, number in _classes()}
    now = select(_NOW)
    labels = Labels(row[name].value for row in now for name in ("role", "thing", "place") if name in row)
    return render(
        "home.html", now=now, labels=labels, asked=saved(), questions=KEY_QUESTIONS, pictures=_pictures() if now else {},
        counts=[counts[TERMS + name] for name in KEY_CLASSES if TERMS + name in counts],
    )  # fmt: skip


def _pictures() -> dict[str, Markup]:
    """Return saved question → its picture: where the Assembly met, who led."""
    where, who = saved()["places-map"], saved()["leadership-line"]
    places, mandates = (select(question.filled({"lang": language()})) for question in (where, who))
    hosts = [row for row in places if row["sessions"].value != "0"]
    columns = ["place", "latitude", "longitude", "sessions"]
    return {
        where.name: pictures.draw("map", columns, hosts, where.columns, phrase("home.map")),
        who.name: api.picture(who, mandates),
    }


@blueprint.get("/browse/")
def browse() -> Response:
    """List the classes and how many entities each has; with ?class=IRI, the entities of any class."""
    if name := request.args.get("class"):
        return members(name)
    return render("browse.html", classes=sorted(_classes(), key=lambda pair: plain(pair[0].label.value)))


@blueprint.get("/browse/<name>")
def members(name: str) -> Response:
    """List the entities of one class, in order of date, a page at a time."""
    try:
        kind = expand(name) if ":" in name else TERMS + name
    except ValueError as error:
        raise NotFound(f"There is no class {name!r}: {error}.") from error
    page = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9]\d{0,5}", page):
        raise BadParameter(f"The page is a whole number from 1, not {page!r}.", parameter="page")
    number, place = int(page), iri(kind)
    query = _MEMBERS.format(kind=place, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    rows = select(query) if place else []
    labels = Labels({kind, *(row["s"].value for row in rows)})
    definition = labels.text(kind, "skos:definition")
    # A class of the ontology may have no entity with a name of its own: citations are blank nodes.
    if not rows and (number > 1 or not definition):
        known = [shorten(found.iri).removeprefix("interpol:") for found, _ in _classes()]
        where = f" on page {number}" if number > 1 else ""
        raise NotFound(f"There is nothing of the class {name!r}{where}.", known=known)
    items = [(labels.ref(row["s"].value), row.get("date", UNBOUND).value) for row in rows[:PER_PAGE]]
    more = len(rows) > PER_PAGE
    return render("members.html", kind=labels.ref(kind), definition=definition, items=items, page=number, more=more)


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


def _classes() -> list[tuple[Ref, int]]:
    """Return the classes of this graph's ontology, or of foreign data all classes, with their sizes."""
    sizes = {row["class"].value: int(row["n"].value) for row in select(_CLASSES)}
    ours = {kind: size for kind, size in sizes.items() if kind.startswith(TERMS)} or sizes
    labels = Labels(ours)
    return [(labels.ref(kind), size) for kind, size in ours.items()]
