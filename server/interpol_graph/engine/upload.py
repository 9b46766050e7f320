"""Graphs put into another engine by the Graph Store HTTP Protocol, and compared with what it gives back."""

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


@dataclass
class Piecewise:
    """A graph as it is sent: piece by piece, and from its beginning as often as a server asks for credentials first."""

    text: bytes
    advance: Callable[[int], object]

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
        return self._asked("GET", graph, headers={"Accept": f"{_NTRIPLES}, {_TURTLE};q=0.5"})

    def put(self, graph: str | None, text: bytes, advance: Callable[[int], object]) -> None:
        """Let some N-Triples take the place of a graph, or some N-Quads that of all graphs. Raises EngineError.

        advance: is told how many bytes are sent at a time.
        """
        if self.virtuoso:
            text = _BLANK.sub(lambda node: b"%s<nodeID://b%d>" % (node[1], 10**9 + int(node[2])), text)
        fields = {"Content-Type": _TURTLE if graph else _NQUADS, "Content-Length": str(len(text))}
        self._asked("PUT", graph, headers=fields, content=Piecewise(text, advance))

    def drop(self, graph: str) -> None:
        """Remove a graph, if it is there. Raises EngineError."""
        self._asked("DELETE", graph)

    def _asked(self, method: str, graph: str | None, **request: object) -> bytes:
        try:
            response = self.client.request(method, self.url, params=graph and {"graph": graph}, **request)  # type: ignore[arg-type]
        except httpx2.HTTPError as error:
            raise failing(error) from error
        self.virtuoso = "Virtuoso" in response.headers.get("Server", "")
        if response.is_success or (response.status_code == 404 and method != "PUT"):
            return response.content if response.is_success else b""
        said = " ".join(response.text.split())[:200]
        if response.status_code in (401, 403):
            said = f"are the credentials in {AUTH} right? {said}"
        raise engine_fails(f"{self.url} answers {response.status_code} to {method}: {said}")


def compared(text: bytes) -> list[str]:
    """Return the statements of some Turtle as they can be compared: in canonical form, numbers by their values."""
    store = Store()
    store.bulk_extend(parse(text, RdfFormat.TURTLE))
    return [str(quad) for quad in canonical(store)]
