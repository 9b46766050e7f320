"""Which document states which value, in RDF 1.2: a reifier for each statement and document."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count, product
from typing import Any

from pyoxigraph import BlankNode, NamedNode, Quad, Triple

from interpol_graph.graph.prefixes import BASE, RDF, TERMS

#: The name by which a dump asks for the reifiers; no dataset has them, as not every reader of RDF knows triple terms.
REIFIERS = NamedNode(BASE + "reifiers")
_NAMES = ("citation", "paragraph", "pooled", "source", "statedValue", "supports")
_CITATION, _PARAGRAPH, _POOLED, _SOURCE, _STATED, _SUPPORTS = (NamedNode(TERMS + name) for name in _NAMES)
_REIFIES = NamedNode(RDF + "reifies")


def reified(graphs: Iterable[Iterable[Quad]]) -> Iterator[Triple]:
    """Yield the reifiers of what the entities of some graphs cite, each with its statement, document and paragraphs.

    graphs: of each graph the statements, nothing derived. A document that was credited with a group of facts states none of
    them for certain, nor does any of several documents for several values where no interpol:statedValue tells which states which.
    """
    numbers = count(1)
    for graph in graphs:
        for (document, *statement), paragraphs in sorted(_stated(graph).items(), key=str):
            reifier = BlankNode(f"r{next(numbers)}")
            yield Triple(reifier, _REIFIES, Triple(*statement))
            yield Triple(reifier, _SOURCE, document)
            yield from (Triple(reifier, _PARAGRAPH, paragraph) for paragraph in sorted(paragraphs, key=str))


def _stated(graph: Iterable[Quad]) -> dict[tuple[Any, ...], set[Any]]:
    """Return document, entity, property and value → the paragraphs that state it."""
    said: defaultdict[Any, defaultdict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for subject, predicate, value, _ in graph:
        said[subject][predicate].append(value)
    stated: defaultdict[tuple[Any, ...], set[Any]] = defaultdict(set)
    for entity in list(said):
        citations: defaultdict[Any, list[Any]] = defaultdict(list)
        for node in said[entity].get(_CITATION, ()):
            for supported in said[node][_SUPPORTS]:
                citations[supported].append(said[node])
        for supported, citing in citations.items():
            values = said[entity].get(supported, [])
            told = any(_STATED in citation for citation in citing)
            # A text in two languages is one value.
            one = len(values) == len({getattr(value, "language", None) for value in values})
            certain = told or one or len({document for citation in citing for document in citation[_SOURCE]}) == 1
            for citation in (citation for citation in citing if _POOLED not in citation):
                for document, value in product(citation[_SOURCE], citation.get(_STATED) or (values if certain else ())):
                    stated[document, entity, supported, value] |= set(citation.get(_PARAGRAPH, ()))
    return stated
