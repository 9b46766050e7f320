"""Closed namespaces: a term of a vocabulary that we use must be one that the vocabulary declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache

from pyoxigraph import Literal, NamedNode, Quad
from rdflib import DCTERMS, FOAF, ORG, OWL, PROV, QB, RDF, RDFS, SDO, SH, SKOS, XSD
from rdflib.namespace import DefinedNamespace

from interpol_graph.graph.files import SourceFile
from interpol_graph.graph.prefixes import TERMS, prefixes, shorten
from interpol_graph.shacl.data import TYPE, Index, Term, sh
from interpol_graph.shacl.literals import well_formed
from interpol_graph.shacl.result import shown
from interpol_graph.validation import positions
from interpol_graph.validation.finding import Finding, Terms
from interpol_graph.validation.locator import Finder, Shelf

#: Rule, message and mend of a term that is not in order.
Verdict = tuple[str, str, str]

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


def declared(ontology: Index) -> frozenset[str]:
    """Return the local names that the ontology declares in our namespace."""
    subjects = (subject for subject in ontology.column(TYPE) if isinstance(subject, NamedNode))
    return frozenset(subject.value[len(TERMS) :] for subject in subjects if subject.value.startswith(TERMS))


def table(ontology: Index) -> dict[str, str]:
    """Return the prefix table of an ontology: prefix → namespace; the bundled one when it declares none."""
    namespaces = ontology.column(sh("namespace"))
    found = {
        str(getattr(name, "value", "")): str(getattr(namespaces[node][0], "value", ""))
        for node, names in ontology.column(sh("prefix")).items()
        for name in names
        if node in namespaces
    }
    return found or prefixes()


def check(files: Iterable[SourceFile], ontology: Index, shelf: Shelf) -> Iterator[Finding]:
    """Yield a finding for every misspelt term, ill-typed literal and prefix that differs from the table."""
    ours, right = declared(ontology), table(ontology)
    verdicts: dict[Term, Verdict | None] = {}
    for file in files:
        yield from _prefixes(file, right)
        statements = list(file.quads())
        broken: list[tuple[Quad, int, Verdict]] = []
        for quad in statements:
            for position, term in enumerate((quad.subject, quad.predicate, quad.object)):
                if term not in verdicts:
                    verdicts[term] = verdict(term, ours)
                if found := verdicts[term]:
                    broken.append((quad, position, found))
        if broken:
            finder = Finder(Index(statements), [file], [quad.subject for quad, _, _ in broken], shelf)
            for quad, position, (rule, message, mend) in broken:
                path, line, column = finder.place(*(quad.subject, quad.predicate, quad.object)[: position + 1])
                yield Finding(
                    path, line, column, rule, shown(quad.subject), message, mend, terms=Terms(str(quad.subject))
                )


def _prefixes(file: SourceFile, right: dict[str, str]) -> Iterator[Finding]:
    for prefix, namespace, line, column in positions.prefixes(file):
        if right.get(prefix) != namespace:
            mend = (
                f"Write @prefix {prefix}: <{right[prefix]}> ."
                if prefix in right
                else "Add the prefix to ontology/prefixes.ttl, the prefix table, or use one that stands there."
            )
            message = f"the prefix stands for <{namespace}>, which the prefix table does not say"
            yield Finding(file.path, line, column, "prefix", f"{prefix}:", message, mend)


def verdict(term: Term, ours: frozenset[str]) -> Verdict | None:
    """Return rule, message and mend for a term that is not in order, else None."""
    if isinstance(term, Literal) and not well_formed(term):
        message = f'"{term.value}" is not a value of {shorten(term.datatype.value)}'
        return (
            "ill-typed-literal",
            message,
            "Write the value in the lexical form of its datatype, or mend the datatype.",
        )
    iri = term.datatype.value if isinstance(term, Literal) else term.value if isinstance(term, NamedNode) else ""
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
