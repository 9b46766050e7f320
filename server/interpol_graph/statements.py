"""Statements exactly as written: of every graph its canonical N-Triples, sorted, as bytes.

Text takes a fifth of the room that terms take, and dumps, checksums and the store are all made from it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from io import BytesIO
from itertools import chain, groupby, islice
from typing import IO

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
    serialize,
)

from interpol_graph.prefixes import prefixes

Name = NamedNode | BlankNode | DefaultGraph

#: The formats in which a statement names its graph.
DATASETS = (RdfFormat.TRIG, RdfFormat.N_QUADS)
#: Lines that are handled at a time.
_BATCH = 10_000


class Statements:
    """The statements of some graphs, read once; `texts` is each graph's name → its lines, in order of name.

    Blank nodes bear their canonical labels (RDFC-1.0): the same in every process and every run.
    """

    def __init__(self, quads: Iterable[Quad]) -> None:
        lines: defaultdict[Name, list[bytes]] = defaultdict(list)
        # The labels depend on these statements alone; a few more, with those letters in a literal, do no harm.
        blank = Dataset()
        for quad in quads:
            line = _line(quad)
            if b"_:" in line or isinstance(quad.graph_name, BlankNode):
                blank.add(quad)
            else:
                lines[quad.graph_name].append(line)
        blank.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        for quad in blank:
            lines[quad.graph_name].append(_line(quad))
        del blank
        self.texts = {name: _text(lines.pop(name)) for name in sorted(lines, key=str)}

    def __iter__(self) -> Iterator[Quad]:
        """Yield every statement, graph after graph."""
        return (quad for batch in self._named(self.texts) for quad in parse(batch, RdfFormat.N_QUADS))

    def __len__(self) -> int:
        return sum(map(self.size, self.texts))

    def size(self, name: Name) -> int:
        """Return how many statements a graph has."""
        return self.texts.get(name, b"").count(b"\n")

    def replace(self, name: Name, statements: Iterable[Quad]) -> None:
        """Let a graph consist of some statements and no others."""
        texts = self.texts | {name: _text([_line(statement) for statement in statements])}
        self.texts = {name: texts[name] for name in sorted(texts, key=str) if texts[name]}

    def triples(self, *names: Name) -> Iterator[Triple]:
        """Yield the union of some graphs, in order."""
        return (quad.triple for batch in self._united(names) for quad in parse(batch, RdfFormat.N_TRIPLES))

    def write(self, output: IO[bytes], fmt: RdfFormat, *names: Name) -> None:
        """Write the union of some graphs, or in a format of DATASETS each under its name; equal content gives equal bytes."""
        if fmt in (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS):
            for batch in self._united(names) if fmt == RdfFormat.N_TRIPLES else self._named(names):
                output.write(batch)
        elif fmt in DATASETS:
            quads = (quad for batch in self._named(names) for quad in parse(batch, RdfFormat.N_QUADS))
            serialize(quads, output, fmt, prefixes=prefixes())
        else:
            serialize(self.triples(*names), output, fmt, prefixes=prefixes())

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical N-Quads (RDFC-1.0), in hexadecimal."""
        lines = merge(*(map(_lines_of(name), BytesIO(text)) for name, text in self.texts.items()))
        digest = hashlib.sha256()
        for batch in _joined(lines):
            digest.update(batch)
        return digest.hexdigest()

    def _united(self, names: Iterable[Name]) -> Iterator[bytes]:
        texts = [BytesIO(self.texts[name]) for name in names if name in self.texts]
        # What several graphs say is one statement of their union.
        return _joined(line for line, _ in groupby(merge(*texts)))

    def _named(self, names: Iterable[Name]) -> Iterator[bytes]:
        return _joined(chain.from_iterable(map(_lines_of(name), BytesIO(self.texts[name])) for name in names))


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    return iter(lambda: b"".join(islice(lines, _BATCH)), b"")


def _line(statement: Quad) -> bytes:
    return f"{statement.triple} .\n".encode()


def _text(lines: list[bytes]) -> bytes:
    lines.sort()
    return b"".join(line for line, _ in groupby(lines))


def _lines_of(name: Name) -> Callable[[bytes], bytes]:
    """Return what makes a line of N-Triples one of N-Quads."""
    end = f"{name} .\n".encode()
    return lambda line: line[:-2] + end
