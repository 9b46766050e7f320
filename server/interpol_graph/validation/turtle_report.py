"""The report as RDF: the W3C's sh:ValidationReport in Turtle, with the place of every result as further properties."""

from __future__ import annotations

from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from interpol_graph.graph.prefixes import BASE, expand
from interpol_graph.validation.finding import Finding
from interpol_graph.validation.report import Report, address
from interpol_graph.validation.rules import SH

#: The namespace of what the W3C's vocabulary has no word for: file, line, column, rule, mend; and of our own
#: constraint components, which bear the names of the rules.
REPORT = BASE + "report#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_SEVERITIES = {"error": "Violation", "warning": "Warning", "info": "Info"}

Term = NamedNode | BlankNode | Literal


def write(report: Report) -> str:
    """Return the report as Turtle. As SHACL has it, sh:conforms is true only when there is no result at all."""
    root = BlankNode("report")
    results = [BlankNode(f"result{number}") for number, _ in enumerate(report.findings, 1)]
    triples = [
        Triple(root, _TYPE, _sh("ValidationReport")),
        Triple(root, _sh("conforms"), Literal(not report.findings)),
        *(Triple(root, _sh("result"), result) for result in results),
    ]
    for result, finding in zip(results, report.findings, strict=True):
        triples += [Triple(result, predicate, value) for predicate, value in _properties(finding)]
    content = serialize(triples, format=RdfFormat.TURTLE, prefixes={"sh": SH, "report": REPORT, "xsd": _XSD})
    return (content or b"").decode("utf-8")


def _properties(finding: Finding) -> list[tuple[NamedNode, Term]]:
    terms = finding.terms
    # A blank node has no name outside its file; each result gets one of its own.
    focus = _term(terms.node) or _named(finding.focus) or BlankNode()
    component = _term(terms.component) or NamedNode(REPORT + quote(finding.rule.rpartition(":")[2]))
    stated = [
        (_TYPE, _sh("ValidationResult")),
        (_sh("focusNode"), focus),
        (_sh("resultSeverity"), _sh(_SEVERITIES.get(finding.severity, "Violation"))),
        (_sh("sourceConstraintComponent"), component),
        (_sh("sourceShape"), _term(terms.shape)),
        (_sh("resultPath"), _term(terms.path)),
        (_sh("value"), _term(terms.value)),
        (_sh("resultMessage"), Literal(finding.message)),
        (NamedNode(REPORT + "rule"), Literal(finding.rule)),
        (NamedNode(REPORT + "file"), Literal(address(finding.path))),
        (NamedNode(REPORT + "line"), Literal(finding.line) if finding.line else None),
        (NamedNode(REPORT + "column"), Literal(finding.column) if finding.column else None),
        (NamedNode(REPORT + "mend"), Literal(finding.mend) if finding.mend else None),
    ]
    return [(predicate, value) for predicate, value in stated if value is not None]


def _sh(name: str) -> NamedNode:
    return NamedNode(SH + name)


def _term(written: str) -> Term | None:
    """Return the term that N-Triples writes so; a blank node becomes a new one."""
    if not written:
        return None
    if written.startswith("_:"):
        return BlankNode()
    try:
        (triple,) = parse(f"<x:s> <x:p> {written} .", RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError):
        return Literal(written)
    found = triple.object
    return found if isinstance(found, NamedNode | BlankNode | Literal) else None


def _named(focus: str) -> NamedNode | None:
    """Return the IRI that a name such as session:84 stands for."""
    try:
        return NamedNode(expand(focus)) if ":" in focus and not focus.endswith(":") else None
    except ValueError:
        return None
