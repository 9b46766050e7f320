"""RDF files: finding them, naming their graphs, reading their terms exactly as written."""

import codecs
import gzip
import os
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote
from xml.parsers import expat

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from interpol_graph.graph import paths
from interpol_graph.graph.formats import BY_NAME, BY_SUFFIX, DUMPS, Format
from interpol_graph.graph.prefixes import GRAPHS, RDF

#: What a file's name may end in.
SUFFIXES = ", ".join(suffix for fmt in DUMPS for suffix in fmt.suffixes) + ", each also with .gz"
#: How XML begins, and the encoding that it names; how it begins in one that it need not name (XML 1.0, 4.3.3 and F.1).
_ENCODING = re.compile(rb"""(<\?xml\s[^>]*?)\s+encoding\s*=\s*["']([\w.:-]+)["']""")
_XML_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}

#: In N-Triples, a literal without a language, of a datatype that only one with a language can have.
_UNTAGGED = re.compile(rf'"(?:[^"\\\n]|\\.)*+"\^\^<{RDF}(?:l|dirL)angString>'.encode())

_NTRIPLES = partial(serialize, format=RdfFormat.N_TRIPLES)

#: What stands for standard input where a file is named; Turtle is expected there.
STANDARD_INPUT = Path("-")

T = TypeVar("T")
Name = NamedNode | BlankNode | DefaultGraph


class Unreadable(Exception):
    """An input that cannot be read: where, and why; and others, if there are more."""

    others: tuple["Unreadable", ...] = ()

    def __init__(self, path: Path, reason: str, line: int = 0, column: int = 0) -> None:
        position = f":{line}:{column}" if line else ""
        super().__init__(f"{paths.shown(path)}{position}: {reason}")
        self.path, self.reason, self.line, self.column = path, reason, line, column


