"""Shapes read from a shapes graph: well-formed, with nothing in them that would be passed over in silence."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.shacl.data import OWL, RDFS, SHACL, TYPE, BadShapes, Index, Path, Term, reached, read_path, sh
from interpol_graph.shacl.literals import XSD, pattern

NODE_KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")

Test = Callable[[Index, Term], bool]
#: What counts a thing: more digits than these Python does not read at once.
_COUNT = re.compile(r"\+?[0-9]{1,4000}")


def _is_a(*kinds: type) -> Test:
    return lambda _, term: isinstance(term, kinds)


def _is_shape(graph: Index, term: Term) -> bool:
    return isinstance(term, BlankNode) or (isinstance(term, NamedNode) and bool(graph.about(term)))


def _has_type(name: str) -> Test:
    return lambda _, term: isinstance(term, Literal) and term.datatype.value == XSD + name


def _is_count(_: Index, term: Term) -> bool:
    return isinstance(term, Literal) and term.datatype.value == XSD + "integer" and bool(_COUNT.fullmatch(term.value))


def _list_of(test: Test) -> Test:
    def check(graph: Index, term: Term) -> bool:
        items = graph.items(term)
        return items is not None and all(test(graph, item) for item in items)

    return check


TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
#: The parameters whose values are shapes that a verdict depends on, by themselves or in a list.
REFERENCES = ("node", "not", "qualifiedValueShape")
LISTED = ("and", "or", "xone")
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
        ("property", "a shape", _is_a(NamedNode, BlankNode)),
        ("nodeKind", f"one of sh:{', sh:'.join(NODE_KINDS)}", lambda _, term: term in map(sh, NODE_KINDS)),
    )
    for name in names.split()
}
#: The parameters that a shape may have several times, and those of property shapes only.
REPEATED = {*TARGETS, *REFERENCES, *LISTED, "property", "message", "class", "pattern", "hasValue", "sparql"}
REPEATED |= {"equals", "disjoint", "lessThan", "lessThanOrEquals"}
OF_PROPERTIES = {"minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals"}
#: The parameters of one constraint, where it has several; and what no shape can be judged without.
TOGETHER = ({"pattern", "flags"}, {"closed", "ignoredProperties"}, {each for each in PARAMETERS if "qualified" in each})
VITAL = {*TARGETS, "path", "property", "sparql", "deactivated"}
#: The other terms of SHACL Core and SHACL-SPARQL, and the classes of all of SHACL: they describe, or belong to nodes that are no shapes.
SILENT = """
    name description order group defaultValue editor viewer shapesGraph shapesGraphWellFormed suggestedShapesGraph declare prefix
    namespace prefixes select ask construct update parameter optional labelTemplate validator nodeValidator propertyValidator
    inversePath alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath intersection union filterShape nodes conforms result
    focusNode resultPath resultMessage resultSeverity value sourceShape sourceConstraint sourceConstraintComponent detail
    returnType annotationProperty annotationValue annotationVarName resultAnnotation this subject predicate object
    Shape NodeShape PropertyShape NodeKind IRI BlankNode Literal BlankNodeOrIRI BlankNodeOrLiteral IRIOrLiteral
    Severity Violation Warning Info Debug Trace Parameter Parameterizable PropertyGroup PrefixDeclaration ConstraintComponent
    AbstractResult ResultAnnotation ValidationReport ValidationResult Validator Function Rule Rules TripleRule NodeRule
    Target TargetType JSConstraint JSExecutable JSFunction JSLibrary JSRule JSTarget JSTargetType JSValidator SPARQLConstraint
    SPARQLExecutable SPARQLAskExecutable SPARQLAskValidator SPARQLSelectExecutable SPARQLSelectValidator
    SPARQLConstructExecutable SPARQLUpdateExecutable SPARQLFunction SPARQLRule SPARQLTarget SPARQLTargetType
""".split()  # noqa: SIM905
#: What is beyond them; a validation without it is half of one, and says so.
UNSUPPORTED = """
    target expression js jsFunctionName jsLibrary jsLibraryURL rule condition values entailment reifierShape reificationRequired
    memberShape uniqueMembers minListLength maxListLength someValue singleLine rootClass subsetOf uniqueValuesFor
    nodeByExpression targetWhere
