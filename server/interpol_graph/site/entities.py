"""The addresses of entities: /id/ leads to a page for people or to data for programs."""

import difflib
from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, url_for
from pyoxigraph import Literal
from werkzeug.wrappers import Response as BaseResponse

from interpol_graph.endpoint import api, current, negotiation
from interpol_graph.endpoint.current import UNBOUND, ask, iri, query, render, select, snapshot, tabulated
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.formats import BY_SUFFIX, Format
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import ENTITIES, GRAPHS, TERMS, shorten
from interpol_graph.graph.questions import BadQuestion
from interpol_graph.site import ontology, pages
from interpol_graph.site.entity_page import EntityPage, gather

blueprint = Blueprint("entities", __name__)

#: Of what changes in time, and the question that says what held of it on a day.
STATEFUL = frozenset(TERMS + kind for kind in ("Organ", "Organisation", "Country", "Person"))
STATES = "states-on-day"

#: An entity, its citations, the documents and disagreements about it, and the names of what it refers to.
_DESCRIPTION = """CONSTRUCT {{ {e} ?p ?o . ?node ?np ?no . ?near ?words ?said }} WHERE {{
  {{ {e} ?p ?o }}
  UNION {{ {e} ?via ?node . FILTER(isBlank(?node)) ?node ?np ?no }}
  UNION {{ {e} ?any ?near . ?near ?words ?said FILTER(isIRI(?near) && ?words = rdfs:label) }}
  UNION {{ {e} interpol:citation/interpol:source ?near . ?near ?words ?said }}
  UNION {{ ?near interpol:about {e} ; a interpol:ConflictingClaim ; ?words ?said }}
}}"""

_NAMES = "SELECT DISTINCT ?s ?label WHERE {{ ?s a ?class ; rdfs:label ?label FILTER(isIRI(?s) && STRSTARTS(STR(?s), {start})) }}"


@blueprint.get("/id/<kind>/<key>")
def identifier(kind: str, key: str) -> BaseResponse:
    """Lead from the name of a thing to what is said about it (303), by Accept or by a suffix."""
    _, fmt = _split(key)
    as_page = not fmt and negotiation.wants_html()
    if not fmt and not as_page:
        negotiation.require(ontology.GRAPH, f"The description of {kind}:{key}")
    target = url_for("entities.page" if as_page else "entities.data", kind=kind, key=key)
    if request.query_string and not as_page:
        target += "?" + request.query_string.decode("ascii", "replace")
    answer = redirect(target, 303)
    answer.vary.add("Accept")
    return answer


@blueprint.get("/data/<kind>/<key>")
def data(kind: str, key: str) -> Response:
    """Return what the graph says about an entity, with its citations and documents, as RDF."""
    key, suffixed = _split(key)
    fmt = suffixed or negotiation.require(ontology.GRAPH, f"The description of {kind}:{key}")
    place = iri(name(kind, key))
    if place is None or not ask(f"ASK {{ {place} ?p ?o }}"):
        raise _missing(kind, key)
    answer = query(_DESCRIPTION.format(e=place), graph=fmt)
    response = current.data(answer.body, answer.format.content_type, *([] if suffixed else ["Accept"]))
    address = url_for("entities.page", kind=kind, key=key, lang=None)
    response.headers["Link"] = f'<{address}>; rel="alternate"; type="text/html"'
    return response


@blueprint.get("/page/<kind>/<key>")
def page(kind: str, key: str) -> Response:
    """Show all that the graph says about an entity, every fact with its documents."""
    entity = gather(name(kind, key))
    if entity is None:
        raise _missing(kind, key)
    addresses = [(fmt, url_for("entities.data", kind=kind, key=key + fmt.suffix)) for fmt in ontology.GRAPH]
    used = ontology.users(entity.iri) if kind == "ontology" else None
    return render("entity.html", entity=entity, addresses=addresses, used=used, **_as_of(entity))


@blueprint.get("/page/")
def any_page() -> BaseResponse:
    """Show the page about any IRI that the graph speaks of: ?iri=."""
    wanted = request.args.get("iri", "")
    local = pages.href(wanted)
    if local and local.startswith("/page/"):
        return redirect(local, 303)
    entity = gather(wanted)
    if entity is None:
        nothing = f"The graph says nothing of <{wanted}>."
        raise NotFound(nothing if wanted else "Which thing? Name it as the parameter `iri`.")
    return render("entity.html", entity=entity, addresses=[])


@blueprint.get("/graph/<path:graph>")
def graph(graph: str) -> BaseResponse:
    """Lead from the name of a named graph to its statements (303)."""
    if GRAPHS + graph not in snapshot().graphs:
        known = [address.removeprefix(GRAPHS) for address in snapshot().graphs]
        raise NotFound(f"There is no graph {graph!r}.", similar=difflib.get_close_matches(graph, known, 3, 0.4))
    return redirect(url_for("dumps.file", name=graph + ".ttl"), 303)


def name(kind: str, key: str) -> str:
    """Return the IRI of an entity, or of a term of the ontology (kind `ontology`)."""
    return TERMS + key if kind == "ontology" else f"{ENTITIES}{kind}/{key}"


def _as_of(entity: EntityPage) -> dict[str, Any]:
    """Return what the page shows of the day, month or year ?asOf=, of a thing that has states. Raises BadParameter."""
    if STATEFUL.isdisjoint(kind.iri for kind in entity.classes):
        return {}
    asked, day = api.question(STATES), request.args.get("asOf", "")
    if not day:
        return {"states": asked}
    try:
        answer = query(asked.filled({"entity": entity.iri, "day": day, "lang": negotiation.language()}))
    except BadQuestion as error:
        raise BadParameter(str(error), parameter="asOf") from error
    values = urlencode({"entity": shorten(entity.iri), "asOf": day, "lang": negotiation.language()})
    address = url_for("api.answer", name=STATES)
    downloads = [(fmt, f"{address}?{values}&format={fmt.name}") for fmt in api.formats(asked)]
    return {"states": asked, "answer": answer, "table": tabulated(answer), "downloads": downloads}


def _split(key: str) -> tuple[str, Format | None]:
    """Return a key and the format that its suffix names, if it names one."""
    plain, dot, suffix = key.rpartition(".")
    fmt = BY_SUFFIX.get(dot + suffix)
    return (plain, fmt) if fmt in ontology.GRAPH else (key, None)


def _missing(kind: str, key: str) -> NotFound:
    """Return the error for an entity that is not there, with those of its kind of which a key, name or word looks like it."""
    start, known = name(kind, ""), defaultdict[str, list[str]](list)
    for row in select(_NAMES.format(start=Literal(start))):
        key_of, label = row["s"].value.removeprefix(start), plain(row.get("label", UNBOUND).value)
        for called in {key_of, label, *label.split()}:
            known[called].append(row["s"].value)
    what = f"There is nothing called {kind}:{key} in the graph"
    if not known:
        return NotFound(f"{what}: no kind of thing is called {kind!r}; see /browse/.")
    near = [found for like in difflib.get_close_matches(plain(key), known, 5, 0.7) for found in known[like]]
    return NotFound(f"{what}.", similar=[shorten(found) for found in list(dict.fromkeys(near))[:5]])