@dataclass(frozen=True)
class SourceFile:
    """One file and the IRI of the named graph that it becomes."""

    path: Path
    graph: str

    @property
    def format(self) -> Format:
        """The format that the file's suffix names."""
        fmt = _format_of(self.path)
        assert fmt
        return fmt

    def content(self) -> bytes:
        """Return what is in the file, uncompressed and without a byte order mark; XML in UTF-8, whatever it was in.

        Raises Unreadable.
        """
        try:
            content = _standard_input() if self.path == STANDARD_INPUT else self.path.read_bytes()
            if self.path.suffix.lower() == ".gz":
                content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(self.path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        content = content.removeprefix(b"\xef\xbb\xbf")
        if _format_of(self.path) != BY_NAME["rdfxml"]:
            return content
        declared = _ENCODING.match(content)
        encoding = declared[2].decode() if declared else "utf-8"
        encoding = next((name for mark, name in _XML_MARKS.items() if content.startswith(mark)), encoding)
        try:
            if codecs.lookup(encoding).name != "utf-8":
                content = content.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise self._undecodable(content, error) from error
        except (LookupError, UnicodeError) as error:
            raise Unreadable(self.path, f"is in the encoding {encoding}, which cannot be read: {error}") from error
        # Lines end in a line feed, however they are stored (XML 1.0, 2.11).
        return _ENCODING.sub(rb"\1", content).replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def read(self, use: Callable[[Iterator[Quad]], T]) -> T:
        """Return what `use` makes of the statements as they are parsed: blank nodes distinct from every other file's.

        Raises Unreadable with line and column when the file is missing, not UTF-8 or not well-formed.
        """
        content = self.content()
        try:
            content.decode("utf-8")  # the parser lets a comment be anything
            if self.format == BY_NAME["rdfxml"]:  # and takes half a file for a whole one, ten entities for gigabytes
                expat.ParserCreate("utf-8").Parse(content, True)
            return use(parse(content, self.format.rdf, base_iri=self.path.absolute().as_uri(), rename_blank_nodes=True))
        except UnicodeDecodeError as error:
            raise self._undecodable(content, error) from error
        except (SyntaxError, expat.ExpatError) as error:
            label = self.format.label + (", as which N3 is read here" if ".n3" in self.path.name.lower() else "")
            line, column = error.lineno or 0, error.offset or 0
            if isinstance(error, SyntaxError):
                reason = error.msg.partition(": ")[2] or error.msg
            else:
                reason, column = expat.ErrorString(error.code), column + 1
            if b"\0" in content:
                raise Unreadable(self.path, f"is a binary file, not {label}") from error
            if "LoadDocumentCallback" in reason:
                reason = "it names a context elsewhere, and nothing is fetched; write the context into the file"
            raise Unreadable(self.path, f"is not well-formed {label}: {reason}", line, column) from error

    def texts(self) -> dict[Name, bytes]:
        """Return the file's statements as N-Triples by graph, literals as written. Raises Unreadable as `read` does."""
        own = NamedNode(self.graph)
        texts: dict[Name, bytes]
        if self.format.rdf.supports_datasets:
            graphs: defaultdict[Name, list[Triple]] = defaultdict(list)
            for quad in self.read(list):
                graphs[own if isinstance(quad.graph_name, DefaultGraph) else quad.graph_name].append(quad.triple)
            texts = {name: _NTRIPLES(triples) or b"" for name, triples in graphs.items()}
        else:  # from parser to serialiser, the statements never become objects of Python
            texts = {own: self.read(_NTRIPLES) or b""}
        for text in texts.values():
            if b"angString>" in text and (literal := _UNTAGGED.search(text)):
                words = "has the datatype of texts with a language and none"
                raise Unreadable(self.path, f"holds the literal {literal[0].decode()}, which {words}")
        return texts

    def quads(self) -> Iterator[Quad]:
        """Yield the file's statements, as `texts` holds them. Raises Unreadable as `read` does."""
        for name, text in self.texts().items():
            yield from parse(under(name, text), RdfFormat.N_QUADS, lenient=True)

    def _undecodable(self, content: bytes, error: UnicodeDecodeError) -> Unreadable:
        """Return what a reader should know of bytes that are no text."""
        if error.encoding == "utf-8" and content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            label = self.format.label
            return Unreadable(self.path, f"is not UTF-8 but UTF-16, which {label} never is; save it as UTF-8")
        if error.encoding == "utf-8" and b"\0" in content:
            return Unreadable(self.path, f"is a binary file, not {self.format.label}")
        before = content[: error.start].decode(error.encoding, "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        reason = f"is not {error.encoding.upper()}: byte 0x{content[error.start]:02x} cannot be decoded"
        return Unreadable(self.path, reason, line, column)


def under(name: Name, text: bytes) -> bytes:
    """Return statements of a graph, in N-Triples, as N-Quads: no literal within them has space, dot and line feed."""
    return text.replace(b" .\n", f" {name} .\n".encode())


@cache
def _standard_input() -> bytes:
    return sys.stdin.buffer.read()


def is_rdf(path: Path) -> bool:
    """Say whether a file's name is one of RDF."""
    return _format_of(path) is not None


def _format_of(path: Path) -> Format | None:
    """Return the RDF format that a file's name ends in, in any case of its letters, compressed or not."""
    if path == STANDARD_INPUT:
        return BY_NAME["turtle"]
    name = path.name.lower().removesuffix(".gz")
    fmt = BY_SUFFIX.get(Path(name).suffix)
    return fmt if fmt in DUMPS else None


def project_files(root: Path = paths.ROOT) -> list[SourceFile]:
    """Return a project's own files: ontology, data and shapes, each as the graph that the house rule names."""
    return [
        *(SourceFile(path, GRAPHS + "ontology") for path in _turtle(root / "ontology")),
        *data_files(root / "data"),
        *(SourceFile(path, GRAPHS + "shapes") for path in _turtle(root / "shapes")),
    ]


def data_files(folder: Path) -> list[SourceFile]:
    """Return the Turtle files below a data folder; the graph is named for the path below it, without suffix."""
    return [SourceFile(path, graph_of(path.relative_to(folder).with_suffix(""))) for path in _turtle(folder)]


def graph_of(path: Path) -> str:
    """Return the IRI of the graph that is named for a path.

    >>> graph_of(Path("operations/2023")), graph_of(Path("new file"))
    ('https://w3id.org/interpol-graph/graph/operations/2023', 'https://w3id.org/interpol-graph/graph/new%20file')
    """
    return GRAPHS + quote(os.fsencode(path.as_posix()))


def absolute(path: Path) -> Path:
    """Return where a path leads, standard input being where it is; a link stays one if its name alone says what it holds."""
    real = Path(os.path.realpath(path))
    if is_rdf(path) and not is_rdf(real) and not real.is_dir():
        return path if path == STANDARD_INPUT else Path(os.path.realpath(path.parent), path.name)
    return real


def given_files(names: Iterable[Path]) -> list[SourceFile]:
    """Return the RDF files that a user named, folders searched but for what is hidden; a triples file becomes a graph of its file IRI.

    What several names lead to is one file, since its blank nodes are one.
    Raises Unreadable for a missing path, an unknown suffix, or a folder without RDF.
    """
    found: dict[str, SourceFile] = {}
    for path in names:
        if path.is_dir():
            links = {p: p.is_symlink() for p in _within(path) if is_rdf(p)}  # one that leads nowhere is told
            inside = sorted((p for p in links if links[p] or p.is_file()), key=lambda p: (links[p], p))
            if not inside:
                raise Unreadable(path, f"holds no RDF file; looked for {SUFFIXES}")
        elif path != STANDARD_INPUT and not path.exists():
            raise Unreadable(path, "does not exist")
        elif not is_rdf(path):
            raise Unreadable(path, f"has no suffix of an RDF format; known: {SUFFIXES}")
        else:
            inside = [path]
        for p in inside:
            found.setdefault(iri := Path(os.path.realpath(p)).as_uri(), SourceFile(p, iri))
    return list(found.values())


def _turtle(folder: Path) -> list[Path]:
    return sorted(path for path in _within(folder) if path.suffix == ".ttl")


def _within(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, but for hidden ones and the packages of others."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        yield from (Path(place, name) for name in files if not name.startswith("."))
