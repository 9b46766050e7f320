"""Turtle read so that every statement knows its line: rdflib's own parser with a sink that writes lines down."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rdflib
from rdflib import Graph
from rdflib.plugins.parsers import notation3
from rdflib.term import Node

from interpol_graph.source import SourceFile, Unreadable

Statement = tuple[Node, Node, Node]

# rdflib logs a traceback for every ill-typed literal; here that is a finding with its line.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)


@dataclass
class LocatedGraph:
    """The statements of one file, literals as written, with their lines.

    path: the file; graph: its statements; lines: statement → line on which its object stands;
    prefixes: those that the file declares, with their lines.
    """

    path: Path
    graph: Graph = field(default_factory=Graph)
    lines: dict[Statement, int] = field(default_factory=dict)
    prefixes: dict[str, tuple[str, int]] = field(default_factory=dict)

    def line(self, subject: Node | None, predicate: Node | None = None, value: Node | None = None) -> int:
        """Return the line of the first statement that fits, or 0 when none does."""
        return min(
            (self.lines[found] for found in self.graph.triples((subject, predicate, value)) if found in self.lines),
            default=0,
        )


class _Sink(notation3.RDFSink):
    """Passes statements on and writes down where each stood."""

    located: LocatedGraph
    parser: notation3.SinkParser

    def makeStatement(self, quadruple: Any, why: Any = None) -> None:  # noqa: N802 - the name is the base class's
        _, predicate, subject, object_ = quadruple
        statement = (
            self.normalise(None, subject),
            self.normalise(None, predicate),
            self.normalise(None, object_),
        )
        self.located.lines.setdefault(statement, self.parser.lines + 1)
        super().makeStatement(quadruple, why)


def read(file: SourceFile) -> LocatedGraph:
    """Read one Turtle file with the line of every statement.

    Raises Unreadable with line and column as SourceFile.quads does.
    """
    for _ in file.quads():  # the strict parser's verdict and position come first
        pass
    located = LocatedGraph(file.path)
    text = file.path.read_text(encoding="utf-8")
    normalize, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        sink = _Sink(located.graph)
        sink.located = located
        sink.parser = notation3.SinkParser(sink, baseURI=file.path.as_uri(), turtle=True)
        sink.parser.loadBuf(text)
    except notation3.BadSyntax as error:
        raise Unreadable(file.path, f"is not well-formed Turtle: {error.message}", error.lines + 1) from error
    finally:
        rdflib.NORMALIZE_LITERALS = normalize
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if len(words) >= 3 and words[0].lower() in ("@prefix", "prefix"):
            located.prefixes[words[1].removesuffix(":")] = (words[2].strip("<>."), number)
    return located
