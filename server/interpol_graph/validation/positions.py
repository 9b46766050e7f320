"""Turtle read so that every statement knows its place: rdflib's own parser, with a note of where each term began."""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import rdflib
from pyoxigraph import RdfFormat, Triple, serialize
from rdflib import Graph
from rdflib.plugins.parsers import notation3
from rdflib.term import BNode, Node

from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.validation import excerpts

Statement = tuple[Node, Node, Node]
#: Line and column, counted from 1; (0, 0) when the place is not known.
Place = tuple[int, int]

NOWHERE: Place = (0, 0)

# rdflib logs a traceback for every ill-typed literal; here that is a finding with its line.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_PREFIX = re.compile(r"^[ \t]*(?P<at>@prefix|PREFIX)\s+(?P<prefix>[^\s:]*):\s*<(?P<namespace>[^>]*)>", re.M | re.I)
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass
class LocatedGraph:
    """The statements of one file, literals as written, with their places.

    path: the file; graph: its statements; offsets: statement → where its subject, predicate and object begin;
    starts: where each line begins.
    """

    path: Path
    graph: Graph = field(default_factory=Graph)
    offsets: dict[Statement, tuple[int, int, int]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=lambda: [0])

    def place(self, subject: Node | None, predicate: Node | None = None, value: Node | None = None) -> Place:
        """Return where the last of the given terms begins in the first statement that fits: the value, else the
        predicate, else the subject."""
        which = 2 if value is not None else 1 if predicate is not None else 0
        found = self.graph.triples((subject, predicate, value))
        return self._at(min((self.offsets[s][which] for s in found if s in self.offsets), default=-1))

    def within(self, subject: Node, predicate: Node | None, value: Node) -> Place:
        """Return where a value stands in a part of the subject: in a blank node that it leads to."""
        parts, seen = [subject], {subject}
        while parts:
            for found in self.graph.objects(parts.pop()):
                if isinstance(found, BNode) and found not in seen:
                    seen.add(found)
                    parts.append(found)
                    if (place := self.place(found, predicate, value)) != NOWHERE:
                        return place
        return NOWHERE

    def _at(self, offset: int) -> Place:
        line = bisect_right(self.starts, offset)
        return (line, offset - self.starts[line - 1] + 1) if line else NOWHERE


@dataclass
class _Frame:
    """A list of properties or of items that is being read: where its subject, verb and objects or items began."""

    subject: int
    items: bool = False
    verb: int = 0
    began: list[int] = field(default_factory=list)
    noted: int = 0

    def next(self) -> tuple[int, int, int]:
        """Return the offsets of the next statement of this list."""
        value = self.began[min(self.noted, len(self.began) - 1)] if self.began else self.subject
        self.noted += 1
        return self.subject, self.subject if self.items else self.verb, value


class _Parser(notation3.SinkParser):
    """Notes where terms begin. The base class calls `verb`, `object` and `item` once a term, and `property_list` once a subject."""

    def __init__(self, sink: _Sink, base: str) -> None:
        super().__init__(sink, baseURI=base, turtle=True)
        self.frames: list[_Frame] = []
        self.opening = 0

    def statement(self, argstr: str, i: int) -> int:
        self.opening = _skipped(argstr, i)
        return super().statement(argstr, i)

    def property_list(self, argstr: str, i: int, subj: Any) -> int:
        return self._inside(_Frame(self.opening), lambda: super(_Parser, self).property_list(argstr, i, subj))

    def node(self, argstr: str, i: int, res: Any, subjectAlready: Any = None) -> int:  # noqa: N803 - the base class's name
        begin = _skipped(argstr, i)
        first = argstr[begin : begin + 1]
        if first == "(":
            return self._inside(_Frame(begin, items=True), lambda: super(_Parser, self).node(argstr, i, res))
        if first == "[":
            outer, self.opening = self.opening, begin
            end = super().node(argstr, i, res, subjectAlready)
            self.opening = outer
            return end
        return super().node(argstr, i, res, subjectAlready)

    def verb(self, argstr: str, i: int, res: Any) -> int:
        frame = self.frames[-1]
        frame.verb, frame.began, frame.noted = _skipped(argstr, i), [], 0
        return super().verb(argstr, i, res)

    def object(self, argstr: str, i: int, res: Any) -> int:
        if self.frames:
            self.frames[-1].began.append(_skipped(argstr, i))
        return super().object(argstr, i, res)

    def item(self, argstr: str, i: Any, res: Any) -> int:
        if self.frames and self.frames[-1].items:
            self.frames[-1].began.append(_skipped(argstr, i))
        return super().item(argstr, i, res)

    def _inside(self, frame: _Frame, read: Callable[[], int]) -> int:
        self.frames.append(frame)
        try:
            return read()
        finally:
            self.frames.pop()


class _Sink(notation3.RDFSink):
    """Passes statements on and writes down where each stood."""

    located: LocatedGraph
    parser: _Parser

    def makeStatement(self, quadruple: Any, why: Any = None) -> None:  # noqa: N802 - the base class's name
        _, predicate, subject, value = quadruple
        statement = (self.normalise(None, subject), self.normalise(None, predicate), self.normalise(None, value))
        frame = self.parser.frames[-1]
        # A list is two statements an item; the link to the next item stands where the item does.
        frame.noted -= frame.items and predicate == rdflib.RDF.rest
        self.located.offsets.setdefault(statement, frame.next())
        super().makeStatement(quadruple, why)


def _skipped(text: str, start: int) -> int:
    """Return where the next term begins, past blanks and comments."""
    match = _BLANK.match(text, start)
    return match.end() if match else start


def read(file: SourceFile, about: frozenset[str] | None = None) -> LocatedGraph:
    """Read one file: Turtle and N-Triples with the place of every statement, other formats without places.

    about: the IRIs of things, if only the statements that name one of them are wanted.
    Raises Unreadable with line and column as SourceFile.quads does.
    """
    statements = [quad.triple for quad in file.quads()]  # the strict parser's verdict and position come first
    located = LocatedGraph(file.path)
    if file.format.rdf not in (RdfFormat.TURTLE, RdfFormat.N_TRIPLES):
        return _without_places(located, statements)
    text = file.path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    located.starts = list(chain([0], _line_starts(text)))
    if about is not None:
        text = excerpts.about(text, about)
    normalize, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        sink = _Sink(located.graph)
        sink.located = located
        sink.parser = _Parser(sink, file.path.as_uri())
        sink.parser.loadBuf(text)
    except notation3.BadSyntax as error:
        raise Unreadable(file.path, f"is not well-formed Turtle: {error._why}", error.lines + 1) from error
    except RecursionError:  # brackets within brackets, a thousand deep
        return _without_places(LocatedGraph(file.path), statements)
    finally:
        rdflib.NORMALIZE_LITERALS = normalize
    return located


def _without_places(located: LocatedGraph, statements: list[Triple]) -> LocatedGraph:
    located.graph.parse(serialize(statements, format=RdfFormat.N_TRIPLES) or b"", format="nt")
    return located


def prefixes(file: SourceFile) -> Iterator[tuple[str, str, int, int]]:
    """Yield the prefixes that a Turtle file declares: prefix, namespace, line and column."""
    text = file.path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    starts = list(chain([0], _line_starts(text)))
    for match in _PREFIX.finditer(text):
        line = bisect_right(starts, match.start("at"))
        yield match["prefix"], match["namespace"], line, match.start("at") - starts[line - 1] + 1


def _line_starts(text: str) -> Iterator[int]:
    return (match.end() for match in _LINE_END.finditer(text))
