"""The rules that a finding can name: those built in, those of the shapes, those of the check queries."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode, Quad

from interpol_graph.graph.files import Unreadable
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import Index, Statement, Term, sh

_HEADER = re.compile(r"^#\+ (\w+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """A rule: its stable identifier, what it asks in one sentence, how to mend a breach, and where it stands."""

    name: str
    asks: str
    mend: str = ""
    severity: str = "error"
    kind: OneOf["built in", "shape", "check"] = "built in"
    page: str = ""


BUILT_IN = (
    Rule("unreadable", "Every file that is named exists, can be read and is small enough to be validated."),
    Rule("syntax", "Every file is UTF-8 and well-formed in the format that its suffix names.",
         "Mend the file at the place that the parser names; what is wrong often begins a little before it."),
    Rule("prefix", "A prefix stands for the namespace that the prefix table, ontology/prefixes.ttl, gives it.",
         "Write the namespace of the table, or add the prefix to the table."),
    Rule("undeclared-term", "A term of a vocabulary is one that the vocabulary declares.",
         "Mend the spelling, or declare the term in the ontology."),
    Rule("ill-typed-literal", "A literal is a value of its datatype.",
         "Write the value in the lexical form of its datatype, or mend the datatype."),
)  # fmt: skip

#: What there may be to say of the shapes; it fails nothing.
REMARKS = (
    Rule("shapes-fault", "Shapes use the terms of SHACL, each as SHACL has it, and nothing that is not supported.",
         severity="warning"),
    Rule("idle-shape", "A shape that has a target finds something in the data.", severity="info"),
    Rule("import", "What shapes import is at hand.",
         "Put the file beside the shapes, name it with --map IRI=PATH, or allow --fetch.", "warning"),
)  # fmt: skip
#: Every rule that is ours, by its identifier.
BY_NAME = {rule.name: rule for rule in (*BUILT_IN, *REMARKS)}


def known(shapes: Iterable[Quad | Statement], checks: Path | None = None) -> dict[str, Rule]:
    """Return identifier → rule: the built-in ones, those of a shapes graph, those of a folder of check queries."""
    table = {rule.name: rule for rule in BUILT_IN}
    for rule in _of_shapes(Index(shapes)):
        table.setdefault(rule.name, rule)
    for path in sorted(checks.glob("*.rq")) if checks else ():
        head = header(path)
        asks, mend = head.get("description", head["title"]), head.get("mend", "")
        table.setdefault(path.stem, Rule(path.stem, asks, mend, head["severity"], "check"))
    return table


def header(path: Path) -> dict[str, str]:
    """Return the `#+ name: value` lines of a check query. Raises Unreadable when it lacks what a finding needs."""
    try:
        said = dict(_HEADER.findall(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise Unreadable(path, "is not UTF-8") from error
    if not {"title", "message"} <= set(said):
        raise Unreadable(path, "a check begins with #+ lines that give at least its title and message")
    return {"severity": "error"} | said


def _of_shapes(shapes: Index) -> Iterator[Rule]:
    for node, messages in shapes.column(sh("message")).items():
        if isinstance(node, NamedNode) and isinstance(messages[0], Literal):
            severities = shapes.objects(node, sh("severity"))
            grade = severity(severities[0] if severities else None)
            yield Rule(shorten(node.value), messages[0].value, severity=grade, kind="shape")


def severity(term: Term | None) -> str:
    """Return the severity that a SHACL severity means; an unknown one is a violation.

    >>> severity(sh("Info"))
    'info'
    """
    return "warning" if term == sh("Warning") else "info" if term in (sh("Info"), sh("Debug"), sh("Trace")) else "error"
