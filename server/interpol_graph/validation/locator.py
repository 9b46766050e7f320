"""The finger on the line: files, each read once, and where in them the terms of a finding stand."""

import re
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, RdfFormat, Store, parse

from interpol_graph.graph.files import SourceFile, Unreadable, under
from interpol_graph.graph.store import APART
from interpol_graph.shacl.data import Statement, Term
from interpol_graph.validation.positions import NOWHERE, Place, Text, offsets

#: Where a finding stands: file, line and column.
Spot = tuple[Path, int, int]
#: In N-Triples, a statement of a triple.
_TRIPLE = re.compile(rb"^\S+ \S+ <<\(", re.MULTILINE)


class Reading:
    """One file, read once: its statements in the order of the file, and where they stand, if that is asked.

    shown: whether findings of this file are shown; only then are places looked up at all.
    Raises Unreadable as SourceFile.texts does, and for what is beyond RDF 1.1.
    """

    def __init__(self, file: SourceFile, shown: bool = True) -> None:
        self.path, self.graph, self.format, self.shown = file.path, file.graph, file.format, shown
        self._texts = file.texts()
        #: The node that was asked for last, the nodes not looked at yet to which it leads, nearest first, and what the rest says.
        self._walk: tuple[Term | None, deque[Term], dict[tuple[Term | None, Term | None], int]] = None, deque(), {}
        if any(b" <<(" in text and _TRIPLE.search(text) for text in self._texts.values()):
            raise Unreadable(file.path, "holds a triple as a term, which is RDF 1.2; what is validated is RDF 1.1")

    @cached_property
    def quads(self) -> list[Statement]:
        """The statements, in the parser's order."""
        terms: dict[Any, Any] = {}
        found = [
            Statement(*(terms.setdefault(term, term) for term in quad))
            for name, text in self._texts.items()
            for quad in parse(under(name, text), RdfFormat.N_QUADS, lenient=True)
        ]
        self._texts = {}
        return found

    def load(self, store: Store) -> None:
        """Load the statements, not read yet, into a store, each in its graph and, but for graphs apart, in the default graph."""
        assert self._texts, "they have been read"
        for name, text in self._texts.items():
            store.bulk_extend(parse(under(name, text), RdfFormat.N_QUADS, lenient=True))
            if name not in APART:
                store.bulk_extend(parse(text, RdfFormat.N_TRIPLES, lenient=True))

    @cached_property
    def text(self) -> Text | None:
        """The text of a format that has places: Turtle and N-Triples."""
        if self.format.rdf not in (RdfFormat.TURTLE, RdfFormat.N_TRIPLES):
            return None
        return Text(SourceFile(self.path, self.graph).content().decode("utf-8"))

    @cached_property
    def about(self) -> dict[Term, list[int]]:
        """Subject → the numbers of its statements."""
        found: dict[Term, list[int]] = {}
        for number, quad in enumerate(self.quads):
            found.setdefault(quad.subject, []).append(number)
        return found

    @cached_property
    def mentions(self) -> dict[Term, int]:
        """Object → the number of the first statement that has it."""
        return {quad.object: number for number, quad in reversed([*enumerate(self.quads)])}

    @cached_property
    def _offsets(self) -> Sequence[int]:
        return offsets(self.text.text, self.quads) if self.shown and self.text else ()

    def place(self, number: int, part: int) -> Place:
        """Return where the subject (0), predicate (1) or object (2) of a statement begins."""
        return self.text.place(self._offsets[3 * number + part]) if self.text and self._offsets else NOWHERE

    def find(self, focus: Term, predicate: Term | None, value: Term | None) -> Place:
        """Return where to put the finger on a node that the file says something of: on the value of its property, or of
        one of its parts; else on the property; else on the node."""
        for wanted in ((predicate, value), (predicate, None), (None, None)):
            part = 2 if wanted[1] is not None else 1 if wanted[0] is not None else 0
            number = self.said(focus, *wanted, parts=part == 2)
            if number is not None and (place := self.place(number, part)) != NOWHERE:
                return place
        return NOWHERE

    def said(self, focus: Term, predicate: Term | None, value: Term | None, parts: bool = False) -> int | None:
        """Return the number of the first statement with these terms about a node; None is any.

        parts: failing that, of one about the nearest blank node that it leads to.
        """
        if focus != self._walk[0]:  # of one node there may be thousands of findings, one after the other
            self._walk = focus, deque((focus,)), {}
        _, ahead, found = self._walk
        while (predicate, value) not in found and ahead and (parts or ahead[0] == focus):
            for number in self.about.get(ahead.popleft(), ()):
                _, said, term, _ = self.quads[number]
                if isinstance(term, BlankNode) and (None, term) not in found:
                    ahead.append(term)
                for key in ((said, term), (said, None), (None, term), (None, None)):
                    found.setdefault(key, number)
        number = found.get((predicate, value), -1)
        return number if number >= 0 and (parts or self.quads[number].subject == focus) else None


def locate(files: Sequence[Reading], focus: Term | None, predicate: Term | None, value: Term | None) -> Spot:
    """Return where a focus node stands, better the value of its property, if these are not None.

    files: in the order in which they are looked through. Line and column are 0 in a file whose findings are not shown, and
    when a node stands nowhere.
    """
    if focus is not None:
        homes = [file for file in files if focus in file.about]
        # Without a property the value is the node itself, which may stand anywhere.
        for wanted in ((predicate, value), (predicate, None), (None, None))[0 if predicate else 2 :]:
            for file in homes:
                if file.said(focus, *wanted) is not None:
                    return file.path, *file.find(focus, predicate, value)
        for file in files:
            if focus in file.mentions:
                return file.path, *file.place(file.mentions[focus], 2)
    return files[0].path, *NOWHERE
