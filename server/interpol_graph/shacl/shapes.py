"""Shapes read from a shapes graph: well-formed, with nothing in them that would be passed over in silence."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.shacl.data import RDFS, SHACL, TYPE, BadShapes, Index, Path, Term, reached, read_path, sh
from interpol_graph.shacl.literals import XSD

NODE_KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")

Test = Callable[[Index, Term], bool]


def _is_a(*kinds: type) -> Test:
    return lambda _, term: isinstance(term, kinds)


def _is_shape(graph: Index, term: Term) -> bool:
    return isinstance(term, BlankNode) or (isinstance(term, NamedNode) and bool(graph.about(term)))


def _has_type(name: str) -> Test:
    return lambda _, term: isinstance(term, Literal) and term.datatype.value == XSD + name


def _is_count(_: Index, term: Term) -> bool:
    return isinstance(term, Literal) and term.datatype.value == XSD + "integer" and term.value.lstrip("+").isdigit()


def _list_of(test: Test) -> Test:
    def check(graph: Index, term: Term) -> bool:
        items = graph.items(term)
        return items is not None and all(test(graph, item) for item in items)

    return check


TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
#: The parameters whose values are shapes, by themselves or in a list.
REFERENCES = ("property", "node", "not", "qualifiedValueShape")
LISTED = ("and", "or", "xone")
#: The parameters that compare values with those of another property.
PAIRS = ("equals", "disjoint", "lessThan", "lessThanOrEquals")
#: Every property of a shape that has a say in validation → what it takes, in words for a person, and the test.
PARAMETERS: dict[str, tuple[str, Test]] = {
    name: (words, test)
    for names, words, test in (
        ("path sparql", "an IRI or a blank node", _is_a(NamedNode, BlankNode)),
        ("severity datatype class equals disjoint lessThan lessThanOrEquals", "an IRI", _is_a(NamedNode)),
        ("targetClass targetSubjectsOf targetObjectsOf", "an IRI", _is_a(NamedNode)),
        ("targetNode", "an IRI or a literal", _is_a(NamedNode, Literal)),
        ("message", "a string, with or without language", _is_a(Literal)),
        ("minExclusive minInclusive maxExclusive maxInclusive", "a literal", _is_a(Literal)),
        ("deactivated uniqueLang closed qualifiedValueShapesDisjoint", "true or false", _has_type("boolean")),
        ("minCount maxCount minLength maxLength", "an integer from 0", _is_count),
        ("qualifiedMinCount qualifiedMaxCount", "an integer from 0", _is_count),
        ("pattern flags", "a string", _has_type("string")),
        ("languageIn", "a well-formed list of strings", _list_of(_has_type("string"))),
        ("ignoredProperties", "a well-formed list of IRIs", _list_of(_is_a(NamedNode))),
        ("in", "a well-formed list", _list_of(lambda _graph, _term: True)),
        ("hasValue", "any term", lambda _graph, _term: True),
        ("node not qualifiedValueShape", "a shape of the shapes graph", _is_shape),
        ("and or xone", "a well-formed list of shapes", _list_of(_is_shape)),
        ("property", "a shape with sh:path", lambda graph, term: bool(graph.objects(term, sh("path")))),
        ("nodeKind", f"one of sh:{', sh:'.join(NODE_KINDS)}", lambda _, term: term in map(sh, NODE_KINDS)),
    )
    for name in names.split()
}
#: The parameters that a shape may have several times.
REPEATED = {*TARGETS, *REFERENCES, *LISTED, *PAIRS, "message", "class", "pattern", "hasValue", "sparql"}
#: The parameters of property shapes only.
OF_PROPERTIES = {"minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals"}
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
    core: bool

    def is_true(self, name: str) -> bool:
        """Say whether a parameter has the value true."""
        return any(isinstance(v, Literal) and v.value in ("true", "1") for v in self.parameters.get(name, ()))


class Shapes:
    """The shapes of a graph. Raises BadShapes for any that is not well-formed or asks for what is not supported."""

    def __init__(self, graph: Index) -> None:
        self.graph = graph
        self._read: dict[Term, Shape] = {}
        self._defined = frozenset(self._parameters())
        for regime in graph.inverse(sh("entailment")):
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
            words, test = PARAMETERS[name]
            if len(values) > 1 and name not in REPEATED:
                raise BadShapes(node, f"sh:{name} stands {len(values)} times; a shape has it once at most")
            if name in OF_PROPERTIES and "path" not in found:
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
            read_path(self.graph, found["path"][0]) if "path" in found else None,
            found,
            severity if isinstance(severity, NamedNode) else sh("Violation"),
            tuple(message for message in found.get("message", ()) if isinstance(message, Literal)),
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