""".split()  # noqa: SIM905


@dataclass(eq=False)
class Shape:
    """One shape: its node, its path if it has one, its parameters by name, and how its results are worded.

    core: whether SHACL Core is all that it asks for, and no query; lost: the parameters of ill-formed constraints, which it
    goes without; usable: whether it can be judged by at all.
    """

    node: Term
    path: Path | None
    parameters: dict[str, list[Term]]
    severity: NamedNode
    messages: tuple[Literal, ...]
    core: bool
    lost: frozenset[str] = frozenset()
    usable: bool = True

    def is_true(self, name: str) -> bool:
        """Say whether a parameter has the value true."""
        return any(isinstance(v, Literal) and v.value in ("true", "1") for v in self.parameters.get(name, ()))


class Shapes:
    """The shapes of a graph.

    all: node → shape, roots: those that have targets; faults: what is not well-formed, not supported or no term of SHACL. A
    constraint with a value that it cannot have is left out, and so is a shape whose path, targets or parts have one, or that
    depends on such a shape; of the rest only the statement at fault.
    """

    def __init__(self, graph: Index) -> None:
        self.graph = graph
        self.faults: list[BadShapes] = [*_strange(graph)]
        self.all: dict[Term, Shape] = {}
        self._defined = frozenset(self._parameters())
        self.roots = [self.of(node) for node in aimed(graph)]
        for node in [*_typed(graph), *graph.column(sh("property"))]:
            self.of(node)
        while self.faults and (spoilt := [s for s in self.all.values() if s.usable and not self._can_lean(s)]):
            for shape in spoilt:
                shape.usable = False
                self.faults.append(BadShapes(shape.node, "depends on a shape that cannot be used"))

    def of(self, node: Term) -> Shape:
        """Return the shape at a node, read with all shapes that it refers to."""
        if node not in self.all:
            todo = [node]  # no recursion: shapes may be nested as deeply as they like
            while todo:
                if (each := todo.pop()) not in self.all:
                    shape = self.all[each] = self._shape(each)
                    todo += self.references(shape)
        return self.all[node]

    def within(self, shape: Shape) -> list[Term]:
        """Return the nodes of a shape and of all that it refers to."""
        return reached(shape.node, lambda node: self.references(self.of(node)))

    def usable(self) -> Index:
        """Return the shapes graph without the shapes that cannot be used, and without ill-formed constraints."""
        bad = {shape.node for shape in self.all.values() if not shape.usable}
        lost = {(shape.node, sh(name)) for shape in self.all.values() for name in shape.lost}
        whole = (each for each in self.graph.statements() if each.subject not in bad and each[:2] not in lost)
        return Index(each for each in whole if each.predicate != sh("property") or each.object not in bad)

    def references(self, shape: Shape) -> Iterator[Term]:
        """Yield the nodes of the shapes that a shape refers to."""
        yield from shape.parameters.get("property", ())
        yield from self._leaning(shape)

    def _leaning(self, shape: Shape) -> Iterator[Term]:
        """Yield the nodes of the shapes without which a shape has no verdict."""
        for name in REFERENCES:
            yield from shape.parameters.get(name, ())
        for name in LISTED:
            for head in shape.parameters.get(name, ()):
                yield from self.graph.items(head) or ()

    def _can_lean(self, shape: Shape) -> bool:
        """Say whether all is usable without which a shape has no verdict.

        A part that is left out makes more nodes conform; where that may break a shape, whatever lies within counts.
        """
        turned = not shape.parameters.keys().isdisjoint(("not", "xone", "qualifiedValueShape"))
        leaning = [self.of(node) for node in self._leaning(shape)]
        needed = [self.of(node) for each in leaning for node in self.within(each)] if turned else leaning
        return all(each.usable and not (turned and each.lost) for each in needed)

    def _parameters(self) -> Iterator[Term]:
        """Yield the parameters of the constraint components that the shapes graph defines."""
        for component in self.graph.instances(sh("ConstraintComponent")):
            if not _of_vocabulary(component):
                for parameter in self.graph.objects(component, sh("parameter")):
                    yield from self.graph.objects(parameter, sh("path"))

    def _shape(self, node: Term) -> Shape:
        found: dict[str, list[Term]] = {}
        for predicate, value in self.graph.about(node):
            name = predicate.value.removeprefix(SHACL)
            if predicate.value.startswith(SHACL) and name in PARAMETERS:
                found.setdefault(name, []).append(value)
        faults = list(self._misused(node, found))
        path = None
        if "path" in found and not any(fault.predicate == sh("path") for fault in faults):
            try:
                path = read_path(self.graph, found["path"][0])
            except BadShapes as fault:
                faults.append(BadShapes(node, fault.reason, sh("path")))
        self.faults += faults
        # A message or a severity that is none takes nothing from a verdict.
        ill = {fault.predicate.value.removeprefix(SHACL) if fault.predicate else "path" for fault in faults}
        ill -= {"message", "severity"}
        lost = ill.union(*(each for each in TOGETHER if each & ill))
        found = {name: values for name, values in found.items() if name not in lost}
        severities = [each for each in found.get("severity", ()) if isinstance(each, NamedNode)] or [sh("Violation")]
        messages = tuple(message for message in found.get("message", ()) if isinstance(message, Literal))
        core = "sparql" not in found and not any(name in self._defined for name, _ in self.graph.about(node))
        return Shape(node, path, found, severities[0], messages, core, frozenset(lost), lost.isdisjoint(VITAL))

    def _misused(self, node: Term, found: dict[str, list[Term]]) -> Iterator[BadShapes]:
        """Yield what is wrong with the parameters of a shape."""
        typed = sh("PropertyShape") in self.graph.objects(node, TYPE)
        of_property = typed or node in self.graph.inverse(sh("property"))
        if "path" not in found and of_property:
            yield BadShapes(node, "a property shape needs sh:path")
        for name, values in found.items():
            words, test = PARAMETERS[name]
            if len(values) > 1 and name not in REPEATED:
                reason = f"sh:{name} stands {len(values)} times; a shape has it once at most"
                yield BadShapes(node, reason, sh(name))
            if name in OF_PROPERTIES and "path" not in found and not of_property:
                yield BadShapes(node, f"sh:{name} is for property shapes, and this shape has no sh:path", sh(name))
            for value in values:
                if not test(self.graph, value):
                    yield BadShapes(node, f"sh:{name} takes {words}, not {value}", sh(name), value)
        for text in found.get("pattern", ()):
            flags = found.get("flags", [Literal("")])[0]
            if isinstance(text, Literal) and isinstance(flags, Literal):
                try:
                    pattern(text.value, flags.value)
                except ValueError as error:
                    yield BadShapes(node, f"sh:pattern cannot be used: {error}", sh("pattern"), text)
        if "qualifiedValueShape" in found and not found.keys() & {"qualifiedMinCount", "qualifiedMaxCount"}:
            reason = "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount"
            yield BadShapes(node, reason, sh("qualifiedValueShape"))


def _strange(graph: Index) -> Iterator[BadShapes]:
    """Yield every term that bears the namespace of SHACL and is not one of those supported."""
    known = {name.lower(): name for name in (*SILENT, *PARAMETERS)}
    names = {*PARAMETERS, *SILENT, *UNSUPPORTED}
    for subject, predicate, value, _ in graph.statements():
        for term in (predicate, value) if not _of_vocabulary(subject) else ():
            name = term.value.removeprefix(SHACL) if isinstance(term, NamedNode) and _of_vocabulary(term) else ""
            if term is predicate and name in UNSUPPORTED:
                reason = f"sh:{name} is not supported (only SHACL Core and SHACL-SPARQL are), and is passed over"
            elif not name or name in names or name.partition("-")[0].endswith("ConstraintComponent"):
                continue
            else:
                near = get_close_matches(name.lower(), known, n=1)
                reason = f"sh:{name} is no term of SHACL" + (f"; did you mean sh:{known[near[0]]}?" if near else "")
            yield BadShapes(subject, reason, predicate, None if term is predicate else value)


def _of_vocabulary(term: Term) -> bool:
    """Say whether a term is one of SHACL's; the vocabulary itself may have been read along with the shapes."""
    return isinstance(term, NamedNode) and term.value.startswith(SHACL)


def aimed(graph: Index) -> list[Term]:
    """Return the nodes of the shapes that have targets."""
    return list(dict.fromkeys([*(node for name in TARGETS for node in graph.column(sh(name))), *implicit(graph)]))


def implicit(graph: Index) -> list[Term]:
    """Return the nodes of the shapes that are classes, of RDFS or of OWL, and by that target their instances."""
    classes = graph.instances(NamedNode(RDFS + "Class")) | graph.instances(NamedNode(OWL + "Class"))
    return [node for node in _typed(graph) if node in classes]


def _typed(graph: Index) -> list[Term]:
    return [node for kind in ("NodeShape", "PropertyShape") for node in graph.instances(sh(kind))]
