"""Closed namespaces: a term of a vocabulary that we use must be one that the vocabulary declares."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache

from pyoxigraph import Literal, NamedNode
from rdflib import DCTERMS, FOAF, ORG, OWL, PROV, QB, RDF, RDFS, SDO, SH, SKOS, XSD
from rdflib.namespace import DefinedNamespace

from interpol_graph.graph.prefixes import TERMS, prefixes, shorten
from interpol_graph.shacl.data import TYPE, Index, Term, sh
from interpol_graph.shacl.literals import well_formed
from interpol_graph.shacl.validation import Result
from interpol_graph.validation.locator import Reading
from interpol_graph.validation.report import Finding, brief, shown
from interpol_graph.validation.rules import BY_NAME

#: Rule, message and mend of a term that is not in order.
Verdict = tuple[str, str, str]

#: The vocabularies whose terms rdflib knows, by namespace. Ours is closed by the ontology itself.
_KNOWN: tuple[type[DefinedNamespace], ...] = (DCTERMS, FOAF, ORG, OWL, PROV, QB, RDF, RDFS, SDO, SH, SKOS, XSD)
_CLOSED = {str(each): each for each in _KNOWN}


@cache
def _external(namespace: str) -> frozenset[str] | None:
    if (vocabulary := _CLOSED.get(namespace)) is None:
        return None
    names = {str(term)[len(namespace) :] for term in dir(vocabulary) if str(term).startswith(namespace)}
    return frozenset(names.union(getattr(vocabulary, "_extras", ())))


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


def check(files: Iterable[Reading], ontology: Index) -> Iterator[Finding]:
    """Yield a finding for every misspelt term, ill-typed literal and prefix that differs from the table."""
    ours, right = declared(ontology), table(ontology)
    verdicts: dict[Term, Verdict | None] = {}
    for file in files:
        yield from _prefixes(file, right)
        terms = {term for quad in file.quads for term in quad[:3]}
        for term in terms.difference(verdicts):
            verdicts[term] = verdict(term, ours)
        if any(verdicts[term] for term in terms):
            yield from _misspelt(file, verdicts)


def _misspelt(file: Reading, verdicts: dict[Term, Verdict | None]) -> Iterator[Finding]:
    """Yield a finding for each term that is not in order, once a subject, property and value."""
    seen: set[tuple[Term, ...]] = set()
    for number, quad in enumerate(file.quads):
        terms: tuple[Term, ...] = quad[:3]
        for part, term in enumerate(terms):
            if (found := verdicts[term]) and terms[: part + 1] not in seen:
                seen.add(terms[: part + 1])
                rule, message, mend = found
                spot, focus, about = (file.path, *file.place(number, part)), shown(quad.subject), Result(quad.subject)
                yield Finding(*spot, rule, focus, message, mend, terms=about)


def _prefixes(file: Reading, right: dict[str, str]) -> Iterator[Finding]:
    for prefix, namespace, line, column in file.text.prefixes(right) if file.text else ():
        mend = "Add the prefix to ontology/prefixes.ttl, the prefix table, or use one that stands there."
        mend = f"Write @prefix {prefix}: <{right[prefix]}> ." if prefix in right else mend
        message = f"the prefix stands for <{namespace}>, which the prefix table does not say"
        yield Finding(file.path, line, column, "prefix", f"{prefix}:", message, mend)


def verdict(term: Term, ours: frozenset[str]) -> Verdict | None:
    """Return rule, message and mend for a term that is not in order, else None."""
    if isinstance(term, Literal) and not well_formed(term):
        message = f"{brief(Literal(term.value))} is not a value of {shorten(term.datatype.value)}"
        return "ill-typed-literal", message, BY_NAME["ill-typed-literal"].mend
    iri = term.datatype.value if isinstance(term, Literal) else term.value if isinstance(term, NamedNode) else ""
    if (found := misspelt(iri, ours)) is None:
        return None
    name, near = found
    mend = f"Did you mean {near}?" if near else "Use a term that the vocabulary declares."
    return "undeclared-term", f"{name} is not declared in its vocabulary", mend


def misspelt(iri: str, ours: frozenset[str]) -> tuple[str, str] | None:
    """Return a term that its vocabulary does not declare and the nearest that it does, if any, in short; None if all is well."""
    cut = max(iri.rfind("#"), iri.rfind("/")) + 1
    namespace, name = iri[:cut], iri[cut:]
    known = ours if namespace == TERMS else _external(namespace)
    if known is None or not name or name in known:
        return None
    near = get_close_matches(name, known, n=1)
    return shorten(iri), shorten(namespace + near[0]) if near else ""
