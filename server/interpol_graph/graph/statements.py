"""Statements exactly as written: of every graph its canonical N-Triples, sorted, as bytes.

Text takes a fifth of the room that terms take, and dumps, checksums and the store are all made from it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge
from io import BytesIO, RawIOBase
from itertools import chain, groupby
from typing import IO, Any

from pyoxigraph import CanonicalizationAlgorithm, Dataset, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from interpol_graph.graph.files import Name, under
from interpol_graph.graph.formats import Format
from interpol_graph.graph.prefixes import RDF, prefixes

#: Bytes of lines that are handled at a time.
_BATCH = 1 << 20
_TYPE = NamedNode(RDF + "type")
#: The namespace of what is written for rdf:type; nobody else uses it.
_STAND_IN = "urn:uuid:5c9f6f0e-6a43-4f0b-9a0f-6d8f0d1f9b57:"


class Statements:
    """The statements of some graphs, read once; `texts` is each graph's name → its lines, in order of name.

    Blank nodes bear their canonical labels (RDFC-1.0): the same in every process and every run.
    """

    def __init__(self, texts: Iterable[tuple[Name, bytes]]) -> None:
        lines: defaultdict[Name, list[bytes]] = defaultdict(list)
        blank: list[bytes] = []
        for name, text in texts:
            unnamed = str(name).startswith("_:")
            for line in text.splitlines(keepends=True):
                # The labels depend on these statements alone; one more, with those letters in a literal, does no harm.
                if line.startswith(b"_:") or b" _:" in line or unnamed:
                    blank.append(under(name, line))
                else:
                    lines[name].append(line)
        dataset = Dataset(_parsed([b"".join(blank)]))
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        for quad in dataset:
            lines[quad.graph_name].append(f"{quad.triple} .\n".encode())
        del blank, dataset
        self.texts = {name: _text(lines.pop(name)) for name in sorted(lines, key=str)}

    def __iter__(self) -> Iterator[Quad]:
        """Yield every statement, graph after graph."""
        return self.quads(*self.texts)

    def quads(self, *names: Name) -> Iterator[Quad]:
        """Yield the statements of some graphs, each under its name."""
        return _parsed(self._named(names))

    def size(self, name: Name) -> int:
        """Return how many statements a graph has."""
        return self.texts.get(name, b"").count(b"\n")

    def add(self, name: Name, text: bytes) -> None:
        """Add statements, in N-Triples, to a graph; their blank nodes bear the labels that they have here."""
        if text:
            texts = self.texts | {name: _text((self.texts.get(name, b"") + text).splitlines(keepends=True))}
            self.texts = {name: texts[name] for name in sorted(texts, key=str)}

    def write(self, output: IO[bytes], fmt: Format, *names: Name) -> None:
        """Write the union of some graphs, or in a format of datasets each under its name; equal content gives equal bytes."""
        batches = self._named(names) if fmt.kind == "dataset" else self._united(names)
        if fmt.rdf in (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS):
            for batch in batches:
                output.write(batch)
        else:
            serialized(_parsed(batches), output, fmt)

    def united(self, *names: Name) -> bytes:
        """Return the union of some graphs as N-Triples, in order."""
        return b"".join(self._united(names))

    @property
    def digest(self) -> str:
        """The SHA-256 of the N-Quads, in hexadecimal."""
        digest = hashlib.sha256()
        # Of runs that are in order, sorting takes less than half the time of merging.
        for batch in _joined(sorted(chain.from_iterable(map(BytesIO, self._named(self.texts))))):
            digest.update(batch)
        return digest.hexdigest()

    def _united(self, names: Iterable[Name]) -> Iterator[bytes]:
        texts = (BytesIO(self.texts.get(name, b"")) for name in names)
        # What several graphs say is one statement of their union.
        return _joined(line for line, _ in groupby(merge(*texts)))

    def _named(self, names: Iterable[Name]) -> Iterator[bytes]:
        texts = ((name, BytesIO(self.texts.get(name, b""))) for name in names)
        return (under(name, batch) for name, text in texts for batch in _joined(text))


def canonical(statements: Iterable[Quad]) -> list[Quad]:
    """Return statements in an order of their own, whatever theirs, blank nodes by their canonical labels (RDFC-1.0)."""
    dataset = Dataset(statements)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(dataset, key=str)


def serialized(statements: Iterable[Quad] | Iterable[Triple], output: IO[bytes], fmt: Format) -> None:
    """Write statements as they come, with the project's prefixes. Raises OSError for what the format cannot say."""
    if fmt.rdf != RdfFormat.RDF_XML:
        serialize(statements, output, fmt.rdf, prefixes=prefixes())
        return
    xml = _TypesNamed(output)
    serialize(map(_apart, statements), xml, fmt.rdf, prefixes=prefixes())  # type: ignore[arg-type]
    output.write(xml.rest)


class _TypesNamed(RawIOBase):
    """A file of RDF/XML in which the stand-in is rdf:type again; `rest` may be the beginning of one."""

    def __init__(self, output: IO[bytes]) -> None:
        super().__init__()
        self.output, self.rest = output, b""

    def write(self, data: Any) -> int:
        content = (self.rest + bytes(data)).replace(b'<type xmlns="%s"' % _STAND_IN.encode(), b"<rdf:type")
        cut = content.rfind(b"<")
        self.output.write(content[:cut])
        self.rest = content[cut:]
        return len(data)


def _apart(statement: Quad | Triple) -> Quad | Triple:
    """Return a statement; the stand-in takes the place of rdf:type where the engine would name an element for a class that gives no name."""
    if statement.predicate != _TYPE or not isinstance(statement.object, NamedNode):
        return statement
    iri = statement.object.value
    last = iri.rstrip("0123456789.-")[-1:]
    if last.isascii() and (last.isalpha() or last == "_") and not iri.startswith(RDF):
        return statement
    return Triple(statement.subject, NamedNode(_STAND_IN + "type"), statement.object)


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


def _parsed(batches: Iterable[bytes]) -> Iterator[Quad]:
    """Yield the statements of some lines: what is N-Triples is N-Quads as well."""
    # Lenient, as it has been parsed before: that takes half the time.
    return chain.from_iterable(parse(batch, RdfFormat.N_QUADS, lenient=True) for batch in batches)


def _text(lines: list[bytes]) -> bytes:
    lines.sort()
    return b"".join(line for line, _ in groupby(lines))
