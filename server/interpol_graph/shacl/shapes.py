"""Shapes read from a shapes graph: well-formed, with nothing in them that would be passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.shacl import paths
from interpol_graph.shacl.data import RDFS, SHACL, TYPE, BadShapes, Index, Term, reached, sh
from interpol_graph.shacl.literals import XSD
from interpol_graph.shacl.paths import Path

NODE_KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")


def _is_iri(_: Index, term: Term) -> bool:
    return isinstance(term, NamedNode)


def _is_shape(graph: Index, term: Term) -> bool:
    return isinstance(term, BlankNode) or (isinstance(term, NamedNode) and bool(graph.about(term)))


def _has_type(*names: str) -> Callable[[Index, Term], bool]:
    return lambda _, term: isinstance(term, Literal) and term.datatype.value in {XSD + name for name in names}


def _is_count(_: Index, term: Term) -> bool:
    return isinstance(term, Literal) and term.datatype.value == XSD + "integer" and term.value.lstrip("+").isdigit()


def _list_of(test: Callable[[Index, Term], bool]) -> Callable[[Index, Term], bool]:
    def check(graph: Index, term: Term) -> bool:
        items = graph.items(term)
        return items is not None and all(test(graph, item) for item in items)

    return check


#: What a parameter takes: the words for a person, and the test.
IRI = ("an IRI", _is_iri)
ANY = ("any term", lambda _graph, _term: True)
LITERAL = ("a literal", lambda _graph, term: isinstance(term, Literal))
STRING = ("a string", _has_type("string"))
BOOLEAN = ("true or false", _has_type("boolean"))
COUNT = ("an integer from 0", _is_count)
SHAPE = ("a shape of the shapes graph", _is_shape)
PROPERTY = ("a shape with sh:path", lambda graph, term: bool(graph.objects(term, sh("path"))))
KIND = (f"one of {', '.join('sh:' + kind for kind in NODE_KINDS)}", lambda _, term: term in map(sh, NODE_KINDS))
LIST = ("a well-formed list", _list_of(ANY[1]))
SHAPES = ("a well-formed list of shapes", _list_of(SHAPE[1]))
IRIS = ("a well-formed list of IRIs", _list_of(IRI[1]))
STRINGS = ("a well-formed list of strings", _list_of(STRING[1]))
NODE = ("an IRI or a blank node", lambda _, term: isinstance(term, NamedNode | BlankNode))


@dataclass(frozen=True)
class Parameter:
    """A property of shapes: what it takes, whether once at most, whether of property shapes only."""

    takes: tuple[str, Callable[[Index, Term], bool]]
    once: bool = False
    property_only: bool = False


#: Every property of a shape that has a say in validation.
PARAMETERS = {
    "path": Parameter(NODE, once=True),
    "severity": Parameter(IRI, once=True),
    "message": Parameter(("a string, with or without language", lambda _, term: isinstance(term, Literal))),
    "deactivated": Parameter(BOOLEAN, once=True),
    "targetNode": Parameter(("an IRI or a literal", lambda _, term: isinstance(term, NamedNode | Literal))),
    "targetClass": Parameter(IRI),
    "targetSubjectsOf": Parameter(IRI),
    "targetObjectsOf": Parameter(IRI),
    "class": Parameter(IRI),
    "datatype": Parameter(IRI, once=True),
    "nodeKind": Parameter(KIND, once=True),
    "minCount": Parameter(COUNT, once=True, property_only=True),
    "maxCount": Parameter(COUNT, once=True, property_only=True),
    "minExclusive": Parameter(LITERAL, once=True),
    "minInclusive": Parameter(LITERAL, once=True),
    "maxExclusive": Parameter(LITERAL, once=True),
    "maxInclusive": Parameter(LITERAL, once=True),
    "minLength": Parameter(COUNT, once=True),
    "maxLength": Parameter(COUNT, once=True),
    "pattern": Parameter(STRING),
    "flags": Parameter(STRING, once=True),
    "languageIn": Parameter(STRINGS, once=True),
    "uniqueLang": Parameter(BOOLEAN, once=True, property_only=True),
    "equals": Parameter(IRI),
    "disjoint": Parameter(IRI),
    "lessThan": Parameter(IRI, property_only=True),
    "lessThanOrEquals": Parameter(IRI, property_only=True),
    "not": Parameter(SHAPE),
    "and": Parameter(SHAPES),
    "or": Parameter(SHAPES),
    "xone": Parameter(SHAPES),
    "node": Parameter(SHAPE),
    "property": Parameter(PROPERTY),
    "qualifiedValueShape": Parameter(SHAPE),
    "qualifiedMinCount": Parameter(COUNT, once=True),
    "qualifiedMaxCount": Parameter(COUNT, once=True),
    "qualifiedValueShapesDisjoint": Parameter(BOOLEAN, once=True),
    "closed": Parameter(BOOLEAN, once=True),
    "ignoredProperties": Parameter(IRIS, once=True),
    "hasValue": Parameter(ANY),
    "in": Parameter(LIST, once=True),
    "sparql": Parameter(NODE),
}
#: The parameters whose values are shapes, by themselves or in a list.
REFERENCES = ("property", "node", "not", "qualifiedValueShape")
LISTED = ("and", "or", "xone")
TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
#: Properties that describe shapes, or that a node which is also something else may have.
SILENT = re.compile(
    "name|description|order|group|defaultValue|editor|viewer|rule|values|shapesGraph|suggestedShapesGraph"
    "|declare|prefixes|select|ask|construct|parameter|optional|labelTemplate|validator|nodeValidator|propertyValidator"
)
#: Constraints and targets beyond SHACL Core and SHACL-SPARQL; a validation without them would be half of one.
UNSUPPORTED = re.compile(
    "target|expression|js|reifierShape|memberShape|uniqueMembers|minListLength|maxListLength|someValue|singleLine"
    "|rootClass|subsetOf"
)


@dataclass(eq=False)
class Shape:
    """One shape: its node, its path if it has one, its parameters by name, and how its results are worded.

    core: whether SHACL Core is all that it asks for, and no query.
    """

    node: Term
    path: Path | None
    parameters: dict[str, list[Term]]
    severity: NamedNode
    messages: tuple[Literal, ...]
    deactivated: bool
    core: bool


class Shapes:
    """The shapes of a graph. Raises BadShapes for any that is not well-formed or asks for what is not supported."""

    def __init__(self, graph: Index) -> None:
        self.graph = graph
        self._read: dict[Term, Shape] = {}
        self._defined = frozenset(self._parameters())
        for regime in (node for nodes in graph.column(sh("entailment")).values() for node in nodes):
            raise BadShapes(regime, "sh:entailment is not supported: the data is judged as it stands")
        self.roots = [self.of(node) for node in aimed(graph)]
        for node in [*_typed(graph), *graph.column(sh("property"))]:
            self.of(node)

    def of(self, node: Term) -> Shape:
        """Return the shape at a node, read with all shapes that it refers to."""
        if node not in self._read:
            shape = self._read[node] = self._shape(node)
            for reference in self.references(shape):
                self.of(reference)
        return self._read[node]

    def is_core(self, shape: Shape) -> bool:
        """Say whether a shape and all that it refers to are SHACL Core."""
        nodes = reached(shape.node, lambda node: self.references(self.of(node)))
        return all(self.of(node).core for node in nodes)

    def references(self, shape: Shape) -> Iterator[Term]:
        """Yield the nodes of the shapes that a shape refers to."""
        for name in REFERENCES:
            yield from shape.parameters.get(name, ())
        for name in LISTED:
            for head in shape.parameters.get(name, ()):
                yield from self.graph.items(head) or ()

    def _parameters(self) -> Iterator[Term]:
        """Yield the parameters of the constraint components that the shapes graph defines."""
        for component in self.graph.instances(sh("ConstraintComponent")):
            # The vocabulary of SHACL itself may have been read along with the shapes.
            if not (isinstance(component, NamedNode) and component.value.startswith(SHACL)):
                for parameter in self.graph.objects(component, sh("parameter")):
                    yield from self.graph.objects(parameter, sh("path"))

    def _shape(self, node: Term) -> Shape:
        found: dict[str, list[Term]] = {}
        for predicate, value in self.graph.about(node):
            if predicate.value.startswith(SHACL):
                name = predicate.value[len(SHACL) :]
                if name in PARAMETERS:
                    found.setdefault(name, []).append(value)
                elif UNSUPPORTED.fullmatch(name):
                    raise BadShapes(node, f"sh:{name} is not supported: only SHACL Core and SHACL-SPARQL are")
                elif not SILENT.fullmatch(name):
                    near = get_close_matches(name, PARAMETERS, n=1)
                    mend = f"; did you mean sh:{near[0]}?" if near else ""
                    raise BadShapes(node, f"sh:{name} is not a property that a shape can have{mend}")
        for name, values in found.items():
            parameter = PARAMETERS[name]
            words, test = parameter.takes
            if parameter.once and len(values) > 1:
                raise BadShapes(node, f"sh:{name} stands {len(values)} times; a shape has it once at most")
            if parameter.property_only and "path" not in found:
                raise BadShapes(node, f"sh:{name} is for property shapes, and this shape has no sh:path")
            for value in values:
                if not test(self.graph, value):
                    raise BadShapes(node, f"sh:{name} takes {words}, not {value}")
        if "path" not in found and sh("PropertyShape") in self.graph.objects(node, TYPE):
            raise BadShapes(node, "a property shape needs sh:path")
        if "qualifiedValueShape" in found and not found.keys() & {"qualifiedMinCount", "qualifiedMaxCount"}:
            raise BadShapes(node, "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount")
        severity = found.get("severity", [sh("Violation")])[0]
        return Shape(
            node,
            paths.read(self.graph, found["path"][0]) if "path" in found else None,
            found,
            severity if isinstance(severity, NamedNode) else sh("Violation"),
            tuple(message for message in found.get("message", ()) if isinstance(message, Literal)),
            is_true(found.get("deactivated", ())),
            "sparql" not in found and not any(predicate in self._defined for predicate, _ in self.graph.about(node)),
        )


def aimed(graph: Index) -> list[Term]:
    """Return the nodes of the shapes that have targets."""
    return list(dict.fromkeys([*(node for name in TARGETS for node in graph.column(sh(name))), *implicit(graph)]))


def implicit(graph: Index) -> list[Term]:
    """Return the nodes of the shapes that are classes, and by that target their instances."""
    classes = graph.instances(NamedNode(RDFS + "Class"))
    return [node for node in _typed(graph) if node in classes]


def _typed(graph: Index) -> list[Term]:
    return [node for kind in ("NodeShape", "PropertyShape") for node in graph.instances(sh(kind))]


def is_true(values: object) -> bool:
    """Say whether the only value of a parameter is true."""
    return isinstance(values, list) and any(isinstance(v, Literal) and v.value in ("true", "1") for v in values)
