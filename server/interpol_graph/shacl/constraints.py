"""The constraint components of SHACL Core, as one table: parameter → component, sentence, and the check it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pyoxigraph import NamedNode

from interpol_graph.shacl import checks
from interpol_graph.shacl.checks import Check, Run, Test
from interpol_graph.shacl.data import Term, sh
from interpol_graph.shacl.shapes import Shape


@dataclass(frozen=True)
class Component:
    """A constraint component: its name, what it says to people, and the maker of its test of a value or of its check.

    says: a sentence in which {} is the parameter's value.
    """

    name: str
    says: str
    test: Callable[[Run, Shape, Term], Test] | None = None
    check: Callable[[Run, Shape, Term], Check] | None = None

    @property
    def iri(self) -> NamedNode:
        """The IRI of the component."""
        return sh(f"{self.name}ConstraintComponent")

    def made(self, run: Run, shape: Shape, parameter: Term) -> Check:
        """Return the check for one value of the parameter."""
        if self.check:
            return self.check(run, shape, parameter)
        assert self.test
        test = self.test(run, shape, parameter)
        return lambda _, values: [value for value in values if not test(value)]


#: Parameter → component. `closed`, `property` and `sparql` are not here: their results name other paths and shapes.
COMPONENTS = {
    "class": Component("Class", "The value is no instance of {}.", test=checks.instance_of),
    "datatype": Component("Datatype", "The value is no well-formed literal of {}.", test=checks.of_datatype),
    "nodeKind": Component("NodeKind", "The value is not of the kind {}.", test=checks.of_kind),
    "minCount": Component("MinCount", "There are fewer than {} values.", check=checks.min_count),
    "maxCount": Component("MaxCount", "There are more than {} values.", check=checks.max_count),
    "minExclusive": Component(
        "MinExclusive", "The value is not greater than {}.", test=partial(checks.in_range, True, False)
    ),
    "minInclusive": Component("MinInclusive", "The value is less than {}.", test=partial(checks.in_range, True, True)),
    "maxExclusive": Component(
        "MaxExclusive", "The value is not less than {}.", test=partial(checks.in_range, False, False)
    ),
    "maxInclusive": Component(
        "MaxInclusive", "The value is greater than {}.", test=partial(checks.in_range, False, True)
    ),
    "minLength": Component("MinLength", "The value is shorter than {}.", test=partial(checks.has_length, int.__ge__)),
    "maxLength": Component("MaxLength", "The value is longer than {}.", test=partial(checks.has_length, int.__le__)),
    "pattern": Component("Pattern", "The value does not match the pattern {}.", test=checks.matches),
    "languageIn": Component("LanguageIn", "The value is in none of the languages asked for.", test=checks.in_languages),
    "uniqueLang": Component("UniqueLang", "A language has more than one value.", check=checks.unique_lang),
    "equals": Component("Equals", "The values differ from those of {}.", check=checks.equals),
    "disjoint": Component("Disjoint", "The value is also one of {}.", check=checks.disjoint),
    "lessThan": Component("LessThan", "The value is not less than that of {}.", check=partial(checks.less_than, False)),
    "lessThanOrEquals": Component(
        "LessThanOrEquals", "The value is greater than that of {}.", check=partial(checks.less_than, True)
    ),
    "not": Component("Not", "The value conforms to {}, which it must not.", test=checks.not_),
    "and": Component("And", "The value does not conform to all of the shapes asked for.", test=checks.all_of),
    "or": Component("Or", "The value conforms to none of the shapes asked for.", test=checks.any_of),
    "xone": Component(
        "Xone", "The value does not conform to exactly one of the shapes asked for.", test=checks.exactly_one_of
    ),
    "node": Component("Node", "The value does not conform to {}.", test=checks.fits_node),
    "qualifiedMinCount": Component(
        "QualifiedMinCount",
        "Fewer than {} values conform to the shape asked for.",
        check=partial(checks.qualified, True),
    ),
    "qualifiedMaxCount": Component(
        "QualifiedMaxCount",
        "More than {} values conform to the shape asked for.",
        check=partial(checks.qualified, False),
    ),
    "hasValue": Component("HasValue", "The value {} is missing.", check=checks.has_value),
    "in": Component("In", "The value is none of those allowed.", test=checks.one_of),
}
CLOSED = Component("Closed", "The property is not one that the closed shape allows.")
