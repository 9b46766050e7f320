"""SHACL: which nodes of a graph break which constraints of some shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pyoxigraph import Literal, NamedNode, Quad, Triple

from interpol_graph.shacl import checks, constraints
from interpol_graph.shacl.constraints import Component
from interpol_graph.shacl.data import BadShapes, Index, Term, sh
from interpol_graph.shacl.result import Result, shown
from interpol_graph.shacl.shapes import Shape, Shapes, is_true

#: From a focus node and its value nodes to results.
Constraint = Callable[[Term, Sequence[Term]], Iterable[Result]]
Step = Callable[[Term], Sequence[Term]]


def validate(data: Iterable[Quad | Triple], shapes: Iterable[Quad | Triple]) -> list[Result]:
    """Return the results of validating data by shapes; nested results are not among them.

    Raises BadShapes when the shapes are not well-formed, depend on themselves, or ask for what is not supported.
    """
    return list(Validation(Index(data), Shapes(Index(shapes))).results())


class Validation:
    """One run of some shapes over some data."""

    def __init__(self, data: Index, shapes: Shapes) -> None:
        self.data, self.shapes = data, shapes
        self._queries = self._sparql()
        self._ready: dict[Term, tuple[Step | None, list[Constraint]]] = {}
        self._verdicts: dict[Term, dict[Term, bool | None]] = {}

    def results(self) -> Iterator[Result]:
        """Yield the results of every shape at its targets."""
        for shape in self.shapes.roots:
            try:
                for focus in () if shape.deactivated else self._targets(shape):
                    yield from self._of(shape, focus)
            except RecursionError:
                raise BadShapes(
                    shape.node, "the shape leads on and on, over hundreds of nodes or back to itself"
                ) from None

    def conforms(self, shape: Term, node: Term) -> bool:
        """Say whether a node conforms to the shape at another node. Every verdict is reached once."""
        verdicts = self._verdicts.setdefault(shape, {})
        if node not in verdicts:
            verdicts[node] = None
            verdicts[node] = not any(True for _ in self._of(self.shapes.of(shape), node))
        verdict = verdicts[node]
        if verdict is None:
            raise BadShapes(shape, f"recursion is not supported: at {shown(node)} the shape depends on itself")
        return verdict

    def _sparql(self) -> Callable[[Shape], Iterable[Constraint]]:
        graph = self.shapes.graph
        if not graph.column(sh("sparql")) and not graph.instances(sh("ConstraintComponent")):
            return lambda _: ()
        from interpol_graph.shacl.sparql import Queries  # rdflib takes half a second to import; few shapes need it

        return Queries(self.data, self.shapes).of

    def _targets(self, shape: Shape) -> Iterable[Term]:
        given = shape.parameters
        found: dict[Term, None] = dict.fromkeys(given.get("targetNode", ()))
        for kind in (*given.get("targetClass", ()), *(node for node in self.shapes.implicit if node == shape.node)):
            found |= dict.fromkeys(self.data.instances(kind))
        for name, side in (("targetSubjectsOf", self.data.column), ("targetObjectsOf", self.data.inverse)):
            for predicate in given.get(name, ()):
                assert isinstance(predicate, NamedNode)
                found |= dict.fromkeys(side(predicate))
        return found

    def _of(self, shape: Shape, focus: Term) -> Iterator[Result]:
        """Yield the results of a shape at one focus node."""
        ready = self._ready.get(shape.node)
        if ready is None:
            step = shape.path.step(self.data) if shape.path else None
            ready = self._ready[shape.node] = (step, [] if shape.deactivated else list(self._constraints(shape)))
        step, constraints = ready
        values = step(focus) if step else (focus,)
        for constraint in constraints:
            yield from constraint(focus, values)

    def _constraints(self, shape: Shape) -> Iterator[Constraint]:
        for name, component in constraints.COMPONENTS.items():
            for parameter in shape.parameters.get(name, ()):
                yield self._core(shape, component, parameter)
        if is_true(shape.parameters.get("closed")):
            yield self._closed(shape)
        for node in shape.parameters.get("property", ()):
            yield self._property(self.shapes.of(node))
        yield from self._queries(shape)

    def _core(self, shape: Shape, component: Component, parameter: Term) -> Constraint:
        check = component.made(self, shape, parameter)
        rest = (shape.node, component.iri, _messages(shape, component, parameter), shape.severity)
        return lambda focus, values: [Result(focus, shape.path, value, *rest) for value in check(focus, values)]

    def _closed(self, shape: Shape) -> Constraint:
        component = constraints.CLOSED
        excess = checks.closed(self, shape)
        rest = (shape.node, component.iri, _messages(shape, component), shape.severity)
        return lambda _, values: [Result(node, path, value, *rest) for node in values for path, value in excess(node)]

    def _property(self, shape: Shape) -> Constraint:
        return lambda _, values: (result for node in values for result in self._of(shape, node))


def _messages(shape: Shape, component: Component, parameter: Term | None = None) -> tuple[Literal, ...]:
    return shape.messages or (Literal(component.says.format(shown(parameter) if parameter else "")),)
