"""What changed between two states of the graph, entity by entity: which values came and went, and their documents."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import BlankNode, Quad, RdfFormat, parse

from interpol_graph.graph.prefixes import GRAPHS, RDF, TERMS

#: What is concluded changes with what is stated, and the shapes are of the files, not of the graph.
_LEFT_OUT = frozenset({GRAPHS + "derived", GRAPHS + "shapes"})
_CITATION, _SOURCE, _SUPPORTS = (TERMS + name for name in ("citation", "source", "supports"))

#: Entity and property, as IRIs.
Key = tuple[str, str]


@dataclass(frozen=True, order=True)
class Document:
    """A document's IRI, and what its citation says besides, such as the paragraph, as Turtle has it within brackets."""

    iri: str
    says: str


@dataclass(frozen=True)
class Change:
    """One property of one entity: the values, as N-Triples write them, that came and went, and the documents before and after.

    A node without a name is written as what is said of it, in brackets.
    """

    entity: str
    property: str
    added: list[str]
    removed: list[str]
    before: list[Document]
    after: list[Document]


class Facts:
    """What the entities of a file of N-Quads are said to be, and by which documents."""

    def __init__(self, path: Path) -> None:
        self.values: defaultdict[Key, set[str]] = defaultdict(set)
        self.documents: defaultdict[Key, set[Document]] = defaultdict(set)
        said: defaultdict[BlankNode, list[Quad]] = defaultdict(list)
        rest: list[Quad] = []
        for quad in parse(path=path, format=RdfFormat.N_QUADS):
            if quad.graph_name.value not in _LEFT_OUT:
                (said[quad.subject] if isinstance(quad.subject, BlankNode) else rest).append(quad)
        for quad in rest:
            thing, name, value = str(quad.subject)[1:-1], quad.predicate.value, quad.object
            if name == _CITATION and isinstance(value, BlankNode):
                self._cite(thing, said[value])
                continue
            self.values[thing, name].add(_written(value, said))

    def _cite(self, thing: str, citation: list[Quad]) -> None:
        """Credit the document of a citation with the properties that it supports."""
        document, details, supported = "", set(), []
        for name, value in ((quad.predicate.value, quad.object) for quad in citation):
            if name == _SUPPORTS:
                supported.append(str(value)[1:-1])
            elif name == _SOURCE:
                document = str(value)[1:-1]
            elif name != RDF + "type":
                details.add(f"<{name}> {value}")
        for name in supported:
            self.documents[thing, name].add(Document(document, " ; ".join(sorted(details))))


def _written(term: object, said: dict[BlankNode, list[Quad]], depth: int = 8) -> str:
    """Return a term as N-Triples write it; a node without a name by what is said of it, which may hold others."""
    if not isinstance(term, BlankNode) or not depth:
        return str(term)
    parts = {f"{quad.predicate} {_written(quad.object, said, depth - 1)}" for quad in said.get(term, ())}
    return f"[ {' ; '.join(sorted(parts))} ]"


def changes(before: Facts, after: Facts) -> Iterator[Change]:
    """Yield what changed, in order of entity and property."""
    keys = before.values.keys() | after.values.keys() | before.documents.keys() | after.documents.keys()
    for key in sorted(keys):
        values = before.values.get(key, set()), after.values.get(key, set())
        cited = before.documents.get(key, set()), after.documents.get(key, set())
        if values[0] != values[1] or cited[0] != cited[1]:
            yield Change(*key, sorted(values[1] - values[0]), sorted(values[0] - values[1]), *map(sorted, cited))
