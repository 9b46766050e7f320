"""/ontology: every class, property and concept, as a page with a filter or as RDF; and what the page of one term adds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import NamedTuple

from flask import Blueprint, Response, request, url_for

from interpol_graph import __version__
from interpol_graph.endpoint import current, negotiation
from interpol_graph.endpoint.current import Parts, Term, described, render, select, snapshot
from interpol_graph.endpoint.dataset import sizes
from interpol_graph.endpoint.problems import NotFound
from interpol_graph.graph.formats import BY_SUFFIX, Format, of_kind
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import GRAPHS, TERMS, shorten
from interpol_graph.site.labels import Labels, Ref

blueprint = Blueprint("ontology", __name__)
blueprint.add_url_rule("/ontology/", "slashed", redirect_to="/ontology")

GRAPH = of_kind("graph")
#: Things that the page of a term shows as examples of its use.
SHOWN = 12
#: Pairs of classes up to which a property is drawn: what is said of nearly everything would hide the rest.
_PAIRS = 8

_TERMS = f'SELECT ?s ?p ?o WHERE {{ GRAPH graph:ontology {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), "{TERMS}")) }}'
#: The shapes that say something of each class and property.
_RULES = """SELECT DISTINCT ?term ?rule WHERE { GRAPH graph:shapes {
  { ?rule sh:path ?term } UNION { ?rule sh:targetClass|sh:targetSubjectsOf|sh:targetObjectsOf ?term }
  UNION { ?shape sh:targetClass ?term ; sh:property ?rule }
  ?rule sh:message ?message FILTER(isIRI(?rule) && isIRI(?term)) } } ORDER BY ?rule"""
_USERS = """SELECT DISTINCT ?s WHERE {{ {{ ?s a {e} }} UNION {{ ?s {e} ?value }} FILTER(isIRI(?s)) }}
  ORDER BY ?s LIMIT {most}"""
_PROPERTIES = {"owl:AnnotationProperty", "owl:ObjectProperty", "owl:DatatypeProperty"}
#: Section → class or scheme (nothing for none, or for several) → terms in order of name, with what is said of them.
Sections = dict[str, dict[str, list[tuple[str, Parts]]]]


class Diagram(NamedTuple):
    """The classes in order, each with its depth below another one; and from one to another row the properties that lead there."""

    rows: list[tuple[str, int]]
    links: dict[tuple[int, int], list[str]]


@blueprint.get("/ontology")
def ontology() -> Response:
    """Show the terms of the ontology, or those with the words ?q=; or return it as RDF."""
    if not negotiation.wants_html():
        return _rdf(negotiation.require(GRAPH, "The ontology"), "Accept")
    addresses = [(fmt, url_for("ontology.suffixed", rest=fmt.suffix)) for fmt in GRAPH]
    terms, words = described(select(_TERMS), shorten), plain(request.args.get("q", "")[:200]).split()
    classes, properties = sizes()
    referred = {t.value for parts in terms.values() for values in parts.values() for t in values if t.kind == "uri"}
    labels = Labels({*terms, *referred})
    found = {term: parts for term, parts in terms.items() if all(word in _said(term, parts) for word in words)}
    sections = {
        kind: dict(sorted(groups.items(), key=lambda group: plain(labels.label(group[0]).value) if group[0] else ""))
        for kind, groups in _sections(found).items()
    }
    return render(
        "ontology.html", "Accept", sections=sections, labels=labels, sizes=classes, uses=properties,
        rules=_rules(), addresses=addresses, filter=" ".join(words), diagram=None if words else _diagram(terms, labels),
    )  # fmt: skip


@blueprint.get("/ontology<rest>")
def suffixed(rest: str) -> Response:
    """Return the ontology in the format of a suffix."""
    fmt = BY_SUFFIX.get(rest)
    if fmt not in GRAPH or fmt is None:
        files = [f"/ontology{offer.suffix}" for offer in GRAPH]
        raise NotFound(f"The ontology is at /ontology and, as RDF, at {', '.join(files)}.")
    return _rdf(fmt)


@blueprint.get("/ontology/<version>")
def version(version: str) -> Response:
    """Show or return the ontology by the name of its version, if it is the one that is here."""
    if version != __version__:
        raise NotFound(f"Served here is version {__version__} of the ontology, not {version}.", known=[__version__])
    return ontology()


def users(term: str) -> tuple[list[Ref], bool, list[str]]:
    """Return the first things of a class, or that have a property; whether there are more; and the shapes about the term."""
    rows = select(_USERS.format(e=current.iri(term), most=SHOWN + 1))
    labels = Labels(row["s"].value for row in rows)
    return [labels.ref(row["s"].value) for row in rows[:SHOWN]], len(rows) > SHOWN, _rules().get(term, [])


@current.remembered
def _rules() -> dict[str, list[str]]:
    """Return term → its shapes."""
    rules: dict[str, list[str]] = defaultdict(list)
    for row in select(_RULES):
        rules[row["term"].value].append(shorten(row["rule"].value))
    return rules


def _rdf(fmt: Format, *vary: str) -> Response:
    """Return the ontology's graph, literals exactly as in its files."""
    content = BytesIO()
    snapshot().dump(content, fmt, GRAPHS + "ontology", current.gone())
    return current.data(content.getvalue(), fmt.content_type, *vary)


def _said(term: str, parts: Parts) -> str:
    """Return what is searched of a term: its name, labels and definitions."""
    return plain(" ".join([shorten(term), *(t.value for t in (*parts["rdfs:label"], *parts["skos:definition"]))]))


def _sections(terms: Mapping[str, Parts]) -> Sections:
    """Return the terms by section: properties by the class that they are said of, concepts by scheme, deprecated ones apart."""
    sections: Sections = {kind: defaultdict(list) for kind in ("classes", "properties", "concepts", "deprecated")}
    for term, parts in sorted(terms.items(), key=lambda item: item[0].casefold()):
        types = {shorten(t.value) for t in parts["rdf:type"]}
        kind = "classes" if "owl:Class" in types else "properties" if types & _PROPERTIES else "concepts"
        group = {"properties": "schema:domainIncludes", "concepts": "skos:inScheme"}.get(kind)
        found = [t.value for t in parts[group]] if group else []
        if parts["owl:deprecated"]:
            kind, found = "deprecated", []
        if "skos:ConceptScheme" not in types:
            sections[kind][found[0] if len(found) == 1 else ""].append((term, parts))
    return sections


def _diagram(terms: Mapping[str, Parts], labels: Labels) -> Diagram:
    """Return the classes and what links them."""
    classes = dict(pair for found in _sections(terms)["classes"].values() for pair in found)
    told: set[str] = set()

    def below(parent: str, depth: int) -> Iterator[tuple[str, int]]:
        of_it = [c for c, parts in classes.items() if parent in (_ours(parts["rdfs:subClassOf"], classes) or [""])]
        for term in sorted(set(of_it) - told, key=lambda c: plain(labels.label(c).value)):
            told.add(term)
            yield term, depth
            yield from below(term, depth + 1)

    rows, links = list(below("", 0)), defaultdict(list)
    places = {term: n for n, (term, _) in enumerate(rows)}
    for name, parts in terms.items():
        said, takes = (_ours(parts[f"schema:{end}Includes"], places) for end in ("domain", "range"))
        if not parts["owl:deprecated"] and len(said) * len(takes) <= _PAIRS:
            for pair in ((places[one], places[other]) for one in said for other in takes if one != other):
                links[pair].append(name)
    return Diagram(rows, links)


def _ours(terms: list[Term], known: Mapping[str, object]) -> list[str]:
    return [t.value for t in terms if t.value in known]
