"""SHACL: which nodes of a graph break which constraints of some shapes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode

from interpol_graph.shacl import constraints
from interpol_graph.shacl.data import BadShapes, Index, Path, Step, Term, sh
from interpol_graph.shacl.literals import XSD
from interpol_graph.shacl.shapes import Shape, Shapes, implicit


class Result(NamedTuple):
    """A constraint that a focus node breaks, with the parts that the SHACL recommendation gives a result.

    path: from the focus node to the value; shape: the node of the shape that said so; component: by which kind of
    constraint.
    """

    focus: Term
    path: Path | None
    value: Term | None
    shape: Term
    component: NamedNode
    messages: tuple[Literal, ...]
    severity: NamedNode

    @property
    def message(self) -> str:
        """The message for people: an English one or one without language, if there is one."""
        ranked = sorted(self.messages, key=lambda m: (not (m.language or "en").startswith("en"), m.value))
        return ranked[0].value if ranked else ""


#: From a focus node and its value nodes to results.
Constraint = Callable[[Term, Sequence[Term]], Iterable[Result]]


class Validation:
    """One run of some shapes over some data. shown: how a term is written in the message of a shape that has none of its own."""

    def __init__(self, data: Index, shapes: Shapes, shown: Callable[[object], str] = str) -> None:
        self.data: Index = data
        self.shapes: Shapes = shapes
        self.shown = shown
        self._implicit = frozenset(implicit(shapes.graph))
        self._ready: dict[Term, tuple[Step | None, list[Constraint]]] = {}
        self._verdicts: dict[Term, dict[Term, bool | None]] = {}

    def results(self, roots: Iterable[Shape]) -> Iterator[Result]:
        """Yield the results of some shapes at their targets; nested results are not among them.

        Raises BadShapes for shapes that depend on themselves, or are not SHACL Core.
        """
        for shape in roots:
            try:
                for focus in () if shape.is_true("deactivated") else self._targets(shape):
                    yield from self._of(shape, focus)
            except RecursionError:
                why = "the shape leads on and on, over hundreds of nodes or back to itself"
                raise BadShapes(shape.node, why) from None

    def conforms(self, shape: Term, node: Term) -> bool:
        """Say whether a node conforms to the shape at another node. Every verdict is reached once."""
        verdicts = self._verdicts.setdefault(shape, {})
        if node not in verdicts:
            verdicts[node] = None
            verdicts[node] = not any(True for _ in self._of(self.shapes.of(shape), node))
        verdict = verdicts[node]
        if verdict is None:
            raise BadShapes(shape, f"recursion is not supported: at {self.shown(node)} the shape depends on itself")
        return verdict

    def _targets(self, shape: Shape) -> Iterable[Term]:
        given = shape.parameters
        found: dict[Term, None] = dict.fromkeys(given.get("targetNode", ()))
        for kind in (*given.get("targetClass", ()), *([shape.node] if shape.node in self._implicit else [])):
            found |= dict.fromkeys(self.data.instances(kind))
        for name, side in (("targetSubjectsOf", self.data.column), ("targetObjectsOf", self.data.inverse)):
            for predicate in given.get(name, ()):
                found |= dict.fromkeys(side(predicate))
        return found

    def _of(self, shape: Shape, focus: Term) -> Iterator[Result]:
        """Yield the results of a shape at one focus node."""
        ready = self._ready.get(shape.node)
        if ready is None:
            step = shape.path.step(self.data) if shape.path else None
            ready = self._ready[shape.node] = (step, list(self._constraints(shape)))
        step, constraints = ready
        values = step(focus) if step else (focus,)
        for constraint in constraints:
            yield from constraint(focus, values)

    def _constraints(self, shape: Shape) -> Iterator[Constraint]:
        if shape.is_true("deactivated"):
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
