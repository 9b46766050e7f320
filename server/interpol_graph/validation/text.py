"""The report as text, for people: grouped by file, the source line shown with a caret below it."""

from collections.abc import Iterator
from itertools import groupby

import click

from interpol_graph.graph import paths
from interpol_graph.validation.report import Finding, Report, with_lines

#: Characters of a source line that are shown at most.
WIDTH = 110
COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def write(report: Report) -> Iterator[str]:
    """Yield the report, coloured; whoever prints it takes the colours out when it does not go to a terminal."""
    own, broken = ([finding for finding in report.findings if finding.broken == each] for each in (False, True))
    parts = {"": own, "Broken elsewhere by this change:": broken, "About the shapes:": report.remarks}
    for heading, findings in parts.items():
        if heading and findings:
            yield click.style(heading, bold=True) + "\n"
        for path, found in groupby(with_lines(findings), key=lambda pair: pair[0].path):
            yield click.style(printable(paths.shown(path)), bold=True, underline=True) + "\n"
            yield from (_finding(finding, line) + "\n" for finding, line in found)
            yield "\n"
    yield from (f"{printable(rule)}: and {number:,} more\n" for rule, number in report.left_out.items())


def closing(report: Report) -> str:
    """Return the last line: how many findings of what severity in how many files."""
    files = len(report.checked)
    broken = sum(finding.broken for finding in report.findings)
    elsewhere = f" {broken} of them in files that did not change." if broken else ""
    elsewhere += f" Other files have {len(report.elsewhere)} more, not shown." if report.elsewhere else ""
    return f"{summary(report.counts)} in {files} file{'' if files == 1 else 's'}.{elsewhere}"


def summary(counts: dict[str, int]) -> str:
    """Return the counts as people say them.

    >>> summary({"error": 1, "warning": 0, "info": 2})
    '1 error, 0 warnings, 2 infos'
    >>> summary({"error": 0, "warning": 3, "info": 0})
    '0 errors, 3 warnings'
    """
    named = [(name, number) for name, number in counts.items() if number or name != "info"]
    return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in named)


def _finding(finding: Finding, line: str) -> str:
    colour = COLOURS[finding.severity]
    severity = click.style(finding.severity, fg=colour, bold=True)
    focus, message = printable(finding.focus), printable(finding.message)
    about = "" if message.startswith(focus) else f"{focus}: "
    parts = [f"{printable(finding.place)}: {severity}: {about}{message} {click.style(f'[{finding.rule}]', dim=True)}"]
    if line:
        parts += excerpt(line, finding.line, finding.column, colour)
    if finding.mend:
        parts.append(f"    {click.style('mend:', bold=True)} {printable(finding.mend)}")
    return "\n".join(parts)


def excerpt(line: str, number: int, column: int, colour: str | None = None) -> list[str]:
    """Return a source line with its number, and a caret below the column; a long line is cut around it."""
    start = max(0, min(column - 1 - WIDTH // 3, len(line) - WIDTH))
    shown = printable(line[start : start + WIDTH])
    before, after = "…" if start else "", "…" if start + WIDTH < len(line) else ""
    rows = [f"{number:>6} | {before}{shown.rstrip()}{after}"]
    if column:
        from rich.cells import cell_len  # a hundredth of a second, and only findings need it

        blank = " " * cell_len(before + shown[: column - 1 - start])
        rows.append(f"{'':>6} | {blank}{click.style('^', fg=colour, bold=True)}")
    return rows


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey, one character for one.

    >>> printable("a\\tb\\x1b[31m")
    'a b·[31m'
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "·" for c in text)
