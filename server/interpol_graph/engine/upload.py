"""Graphs put into another engine, by the Graph Store HTTP Protocol or by SPARQL 1.1 Update, and compared with what it gives back."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx2
from pyoxigraph import RdfFormat, Store, parse

from interpol_graph.engine.outcomes import engine_fails
from interpol_graph.engine.remote import AUTH, failing
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.statements import canonical

#: Bytes of a graph that are sent at a time.
_PIECE = 1 << 20
_TURTLE, _NTRIPLES, _NQUADS = (BY_NAME[name].media_types[0] for name in ("turtle", "ntriples", "nquads"))
#: A node without a name, by its canonical label, as a line of N-Triples begins or ends.
_BLANK = re.compile(rb"(^| )_:c14n(\d+)(?= \.$| <)", re.MULTILINE)


class Piecewise:
    """A graph as it is sent: piece by piece, and from its beginning as often as a server asks for credentials first."""

    def __init__(self, text: bytes, advance: Callable[[int], object]) -> None:
        self.text, self.advance = text, advance

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces, and tell of each how large it is."""
        for start in range(0, len(self.text), _PIECE):
            yield (piece := self.text[start : start + _PIECE])
            self.advance(len(piece))


@dataclass
class GraphStore:
    """The graphs of an engine that knows the Graph Store Protocol at a URL: it replaces each in one step."""

    client: httpx2.Client
    url: str
    #: Whether it is Virtuoso, which has names for nodes without a name: by these, a node is the same in all graphs.
    virtuoso: bool = field(default=False, init=False)

    def get(self, graph: str) -> bytes:
        """Return a graph as N-Triples or Turtle, nothing for one that is not there. Raises EngineError."""
        accept = {"Accept": f"{_NTRIPLES}, {_TURTLE};q=0.5"}
        return self._asked("GET", self.url, params={"graph": graph}, headers=accept)

    def put(self, graph: str, text: bytes, advance: Callable[[int], object]) -> None:
        """Let some N-Triples take the place of a graph; tell how many bytes are sent at a time. Raises EngineError."""
        if self.virtuoso:
            text = _BLANK.sub(lambda node: b"%s<nodeID://b%d>" % (node[1], 10**9 + int(node[2])), text)
        self._sent(text, _TURTLE, advance, params={"graph": graph})

    def put_all(self, text: bytes, advance: Callable[[int], object]) -> None:
        """Let some N-Quads take the place of all that the engine holds, in one step. Raises EngineError."""
        self._sent(text, _NQUADS, advance)

    def drop(self, graph: str) -> None:
        """Remove a graph, if it is there. Raises EngineError."""
        self._asked("DELETE", self.url, params={"graph": graph})

    def _sent(self, text: bytes, media_type: str, advance: Callable[[int], object], **request: object) -> None:
        fields = {"Content-Type": media_type, "Content-Length": str(len(text))}
        self._asked("PUT", self.url, headers=fields, content=Piecewise(text, advance), **request)

    def _asked(self, method: str, url: str, **request: object) -> bytes:
        try:
            response = self.client.request(method, url, **request)  # type: ignore[arg-type]
        except httpx2.HTTPError as error:
            raise failing(url, error) from error
        self.virtuoso = "Virtuoso" in response.headers.get("Server", "")
        if response.is_success:
            return response.content
        if response.status_code == 404 and method in ("GET", "DELETE"):
            return b""
        said = " ".join(response.text.split())[:200]
        if response.status_code in (401, 403):
            said = f"are the credentials in {AUTH} right? {said}"
        raise engine_fails(f"{url} answers {response.status_code} to {method}: {said}")


@dataclass
class Updates(GraphStore):
    """The graphs of an engine that takes SPARQL Update at a URL: each is made beside the one before and takes its place.

    query: the URL at which it answers queries.
    """

    query: str = ""

    def get(self, graph: str) -> bytes:
        """Return a graph as GraphStore.get does."""
        asked = {"query": f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"}
        return self._asked("POST", self.query, data=asked, headers={"Accept": _NTRIPLES})

    def put(self, graph: str, text: bytes, advance: Callable[[int], object]) -> None:
        """Let some N-Triples take the place of a graph as GraphStore.put does."""
        fresh = graph + ".new"
        self.drop(fresh)
        for piece in _pieces(text):
            self._update(b"INSERT DATA { GRAPH <%s> { %s } }" % (fresh.encode(), piece))
            advance(len(piece))
        self._update(f"MOVE SILENT GRAPH <{fresh}> TO GRAPH <{graph}>".encode())

    def drop(self, graph: str) -> None:
        """Remove a graph as GraphStore.drop does."""
        self._update(f"DROP SILENT GRAPH <{graph}>".encode())

    def _update(self, text: bytes) -> None:
        self._asked("POST", self.url, content=text, headers={"Content-Type": "application/sparql-update"})


def _pieces(text: bytes) -> Iterator[bytes]:
    """Yield the lines of a graph, some at a time; those with nodes without a name together: only within one are they the same."""
    blank, piece, size = [], [], 0
    for line in text.splitlines(keepends=True):
        if b"_:" in line:
            blank.append(line)
            continue
        piece.append(line)
        size += len(line)
        if size >= _PIECE:
            yield b"".join(piece)
            piece, size = [], 0
    yield b"".join(blank + piece)


def compared(text: bytes) -> list[str]:
    """Return the statements of some Turtle as they can be compared: in canonical form, numbers by their values."""
    store = Store()
    store.bulk_extend(parse(text, RdfFormat.TURTLE))
    return [str(quad) for quad in canonical(store)]
