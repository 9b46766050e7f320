"""/.well-known/void and /dataset: what this graph is and holds, every number counted (VoID, DCAT 3); on pages, for search engines, in schema.org's words."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, render_template
from pyoxigraph import RdfFormat, parse, serialize

from interpol_graph.endpoint import current, dumps, negotiation
from interpol_graph.graph.formats import Format, of_kind
from interpol_graph.graph.prefixes import BASE, ENTITIES, prefixes
from interpol_graph.graph.questions import saved
from interpol_graph.graph.statements import canonical

blueprint = Blueprint("dataset", __name__)

#: Language tag → the name of the language in the authority table of the European Union, which DCAT-AP asks for.
LANGUAGES = {"en": "ENG", "fr": "FRA", "es": "SPA", "ar": "ARA", "de": "DEU", "it": "ITA", "pt": "POR", "zh": "ZHO"}
#: What is counted, by its name in templates.
_COUNTED = {
    "classes": "SELECT ?iri (COUNT(DISTINCT ?s) AS ?n) { ?s a ?iri FILTER(isIRI(?iri)) } GROUP BY ?iri ORDER BY ?iri",
    "properties": "SELECT ?iri (COUNT(*) AS ?n) { ?s ?iri ?o } GROUP BY ?iri ORDER BY ?iri",
    "totals": f"""SELECT ?subjects ?objects ?entities {{
  {{ SELECT (COUNT(DISTINCT ?s) AS ?subjects) (COUNT(DISTINCT ?o) AS ?objects) {{ ?s ?p ?o }} }}
  {{ SELECT (COUNT(DISTINCT ?s) AS ?entities) {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), "{ENTITIES}")) }} }} }}""",
    "links": f"""SELECT ?iri ?target (COUNT(*) AS ?n) {{
  ?s ?iri ?o FILTER(?iri IN (owl:sameAs, skos:exactMatch, skos:closeMatch, rdfs:seeAlso) && !STRSTARTS(STR(?o), "{BASE}"))
  BIND(REPLACE(STR(?o), "^([a-z]+://[^/]+/).*$", "$1") AS ?target) FILTER(CONTAINS(?target, "://"))
}} GROUP BY ?iri ?target ORDER BY ?iri ?target""",
    "tags": 'SELECT DISTINCT ?tag { ?s rdfs:label ?label BIND(LANG(?label) AS ?tag) FILTER(?tag != "") } ORDER BY ?tag',
    "span": """SELECT (MIN(?year) AS ?first) (MAX(?year) AS ?last) {
  ?s interpol:startDate|interpol:atDate ?date BIND(SUBSTR(STR(?date), 1, 4) AS ?year) FILTER(REGEX(?year, "^[0-9]{4}$")) }""",
}


@blueprint.get("/.well-known/void")
@blueprint.get("/dataset")
def dataset() -> Response:
    """Describe the graph in the RDF format that the client likes best: as a whole, its counts, its downloads, its services."""
    return described("The description of the graph", "dataset.ttl", _context)


def described(what: str, template: str, context: Callable[[], dict[str, Any]]) -> Response:
    """Return what a Turtle template says of the present state of the graph, in the format that the client likes best.

    what: is described, for a refusal; context: returns what the template is given, beside the address `root` of this
    server. It is written once for a state, whoever asks, with the prefixes of the template. Raises BadParameter, NoFormat, and what `context` does.
    """
    fmt = negotiation.require(of_kind("graph"), what)
    return current.data(current.addressed(_written(template, fmt, context)), fmt.content_type, "Accept")


@current.remembered
def _written(template: str, fmt: Format, context: Callable[[], dict[str, Any]]) -> bytes:
    # What asks the graph comes first.
    given = context() | {"state": current.snapshot(), "modified": current.modified(), "own": current.own()}
    with current.heavy():
        turtle = render_template(template, root=current.ANYWHERE, **given)
        said = parse(turtle, RdfFormat.TURTLE)
        # Blank nodes have the same names, and statements the same order, whoever is asked and how often.
        triples = [quad.triple for quad in canonical(said)]
        return serialize(triples, format=fmt.rdf, prefixes=said.prefixes) or b""


def _context() -> dict[str, Any]:
    sums, (classes, properties) = dumps.sums(), sizes()
    files = [
        {"format": fmt, "address": f"{current.ANYWHERE}/dumps/{name}", "bytes": size, "sum": sums[name]}
        for fmt, name, size in dumps.wholes()
        if name in sums  # but for a format that cannot say what is in the graph
    ]
    return {name: _counted(name) for name in ("totals", "links", "tags", "span")} | {
        "classes": classes, "properties": properties, "files": files, "languages": LANGUAGES,
        "space": ENTITIES, "base": BASE, "questions": len(saved()), "prefixes": prefixes(),
    }  # fmt: skip


@blueprint.app_context_processor
def _embedded() -> dict[str, Any]:
    """Give templates what dataset.jsonld says of the project's own graph; of other data it says nothing."""
    return {
        "dataset": lambda: (
            current.own() and (_counted("tags"), _counted("span")[0], current.snapshot().triples, dumps.wholes())
        )
    }


def sizes() -> Iterator[dict[str, int]]:
    """Yield how many things are of each class, and how many statements have each property; in order of their IRIs."""
    for name in ("classes", "properties"):
        yield {row["iri"].value: int(row["n"].value) for row in _counted(name)}


@current.remembered
def _counted(name: str) -> list[current.Row]:
    return current.select(_COUNTED[name])
