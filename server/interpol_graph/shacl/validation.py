"""SHACL: which nodes of a graph break which constraints of some shapes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode

from interpol_graph.shacl import constraints
from interpol_graph.shacl.data import BadShapes, Index, Path, Step, Term, sh
from interpol_graph.shacl.literals import XSD
from interpol_graph.shacl.shapes import Shape, Shapes, implicit


class Result(NamedTuple):
    """A constraint that a focus node breaks, with the parts that the SHACL recommendation gives a result.

    path: from the focus node to the value; shape: the node of the shape that said so; component: by which kind of
    constraint. What is found in another way than by a shape has the parts that it can have.
    """

    focus: Term | None = None
    path: Path | None = None
    value: Term | None = None
    shape: Term | None = None
    component: NamedNode | None = None
    messages: tuple[Literal, ...] = ()
    severity: NamedNode | None = None

    @property
    def message(self) -> str:
        """The message for people: an English one or one without language, if there is one."""
        ranked = sorted(self.messages, key=lambda m: (not (m.language or "en").startswith("en"), m.value))
        return ranked[0].value if ranked else ""


#: From a focus node and its value nodes to results.
Constraint = Callable[[Term, Sequence[Term]], Iterable[Result]]


#: Shapes within shapes up to which verdicts are reached by calls; what lies deeper is settled before, however deep it is.
_DEEPEST = 40


class _Deeper(Exception):
    """The results of a shape at a node are needed before the ones under way can be had."""

    def __init__(self, shape: Shape, node: Term) -> None:
        self.shape, self.node, self.key = shape, node, (shape.node, node)


class Validation:
    """One run of some shapes over some data.

    shown: how a term is written in the message of a shape that has none of its own; only: the nodes that are judged, None
    for every target.
    """

    def __init__(
        self, data: Index, shapes: Shapes, shown: Callable[[object], str] = str, only: Collection[Term] | None = None
    ) -> None:
        self.data: Index = data
        self.shapes: Shapes = shapes
        self.shown, self.only = shown, only
        self._implicit = frozenset(implicit(shapes.graph))
        self._ready: dict[Term, tuple[Step | None, list[Constraint]]] = {}
        self._verdicts: dict[Term, dict[Term, bool | None]] = {}
        self._depth = 0
        self._deep: dict[tuple[Term, Term], list[Result]] = {}

    def results(self, roots: Iterable[Shape]) -> Iterator[Result]:
        """Yield the results of some shapes at their targets; nested results are not among them.

        Raises BadShapes for shapes that depend on themselves, or are not SHACL Core.
        """
        for shape in roots:
            targets = self.targets(shape)
            for focus in targets if self.only is None else [node for node in targets if node in self.only]:
                yield from self._settled(shape, focus)

    def conforms(self, shape: Term, node: Term) -> bool:
        """Say whether a node conforms to the shape at another node. Every verdict is reached once."""
        verdicts = self._verdicts.setdefault(shape, {})
        if node not in verdicts:
            verdicts[node] = None
            try:
                verdicts[node] = not self._of(self.shapes.of(shape), node, first=True)
            except _Deeper:
                del verdicts[node]
                raise
        verdict = verdicts[node]
        if verdict is None:
            raise self._recursion(shape, node)
        return verdict

    def targets(self, shape: Shape) -> Collection[Term]:
        """Return the nodes that a shape is aimed at, none for one that is deactivated or cannot be used."""
        given = shape.parameters
        if shape.is_true("deactivated") or not shape.usable:
            return ()
        found: dict[Term, None] = dict.fromkeys(given.get("targetNode", ()))
        for kind in (*given.get("targetClass", ()), *([shape.node] if shape.node in self._implicit else [])):
            found |= dict.fromkeys(self.data.instances(kind))
        for name, side in (("targetSubjectsOf", self.data.column), ("targetObjectsOf", self.data.inverse)):
            for predicate in given.get(name, ()):
                found |= dict.fromkeys(side(predicate))
        return found

    def _settled(self, shape: Shape, focus: Term) -> list[Result]:
        """Return the results of a shape at a node, those that it needs of deeper ones first."""
        waiting = [_Deeper(shape, focus)]
        while True:
            try:
                found = self._of(waiting[-1].shape, waiting[-1].node)
            except _Deeper as deeper:
                if deeper.key in {each.key for each in waiting}:
                    raise self._recursion(*deeper.key) from None
                waiting.append(deeper)
                continue
            done = waiting.pop()
            if not waiting:
                self._deep.clear()
                return found
            self._deep[done.key] = found

    def _of(self, shape: Shape, focus: Term, first: bool = False) -> list[Result]:
        """Return the results of a shape at one focus node; first: those of its first broken constraint are enough."""
        if self._depth >= _DEEPEST:
            if (shape.node, focus) not in self._deep:
                raise _Deeper(shape, focus)
            return self._deep[shape.node, focus]
        ready = self._ready.get(shape.node)
        if ready is None:
            step = shape.path.step(self.data) if shape.path else None
            ready = self._ready[shape.node] = (step, list(self._constraints(shape)))
        step, constraints = ready
        values = step(focus) if step else (focus,)
        found: list[Result] = []
        self._depth += 1
        try:
            for constraint in constraints:
                found += constraint(focus, values)
                if found and first:
                    break
        finally:
            self._depth -= 1
        return found

    def _recursion(self, shape: Term, node: Term) -> BadShapes:
        return BadShapes(shape, f"recursion is not supported: at {self.shown(node)} the shape depends on itself")

    def _constraints(self, shape: Shape) -> Iterator[Constraint]:
        if shape.is_true("deactivated") or not shape.usable:
            return
        if not shape.core:
            raise BadShapes(shape.node, "a constraint that is a SPARQL query is not SHACL Core")
        for name in constraints.COMPONENTS:
            for parameter in shape.parameters.get(name, ()):
                yield self._constraint(shape, name, parameter)
        if shape.is_true("closed"):
            yield self._closed(shape)
        for node in shape.parameters.get("property", ()):
            yield self._property(self.shapes.of(node))

    def _constraint(self, shape: Shape, name: str, parameter: Term) -> Constraint:
        says, make = constraints.COMPONENTS[name]
        check = make(self, shape, parameter)
        value = self.shown(parameter)
        if isinstance(parameter, Literal) and parameter.datatype.value == XSD + "integer":
            value = parameter.value
        rest = _rest(shape, name, says.format(value=value, path=self.shown(shape.path)))
        return lambda focus, values: [Result(focus, shape.path, value, *rest) for value in check(focus, values)]

    def _closed(self, shape: Shape) -> Constraint:
        excess = constraints.closed(self, shape)
        rest = _rest(shape, "closed", "The property is not one that the closed shape allows.")
        return lambda _, values: [Result(node, path, value, *rest) for node in values for path, value in excess(node)]

    def _property(self, shape: Shape) -> Constraint:
        return lambda _, values: (result for node in values for result in self._of(shape, node))


def _rest(shape: Shape, name: str, says: str) -> tuple[Term, NamedNode, tuple[Literal, ...], NamedNode]:
    """Return what all results of one constraint share."""
    component = sh(f"{name[0].upper()}{name[1:]}ConstraintComponent")
    return shape.node, component, shape.messages or (Literal(says),), shape.severity
