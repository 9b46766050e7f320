"""The report as SARIF 2.1.0, which code scanning reads: the rules with their help, the results with their regions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from interpol_graph import __version__
from interpol_graph.validation.finding import Finding
from interpol_graph.validation.report import Lines, Report, address
from interpol_graph.validation.rules import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://w3id.org/interpol-graph/"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def write(report: Report) -> str:
    """Return the report as one SARIF log with one run."""
    lines, names = Lines(), list(report.rules)
    run = {
        "tool": {
            "driver": {
                "name": "interpol-graph",
                "version": __version__,
                "informationUri": HOME,
                "rules": [_rule(rule) for rule in report.rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": _artifact(path)} for path, _ in report.by_file()],
        "results": [_result(finding, names.index(finding.rule), lines(finding)) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    help_text = f"{rule.asks}\n\n{rule.mend}".strip()
    described = {
        "id": rule.name,
        "shortDescription": {"text": rule.asks},
        "help": {"text": help_text, "markdown": help_text},
        "defaultConfiguration": {"level": _LEVELS.get(rule.severity, "error")},
        "properties": {"tags": [rule.kind]},
    }
    return described | ({"helpUri": rule.page} if rule.page else {})


def _result(finding: Finding, index: int, line: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(finding.path)}
    if finding.line:
        place["region"] = {"startLine": finding.line}
        if finding.column:
            place["region"]["startColumn"] = finding.column
        if line:
            place["region"]["snippet"] = {"text": line}
    text = f"{finding.focus}: {finding.message}" + (f"\n{finding.mend}" if finding.mend else "")
    # The print stays when lines above change, so that a known finding is recognised.
    known_by = f"{address(finding.path)}\0{finding.rule}\0{finding.focus}\0{finding.message}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.severity, "error"),
        "message": {"text": text},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.focus}]}],
        "partialFingerprints": {"finding/v1": hashlib.sha256(known_by.encode()).hexdigest()},
    }


def _artifact(path: Path) -> dict[str, str]:
    name = address(path)
    if Path(name).is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(name), "uriBaseId": "%SRCROOT%"}
