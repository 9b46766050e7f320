"""Statements indexed for validation, every term exactly as written; and the property paths that lead through them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import NamedTuple

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

Term = NamedNode | BlankNode | Literal | Triple
Column = Mapping[Term, Sequence[Term]]
#: From a node to its value nodes.
Step = Callable[[Term], Sequence[Term]]

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SHACL = "http://www.w3.org/ns/shacl#"
TYPE = NamedNode(RDF + "type")
FIRST, REST, NIL = (NamedNode(RDF + name) for name in ("first", "rest", "nil"))
SUBCLASS = NamedNode(RDFS + "subClassOf")


class Statement(NamedTuple):
    """A statement for lookups: its terms may be shared by many, where pyoxigraph makes a copy of each that is asked for."""

    subject: Term
    predicate: NamedNode
    object: Term
    graph_name: NamedNode | BlankNode | DefaultGraph = DefaultGraph()


@cache
def sh(name: str) -> NamedNode:
    """Return the term of the SHACL vocabulary with this name."""
    return NamedNode(SHACL + name)


class BadShapes(Exception):
    """Shapes that cannot be used: the node of the shapes graph at fault, and why; its property and the value, if it is they."""

    def __init__(self, node: Term, reason: str, predicate: NamedNode | None = None, value: Term | None = None) -> None:
        super().__init__(f"{node}: {reason}")
        self.node, self.reason, self.predicate, self.value = node, reason, predicate, value


class Index:
    """A graph for lookups. The columns of a predicate are plain dicts, because validation is mostly these lookups."""

    def __init__(self, statements: Iterable[Quad | Triple | Statement]) -> None:
        forward: dict[NamedNode, dict[Term, list[Term]]] = {}
        for statement in statements:
            forward.setdefault(statement.predicate, {}).setdefault(statement.subject, []).append(statement.object)
        for column in forward.values():
            for subject, objects in column.items():
                if len(objects) > 1 and len(set(objects)) < len(objects):
                    column[subject] = list(dict.fromkeys(objects))
        self._forward = forward
        self._backward: dict[Term, dict[Term, list[Term]]] = {}
        self._instances: dict[Term, frozenset[Term]] = {}
        self._by_subject: dict[Term, list[tuple[NamedNode, Term]]] = {}

    def column(self, predicate: Term) -> Column:
        """Return subject → objects of a predicate."""
        return self._forward.get(predicate, {})  # type: ignore[arg-type]  # what is no IRI has none

    def inverse(self, predicate: Term) -> Column:
        """Return object → subjects of a predicate."""
        if predicate not in self._backward:
            column = self._backward[predicate] = {}
            for subject, objects in self.column(predicate).items():
                for value in objects:
                    column.setdefault(value, []).append(subject)
        return self._backward[predicate]

    def objects(self, subject: Term, predicate: NamedNode) -> Sequence[Term]:
        """Return the values of a property of a node, each once."""
        return self.column(predicate).get(subject, ())

    def about(self, subject: Term) -> Sequence[tuple[NamedNode, Term]]:
        """Return predicate and object of every statement about a node."""
        if not self._by_subject:
            for predicate, column in self._forward.items():
                for node, objects in column.items():
                    self._by_subject.setdefault(node, []).extend((predicate, value) for value in objects)
        return self._by_subject.get(subject, ())

    def instances(self, kind: Term) -> frozenset[Term]:
        """Return the nodes of a class and of its subclasses."""
        if kind not in self._instances:
            below, types = self.inverse(SUBCLASS), self.inverse(TYPE)
            kinds = reached(kind, lambda node: below.get(node, ()))
            self._instances[kind] = frozenset(node for each in kinds for node in types.get(each, ()))
        return self._instances[kind]

    def items(self, head: Term) -> list[Term] | None:
        """Return the members of a list, or None when it is no well-formed list."""
        members: list[Term] = []
        seen: set[Term] = set()
        while head != NIL:
            first, rest = self.objects(head, FIRST), self.objects(head, REST)
            if head in seen or len(first) != 1 or len(rest) != 1:
                return None
            seen.add(head)
            members.append(first[0])
            head = rest[0]
        return members

    def statements(self) -> Iterable[Statement]:
        """Yield every statement once."""
        for predicate, column in self._forward.items():
            for subject, objects in column.items():
                for value in objects:
                    yield Statement(subject, predicate, value)


def reached(start: Term, step: Callable[[Term], Iterable[Term]]) -> list[Term]:
    """Return a node and all that repeated steps lead to, each once, nearest first."""
    found = {start: None}
    front = [start]
    while front:
        front = [node for node in _ends(front, step) if node not in found]
        found.update(dict.fromkeys(front))
    return list(found)


#: How SPARQL writes a path → the property that marks it.
MARKS = {
    "^": sh("inversePath"),
    "|": sh("alternativePath"),
    "*": sh("zeroOrMorePath"),
    "+": sh("oneOrMorePath"),
    "?": sh("zeroOrOnePath"),
}


@dataclass(frozen=True)
class Path:
    """A property path: one predicate; or a kind, as SPARQL writes it (/ is a sequence), with its inner paths."""

    predicate: NamedNode | None = None
    kind: str = ""
    parts: tuple["Path", ...] = ()

    def __str__(self) -> str:
        if self.predicate is not None:
            return str(self.predicate)
        inner = [str(part) for part in self.parts]
        if self.kind in "/|":
            return f"({self.kind.join(inner)})"
        return f"(^{inner[0]})" if self.kind == "^" else f"({inner[0]}{self.kind})"

    def stated(self) -> tuple[NamedNode | BlankNode, list[Triple]]:
        """Return the path as it is written in a graph: its node, and the statements that make it up, first about the node."""
        if self.predicate is not None:
            return self.predicate, []
        inner = [part.stated() for part in self.parts]
        head, rest = inner[0][0], [triple for _, triples in inner for triple in triples]
        if self.kind in "/|":
            links = [BlankNode() for _ in inner]
            ends: list[Term] = [*links[1:], NIL]
            for link, following, (part, _) in zip(links, ends, inner, strict=True):
                rest += [Triple(link, FIRST, part), Triple(link, REST, following)]
            head = links[0]
        if self.kind == "/":
            return head, rest
        node = BlankNode()
        return node, [Triple(node, MARKS[self.kind], head), *rest]

    def step(self, data: Index, back: bool = False) -> Step:
        """Return the function from a node to its value nodes, each once; back: from the end of the path to its start."""
        if self.predicate is not None:
            column = data.inverse(self.predicate) if back else data.column(self.predicate)
            return lambda node: column.get(node, ())
        if self.kind == "^":
            return self.parts[0].step(data, not back)
        steps = [part.step(data, back) for part in self.parts]
        if self.kind == "/":
            ordered = steps[::-1] if back else steps
            return lambda node: reduce(_ends, ordered, [node])
        if self.kind == "|":
            return lambda node: list(dict.fromkeys(value for step in steps for value in step(node)))
        (only,) = steps
        if self.kind == "*":
            return lambda node: reached(node, only)
        if self.kind == "+":
            return lambda node: _ends(only(node), lambda value: reached(value, only))
        return lambda node: list(dict.fromkeys((node, *only(node))))


def _ends(nodes: Iterable[Term], step: Callable[[Term], Iterable[Term]]) -> list[Term]:
    """Return all that one step leads to from some nodes, each once."""
    return list(dict.fromkeys(end for node in nodes for end in step(node)))


def read_path(shapes: Index, node: Term, around: tuple[Term, ...] = ()) -> Path:
    """Return the path that a node of a shapes graph describes. Raises BadShapes when it describes none."""
    if isinstance(node, NamedNode):
        return Path(node)
    if not isinstance(node, BlankNode) or node in around:
        raise BadShapes(around[0] if around else node, "sh:path holds itself or a literal; it must be a property path")
    around = (*around, node)
    marks = [(kind, value) for kind, mark in MARKS.items() for value in shapes.objects(node, mark)]
    if shapes.objects(node, REST):
        marks = [("/", node)]
    if len(marks) != 1:
        why = "sh:path must be an IRI, a list, or a node with one of sh:inversePath, …, sh:zeroOrOnePath"
        raise BadShapes(node, why)
    kind, value = marks[0]
    parts = shapes.items(value) if kind in "/|" else [value]
    if parts is None or (kind in "/|" and len(parts) < 2):
        raise BadShapes(value, "a list in sh:path must be well-formed and have at least two members")
    return Path(None, kind, tuple(read_path(shapes, part, around) for part in parts))
