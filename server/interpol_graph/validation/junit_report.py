"""The report as JUnit XML: one suite a file, one failed case a finding, one passed case for a file without errors."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from interpol_graph.validation.finding import Finding
from interpol_graph.validation.report import Report, address
from interpol_graph.validation.text_report import printable


def write(report: Report) -> str:
    """Return the report as JUnit XML. Warnings are cases that pass and say so in their output."""
    suites = Element("testsuites", name="interpol-graph validate")
    tests = failures = 0
    for path, findings in report.by_file():
        name = address(path)
        suite = SubElement(suites, "testsuite", name=printable(name))
        for finding in findings:
            _case(suite, name, finding)
        failed = sum(finding.severity == "error" for finding in findings)
        if not failed:
            SubElement(suite, "testcase", classname=printable(name), name="no errors")
        cases = len(findings) + (not failed)
        suite.attrib |= {"tests": str(cases), "failures": str(failed), "errors": "0", "skipped": "0"}
        tests, failures = tests + cases, failures + failed
    suites.attrib |= {"tests": str(tests), "failures": str(failures), "errors": "0"}
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _case(suite: Element, name: str, finding: Finding) -> None:
    place = f" (line {finding.line})" if finding.line else ""
    attributes = {"classname": name, "name": f"{finding.rule}: {finding.focus}{place}", "file": name}
    if finding.line:
        attributes["line"] = str(finding.line)
    case = SubElement(suite, "testcase", {key: printable(value) for key, value in attributes.items()})
    # XML cannot hold control characters at all.
    body = "\n".join(printable(part) for part in (f"{finding.place}: {finding.message}", finding.mend) if part)
    if finding.severity == "error":
        failure = SubElement(case, "failure", message=printable(finding.message), type=printable(finding.rule))
        failure.text = body
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {body}"
