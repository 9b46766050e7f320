"""A reasoner over the graph and the vocabularies that it is aligned to: no individual ends up as what it is not.

A statement of individuals says the same of their kinds for the reasoner, and there are few kinds: it sees one node for all
individuals of the same classes, and one statement for all of the same property between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pytest
from owlrl import DeductiveClosure, OWLRL_Semantics
from owlrl.Namespaces import ERRNS
from pyoxigraph import BlankNode as OxBlank
from pyoxigraph import Literal as OxLiteral
from pyoxigraph import NamedNode
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.term import _toPythonMapping

from conftest import ROOT
from interpol_graph.graph.prefixes import BASE, TERMS
from interpol_graph.graph.store import KnowledgeGraph

KIND = Namespace("urn:x-kind:")
INTERPOL = Namespace(TERMS)
AXIOMS = {
    RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range, OWL.inverseOf, OWL.disjointWith, OWL.equivalentClass,
    OWL.equivalentProperty,    OWL.members, RDF.first, RDF.rest,
}  # fmt: skip
#: A type is the kind itself; what is the same elsewhere is no part of the graph.
APART = {str(RDF.type), str(OWL.sameAs)}


@cache
def axioms() -> Graph:
    """What ontology and vocabularies say of classes and properties, and nothing of individuals."""
    found, read = Graph(), Graph()
    for path in (
        *(ROOT / "ontology" / f"{name}.ttl" for name in ("interpol", "alignments")),
        ROOT / "tests" / "vocabularies.ttl",
    ):
        read.parse(path)
    for triple in read:
        if triple[1] in AXIOMS or triple[2] in (OWL.AllDisjointClasses, OWL.ObjectProperty, OWL.DatatypeProperty):
            found.add(triple)
    return found


def kinds(triples: Iterable[tuple[str, str, object]]) -> Graph:
    """The graph of the kinds of individuals."""
    statements, types = list(triples), defaultdict(set)
    for subject, predicate, value in statements:
        if predicate == str(RDF.type):
            types[subject].add(str(value))
    names = {
        node: KIND["+".join(sorted(each.rpartition("#")[2].rpartition("/")[2] for each in of))]
        for node, of in types.items()
    }
    graph = Graph()
    for node, of in types.items():
        for each in of:
            graph.add((names[node], RDF.type, URIRef(each)))
    for subject, predicate, value in statements:
        if subject in names and predicate not in APART:
            # What lies outside is all one, and so is every term.
            said = value if isinstance(value, Literal) else names.get(str(value), KIND.something)
            graph.add((names[subject], URIRef(predicate), said))
    return graph


def concluded(graph: Graph) -> tuple[dict[str, set[str]], list[str]]:
    """Kind → the classes that follow, and the contradictions."""
    graph += axioms()
    readers = dict(_toPythonMapping)
    DeductiveClosure(OWLRL_Semantics).expand(graph)
    # It has changed how rdflib reads literals, for the tests in this process that come after it, too.
    _toPythonMapping.clear()
    _toPythonMapping.update(readers)
    classes = defaultdict(set)
    for node, each in graph.subject_objects(RDF.type):
        if str(node).startswith(KIND):
            classes[str(node).removeprefix(KIND)].add(str(each))
    return classes, sorted(str(words) for words in graph.objects(None, ERRNS.error))


@pytest.fixture(scope="module")
def individuals(graph: KnowledgeGraph) -> Graph:
    """The kinds of all individuals of the graph, as stated and derived; of literals one of each datatype."""

    def plain(term: object) -> object:
        if isinstance(term, OxLiteral):
            return Literal("", datatype=URIRef(term.datatype.value + "-x"))
        return f"_:{term.value}" if isinstance(term, OxBlank) else getattr(term, "value", None)

    ontology = {NamedNode(f"{BASE}graph/{name}") for name in ("ontology", "shapes")}
    stated = (quad.triple for name in graph.graphs if name not in ontology for quad in graph.exact.quads(name))
    return kinds({(str(plain(t.subject)), t.predicate.value, plain(t.object)) for t in stated})


def test_no_individual_ends_up_as_what_it_is_not(individuals: Graph) -> None:
    assert 40 < len(set(individuals.subjects())) < 400 < len(individuals)
    before = {
        str(node).removeprefix(KIND): set(map(str, individuals.objects(node, RDF.type)))
        for node in set(individuals.subjects())
    }
    classes, contradictions = concluded(individuals)
    assert contradictions == []
    assert set(before) <= set(classes)
    for kind, after in ((kind, classes[kind]) for kind in before):
        ours = {each for each in after - before[kind] if each.startswith((TERMS, str(SKOS)))}
        assert not ours, f"{kind} would be {ours}"
        if str(INTERPOL.Source) not in after:
            assert "http://www.w3.org/ns/prov#Entity" not in after, kind
        if not after & {str(INTERPOL.Organisation), str(INTERPOL.Organ)}:
            assert not after & {"https://schema.org/Organization", "http://www.w3.org/ns/org#Organization"}, kind


@pytest.mark.parametrize(
    "statement",
    [
        ("x:person", "http://www.w3.org/ns/prov#wasDerivedFrom", "x:source"),
        ("x:person", TERMS + "citation", "x:person"),
        ("x:mandate", "http://www.w3.org/ns/org#organization", "x:person"),
    ],
)
def test_the_reasoner_finds_what_ends_up_wrong(statement: tuple[str, str, object]) -> None:
    of = {"x:person": "Person", "x:source": "Source", "x:mandate": "Mandate"}
    graph = kinds([*((node, str(RDF.type), TERMS + name) for node, name in of.items()), statement])
    graph.add((URIRef(TERMS + "citation"), RDFS.range, INTERPOL.Citation))
    classes, contradictions = concluded(graph)
    assert contradictions or "http://www.w3.org/ns/prov#Entity" in classes["Person"]
