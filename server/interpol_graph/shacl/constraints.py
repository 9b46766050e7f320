"""The constraint components of SHACL Core, as one table: each parameter with its sentence and its check."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.shacl import literals
from interpol_graph.shacl.data import Path, Term, sh
from interpol_graph.shacl.shapes import Shape

if TYPE_CHECKING:
    from interpol_graph.shacl.validation import Validation

Test = Callable[[Term], bool]
#: From a focus node and its value nodes to those values that offend; None offends when something is missing.
Check = Callable[[Term, Sequence[Term]], Iterable[Term | None]]
#: Whether a number and the bound that a shape sets stand as they should, or should not.
Comparison = Callable[[int, int], bool]
#: From values and those of another property to the values that offend.
Offenders = Callable[[Sequence[Term], Sequence[Term]], Iterable[Term]]
#: From a run, a shape and the value of a parameter to the test of one value, or the check of all values of a focus node.
TestMaker = Callable[["Validation", Shape, Term], Test]
CheckMaker = Callable[["Validation", Shape, Term], Check]


def _each(make: TestMaker) -> CheckMaker:
    """Return what makes a check of all values from what makes the test of one."""

    def made(run: Validation, shape: Shape, parameter: Term) -> Check:
        test = make(run, shape, parameter)
        return lambda _, values: [value for value in values if not test(value)]

    return made


def _number(term: Term) -> int:
    return int(term.value) if isinstance(term, Literal) else 0


def _datatype(_run: Validation, _: Shape, datatype: Term) -> Test:
    return lambda value: isinstance(value, Literal) and value.datatype == datatype and literals.well_formed(value)


def _node_kind(_run: Validation, _: Shape, kind: Term) -> Test:
    words = (("IRI", NamedNode), ("BlankNode", BlankNode), ("Literal", Literal))
    kinds = tuple(term for word, term in words if word in str(kind))
    return lambda value: isinstance(value, kinds)


def _bound(least: bool, or_equal: bool, _run: Validation, _: Shape, bound: Term) -> Test:
    return lambda value: literals.less(*((bound, value) if least else (value, bound)), or_equal)


def _length(fits: Comparison, _run: Validation, _: Shape, bound: Term) -> Test:
    number = _number(bound)
    return lambda value: isinstance(value, NamedNode | Literal) and fits(len(value.value), number)


def _pattern(_run: Validation, shape: Shape, text: Term) -> Test:
    flags = shape.parameters.get("flags", [Literal("")])[0]
    assert isinstance(text, Literal) and isinstance(flags, Literal)
    found = literals.pattern(text.value, flags.value)
    return lambda value: isinstance(value, NamedNode | Literal) and found.search(value.value) is not None


def _tag(value: Term) -> str:
    return (value.language or "").lower() if isinstance(value, Literal) else ""


def _language_in(run: Validation, _: Shape, head: Term) -> Test:
    ranges = [item.value.lower() for item in run.shapes.graph.items(head) or () if isinstance(item, Literal)]

    def test(value: Term) -> bool:
        tag = _tag(value)
        return any(tag == each or tag.startswith(each + "-") or (each == "*" and tag) for each in ranges)

    return test


def _of_list(fits: Callable[[Iterable[bool]], bool], run: Validation, _: Shape, head: Term) -> Test:
    others = run.shapes.graph.items(head) or ()
    return lambda value: fits(run.conforms(other, value) for other in others)


def _count(wrong: Comparison, _run: Validation, _: Shape, bound: Term) -> Check:
    number = _number(bound)
    return lambda _, values: (None,) if wrong(len(values), number) else ()


def _unique_lang(_run: Validation, _: Shape, wanted: Term) -> Check:
    if not isinstance(wanted, Literal) or wanted.value != "true":  # the test suite reads "1"^^xsd:boolean as no
        return lambda _, values: ()
    return lambda _, values: [None for tag, count in Counter(map(_tag, values)).items() if tag and count > 1]


def _pair(offenders: Offenders, run: Validation, _: Shape, predicate: Term) -> Check:
    column = run.data.column(predicate)
    return lambda focus, values: offenders(values, column.get(focus, ()))


def _unequal(values: Sequence[Term], others: Sequence[Term]) -> list[Term]:
    both = set(values).intersection(others)
    return [term for term in (*values, *others) if term not in both]


def _not_less(or_equal: bool, values: Sequence[Term], others: Sequence[Term]) -> list[Term]:
    return [v for v in values for o in others if not literals.less(v, o, or_equal)]


def _qualified(wrong: Comparison, run: Validation, shape: Shape, bound: Term) -> Check:
    wanted, number = shape.parameters.get("qualifiedValueShape", ()), _number(bound)
    siblings: list[Term] = []
    if shape.is_true("qualifiedValueShapesDisjoint"):
        graph = run.shapes.graph
        parents = graph.inverse(sh("property")).get(shape.node, ())
        others = [other for parent in parents for other in graph.objects(parent, sh("property"))]
        siblings = [each for other in others for each in graph.objects(other, sh("qualifiedValueShape"))]
    rest = [each for each in siblings if each not in wanted]

    def count(one: Term, values: Sequence[Term]) -> int:
        return sum(run.conforms(one, v) and not any(run.conforms(each, v) for each in rest) for v in values)

    return lambda _, values: [None for one in wanted if wrong(count(one, values), number)]


def closed(run: Validation, shape: Shape) -> Callable[[Term], list[tuple[Path, Term]]]:
    """Return the check of a closed shape: from a node to the statements about it that the shape does not allow."""
    graph = run.shapes.graph
    allowed = {term for head in shape.parameters.get("ignoredProperties", ()) for term in graph.items(head) or ()}
    allowed |= {path for node in shape.parameters.get("property", ()) for path in graph.objects(node, sh("path"))}
    return lambda node: [(Path(p), value) for p, value in run.data.about(node) if p not in allowed]


#: Parameter → what its results say, with {value} for its value and {path} for the shape's path; and what makes its check.
#: `closed`, `property` and `sparql` are not here: their results name other paths and shapes.
COMPONENTS: dict[str, tuple[str, CheckMaker]] = {
    "class": ("The value is no instance of {value}.", _each(lambda run, _, cls: run.data.instances(cls).__contains__)),
    "datatype": ("The value is no well-formed literal of {value}.", _each(_datatype)),
    "nodeKind": ("The value is not of the kind {value}.", _each(_node_kind)),
    "minCount": ("There are fewer than {value} values of {path}.", partial(_count, operator.lt)),
    "maxCount": ("There are more than {value} values of {path}.", partial(_count, operator.gt)),
    "minExclusive": ("The value is not greater than {value}.", _each(partial(_bound, True, False))),
    "minInclusive": ("The value is less than {value}.", _each(partial(_bound, True, True))),
    "maxExclusive": ("The value is not less than {value}.", _each(partial(_bound, False, False))),
    "maxInclusive": ("The value is greater than {value}.", _each(partial(_bound, False, True))),
    "minLength": ("The value is shorter than {value}.", _each(partial(_length, operator.ge))),
    "maxLength": ("The value is longer than {value}.", _each(partial(_length, operator.le))),
    "pattern": ("The value does not match the pattern {value}.", _each(_pattern)),
    "languageIn": ("The value is in none of the languages asked for.", _each(_language_in)),
    "uniqueLang": ("{path} has more than one value in a language.", _unique_lang),
    "equals": ("The values differ from those of {value}.", partial(_pair, _unequal)),
    "disjoint": ("The value is also one of {value}.", partial(_pair, lambda values, others: filter(set(others).__contains__, values))),
    "lessThan": ("The value is not less than that of {value}.", partial(_pair, partial(_not_less, False))),
    "lessThanOrEquals": ("The value is greater than that of {value}.", partial(_pair, partial(_not_less, True))),
    "not": ("The value conforms to {value}, which it must not.", _each(lambda run, _, other: lambda v: not run.conforms(other, v))),
    "and": ("The value does not conform to all of the shapes asked for.", _each(partial(_of_list, all))),
    "or": ("The value conforms to none of the shapes asked for.", _each(partial(_of_list, any))),
    "xone": ("The value does not conform to exactly one of the shapes asked for.", _each(partial(_of_list, lambda verdicts: sum(verdicts) == 1))),
    "node": ("The value does not conform to {value}.", _each(lambda run, _, other: partial(run.conforms, other))),
    "qualifiedMinCount": ("Fewer than {value} values of {path} conform to the shape.", partial(_qualified, operator.lt)),
    "qualifiedMaxCount": ("More than {value} values of {path} conform to the shape.", partial(_qualified, operator.gt)),
    "hasValue": ("The value {value} is missing.", lambda _run, _, wanted: lambda _, values: () if wanted in values else (None,)),
    "in": ("The value is none of those allowed.", _each(lambda run, _, head: set(run.shapes.graph.items(head) or ()).__contains__)),
}  # fmt: skip
