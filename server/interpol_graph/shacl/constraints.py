"""The constraint components of SHACL Core, as one table: each parameter with its component, its sentence and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.shacl import literals
from interpol_graph.shacl.data import BadShapes, Index, Term, sh
from interpol_graph.shacl.paths import Path
from interpol_graph.shacl.shapes import Shape, Shapes, is_true

Test = Callable[[Term], bool]
#: From a focus node and its value nodes to those values that offend; None offends when something is missing.
Check = Callable[[Term, Sequence[Term]], Iterable[Term | None]]


class Run(Protocol):
    """What a check may ask of the validation that it is part of."""

    data: Index
    shapes: Shapes

    def conforms(self, shape: Term, node: Term) -> bool:
        """Say whether a node conforms to the shape at another node."""


#: From a run, a shape and the value of a parameter to the test of one value, or the check of all values of a focus node.
TestMaker = Callable[[Run, Shape, Term], Test]
CheckMaker = Callable[[Run, Shape, Term], Check]


@dataclass(frozen=True)
class Component:
    """A constraint component: its name, what it says to people, and what makes its check for one value of the parameter.

    says: a sentence in which {value} is the parameter's value and {path} the path of the shape.
    """

    name: str
    says: str
    make: CheckMaker

    @property
    def iri(self) -> NamedNode:
        """The IRI of the component."""
        return sh(f"{self.name}ConstraintComponent")


def _each(make: TestMaker) -> CheckMaker:
    """Return what makes a check of all values from what makes the test of one."""

    def made(run: Run, shape: Shape, parameter: Term) -> Check:
        test = make(run, shape, parameter)
        return lambda _, values: [value for value in values if not test(value)]

    return made


def _count(term: Term) -> int:
    return int(term.value) if isinstance(term, Literal) else 0


def _class(run: Run, _: Shape, kind: Term) -> Test:
    return run.data.instances(kind).__contains__


def _datatype(_run: Run, _: Shape, datatype: Term) -> Test:
    return lambda value: isinstance(value, Literal) and value.datatype == datatype and literals.well_formed(value)


def _node_kind(_run: Run, _: Shape, kind: Term) -> Test:
    words = (("IRI", NamedNode), ("BlankNode", BlankNode), ("Literal", Literal))
    kinds = tuple(term for word, term in words if word in str(kind))
    return lambda value: isinstance(value, kinds)


def _range(lower: bool, or_equal: bool, _run: Run, _: Shape, bound: Term) -> Test:
    assert isinstance(bound, Literal)
    if lower:
        return lambda value: isinstance(value, Literal) and literals.less(bound, value, or_equal)
    return lambda value: isinstance(value, Literal) and literals.less(value, bound, or_equal)


def _length(fits: Callable[[int, int], bool], _run: Run, _: Shape, bound: Term) -> Test:
    number = _count(bound)
    return lambda value: isinstance(value, NamedNode | Literal) and fits(len(value.value), number)


def _pattern(_run: Run, shape: Shape, text: Term) -> Test:
    flags = shape.parameters.get("flags", [Literal("")])[0]
    assert isinstance(text, Literal) and isinstance(flags, Literal)
    try:
        found = literals.pattern(text.value, flags.value)
    except ValueError as error:
        raise BadShapes(shape.node, f"sh:pattern cannot be used: {error}") from error
    return lambda value: isinstance(value, NamedNode | Literal) and found(value.value)


def _language_in(run: Run, _: Shape, head: Term) -> Test:
    ranges = [item.value.lower() for item in run.shapes.graph.items(head) or () if isinstance(item, Literal)]

    def test(value: Term) -> bool:
        tag = (value.language or "").lower() if isinstance(value, Literal) else ""
        return any(tag == each or tag.startswith(each + "-") or (each == "*" and tag) for each in ranges)

    return test


def _in(run: Run, _: Shape, head: Term) -> Test:
    return frozenset(run.shapes.graph.items(head) or ()).__contains__


def _node(run: Run, _: Shape, other: Term) -> Test:
    return partial(run.conforms, other)


def _not(run: Run, _: Shape, other: Term) -> Test:
    return lambda value: not run.conforms(other, value)


def _of_list(fits: Callable[[Iterable[bool]], bool], run: Run, _: Shape, head: Term) -> Test:
    others = run.shapes.graph.items(head) or ()
    return lambda value: fits(run.conforms(other, value) for other in others)


def _min_count(_run: Run, _: Shape, bound: Term) -> Check:
    number = _count(bound)
    return lambda _, values: (None,) if len(values) < number else ()


def _max_count(_run: Run, _: Shape, bound: Term) -> Check:
    number = _count(bound)
    return lambda _, values: (None,) if len(values) > number else ()


def _has_value(_run: Run, _: Shape, wanted: Term) -> Check:
    return lambda _, values: () if wanted in values else (None,)


def _unique_lang(_run: Run, _: Shape, wanted: Term) -> Check:
    if not isinstance(wanted, Literal) or wanted.value != "true":  # the test suite reads "1"^^xsd:boolean as no
        return lambda _, values: ()

    def check(_: Term, values: Sequence[Term]) -> Iterable[None]:
        if len(values) < 2:
            return ()
        tags = [value.language.lower() for value in values if isinstance(value, Literal) and value.language]
        return [None for tag in dict.fromkeys(tags) if tags.count(tag) > 1]

    return check


def _equals(run: Run, _: Shape, predicate: Term) -> Check:
    assert isinstance(predicate, NamedNode)
    column = run.data.column(predicate)

    def check(focus: Term, values: Sequence[Term]) -> Iterable[Term]:
        others = column.get(focus, ())
        return [v for v in values if v not in others] + [o for o in others if o not in values]

    return check


def _disjoint(run: Run, _: Shape, predicate: Term) -> Check:
    assert isinstance(predicate, NamedNode)
    column = run.data.column(predicate)
    return lambda focus, values: [value for value in values if value in column.get(focus, ())]


def _less_than(or_equal: bool, run: Run, _: Shape, predicate: Term) -> Check:
    assert isinstance(predicate, NamedNode)
    column = run.data.column(predicate)

    def fits(value: Term, other: Term) -> bool:
        return isinstance(value, Literal) and isinstance(other, Literal) and literals.less(value, other, or_equal)

    return lambda focus, values: [v for v in values for other in column.get(focus, ()) if not fits(v, other)]


def _qualified(least: bool, run: Run, shape: Shape, bound: Term) -> Check:
    wanted, number = shape.parameters.get("qualifiedValueShape", ()), _count(bound)
    siblings: list[Term] = []
    if is_true(shape.parameters.get("qualifiedValueShapesDisjoint")):
        graph = run.shapes.graph
        parents = graph.inverse(sh("property")).get(shape.node, ())
        others = [other for parent in parents for other in graph.objects(parent, sh("property"))]
        siblings = [each for other in others for each in graph.objects(other, sh("qualifiedValueShape"))]
    rest = [each for each in siblings if each not in wanted]

    def count(one: Term, values: Sequence[Term]) -> int:
        return sum(run.conforms(one, v) and not any(run.conforms(each, v) for each in rest) for v in values)

    if least:
        return lambda _, values: [None for one in wanted if count(one, values) < number]
    return lambda _, values: [None for one in wanted if count(one, values) > number]


def closed(run: Run, shape: Shape) -> Callable[[Term], list[tuple[Path, Term]]]:
    """Return the check of a closed shape: from a node to the statements about it that the shape does not allow."""
    graph = run.shapes.graph
    allowed = {term for head in shape.parameters.get("ignoredProperties", ()) for term in graph.items(head) or ()}
    allowed |= {path for node in shape.parameters.get("property", ()) for path in graph.objects(node, sh("path"))}
    return lambda node: [(Path("predicate", p), value) for p, value in run.data.about(node) if p not in allowed]


_above, _from = partial(_range, True, False), partial(_range, True, True)
_below, _to = partial(_range, False, False), partial(_range, False, True)
_at_least, _at_most = partial(_length, int.__ge__), partial(_length, int.__le__)
_all, _any = partial(_of_list, all), partial(_of_list, any)
_one = partial(_of_list, lambda verdicts: sum(verdicts) == 1)

#: Parameter → component. `closed`, `property` and `sparql` are not here: their results name other paths and shapes.
COMPONENTS = {
    "class": Component("Class", "The value is no instance of {value}.", _each(_class)),
    "datatype": Component("Datatype", "The value is no well-formed literal of {value}.", _each(_datatype)),
    "nodeKind": Component("NodeKind", "The value is not of the kind {value}.", _each(_node_kind)),
    "minCount": Component("MinCount", "There are fewer than {value} values of {path}.", _min_count),
    "maxCount": Component("MaxCount", "There are more than {value} values of {path}.", _max_count),
    "minExclusive": Component("MinExclusive", "The value is not greater than {value}.", _each(_above)),
    "minInclusive": Component("MinInclusive", "The value is less than {value}.", _each(_from)),
    "maxExclusive": Component("MaxExclusive", "The value is not less than {value}.", _each(_below)),
    "maxInclusive": Component("MaxInclusive", "The value is greater than {value}.", _each(_to)),
    "minLength": Component("MinLength", "The value is shorter than {value}.", _each(_at_least)),
    "maxLength": Component("MaxLength", "The value is longer than {value}.", _each(_at_most)),
    "pattern": Component("Pattern", "The value does not match the pattern {value}.", _each(_pattern)),
    "languageIn": Component("LanguageIn", "The value is in none of the languages asked for.", _each(_language_in)),
    "uniqueLang": Component("UniqueLang", "{path} has more than one value in a language.", _unique_lang),
    "equals": Component("Equals", "The values differ from those of {value}.", _equals),
    "disjoint": Component("Disjoint", "The value is also one of {value}.", _disjoint),
    "lessThan": Component("LessThan", "The value is not less than that of {value}.", partial(_less_than, False)),
    "lessThanOrEquals": Component(
        "LessThanOrEquals", "The value is greater than that of {value}.", partial(_less_than, True)
    ),
    "not": Component("Not", "The value conforms to {value}, which it must not.", _each(_not)),
    "and": Component("And", "The value does not conform to all of the shapes asked for.", _each(_all)),
    "or": Component("Or", "The value conforms to none of the shapes asked for.", _each(_any)),
    "xone": Component("Xone", "The value does not conform to exactly one of the shapes asked for.", _each(_one)),
    "node": Component("Node", "The value does not conform to {value}.", _each(_node)),
    "qualifiedMinCount": Component(
        "QualifiedMinCount",
        "Fewer than {value} values of {path} conform to the shape asked for.",
        partial(_qualified, True),
    ),
    "qualifiedMaxCount": Component(
        "QualifiedMaxCount",
        "More than {value} values of {path} conform to the shape asked for.",
        partial(_qualified, False),
    ),
    "hasValue": Component("HasValue", "The value {value} is missing.", _has_value),
    "in": Component("In", "The value is none of those allowed.", _each(_in)),
}
#: What the results of a closed shape name, and what they say.
CLOSED, CLOSED_SAYS = sh("ClosedConstraintComponent"), "The property is not one that the closed shape allows."
