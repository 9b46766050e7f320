"""Answers on their way out: written in their format, within limits, and checked where the engine would write what is none."""

import csv
import io
import re
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from xml.parsers import expat
from xml.parsers.expat import ExpatError, ParserCreate

from pyoxigraph import BlankNode, QueryBoolean, QuerySolutions, QueryTriples, Triple

from interpol_graph.engine import outcomes
from interpol_graph.graph.formats import Format, Kind
from interpol_graph.graph.statements import serialized

#: What an engine answers a query with.
Found = QuerySolutions | QueryBoolean | QueryTriples | Iterator[Triple]
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"')
#: Why XML is not well-formed that the engine wrote.
_NO_XML = "it holds a control character, or a property whose IRI does not end in a name that every reader of XML takes"
#: Elements of RDF/XML that are no more (7.2.4), though the engine writes them.
_FORMER = {f"http://www.w3.org/1999/02/22-rdf-syntax-ns# {name}" for name in ("aboutEach", "aboutEachPrefix", "bagID")}


class Output(io.BytesIO):
    """At most `limit` bytes in a format. XML is read on its way: the engine writes it, too, where it cannot say what is to be said.

    send: takes what there is whenever it is a mebibyte; what is left in the end is the last piece.
    Raises Unwritable, AnswerTooLarge.
    """

    def __init__(self, fmt: Format, limit: int = sys.maxsize, send: Callable[[bytes], None] | None = None) -> None:
        super().__init__()
        self.fmt, self.limit, self.send = fmt, limit, send
        self.reader = ParserCreate(namespace_separator=" ") if fmt.media_types[0].endswith("+xml") else None
        if self.reader and fmt.name == "rdfxml":
            self.reader.StartElementHandler = self._check_element

    def write(self, data: Any) -> int:
        content = data
        if self.reader:
            # A reader would take a bare carriage return for a line feed (XML 1.0, 2.11).
            content = bytes(data).replace(b"\r", b"&#13;")
            self._read(content)
        super().write(content)
        if self.tell() > self.limit:
            raise outcomes.too_large(self.limit)
        if self.send and self.tell() >= 1 << 20:
            self.send(self.getvalue())
            self.seek(0)
            self.truncate()
        return len(data)

    def end(self) -> None:
        """Make sure that nothing is missing."""
        self._read(b"", last=True)

    def _read(self, data: Any, last: bool = False) -> None:
        try:
            if self.reader:
                self.reader.Parse(data, last)
        except ExpatError as error:
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
                raise MemoryError from error
            raise outcomes.unwritable(self.fmt, _NO_XML) from error

    def _check_element(self, name: str, _: dict[str, str]) -> None:
        if name in _FORMER:
            raise outcomes.unwritable(self.fmt, f"{name.replace(' ', '')} is no name that it allows")


def evaluated(
    ask: Callable[[], Found], query: str, results: Format | None, graph: Format | None, limit: int = sys.maxsize
) -> tuple[Format, int | None, bytes]:
    """Return what an engine answers to a query: the format, rows or statements (None for a boolean), and the bytes.

    ask: lets the engine begin; results, graph: the format by the form of the query; limit: bytes that it may have.
    Raises EngineError.
    """
    answer = None
    try:
        answer = ask()
        kind: Kind = "results" if isinstance(answer, QuerySolutions | QueryBoolean) else "graph"
        fmt = results if kind == "results" else graph
        if fmt is None or fmt.kind != kind:
            raise outcomes.no_answer(kind)
        rows = _write(answer, fmt, body := Output(fmt, limit))
    except SyntaxError as error:  # after the query, only another engine's answer is parsed
        fault = outcomes.malformed(error.msg, query) if answer is None else outcomes.engine_fails(error.msg)
        raise fault from error
    except (ValueError, OSError, RuntimeError) as error:  # it is in order, and cannot be evaluated
        raise outcomes.not_evaluated(str(error)) from error
    return fmt, rows, body.getvalue()


def _write(answer: Found, fmt: Format, body: Output) -> int | None:
    """Write an answer and return how many rows or statements it has, None for a boolean. Raises Unwritable."""
    if isinstance(answer, QueryBoolean):
        if fmt.name in ("csv", "tsv"):
            # The CSV and TSV formats have no boolean; one column named for the question is what clients read.
            body.write(b"boolean\r\n" + (b"true" if answer else b"false") + b"\r\n")
        else:
            answer.serialize(body, format=fmt.engine)
        return None
    if isinstance(answer, QuerySolutions) and fmt.name == "csv":
        return _table(answer, body)
    if isinstance(answer, QuerySolutions):
        answer.serialize(body, format=fmt.engine)
        body.end()
        return _rows(body.getvalue(), fmt)
    distinct = dict.fromkeys(answer)
    try:
        serialized(distinct, body, fmt)
    except OSError as error:
        raise outcomes.unwritable(fmt, str(error)) from error
    body.end()
    return len(distinct)


def _table(solutions: QuerySolutions, body: Output) -> int:
    """Write rows as CSV and return how many they are: the engine would leave a comma in an IRI unquoted."""
    writer = csv.writer(SimpleNamespace(write=lambda line: body.write(line.encode())))
    writer.writerow(variable.value for variable in solutions.variables)
    rows = 0
    for rows, solution in enumerate(solutions, 1):  # noqa: B007
        writer.writerow([_cell(term) for term in solution])
    return rows


def _cell(term: Any) -> str | None:
    if isinstance(term, Triple):
        return f"<<( {term} )>>"
    return f"_:{term.value}" if isinstance(term, BlankNode) else term and str(term.value)


def _rows(body: bytes, fmt: Format) -> int:
    """Return how many rows an answer has, for the log: the engine counts none, and counting bytes costs least."""
    if fmt.name == "xml":
        return body.count(b"<result>")
    if fmt.name == "tsv":
        return body.count(b"\n") - 1
    if body.endswith(b'"bindings":[]}}'):
        return 0
    if b"{}" in body:  # rows with nothing bound, or just those letters
        return 1 + _STRING.sub(b"", body).count(b"},{")
    # Within a JSON string no quotation mark is bare, so what looks like a boundary can only be the string's own end.
    return 1 + body.count(b'}},{"') - body.count(b'}},{"}') - body.count(b'}},{",')
