"""/.well-known/void and /dataset: what this graph is and holds, every number counted (VoID, DCAT 3); on pages, for search engines, in schema.org's words."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template
from pyoxigraph import RdfFormat, parse, serialize

from interpol_graph.endpoint import current, dumps, negotiation
from interpol_graph.graph.formats import of_kind
from interpol_graph.graph.prefixes import BASE, ENTITIES, prefixes
from interpol_graph.graph.questions import saved
from interpol_graph.graph.statements import canonical

blueprint = Blueprint("dataset", __name__)

#: What the description is written with.
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "void": "http://rdfs.org/ns/void#",
}
#: Language tag → the name of the language in the authority table of the European Union, which DCAT-AP asks for.
LANGUAGES = {"en": "ENG", "fr": "FRA", "es": "SPA", "ar": "ARA", "de": "DEU", "it": "ITA", "pt": "POR", "zh": "ZHO"}
#: What is counted, by its name in templates; each is asked once of a state.
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
    return described("The description of the graph", "dataset.ttl", PREFIXES, _context)


def described(what: str, template: str, prefixes: dict[str, str], context: Callable[[], dict[str, Any]]) -> Response:
    """Return what a Turtle template says of the present state of the graph, in the format that the client likes best.

    what: is described, for a refusal; prefixes: to write it with; context: returns what the template is given, beside the
    address `root` of this server. It is written once for a state, whoever asks. Raises BadParameter, NoFormat, and what
    `context` does.
    """
    fmt = negotiation.require(of_kind("graph"), what)

    def write() -> bytes:
        # What asks the graph comes first.
        given = context() | {"state": current.snapshot(), "modified": current.modified(), "own": current.own()}
        with current.heavy():
            turtle = render_template(template, root=current.ANYWHERE, **given)
            # Blank nodes have the same names, and statements the same order, whoever is asked and how often.
            triples = [quad.triple for quad in canonical(parse(turtle, RdfFormat.TURTLE))]
            return serialize(triples, format=fmt.rdf, prefixes=prefixes) or b""

    return current.data(current.addressed(current.once((template, fmt), write)), fmt.content_type)


def _context() -> dict[str, Any]:
    sums = dumps.sums()
    files = [
        {"format": fmt, "address": f"{current.ANYWHERE}/dumps/{name}", "bytes": size, "sum": sums[name]}
        for fmt, name, size in dumps.wholes()
        if name in sums  # but for a format that cannot say what is in the graph
    ]
    return {name: _counted(name) for name in _COUNTED} | {
        "files": files, "languages": LANGUAGES,
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


def _counted(name: str) -> list[current.Row]:
    return current.once(_COUNTED[name], lambda: current.select(_COUNTED[name]))
