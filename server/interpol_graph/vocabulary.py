"""Closed namespaces: a term of a vocabulary that we use must be one that the vocabulary declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache

from rdflib import DCTERMS, FOAF, ORG, OWL, PROV, QB, RDF, RDFS, SDO, SH, SKOS, XSD, Graph, Literal, URIRef
from rdflib.namespace import DefinedNamespace
from rdflib.term import BNode, Node

from interpol_graph.finding import Finding
from interpol_graph.located import LocatedGraph
from interpol_graph.prefixes import TERMS, prefixes, shorten

#: The vocabularies whose terms rdflib knows. Ours is closed by the ontology itself.
CLOSED: tuple[type[DefinedNamespace], ...] = (
    DCTERMS,
    FOAF,
    ORG,
    OWL,
    PROV,
    QB,
    RDF,
    RDFS,
    SDO,
    SH,
    SKOS,
    XSD,
)


@cache
def _external(namespace: str) -> frozenset[str] | None:
    for vocabulary in CLOSED:
        if str(vocabulary) == namespace:
            names = {str(term)[len(namespace) :] for term in dir(vocabulary) if str(term).startswith(namespace)}
            return frozenset(names | set(getattr(vocabulary, "_extras", ())))
    return None


def declared(ontology: Iterable[LocatedGraph]) -> frozenset[str]:
    """Return the local names that the ontology declares in our namespace."""
    subjects = {subject for located in ontology for subject in located.graph.subjects(RDF.type)}
    return frozenset(str(subject)[len(TERMS) :] for subject in subjects if str(subject).startswith(TERMS))


def check(files: Iterable[LocatedGraph], ours: frozenset[str]) -> Iterator[Finding]:
    """Yield a finding for every misspelt term, ill-typed literal and prefix that differs from the table."""
    verdicts: dict[Node, tuple[str, str, str] | None] = {}
    for located in files:
        yield from _prefixes(located)
        for statement in located.graph:
            for term in statement:
                if term not in verdicts:
                    verdicts[term] = _verdict(term, ours)
                if verdict := verdicts[term]:
                    rule, message, mend = verdict
                    focus = shorten(str(statement[0])) if isinstance(statement[0], URIRef) else "blank node"
                    yield Finding(located.path, located.lines.get(statement, 0), 0, rule, focus, message, mend)


def _prefixes(located: LocatedGraph) -> Iterator[Finding]:
    for prefix, (namespace, line) in located.prefixes.items():
        right = prefixes().get(prefix)
        if right != namespace:
            mend = (
                f"Write @prefix {prefix}: <{right}> ."
                if right
                else "Add the prefix to ontology/prefixes.ttl, the prefix table, or use one that stands there."
            )
            yield Finding(
                located.path,
                line,
                0,
                "prefix",
                f"{prefix}:",
                f"the prefix stands for <{namespace}>, which the prefix table does not say",
                mend,
            )


def _verdict(term: Node, ours: frozenset[str]) -> tuple[str, str, str] | None:
    """Return rule, message and mend for a term that is not in order, else None."""
    if isinstance(term, Literal) and term.ill_typed:
        message = f'"{term}" is not a value of {shorten(str(term.datatype))}'
        return (
            "ill-typed-literal",
            message,
            "Write the value in the lexical form of its datatype, or mend the datatype.",
        )
    iri = str(term.datatype if isinstance(term, Literal) else term) if not isinstance(term, BNode) else ""
    namespace, name = _split(iri)
    known = ours if namespace == TERMS else _external(namespace)
    if known is None or not name or name in known:
        return None
    near = get_close_matches(name, known, n=1)
    mend = f"Did you mean {shorten(namespace + near[0])}?" if near else "Use a term that the vocabulary declares."
    return "undeclared-term", f"{shorten(iri)} is not declared in its vocabulary", mend


def _split(iri: str) -> tuple[str, str]:
    cut = max(iri.rfind("#"), iri.rfind("/")) + 1
    return iri[:cut], iri[cut:]


def merged(files: Iterable[LocatedGraph]) -> Graph:
    """Return one graph with the statements of all files."""
    union = Graph()
    for located in files:
        for statement in located.graph:
            union.add(statement)
    return union
