"""What a validation has to say: findings, each with its rule, place and sentence; the files that were checked; the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path as FilePath

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import Path, Term
from interpol_graph.validation import rules
from interpol_graph.validation.rules import Rule

#: From grave to slight. Only errors fail a validation.
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Terms:
    """The RDF terms that a finding is about, as far as there are any.

    node: the focus node; path: the property path; value: the offending value; component: the SHACL constraint component;
    shape: the shape that asked; severity: as the shape gives it; messages: all that it has to say.
    """

    node: Term | None = None
    path: Path | None = None
    value: Term | None = None
    component: NamedNode | None = None
    shape: Term | None = None
    severity: NamedNode | None = None
    messages: tuple[Literal, ...] = ()


@dataclass(frozen=True, order=True)
class Finding:
    """One finding, of whichever check.

    path, line, column: where to put the finger, counted from 1; 0 means that the place is not known more closely;
    rule: the stable identifier of what was broken, listed by `interpol-graph validate --rules`;
    focus: the entity at fault, as people write it; message: what is wrong; mend: what to do;
    severity: error, warning or info; terms: the same for programs, where the finding is about statements.
    """

    path: FilePath
    line: int
    column: int
    rule: str
    focus: str
    message: str
    mend: str = ""
    severity: str = "error"
    terms: Terms = field(default=Terms(), compare=False)

    @property
    def place(self) -> str:
        """file:line:column, as far as it is known."""
        return ":".join(str(part) for part in (paths.shown(self.path), self.line, self.column) if part)

    def __str__(self) -> str:
        mend = f"\n    {self.mend}" if self.mend else ""
        return f"{self.place}: {self.severity}: {self.focus}: {self.message} [{self.rule}]{mend}"


@dataclass(frozen=True)
class Report:
    """The result of one validation.

    findings: in order of place; checked: the files whose findings are reported; table: the rules that were applied, if
    there are findings; elsewhere: the number of findings in files that were checked along with these but are not reported.
    """

    findings: tuple[Finding, ...]
    checked: tuple[FilePath, ...] = ()
    table: dict[str, Rule] = field(default_factory=dict)
    elsewhere: int = 0

    @cached_property
    def counts(self) -> dict[str, int]:
        """Severity → number of findings, every severity named."""
        severities = [finding.severity for finding in self.findings]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    @property
    def conforms(self) -> bool:
        """Whether nothing graver than a warning was found."""
        return not self.counts["error"]

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

    def with_lines(self) -> Iterator[tuple[Finding, str]]:
        """Yield every finding with the source line that it points at, empty when there is none to show."""
        for path, findings in self.by_file():
            lines = _lines(path) if findings else []
            for finding in findings:
                yield finding, lines[finding.line - 1] if 0 < finding.line <= len(lines) else ""


def merged(reports: Sequence[Report]) -> Report:
    """Return several reports as one."""
    return Report(
        tuple(sorted(finding for report in reports for finding in report.findings)),
        tuple(sorted({path for report in reports for path in report.checked})),
        {name: rule for report in reports for name, rule in report.table.items()},
        sum(report.elsewhere for report in reports),
    )


def refusal(error: Unreadable) -> Report:
    """Return the report that says why there is no other: one finding, at the place where reading stopped."""
    table = rules.known(())
    rule = table["syntax" if error.line else "unreadable"]
    finding = Finding(error.path, error.line, error.column, rule.name, error.path.name, error.reason, rule.mend)
    return Report((finding,), (error.path,), table)


def _lines(path: FilePath) -> list[str]:
    try:
        content = SourceFile(path, "").content().decode("utf-8", errors="replace")
    except Unreadable:
        return []
    return content.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def address(path: FilePath) -> str:
    """Return a file as machines name it: relative to the working directory, with slashes, if it lies there."""
    return FilePath(paths.shown(path)).as_posix()


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
