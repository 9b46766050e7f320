"""The home page, browsing by class, and whether the service is in order."""

from flask import Blueprint, Response, current_app, request

from interpol_graph.endpoint.caching import UNCACHED
from interpol_graph.endpoint.current import ask, render, snapshot
from interpol_graph.engine.outcomes import Unavailable
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS
from interpol_graph.site import pages
from interpol_graph.site.lists import classes, members

blueprint = Blueprint("home", __name__)
blueprint.app_context_processor(pages.context)
blueprint.app_url_defaults(pages.keep_language)
blueprint.add_url_rule("/browse/<name>", view_func=members)

#: Classes that the home page counts, most telling first.
KEY_CLASSES = (
    "AssemblySession", "Country", "NationalCentralBureau", "Person", "Mandate", "Operation", "System",
    "Resolution", "Figure", "Source", "Citation", "ConflictingClaim",
)  # fmt: skip


@blueprint.get("/")
def home() -> Response:
    """Show what the graph is, how much it holds and the ways in."""
    counts = {kind.iri: (kind, number) for kind, number in classes()}
    return render("home.html", counts=[counts[TERMS + name] for name in KEY_CLASSES if TERMS + name in counts])


@blueprint.get("/browse/")
def browse() -> Response:
    """List the classes and how many entities each has; with ?class=IRI, the entities of any class."""
    if name := request.args.get("class"):
        return members(name)
    return render("browse.html", classes=sorted(classes(), key=lambda pair: plain(pair[0].label.value)))


@blueprint.get("/healthz")
def healthz() -> tuple[dict[str, str], dict[str, str]]:
    """Tell whether the engine answers."""
    if not ask("ASK {}"):
        raise Unavailable("The engine gives no answer.")
    return {"status": "ok", "digest": snapshot().digest}, {"Cache-Control": UNCACHED}


@blueprint.get("/robots.txt", defaults={"name": "robots.txt"})
@blueprint.get("/llms.txt", defaults={"name": "llms.txt"})
@blueprint.get("/favicon.ico", defaults={"name": "mark.svg"})
def static_file(name: str) -> Response:
    """Return what robots, to leave alone what costs an evaluation, language models and browsers ask for at the root."""
    return current_app.send_static_file(name)
