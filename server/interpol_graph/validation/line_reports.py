"""The reports for programs that read lines or JSON: GitHub annotations, and JSON."""

from __future__ import annotations

import json

from interpol_graph.validation.report import Report, address
from interpol_graph.validation.text_report import printable

#: What GitHub calls a severity.
_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def github(report: Report) -> str:
    """Return one workflow command a finding: GitHub shows it at the line of the change."""
    return "".join(
        f"::{_LEVELS.get(finding.severity, 'error')} "
        + ",".join(
            f"{name}={_property(str(value))}"
            for name, value in (
                ("file", address(finding.path)),
                ("line", finding.line),
                ("col", finding.column),
                ("title", finding.rule),
            )
            if value
        )
        + "::"
        + _escaped(f"{finding.focus}: {finding.message}" + (f"\n{finding.mend}" if finding.mend else ""))
        + "\n"
        for finding in report.findings
    )


def _escaped(text: str) -> str:
    shown = "\n".join(printable(line) for line in text.splitlines())
    return shown.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def as_json(report: Report) -> str:
    """Return the report as one JSON object; its members are described in the README."""
    return (
        json.dumps(
            {
                "conforms": report.conforms,
                "counts": {**report.counts, "elsewhere": report.elsewhere},
                "checked": [address(path) for path in report.checked],
                "findings": [
                    {
                        "rule": finding.rule,
                        "severity": finding.severity,
                        "file": address(finding.path),
                        "line": finding.line or None,
                        "column": finding.column or None,
                        "focus": finding.focus,
                        "message": finding.message,
                        "mend": finding.mend or None,
                    }
                    for finding in report.findings
                ],
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n"
    )
