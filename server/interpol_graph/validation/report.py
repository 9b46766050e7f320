"""What a validation has to say: findings, each with its rule, place and sentence; the files that were checked; the rules."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain, groupby
from pathlib import Path as FilePath

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.validation import Result
from interpol_graph.validation import rules
from interpol_graph.validation.positions import LINE_END
from interpol_graph.validation.rules import Rule

#: From grave to slight.
SEVERITIES = ("error", "warning", "info")
#: Characters of a term in a message, and of a source line in a report for programs.
LONGEST = 500


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """One finding, of whichever check.

    path, line, column: where to put the finger, counted from 1; 0 means that the place is not known more closely;
    rule: the stable identifier of what was broken, listed by `interpol-graph validate --rules`;
    focus: the entity at fault, as people write it; message: what is wrong; mend: what to do;
    severity: error, warning or info; terms: the same for programs, where the finding is about statements;
    broken: whether it stands in a file that did not change, and a change of another one brought it about.
    """

    path: FilePath
    line: int
    column: int
    rule: str
    focus: str
    message: str
    mend: str = ""
    severity: str = "error"
    terms: Result = field(default=Result(), compare=False)
    broken: bool = field(default=False, compare=False)

    @property
    def place(self) -> str:
        """file:line:column, as far as it is known."""
        return ":".join(str(part) for part in (paths.shown(self.path), self.line, self.column) if part)


@dataclass(frozen=True)
class Report:
    """The result of one validation.

    findings: in order of place; checked: the files whose findings are reported; table: the rules that were applied, if
    there are findings; elsewhere: findings in files that were checked along with these but are not reported;
    remarks: what there is to say of the shapes, which fails nothing; more: rule and severity → how many findings were left
    out; fail_on: the slightest severity that fails.
    """

    findings: tuple[Finding, ...]
    checked: tuple[FilePath, ...] = ()
    table: dict[str, Rule] = field(default_factory=dict)
    elsewhere: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()
    more: Counter[tuple[str, str]] = field(default_factory=Counter)
    fail_on: str = "error"

    @cached_property
    def by_rule(self) -> Counter[tuple[str, str]]:
        """Rule and severity → number of findings, those left out counted."""
        return self.more + Counter((finding.rule, finding.severity) for finding in self.findings)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Severity → number of findings, every severity named, those left out counted."""
        return {each: sum(n for (_, severity), n in self.by_rule.items() if severity == each) for each in SEVERITIES}

    @property
    def conforms(self) -> bool:
        """Whether nothing was found that is as grave as what fails."""
        return not any(self.counts[severity] for severity in SEVERITIES[: SEVERITIES.index(self.fail_on) + 1])

    def fails(self, finding: Finding) -> bool:
        """Say whether a finding is as grave as what fails."""
        return SEVERITIES.index(finding.severity) <= SEVERITIES.index(self.fail_on)

    @property
    def left_out(self) -> dict[str, int]:
        """Rule → how many of its findings were left out."""
        rules = sorted({rule for rule, _ in self.more})
        return {each: sum(number for (rule, _), number in self.more.items() if rule == each) for each in rules}

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules that the findings break, by identifier; one that stands in no table is made from its finding."""
        broken: dict[str, Rule] = {}
        for finding in self.findings:
            name = finding.rule.removeprefix("sh:")
            page = f"https://www.w3.org/TR/shacl/#{name}" if name != finding.rule else ""
            asks = f"{name} of SHACL" if page else finding.message
            made = Rule(finding.rule, asks, finding.mend, finding.severity, "shape", page)
            broken[finding.rule] = self.table.get(finding.rule, made)
        return dict(sorted(broken.items()))

    def by_file(self) -> Iterator[tuple[FilePath, list[Finding]]]:
        """Yield every file that was checked or has findings, in order, with its findings."""
        grouped = {path: list(found) for path, found in groupby(self.findings, key=lambda finding: finding.path)}
        for path in sorted({*self.checked, *grouped}):
            yield path, grouped.get(path, [])


def with_lines(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Yield findings, those of a file together, with the source lines that they point at, empty when there is none to show."""
    for path, found in groupby(findings, key=lambda finding: finding.path):
        try:
            lines = LINE_END.split(SourceFile(path, "").content().decode("utf-8", errors="replace"))
        except Unreadable:
            lines = []
        for finding in found:
            yield finding, lines[finding.line - 1] if 0 < finding.line <= len(lines) else ""


