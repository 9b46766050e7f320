"""The table of report formats: names, media types, writers. Everything that writes findings asks here."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from interpol_graph import __version__
from interpol_graph.graph.formats import Offered
from interpol_graph.graph.prefixes import BASE
from interpol_graph.shacl.data import SHACL, TYPE, sh
from interpol_graph.shacl.literals import XSD
from interpol_graph.validation import text
from interpol_graph.validation.report import LONGEST, SEVERITIES, Finding, Report, address, from_top, shown, with_lines
from interpol_graph.validation.rules import REMARKS, Rule
from interpol_graph.validation.text import printable

#: What GitHub and SARIF call a severity that they have another word for, and what SHACL does.
_ANNOTATIONS, _LEVELS = {"info": "notice"}, {"info": "note"}
_SEVERITIES = {"error": sh("Violation"), "warning": sh("Warning"), "info": sh("Info")}

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: The namespace of what the W3C's vocabulary has no word for: file, line, column, rule, mend; and of our own
#: constraint components, which bear the names of the rules.
REPORT = BASE + "report#"
#: Results that code scanning shows of one upload, the gravest first.
SARIF_MOST = 5000


@dataclass(frozen=True)
class ReportFormat(Offered):
    """One way to write a report, piece after piece: a report has no upper limit, and memory has."""

    pieces: Callable[[Report], Iterable[str]]

    def write(self, report: Report) -> str:
        """Return a report as a whole."""
        return "".join(self.pieces(report))


def github(report: Report) -> Iterator[str]:
    """Yield one workflow command a finding: GitHub shows it at the line of the change."""
    for finding in (*report.findings, *report.remarks):
        named = {"file": from_top(finding.path), "line": finding.line, "col": finding.column, "title": finding.rule}
        yield _annotation(finding.severity, named, _sentences(finding))
    for rule, number in report.left_out.items():
        yield _annotation("info", {"title": rule}, f"and {number:,} more")


def _annotation(severity: str, named: dict[str, Any], words: str) -> str:
    escaped = {
        name: _escaped(str(value)).replace(":", "%3A").replace(",", "%2C") for name, value in named.items() if value
    }
    properties = ",".join(f"{name}={value}" for name, value in escaped.items())
    return f"::{_ANNOTATIONS.get(severity, severity)} {properties}::{_escaped(words)}\n"


def _sentences(finding: Finding) -> str:
    broken = "Broken by a change elsewhere. " if finding.broken else ""
    return f"{broken}{finding.focus}: {finding.message}" + (f"\n{finding.mend}" if finding.mend else "")


def _escaped(words: str) -> str:
    lines = "\n".join(printable(line) for line in words.splitlines())
    return lines.replace("%", "%25").replace("\n", "%0A")


def as_json(report: Report) -> Iterator[str]:
    """Yield the report as one JSON object; its members are described in the README."""
    members = {
        "conforms": report.conforms,
        "counts": {**report.counts, "elsewhere": len(report.elsewhere)},
        "more": report.left_out,
        "checked": [address(path) for path in report.checked],
    }
    yield json.dumps(members, ensure_ascii=False, indent=2)[:-2]
    for name, findings in (("remarks", report.remarks), ("findings", report.findings)):
        yield f',\n  "{name}": ['
        for number, finding in enumerate(findings):
            yield (",\n    " if number else "\n    ") + json.dumps(_members(finding), ensure_ascii=False)
        yield "\n  ]" if findings else "]"
    yield "\n}\n"


def _members(finding: Finding) -> dict[str, Any]:
    terms = {name: getattr(finding.terms, name) for name in ("path", "value", "component", "shape")}
    return {
        **{name: getattr(finding, name) or None for name in ("rule", "severity", "line", "column", "focus", "mend")},
        **{name: shown(term) if term else None for name, term in terms.items()},
        "resultSeverity": shown(finding.terms.severity or _SEVERITIES[finding.severity]),
        "file": address(finding.path),
        "message": finding.message,
        "messages": [{"text": text.value, "language": text.language} for text in finding.terms.messages],
        "broken": finding.broken,
    }


def junit(report: Report) -> Iterator[str]:
    """Yield the report as JUnit XML: one suite a file, one failed case a finding, one passed case for a file without failures.

    What fails nothing is a case that passes and says so in its output.
    """
    suites = list(report.by_file())
    failures = [sum(map(report.fails, findings)) for _, findings in suites]
    tests = [len(findings) + (not failed) for (_, findings), failed in zip(suites, failures, strict=True)]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="interpol-graph validate" tests="{sum(tests)}" failures="{sum(failures)}" errors="0">\n'
    for (path, findings), number, failed in zip(suites, tests, failures, strict=True):
        name = printable(address(path))
        yield f'<testsuite name="{escape(name)}" tests="{number}" failures="{failed}" errors="0" skipped="0">\n'
        seen: Counter[str] = Counter()
        for finding in findings:
            place = ":".join(str(part) for part in (finding.line, finding.column) if part)
            # XML cannot hold control characters at all.
            title = printable(f"{finding.rule}: {finding.focus}{f' ({place})' if place else ''}")
            seen[title] += 1
            yield _case(name, title + (f" #{seen[title]}" if seen[title] > 1 else ""), finding, report.fails(finding))
        if not failed:
            yield f'<testcase classname="{escape(name)}" name="no {report.fail_on}s" time="0" />\n'
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _case(name: str, title: str, finding: Finding, fails: bool) -> str:
    case = Element("testcase", classname=name, name=title, time="0")
    body = "\n".join(printable(part) for part in (f"{finding.place}: {finding.message}", finding.mend) if part)
    if fails:
        failure = SubElement(case, "failure", message=printable(finding.message), type=printable(finding.rule))
        failure.text = body
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {body}"
    return tostring(case, encoding="unicode") + "\n"


def sarif(report: Report) -> Iterator[str]:
    """Yield the report as one SARIF 2.1.0 log with one run, which code scanning reads: the gravest findings, as many as it shows."""
    rules = report.rules
    numbers = {name: number for number, name in enumerate(rules)}
    ranked = sorted(report.findings, key=lambda finding: SEVERITIES.index(finding.severity))[:SARIF_MOST]
    notes = [_result(remark, line) for remark, line in with_lines(report.remarks)]
    for note in notes:
        note["descriptor"] = {"id": note.pop("ruleId")}
    if left := sum(report.counts.values()) - len(ranked):
        words = f"{left:,} more findings are not in this log, none graver than these."
        notes.append({"level": "note", "message": {"text": words}})
    driver = {
        "name": "interpol-graph",
        "version": __version__,
        "informationUri": BASE,
        "rules": [_described(rule) for rule in rules.values()],
        "notifications": [_described(rule) for rule in REMARKS],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": True, "toolConfigurationNotifications": notes}],
        "artifacts": [{"location": _artifact(path)} for path, _ in report.by_file()],
    }
    head = json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False)
    yield head.removesuffix("}]}") + ', "results": ['
    seen: Counter[str] = Counter()
    for place, (finding, line) in enumerate(with_lines(ranked)):
        # The print of a finding stays when lines above change, so that a known finding is recognised.
        known_by = f"{from_top(finding.path)}\0{finding.rule}\0{finding.focus}\0{finding.message}"
        seen[known_by] += 1
        known_by += f"\0{seen[known_by]}" if seen[known_by] > 1 else ""
        prints = {"finding/v1": hashlib.sha256(known_by.encode()).hexdigest()}
        result = _result(finding, line) | {"ruleIndex": numbers[finding.rule], "partialFingerprints": prints}
        yield (",\n" if place else "\n") + json.dumps(result, ensure_ascii=False)
    yield "]}]}\n"


def _described(rule: Rule) -> dict[str, Any]:
    words = f"{rule.asks}\n\n{rule.mend}".strip()
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.asks},
        "help": {"text": words, "markdown": words},
        "defaultConfiguration": {"level": _LEVELS.get(rule.severity, rule.severity)},
        "properties": {"tags": [rule.kind]},
    } | ({"helpUri": rule.page} if rule.page else {})


def _result(finding: Finding, line: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(finding.path)}
    if finding.line:
        units = len(line[: finding.column - 1].encode("utf-16-le")) // 2 + 1  # as declared above
        column = {"startColumn": units} if finding.column else {}
        snippet = {"snippet": {"text": line}} if 0 < len(line) <= LONGEST else {}
        place["region"] = {"startLine": finding.line, **column, **snippet}
    return {
        "ruleId": finding.rule,
        "level": _LEVELS.get(finding.severity, finding.severity),
        "message": {"text": _sentences(finding)},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.focus}]}],
    }


def _artifact(path: Path) -> dict[str, str]:
    name = from_top(path)
    if Path(name).is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(name), "uriBaseId": "%SRCROOT%"}


def turtle(report: Report) -> Iterator[str]:
    """Yield the report as a sh:ValidationReport in Turtle, with the place of every result as further properties.

    sh:conforms is false when there is a result of a severity that fails. Remarks on the shapes are report:remark.
    """
    said = [Literal(str(remark)) for remark in report.remarks]
    said += [Literal(f"{rule}: and {number:,} more") for rule, number in report.left_out.items()]
    yield f"@prefix sh: <{SHACL}> .\n@prefix report: <{REPORT}> .\n@prefix xsd: <{XSD}> .\n"
    yield f"_:report a sh:ValidationReport ;\n\tsh:conforms {str(report.conforms).lower()} .\n"
    yield from (f"_:report report:remark {words} .\n" for words in said)
    for number, finding in enumerate(report.findings, 1):
        result, path = BlankNode(f"result{number}"), finding.terms.path
        triples = [Triple(result, predicate, value) for predicate, value in _properties(finding)]
        if path:
            node, stated = path.stated()
            triples += [Triple(result, sh("resultPath"), node), *stated]
        content = serialize(triples, format=RdfFormat.TURTLE, prefixes={"sh": SHACL, "report": REPORT, "xsd": XSD})
        body = (content or b"").decode("utf-8")
        yield f"_:report sh:result _:result{number} .\n" + body[body.index("_:") :]


def _properties(finding: Finding) -> Iterator[tuple[NamedNode, NamedNode | BlankNode | Literal]]:
    terms = finding.terms
    stated = ((name, getattr(finding, name)) for name in ("rule", "line", "column", "mend"))
    component = terms.component or NamedNode(REPORT + quote(finding.rule.rpartition(":")[2]))
    for name, value in {
        TYPE: sh("ValidationResult"),
        sh("focusNode"): terms.focus or BlankNode(),
        sh("resultSeverity"): terms.severity or _SEVERITIES[finding.severity],
        sh("sourceConstraintComponent"): component,
        sh("sourceShape"): terms.shape,
        sh("value"): terms.value,
        NamedNode(REPORT + "file"): Literal(address(finding.path)),
        **{NamedNode(REPORT + name): Literal(said) for name, said in stated if said},
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
