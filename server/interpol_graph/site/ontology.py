"""/ontology: every class, property and concept, as a page or as RDF."""

from __future__ import annotations

from collections import defaultdict
from io import BytesIO

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as Answer

from interpol_graph import __version__
from interpol_graph.endpoint import headers, negotiation
from interpol_graph.endpoint.problems import NotFound
from interpol_graph.graph.formats import BY_SUFFIX, Format, of_kind
from interpol_graph.graph.prefixes import GRAPHS, TERMS, shorten
from interpol_graph.serving import visitor
from interpol_graph.site import pages
from interpol_graph.site.labels import Names, Ref
from interpol_graph.site.rows import Term, select

blueprint = Blueprint("ontology", __name__)

GRAPH = of_kind("graph")

_TERMS = f'SELECT ?s ?p ?o WHERE {{ GRAPH graph:ontology {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), "{TERMS}")) }}'
_PROPERTIES = frozenset({"rdf:Property", "owl:ObjectProperty", "owl:DatatypeProperty"})


@blueprint.get("/ontology")
def ontology() -> Answer:
    """Show the terms of the ontology, or return it as RDF."""
    if not negotiation.wants_html():
        fmt = negotiation.choose(GRAPH)
        if fmt is None:
            raise negotiation.refusal(GRAPH, "The ontology")
        return _rdf(fmt, negotiated=True)
    kinds = _kinds()
    addresses = [(fmt, url_for("ontology.suffixed", rest=fmt.suffix)) for fmt in GRAPH]
    return pages.render("ontology.html", negotiated=True, kinds=kinds, addresses=addresses)


@blueprint.get("/ontology<rest>")
def suffixed(rest: str) -> Answer:
    """Return the ontology in the format of a suffix."""
    fmt = BY_SUFFIX.get(rest)
    if fmt not in GRAPH or fmt is None:
        files = [f"/ontology{offer.suffix}" for offer in GRAPH]
        raise NotFound(f"The ontology is at /ontology and, as RDF, at {', '.join(files)}.")
    return _rdf(fmt, negotiated=False)


@blueprint.get("/ontology/<version>")
def version(version: str) -> Answer:
    """Lead from the name of a version to the ontology, if it is the version that is served."""
    if version != __version__:
        raise NotFound(f"Served here is version {__version__} of the ontology, not {version}.", known=[__version__])
    return redirect(url_for("ontology.ontology"), 303)


def _rdf(fmt: Format, *, negotiated: bool) -> Answer:
    """Return the ontology's graph, literals exactly as in its files."""
    content = BytesIO()
    pages.snapshot().dump(content, fmt, GRAPHS + "ontology", visitor.is_gone)
    response = Response(content.getvalue(), content_type=fmt.content_type)
    response.headers["Cache-Control"] = headers.CACHED
    if negotiated:
        response.vary.add("Accept")
    return response


def _kinds() -> list[tuple[str, list[tuple[Ref | None, list[dict[str, object]]]]]]:
    """Return classes, properties and concepts (these by scheme), each with its entries in order of name."""
    found: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for row in select(pages.snapshot(), _TERMS):
        found[row["s"].value][shorten(row["p"].value)].append(row["o"])
    referred = {t.value for parts in found.values() for terms in parts.values() for t in terms if t.kind == "uri"}
    names = Names(pages.snapshot(), {*found, *referred}, pages.language())
    sections: dict[str, dict[str, list[dict[str, object]]]] = {
        "classes": defaultdict(list), "properties": defaultdict(list), "concepts": defaultdict(list),
    }  # fmt: skip
    for term, parts in sorted(found.items(), key=lambda item: item[0].casefold()):
        types = {shorten(t.value) for t in parts["rdf:type"]}
        kind = "classes" if "owl:Class" in types else "properties" if types & _PROPERTIES else "concepts"
        scheme = next((t.value for t in parts["skos:inScheme"]), "") if kind == "concepts" else ""
        if "skos:ConceptScheme" not in types:
            sections[kind][scheme].append(_entry(term, parts, names))
    return [
        (
            kind,
            [(names.ref(scheme) if scheme else None, entries) for scheme, entries in sorted(groups.items())],
        )
        for kind, groups in sections.items()
    ]


def _entry(term: str, parts: dict[str, list[Term]], names: Names) -> dict[str, object]:
    above = [*parts["rdfs:subClassOf"], *parts["rdfs:subPropertyOf"], *parts["skos:broader"]]
    return {
        "ref": names.ref(term),
        "name": term.removeprefix(TERMS),
        "definition": names.definition(term),
        "examples": [t.value for t in parts["skos:example"]],
        "broader": [names.ref(t.value) for t in above if t.kind == "uri"],
    }
