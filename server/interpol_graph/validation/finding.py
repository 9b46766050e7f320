"""What a check found: the rule, the place, the sentence, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.graph import paths
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import Path, Term

#: From grave to slight. Only errors fail a validation.
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Terms:
    """The RDF terms that a finding is about, as far as there are any.

    node: the focus node; path: the property path; value: the offending value; component: the SHACL constraint component;
    shape: the shape that asked; severity: as the shape gives it; messages: all that it has to say.
    """

    node: Term | None = None
    path: Path | None = None
    value: Term | None = None
    component: NamedNode | None = None
    shape: Term | None = None
    severity: NamedNode | None = None
    messages: tuple[Literal, ...] = ()


@dataclass(frozen=True, order=True)
class Finding:
    """One finding, of whichever check.

    path, line, column: where to put the finger, counted from 1; 0 means that the place is not known more closely;
    rule: the stable identifier of what was broken, listed by `interpol-graph validate --rules`;
    focus: the entity at fault, as people write it; message: what is wrong; mend: what to do;
    severity: error, warning or info; terms: the same for programs, where the finding is about statements.
    """

    path: FilePath
    line: int
    column: int
    rule: str
    focus: str
    message: str
    mend: str = ""
    severity: str = "error"
    terms: Terms = field(default=Terms(), compare=False)

    @property
    def place(self) -> str:
        """file:line:column, as far as it is known."""
        return ":".join(str(part) for part in (paths.shown(self.path), self.line, self.column) if part)

    def __str__(self) -> str:
        mend = f"\n    {self.mend}" if self.mend else ""
        return f"{self.place}: {self.severity}: {self.focus}: {self.message} [{self.rule}]{mend}"


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """Return severity → number of findings, every severity named."""
    severities = [finding.severity for finding in findings]
    return {severity: severities.count(severity) for severity in SEVERITIES}


def summary(counts: dict[str, int]) -> str:
    """Return the counts as people say them.

    >>> summary({"error": 1, "warning": 0, "info": 2})
    '1 error, 0 warnings, 2 infos'
    >>> summary({"error": 0, "warning": 3, "info": 0})
    '0 errors, 3 warnings'
    """
    named = [(name, number) for name, number in counts.items() if number or name != "info"]
    return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in named)


def shown(term: object) -> str:
    """Return a term or a property path as people read it: names shortened, a blank node by its kind alone.

    >>> shown(Literal("5"))
    '"5"'
    >>> shown(Literal(5)), shown(NamedNode("http://www.w3.org/ns/shacl#path"))
    ('"5"^^xsd:integer', 'sh:path')
    """
    if isinstance(term, NamedNode):
        return shorten(term.value)
    if isinstance(term, Literal):
        datatype = f"^^{term.datatype}"
        return str(term).removesuffix(datatype) + (
            f"^^{shorten(term.datatype.value)}" if str(term).endswith(datatype) else ""
        )
    if isinstance(term, BlankNode):
        return "blank node"
    return re.sub(r"<([^<>]*)>", lambda match: shorten(match[1]), str(term))
