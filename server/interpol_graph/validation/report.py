"""What a validation has to say: the findings, the files that were checked, the rules; and where source lines are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable
from interpol_graph.validation import rules
from interpol_graph.validation.finding import Finding, counted
from interpol_graph.validation.rules import Rule


@dataclass(frozen=True)
class Report:
    """The result of one validation.

    findings: in order of place; checked: the files whose findings are reported; table: reads the rules that were applied;
    elsewhere: the number of findings in files that were checked along with these but are not reported.
    """

    findings: tuple[Finding, ...]
    checked: tuple[Path, ...] = ()
    table: Callable[[], dict[str, Rule]] = dict
    elsewhere: int = 0

    @cached_property
    def counts(self) -> dict[str, int]:
        """Severity → number of findings."""
        return counted(self.findings)

    @property
    def conforms(self) -> bool:
        """Whether nothing graver than a warning was found."""
        return not self.counts["error"]

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """The rules that the findings break, by identifier."""
        table = self.table() if self.findings else {}
        broken = {finding.rule: rules.of_finding(finding, table) for finding in self.findings}
        return dict(sorted(broken.items()))

    def by_file(self) -> Iterator[tuple[Path, list[Finding]]]:
        """Yield every file that was checked or has findings, in order, with its findings."""
        grouped = {path: list(found) for path, found in groupby(self.findings, key=lambda finding: finding.path)}
        for path in sorted({*self.checked, *grouped}):
            yield path, grouped.get(path, [])


def merged(reports: Sequence[Report]) -> Report:
    """Return several reports as one."""
    if len(reports) == 1:
        return reports[0]

    def table() -> dict[str, Rule]:
        return {name: rule for report in reports for name, rule in report.table().items()}

    return Report(
        tuple(sorted(finding for report in reports for finding in report.findings)),
        tuple(sorted({path for report in reports for path in report.checked})),
        table,
        sum(report.elsewhere for report in reports),
    )


def refusal(error: Unreadable) -> Report:
    """Return the report that says why there is no other: one finding, at the place where reading stopped."""
    rule = {rule.name: rule for rule in rules.BUILT_IN}["syntax" if error.line else "unreadable"]
    finding = Finding(error.path, error.line, error.column, rule.name, error.path.name, error.reason, rule.mend)
    return Report((finding,), (error.path,), lambda: rules.known(()))


class Lines:
    """The source lines of the files that findings are in; a file is read once."""

    def __init__(self) -> None:
        self._read: dict[Path, list[str]] = {}

    def __call__(self, finding: Finding) -> str:
        """Return the line that a finding points at, without its end; empty when there is none to show."""
        if finding.path not in self._read:
            try:
                content = finding.path.read_bytes().decode("utf-8", errors="replace")
            except OSError:
                content = ""
            ends = content.replace("\r\n", "\n").replace("\r", "\n")
            self._read[finding.path] = ends.removeprefix("\ufeff").split("\n")
        lines = self._read[finding.path]
        return lines[finding.line - 1] if 0 < finding.line <= len(lines) else ""


def address(path: Path) -> str:
    """Return a file as machines name it: relative to the working directory, with slashes, if it lies there."""
    return Path(paths.shown(path)).as_posix()
