"""/ontology: every class, property and concept, as a page or as RDF."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO

from flask import Blueprint, Response, url_for

from interpol_graph import __version__
from interpol_graph.endpoint import negotiation
from interpol_graph.endpoint.current import Parts, Row, data, described, gone, render, select, snapshot
from interpol_graph.endpoint.problems import NotFound
from interpol_graph.graph.formats import BY_SUFFIX, Format, of_kind
from interpol_graph.graph.prefixes import GRAPHS, TERMS, shorten
from interpol_graph.site.labels import Labels

blueprint = Blueprint("ontology", __name__)

GRAPH = of_kind("graph")

_TERMS = f'SELECT ?s ?p ?o WHERE {{ GRAPH graph:ontology {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), "{TERMS}")) }}'
#: How often each property is used, and the first entity that has it with its first value.
_USES = """SELECT ?property ?uses ?subject (MIN(?object) AS ?value) WHERE {
  { SELECT ?property (COUNT(*) AS ?uses) (MIN(?entity) AS ?subject) WHERE {
    { SELECT DISTINCT ?property WHERE { ?property schema:rangeIncludes ?range } }
    ?entity ?property ?any } GROUP BY ?property }
  ?subject ?property ?object } GROUP BY ?property ?uses ?subject"""
_PROPERTIES = {"owl:AnnotationProperty", "owl:ObjectProperty", "owl:DatatypeProperty"}


@blueprint.get("/ontology")
def ontology() -> Response:
    """Show the terms of the ontology, or return it as RDF."""
    if not negotiation.wants_html():
        return _rdf(negotiation.require(GRAPH, "The ontology"), negotiated=True)
    addresses = [(fmt, url_for("ontology.suffixed", rest=fmt.suffix)) for fmt in GRAPH]
    terms = described(select(_TERMS), shorten)
    uses = _uses(snapshot().digest)
    referred = {t.value for parts in terms.values() for values in parts.values() for t in values if t.kind == "uri"}
    shown = {t.value for row in uses.values() for t in row.values() if t.kind == "uri"}
    labels, sections = Labels({*terms, *referred, *shown}), _sections(terms)
    return render("ontology.html", negotiated=True, sections=sections, labels=labels, uses=uses, addresses=addresses)


@blueprint.get("/ontology<rest>")
def suffixed(rest: str) -> Response:
    """Return the ontology in the format of a suffix."""
    fmt = BY_SUFFIX.get(rest)
    if fmt not in GRAPH or fmt is None:
        files = [f"/ontology{offer.suffix}" for offer in GRAPH]
        raise NotFound(f"The ontology is at /ontology and, as RDF, at {', '.join(files)}.")
    return _rdf(fmt, negotiated=False)


@blueprint.get("/ontology/<version>")
def version(version: str) -> Response:
    """Show or return the ontology by the name of its version, if it is the one that is here."""
    if version != __version__:
        raise NotFound(f"Served here is version {__version__} of the ontology, not {version}.", known=[__version__])
    return ontology()


@lru_cache(maxsize=2)
def _uses(digest: str) -> dict[str, Row]:
    """Return property → its row of what is asked by _USES, of the state of the graph that this request asks, `digest`."""
    return {row["property"].value: row for row in select(_USES)}


def _rdf(fmt: Format, *, negotiated: bool) -> Response:
    """Return the ontology's graph, literals exactly as in its files."""
    content = BytesIO()
    snapshot().dump(content, fmt, GRAPHS + "ontology", gone())
    return data(content.getvalue(), fmt.content_type, negotiated=negotiated)


def _sections(terms: Mapping[str, Parts]) -> dict[str, dict[str, list[tuple[str, Parts]]]]:
    """Return section → scheme (of concepts alone) → the terms in order of name, with what is said of them."""
    sections: dict[str, dict[str, list[tuple[str, Parts]]]]
    sections = {kind: defaultdict(list) for kind in ("classes", "properties", "concepts")}
    for term, parts in sorted(terms.items(), key=lambda item: item[0].casefold()):
        types = {shorten(t.value) for t in parts["rdf:type"]}
        kind = "classes" if "owl:Class" in types else "properties" if types & _PROPERTIES else "concepts"
        scheme = next((t.value for t in parts["skos:inScheme"]), "") if kind == "concepts" else ""
        if "skos:ConceptScheme" not in types:
            sections[kind][scheme].append((term, parts))
    return sections
