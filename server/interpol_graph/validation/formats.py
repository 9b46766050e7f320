"""The table of report formats: names, media types, writers. Everything that writes findings asks here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from interpol_graph import __version__
from interpol_graph.graph.formats import Offered
from interpol_graph.graph.prefixes import BASE
from interpol_graph.shacl.data import SHACL, TYPE, sh
from interpol_graph.shacl.literals import XSD
from interpol_graph.validation import text
from interpol_graph.validation.report import Finding, Report, address, shown
from interpol_graph.validation.rules import Rule
from interpol_graph.validation.text import printable

#: What GitHub and SARIF call a severity, and what SHACL does.
_ANNOTATIONS = {"error": "error", "warning": "warning", "info": "notice"}
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SEVERITIES = {"error": sh("Violation"), "warning": sh("Warning"), "info": sh("Info")}

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: The namespace of what the W3C's vocabulary has no word for: file, line, column, rule, mend; and of our own
#: constraint components, which bear the names of the rules.
REPORT = BASE + "report#"


@dataclass(frozen=True)
class ReportFormat(Offered):
    """One way to write a report."""

    write: Callable[[Report], str]


def github(report: Report) -> str:
    """Return one workflow command a finding: GitHub shows it at the line of the change."""
    return "".join(_annotation(finding) for finding in report.findings)


def _annotation(finding: Finding) -> str:
    named = {"file": address(finding.path), "line": finding.line, "col": finding.column, "title": finding.rule}
    escaped = {name: _escaped(str(value)).replace(":", "%3A").replace(",", "%2C") for name, value in named.items()}
    properties = ",".join(f"{name}={escaped[name]}" for name, value in named.items() if value)
    return f"::{_ANNOTATIONS[finding.severity]} {properties}::{_escaped(_sentences(finding))}\n"


def _sentences(finding: Finding) -> str:
    return f"{finding.focus}: {finding.message}" + (f"\n{finding.mend}" if finding.mend else "")


def _escaped(words: str) -> str:
    lines = "\n".join(printable(line) for line in words.splitlines())
    return lines.replace("%", "%25").replace("\n", "%0A")


def as_json(report: Report) -> str:
    """Return the report as one JSON object; its members are described in the README."""
    members = {
        "conforms": report.conforms,
        "counts": {**report.counts, "elsewhere": report.elsewhere},
        "checked": [address(path) for path in report.checked],
        "findings": [_members(finding) for finding in report.findings],
    }
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"


def _members(finding: Finding) -> dict[str, str | int | None]:
    terms = {name: getattr(finding.terms, name) for name in ("path", "value", "component", "shape")}
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "file": address(finding.path),
        "line": finding.line or None,
        "column": finding.column or None,
        "focus": finding.focus,
        **{name: shown(term) if term else None for name, term in terms.items()},
        "message": finding.message,
        "mend": finding.mend or None,
    }


def junit(report: Report) -> str:
    """Return the report as JUnit XML: one suite a file, one failed case a finding, one passed case for a file without errors.

    Warnings are cases that pass and say so in their output.
    """
    suites = Element("testsuites", name="interpol-graph validate")
    tests = failures = 0
    for path, findings in report.by_file():
        name = printable(address(path))
        suite = SubElement(suites, "testsuite", name=name)
        for finding in findings:
            _case(suite, name, finding)
        failed = sum(finding.severity == "error" for finding in findings)
        if not failed:
            SubElement(suite, "testcase", classname=name, name="no errors")
        suite.attrib |= {"tests": str(len(suite)), "failures": str(failed), "errors": "0", "skipped": "0"}
        tests, failures = tests + len(suite), failures + failed
    suites.attrib |= {"tests": str(tests), "failures": str(failures), "errors": "0"}
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _case(suite: Element, name: str, finding: Finding) -> None:
    place = f" (line {finding.line})" if finding.line else ""
    # XML cannot hold control characters at all.
    title = printable(f"{finding.rule}: {finding.focus}{place}")
    case = SubElement(suite, "testcase", classname=name, name=title, file=name)
    if finding.line:
        case.set("line", str(finding.line))
    body = "\n".join(printable(part) for part in (f"{finding.place}: {finding.message}", finding.mend) if part)
    if finding.severity == "error":
        failure = SubElement(case, "failure", message=printable(finding.message), type=printable(finding.rule))
        failure.text = body
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {body}"


def sarif(report: Report) -> str:
    """Return the report as one SARIF 2.1.0 log with one run, which code scanning reads."""
    rules = report.rules
    numbers = {name: number for number, name in enumerate(rules)}
    driver = {
        "name": "interpol-graph",
        "version": __version__,
        "informationUri": BASE,
        "rules": [_described(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": _artifact(path)} for path, _ in report.by_file()],
        "results": [_result(finding, numbers[finding.rule], line) for finding, line in report.with_lines()],
    }
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _described(rule: Rule) -> dict[str, Any]:
    words = f"{rule.asks}\n\n{rule.mend}".strip()
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.asks},
        "help": {"text": words, "markdown": words},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.kind]},
    } | ({"helpUri": rule.page} if rule.page else {})


def _result(finding: Finding, index: int, line: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(finding.path)}
    if finding.line:
        column = {"startColumn": finding.column} if finding.column else {}
        place["region"] = {"startLine": finding.line, **column, **({"snippet": {"text": line}} if line else {})}
    # The print stays when lines above change, so that a known finding is recognised.
    known_by = f"{address(finding.path)}\0{finding.rule}\0{finding.focus}\0{finding.message}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _sentences(finding)},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.focus}]}],
        "partialFingerprints": {"finding/v1": hashlib.sha256(known_by.encode()).hexdigest()},
    }


def _artifact(path: Path) -> dict[str, str]:
    name = address(path)
    if Path(name).is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(name), "uriBaseId": "%SRCROOT%"}


def turtle(report: Report) -> str:
    """Return the report as a sh:ValidationReport in Turtle, with the place of every result as further properties.

    As SHACL has it, sh:conforms is true only when there is no result at all.
    """
    root = BlankNode("report")
    triples = [
        Triple(root, TYPE, sh("ValidationReport")),
        Triple(root, sh("conforms"), Literal(not report.findings)),
    ]
    for number, finding in enumerate(report.findings, 1):
        result = BlankNode(f"result{number}")
        triples.append(Triple(root, sh("result"), result))
        triples += [Triple(result, predicate, value) for predicate, value in _properties(finding)]
    content = serialize(triples, format=RdfFormat.TURTLE, prefixes={"sh": SHACL, "report": REPORT, "xsd": XSD})
    return (content or b"").decode("utf-8")


def _properties(finding: Finding) -> Iterator[tuple[NamedNode, NamedNode | BlankNode | Literal]]:
    terms = finding.terms
    component = terms.component or NamedNode(REPORT + quote(finding.rule.rpartition(":")[2]))
    for name, value in {
        TYPE: sh("ValidationResult"),
        sh("focusNode"): terms.node or BlankNode(),
        sh("resultSeverity"): terms.severity or _SEVERITIES[finding.severity],
        sh("sourceConstraintComponent"): component,
        sh("sourceShape"): terms.shape,
        sh("resultPath"): terms.path.predicate if terms.path else None,
        sh("value"): terms.value,
        NamedNode(REPORT + "rule"): Literal(finding.rule),
        NamedNode(REPORT + "file"): Literal(address(finding.path)),
        NamedNode(REPORT + "line"): Literal(finding.line) if finding.line else None,
        NamedNode(REPORT + "column"): Literal(finding.column) if finding.column else None,
        NamedNode(REPORT + "mend"): Literal(finding.mend) if finding.mend else None,
    }.items():
        if value is not None and not isinstance(value, Triple):
            # A blank node has no name outside its file; each result gets one of its own.
            yield name, BlankNode() if isinstance(value, BlankNode) else value
    for message in terms.messages or (Literal(finding.message),):
        yield sh("resultMessage"), message


REPORTS = (
    ReportFormat("json", "JSON", ("application/json",), as_json),
    ReportFormat("sarif", "SARIF", ("application/sarif+json",), sarif),
    ReportFormat("turtle", "Turtle", ("text/turtle",), turtle),
    ReportFormat("junit", "JUnit XML", ("application/xml", "text/xml"), junit),
    ReportFormat("text", "Text", ("text/plain",), text.write),
    ReportFormat("github", "GitHub annotations", ("text/x-github-annotations",), github),
)

BY_NAME = {fmt.name: fmt for fmt in REPORTS}
