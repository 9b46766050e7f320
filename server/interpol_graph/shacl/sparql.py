"""SHACL-SPARQL: constraints that are queries, and constraint components that people define.

rdflib evaluates them, because it keeps literals exactly as written and binds a variable before everything else.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import rdflib
from pyoxigraph import Literal, NamedNode
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Identifier

from interpol_graph.shacl.data import SHACL, BadShapes, Index, Term, reached, sh
from interpol_graph.shacl.paths import Path
from interpol_graph.shacl.result import Result
from interpol_graph.shacl.shapes import Shape, Shapes, is_true
from interpol_graph.validation.terms import from_rdflib, to_rdflib

Constraint = Callable[[Term, Sequence[Term]], Iterable[Result]]

SHAPES_GRAPH = rdflib.URIRef("urn:x-interpol-graph:shapes")
#: Texts, IRIs and comments of a query: what looks like a keyword or a variable in them is none.
_OPAQUE = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|<[^<>"{}|^`\\\s]*>|#[^\n]*'
)
#: A keyword stands by itself: ?values is a variable, and ex:minus a name.
_KEYWORD = r"(?<![?$:.\w-]){}(?![\w:-])"
_SELECT = re.compile(_KEYWORD.format("SELECT") + r"(.*?)(?:\bWHERE\b|\{)", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = re.compile(_KEYWORD.format("(MINUS|VALUES|SERVICE|FROM)"), re.IGNORECASE)
_ASK = re.compile(_KEYWORD.format("ASK"), re.IGNORECASE)
_TEMPLATE = re.compile(r"\{[?$](\w+)\}")


@dataclass(frozen=True)
class Validator:
    """A query of a constraint or component, ready to run: a SELECT of offenders or an ASK about one value."""

    node: Term
    query: Query
    asks: bool
    messages: tuple[Literal, ...]


class Queries:
    """The SPARQL constraints of some shapes over some data."""

    def __init__(self, data: Index, shapes: Shapes) -> None:
        self.shapes = shapes.graph
        self.dataset = rdflib.Dataset(default_union=False)
        for index, graph in ((data, self.dataset.default_graph), (shapes.graph, self.dataset.graph(SHAPES_GRAPH))):
            for s, p, o in index.statements():
                graph.add((to_rdflib(s), to_rdflib(p), to_rdflib(o)))
        self.components = list(self._components())

    def of(self, shape: Shape) -> Iterator[Constraint]:
        """Yield the constraints of a shape."""
        for node in shape.parameters.get("sparql", ()):
            if not is_true(list(self.shapes.objects(node, sh("deactivated")))):
                validator = self._validator(node, shape, ("select",), ["this"])
                yield self._constraint(shape, sh("SPARQLConstraintComponent"), validator, {}, node)
        for component, parameters in self.components:
            given = {name: self.shapes.objects(shape.node, path) for name, (path, _) in parameters.items()}
            if any(given.values()) and all(given[name] or optional for name, (_, optional) in parameters.items()):
                validator = self._chosen(component, shape, [*parameters])
                for bound in _combined(given):
                    yield self._constraint(shape, component, validator, bound, None)

    def _components(self) -> Iterator[tuple[NamedNode, dict[str, tuple[NamedNode, bool]]]]:
        for node in self.shapes.instances(sh("ConstraintComponent")):
            if isinstance(node, NamedNode) and node.value.startswith(SHACL):
                continue  # the vocabulary of SHACL itself, read along with the shapes
            if not isinstance(node, NamedNode):
                raise BadShapes(node, "a constraint component is named by an IRI")
            parameters: dict[str, tuple[NamedNode, bool]] = {}
            for parameter in self.shapes.objects(node, sh("parameter")):
                path = next(iter(self.shapes.objects(parameter, sh("path"))), None)
                if not isinstance(path, NamedNode):
                    raise BadShapes(node, "sh:path of a parameter is an IRI")
                name = re.split(r"[#/:]", path.value)[-1]
                parameters[name] = (path, is_true(list(self.shapes.objects(parameter, sh("optional")))))
            if all(optional for _, optional in parameters.values()):
                raise BadShapes(node, "a constraint component needs a parameter that is not optional")
            yield node, parameters

    def _chosen(self, component: NamedNode, shape: Shape, names: list[str]) -> Validator:
        special = "propertyValidator" if shape.path else "nodeValidator"
        for name in (special, "validator"):
            for node in self.shapes.objects(component, sh(name)):
                kinds = ("ask",) if name == "validator" else ("select", "ask")
                return self._validator(node, shape, kinds, ["this", *names])
        raise BadShapes(component, f"the component has no validator for a {'property' if shape.path else 'node'} shape")

    def _validator(self, node: Term, shape: Shape, kinds: Sequence[str], bound: list[str]) -> Validator:
        for kind in kinds:
            for text in self.shapes.objects(node, sh(kind)):
                if isinstance(text, Literal):
                    asks = kind == "ask"
                    query = self._prepared(node, text.value, shape, [*bound, "value"] if asks else bound)
                    found = self.shapes.objects(node, sh("message"))
                    return Validator(node, query, asks, tuple(m for m in found if isinstance(m, Literal)))
        raise BadShapes(node, f"a SPARQL constraint or validator needs {' or '.join('sh:' + kind for kind in kinds)}")

    def _prepared(self, node: Term, text: str, shape: Shape, bound: list[str]) -> Query:
        refuse(node, text, bound)
        if shape.path:
            text = re.sub(r"[$?]PATH\b", lambda _: str(shape.path), text)
        try:
            return prepareQuery(text, initNs=self._prefixes(node))
        except Exception as error:  # noqa: BLE001 - the parser and the translator raise whatever their libraries do
            raise BadShapes(node, f"the query is not SPARQL 1.1: {' '.join(str(error).split())}") from error

    def _prefixes(self, node: Term) -> dict[str, str]:
        imports = NamedNode("http://www.w3.org/2002/07/owl#imports")
        found: dict[str, str] = {}
        for start in self.shapes.objects(node, sh("prefixes")):
            for ontology in reached(start, lambda each: self.shapes.objects(each, imports)):
                for declaration in self.shapes.objects(ontology, sh("declare")):
                    pair = [next(iter(self.shapes.objects(declaration, sh(n))), None) for n in ("prefix", "namespace")]
                    prefix, namespace = (term.value if isinstance(term, Literal) else None for term in pair)
                    if prefix is None or namespace is None:
                        raise BadShapes(ontology, "sh:declare needs sh:prefix and sh:namespace, both literals")
                    if found.setdefault(prefix, namespace) != namespace:
                        raise BadShapes(node, f"the prefix {prefix}: is declared twice, with two namespaces")
        return found

    def _constraint(
        self, shape: Shape, component: NamedNode, validator: Validator, bound: dict[str, Term], source: Term | None
    ) -> Constraint:
        fixed = {name: to_rdflib(term) for name, term in bound.items()}
        fixed |= {"currentShape": to_rdflib(shape.node), "shapesGraph": SHAPES_GRAPH}

        def found(focus: Term, value: Term | None, row: Mapping[str, Term]) -> Result:
            path, message = row.get("path"), row.get("message")
            words = {**bound, "this": focus, **row}
            texts = validator.messages or shape.messages
            if isinstance(message, Literal):
                texts = (message,)
            return Result(
                focus,
                Path("predicate", path) if isinstance(path, NamedNode) else shape.path,
                value,
                shape.node,
                component,
                tuple(_filled(text, words) for text in texts) or (Literal("The query of the constraint finds this."),),
                shape.severity,
                source,
            )

        def select(focus: Term, _: Sequence[Term]) -> Iterable[Result]:
            return dict.fromkeys(offenders(focus))

        def offenders(focus: Term) -> Iterator[Result]:
            for solution in self._run(validator, fixed | {"this": to_rdflib(focus)}).bindings:
                row = {str(name): from_rdflib(node) for name, node in solution.items()}
                if isinstance(failure := row.get("failure"), Literal) and failure.value in ("true", "1"):
                    raise BadShapes(validator.node, "the query reports a failure")
                yield found(focus, row.get("value", None if shape.path else focus), row)

        def ask(focus: Term, values: Sequence[Term]) -> Iterator[Result]:
            for value in values:
                if not self._run(validator, fixed | {"this": to_rdflib(focus), "value": to_rdflib(value)}).askAnswer:
                    yield found(focus, value, {"value": value})

        return ask if validator.asks else select

    def _run(self, validator: Validator, bindings: dict[str, Identifier]) -> rdflib.query.Result:
        with warnings.catch_warnings():
            # rdflib's own query method still asks for what rdflib has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            result = self.dataset.query(validator.query, initBindings=bindings)
            len(result)  # evaluated here, not when the rows are read
        return result


def refuse(node: Term, text: str, bound: list[str]) -> None:
    """Raise BadShapes for what SHACL forbids in a query whose variables are bound before it runs."""
    bare = _OPAQUE.sub(" ", text)
    if found := _FORBIDDEN.search(bare):
        raise BadShapes(node, f"{found[1].upper()} is not allowed in a SPARQL constraint")
    for name in [*bound, "currentShape", "shapesGraph"]:
        if re.search(rf"\bAS\s+[?$]{name}\b", bare, re.IGNORECASE):
            raise BadShapes(node, f"a SPARQL constraint must not assign ${name}, which is bound before it runs")
    nested = _SELECT.findall(bare)[0 if _ASK.search(bare.partition("{")[0]) else 1 :]
    for projection in nested:
        if not re.search(r"[?$]this\b", projection) and "this" in bound:
            raise BadShapes(node, "a SELECT inside a SPARQL constraint must return $this")


def _combined(given: dict[str, Sequence[Term]]) -> list[dict[str, Term]]:
    """Return the bindings of a component's parameters; only a component with one parameter may have several values."""
    if len(given) == 1:
        return [{name: value} for name, values in given.items() for value in values]
    return [{name: values[0] for name, values in given.items() if values}]


def _filled(text: Literal, words: Mapping[str, Term]) -> Literal:
    def word(match: re.Match[str]) -> str:
        term = words.get(match[1])
        return match[0] if term is None else term.value if isinstance(term, NamedNode | Literal) else str(term)

    filled = _TEMPLATE.sub(word, text.value)
    return Literal(filled, language=text.language) if text.language else Literal(filled, datatype=text.datatype)