def merged(reports: Sequence[Report]) -> Report:
    """Return several reports as one."""
    return Report(
        tuple(sorted(finding for report in reports for finding in report.findings)),
        tuple(sorted({path for report in reports for path in report.checked})),
        {name: rule for report in reports for name, rule in report.table.items()},
        tuple(sorted(finding for report in reports for finding in report.elsewhere)),
        tuple(sorted({remark for report in reports for remark in report.remarks})),
        sum((report.more for report in reports), Counter()),
        reports[0].fail_on,
    )


def compared(report: Report, top: FilePath, earlier: Counter[tuple[str, ...]]) -> Report:
    """Return a report that reports on what is found elsewhere, too, unless it was found there earlier."""
    known, findings, old = earlier.copy(), [*report.findings], []
    for finding in report.elsewhere:
        key = known_by(finding, top)
        known[key] -= 1
        old.append(finding) if known[key] >= 0 else findings.append(replace(finding, broken=True))
    return replace(report, findings=tuple(sorted(findings)), elsewhere=tuple(old))


def known_by(finding: Finding, top: FilePath) -> tuple[str, ...]:
    """Return what a finding is recognised by when lines above it change, in a tree of files or another with this top."""
    return os.path.relpath(finding.path, top), finding.rule, finding.focus, finding.message


def gathered(findings: Iterable[Finding], most: int | None) -> tuple[list[Finding], Counter[tuple[str, str]]]:
    """Return findings in order, of each rule at most a number, the first ones; and how many were left out."""
    kept: dict[str, list[Finding]] = {}
    more: Counter[tuple[str, str]] = Counter()

    def cut(found: list[Finding]) -> list[Finding]:
        found.sort()
        more.update((finding.rule, finding.severity) for finding in found[most:] if most)
        return found[:most]

    for finding in findings:
        found = kept.setdefault(finding.rule, [])
        found.append(finding)
        if most and len(found) > 2 * most:  # so that what is left out takes no room
            kept[finding.rule] = cut(found)
    return sorted(chain.from_iterable(map(cut, kept.values()))), more


def refusal(error: Unreadable) -> Report:
    """Return the report that says why there is no other: a finding for each place where reading stopped."""
    findings = tuple(map(unread, (error, *error.others)))
    return Report(findings, tuple(dict.fromkeys(finding.path for finding in findings)), rules.BY_NAME)


def unread(error: Unreadable) -> Finding:
    """Return the finding that says why a file cannot be read."""
    rule, name = rules.BY_NAME["syntax" if error.line else "unreadable"], paths.legible(FilePath(error.path.name))
    return Finding(error.path, error.line, error.column, rule.name, name, error.reason, rule.mend)


def address(path: FilePath) -> str:
    """Return a file as machines name it: relative to the working directory, with slashes, if it lies there."""
    return FilePath(paths.shown(path)).as_posix()


def from_top(path: FilePath) -> str:
    """Return a file as a code host names it: from the top of the repository around the working directory, if it lies there."""
    top = _top(FilePath.cwd())
    return FilePath(paths.legible(path.relative_to(top))).as_posix() if path.is_relative_to(top) else address(path)


@cache
def _top(here: FilePath) -> FilePath:
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def brief(term: object) -> str:
    """Return a term as `shown` does, cut where nobody reads on."""
    text = shown(term)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def shown(term: object) -> str:
    """Return a term or a property path as people read it: names shortened, a blank node by its kind alone.

    >>> shown(Literal("5"))
    '"5"'
    >>> shown(Literal(5)), shown(NamedNode("http://www.w3.org/ns/shacl#path"))
    ('"5"^^xsd:integer', 'sh:path')
    """
    if isinstance(term, NamedNode):
        return shorten(term.value)
    if isinstance(term, Literal):
        plain = str(term).removesuffix(f"^^{term.datatype}")
        return plain if plain == str(term) else f"{plain}^^{shorten(term.datatype.value)}"
    if isinstance(term, BlankNode):
        return "blank node"
    return re.sub(r"<([^<>]*)>", lambda match: shorten(match[1]), str(term))
