"""Property paths of SHACL: read from a shapes graph, followed in a data graph, written in SPARQL's notation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, NamedNode

from interpol_graph.shacl.data import REST, BadShapes, Index, Term, reached, sh

#: From a node to its value nodes.
Step = Callable[[Term], Sequence[Term]]

#: The property that marks a path → kind of path, and what stands around its inner path in SPARQL.
KINDS = {
    sh("inversePath"): ("inverse", "^", ""),
    sh("alternativePath"): ("alternative", "", ""),
    sh("zeroOrMorePath"): ("star", "", "*"),
    sh("oneOrMorePath"): ("plus", "", "+"),
    sh("zeroOrOnePath"): ("optional", "", "?"),
}


@dataclass(frozen=True)
class Path:
    """A path: one predicate, or a kind with its inner paths."""

    kind: str
    predicate: NamedNode | None = None
    parts: tuple[Path, ...] = ()

    def __str__(self) -> str:
        if self.predicate is not None:
            return str(self.predicate)
        if self.kind in ("sequence", "alternative"):
            return "(" + ("/" if self.kind == "sequence" else "|").join(map(str, self.parts)) + ")"
        before, after = next((b, a) for kind, b, a in KINDS.values() if kind == self.kind)
        return f"({before}{self.parts[0]}{after})"

    def step(self, data: Index, back: bool = False) -> Step:
        """Return the function from a node to its value nodes, each once; back: from the end of the path to its start."""
        if self.predicate is not None:
            column = data.inverse(self.predicate) if back else data.column(self.predicate)
            return lambda node: column.get(node, ())
        if self.kind == "inverse":
            return self.parts[0].step(data, not back)
        steps = [part.step(data, back) for part in self.parts]
        if self.kind == "sequence":
            return _sequence(steps[::-1] if back else steps)
        if self.kind == "alternative":
            return lambda node: list(dict.fromkeys(value for step in steps for value in step(node)))
        only = steps[0]
        if self.kind == "star":
            return lambda node: reached(node, only)
        if self.kind == "plus":
            return lambda node: list(dict.fromkeys(end for value in only(node) for end in reached(value, only)))
        return lambda node: list(dict.fromkeys((node, *only(node))))


def _sequence(steps: Sequence[Step]) -> Step:
    def follow(node: Term) -> Sequence[Term]:
        front: Iterable[Term] = (node,)
        for step in steps:
            front = dict.fromkeys(value for each in front for value in step(each))
        return list(front)

    return follow


def read(shapes: Index, node: Term, around: tuple[Term, ...] = ()) -> Path:
    """Return the path that a node of a shapes graph describes. Raises BadShapes when it describes none."""
    if isinstance(node, NamedNode):
        return Path("predicate", node)
    if not isinstance(node, BlankNode) or node in around:
        raise BadShapes(around[0] if around else node, "sh:path holds itself or a literal; it must be a property path")
    around = (*around, node)
    if shapes.objects(node, REST):
        return Path("sequence", parts=_parts(shapes, node, around))
    marks = [(kind, value) for mark, (kind, _, _) in KINDS.items() for value in shapes.objects(node, mark)]
    if len(marks) != 1:
        raise BadShapes(
            node, "sh:path must be an IRI, a list, or a node with one of sh:inversePath, …, sh:zeroOrOnePath"
        )
    kind, value = marks[0]
    if kind == "alternative":
        return Path(kind, parts=_parts(shapes, value, around))
    return Path(kind, parts=(read(shapes, value, around),))


def _parts(shapes: Index, head: Term, around: tuple[Term, ...]) -> tuple[Path, ...]:
    items = shapes.items(head)
    if items is None or len(items) < 2:
        raise BadShapes(head, "a list in sh:path must be well-formed and have at least two members")
    return tuple(read(shapes, item, around) for item in items)
