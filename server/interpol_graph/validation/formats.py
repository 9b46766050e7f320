"""The table of report formats: names, media types, writers. Everything that writes findings asks here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import click

from interpol_graph.validation import junit_report, line_reports, sarif_report, text_report, turtle_report
from interpol_graph.validation.report import Report


@dataclass(frozen=True)
class ReportFormat:
    """One way to write a report: its name on command lines and in ?format=, its label, media types (preferred first)."""

    name: str
    label: str
    media_types: tuple[str, ...]
    write: Callable[[Report], str]

    @property
    def content_type(self) -> str:
        """The Content-Type header of a report in this format."""
        return self.media_types[0] + ("; charset=utf-8" if self.media_types[0].startswith("text/") else "")


REPORTS = (
    ReportFormat("json", "JSON", ("application/json",), line_reports.as_json),
    ReportFormat("sarif", "SARIF", ("application/sarif+json",), sarif_report.write),
    ReportFormat("turtle", "Turtle", ("text/turtle",), turtle_report.write),
    ReportFormat("junit", "JUnit XML", ("application/xml", "text/xml"), junit_report.write),
    ReportFormat("text", "Text", ("text/plain",), text_report.write),
    ReportFormat("github", "GitHub annotations", ("text/x-github-annotations",), line_reports.github),
)

BY_NAME = {fmt.name: fmt for fmt in REPORTS}


def plain(report: Report, fmt: ReportFormat) -> str:
    """Return a report without colours."""
    return click.unstyle(fmt.write(report)) if fmt.name == "text" else fmt.write(report)
