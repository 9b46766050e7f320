"""One child's work: evaluate queries within limits that no query can undo.

A query cannot be cancelled inside the engine, but a process can be killed: every child arms the kernel's timer before
it evaluates (SIGALRM ends it, whatever it does), may allocate only so much memory, and cannot open a socket or a file.
"""

import os
import re
import resource
import signal
import socket
import time
from typing import Any

from pyoxigraph import NamedNode, QueryTriples, Store, parse, parse_query_results

from interpol_graph.engine import outcomes, tokens
from interpol_graph.engine.channel import Message, frame, receive
from interpol_graph.engine.limits import OUT_OF_MEMORY, Settings
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.remote import Remote
from interpol_graph.engine.results import Found, Output, write
from interpol_graph.graph.formats import BY_NAME, Kind
from interpol_graph.graph.prefixes import BASE, prefixes
from interpol_graph.graph.store import KnowledgeGraph

# Begins at the beginning of a word only: a long word is read once, not once from each of its letters.
_PREFIX = re.compile(r"(?<!\w)(\w*+):")


class Evaluator:
    """A child that answers requests on its socket until the other side closes it."""

    def __init__(self, graph: KnowledgeGraph, door: socket.socket, settings: Settings) -> None:
        self.graph, self.door, self.timeout = graph, door, settings.timeout
        self.memory, self.limit = settings.memory << 20, settings.answer << 20
        self.remote = Remote(settings.engine) if settings.engine else None
        # What another engine evaluates is only read here: over no statements, to see what is wrong with it.
        self.store = Store() if self.remote else graph.store
        self.known = [name.value for name in graph.graphs]
        self.statm = os.open("/proc/self/statm", os.O_RDONLY)  # before nothing can be opened any more
        self.born = self._size()
        most = self.born + self.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if not self.remote:
            # No descriptor beyond those open now: nothing can be fetched, whatever a query says.
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def serve(self) -> None:
        """Answer until the connection is closed, or until this child has grown too large to be kept."""
        self.door.sendall(frame({"pid": os.getpid()}))
        while True:
            try:
                request, _ = receive(self.door)
            except (EOFError, OSError):
                return
            # A dump takes as long as the graph is large; what it costs is not the client's choice.
            signal.setitimer(signal.ITIMER_REAL, 0 if "dump" in request else self.timeout)
            started = time.perf_counter()
            try:
                try:
                    head, body = self._dump(request) if "dump" in request else self._query(request)
                except EngineError as error:
                    head, body = {"error": type(error).__name__, "detail": error.detail, "extra": error.extra}, b""
                head["seconds"] = time.perf_counter() - started
                # What the allocator kept would be missing from the next query's allowance; and of the graph, which it
                # shares, this process has made its own what it has read.
                copied = resource.getrusage(resource.RUSAGE_SELF).ru_minflt * resource.getpagesize()
                head["last"] = self._size() - self.born > self.memory // 16 or copied > self.memory
                message = frame(head, body)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.door.sendall(message)
            except MemoryError:
                os._exit(OUT_OF_MEMORY)
            except OSError:
                return
            if head["last"]:
                return

    def _size(self) -> int:
        """Return the memory of this process in bytes, as its limit counts it."""
        return int(os.pread(self.statm, 64, 0).split()[0]) * resource.getpagesize()

    def _query(self, request: dict[str, Any]) -> Message:
        """Return the answer to a query. Raises EngineError."""
        query: str = request["query"]
        reading = tokens.read(query)
        # Named by the request, a dataset takes the place of the query's own FROM.
        chosen = (*request["default"], *request["named"])
        if refusal := outcomes.forbidden(reading) or outcomes.unknown_graph(chosen or reading.graphs, self.known):
            raise refusal
        answer = None
        try:
            answer = self.store.query(
                query,
                base_iri=BASE,
                prefixes=_used(query),
                # Named by the request, these take the place of FROM and FROM NAMED, empty ones included.
                default_graph=[NamedNode(iri) for iri in request["default"]] if chosen else None,
                named_graphs=[NamedNode(iri) for iri in request["named"]] if chosen else None,
            )
            kind: Kind = "graph" if isinstance(answer, QueryTriples) else "results"
            if request[kind] is None:
                raise outcomes.no_format(kind)
            fmt = BY_NAME[request[kind]]
            body = Output(fmt, self.limit)
            rows = write(self._elsewhere(self.remote, request, kind) if self.remote else answer, fmt, body)
        except SyntaxError as error:  # after the query, only another engine's answer is parsed
            raise (
                outcomes.malformed(error.msg, query) if answer is None else outcomes.engine_fails(error.msg)
            ) from error
        except (ValueError, OSError, RuntimeError) as error:  # it is in order, and cannot be evaluated
            raise outcomes.not_evaluated(str(error)) from error
        return {"format": fmt.name, "rows": rows, "volatile": reading.volatile}, body.getvalue()

    def _elsewhere(self, remote: Remote, request: dict[str, Any], kind: Kind) -> Found:
        """Let another engine evaluate, and return its answer as the one built in would have given it."""
        query: str = request["query"]
        # It gets the prefixes before the query: what may be left out here may be left out there.
        known = "".join(f"PREFIX {prefix}: <{namespace}> " for prefix, namespace in sorted(_used(query).items()))
        text = f"BASE <{BASE}> {known}{query}"
        fmt = BY_NAME["ntriples" if kind == "graph" else "json"]
        body = remote.fetch(text, fmt.media_types[0], self.limit, request["default"], request["named"])
        if kind == "graph":
            return (quad.triple for quad in parse(body, fmt.rdf))
        return parse_query_results(body, fmt.results)

    def _dump(self, request: dict[str, Any]) -> Message:
        """Send all pieces of a dump but the last, and return that. Raises Unwritable."""
        fmt, graph = BY_NAME[request["dump"]], request["graph"]
        head = {"format": fmt.name}
        pieces = Output(fmt, send=lambda piece: self.door.sendall(frame(head | {"more": True}, piece)))
        try:
            self.graph.dump(pieces, fmt, NamedNode(graph) if graph else None)
            pieces.end()
        except ConnectionError:  # whoever wanted it is gone
            raise
        except OSError as error:
            raise outcomes.unwritable(fmt, str(error)) from error
        return head, pieces.getvalue()


def _used(query: str) -> dict[str, str]:
    """Return the prefixes that a query may use: telling the parser of all of them takes longer than a short query."""
    known = prefixes()
    if "\\" in query:  # any letter may be written as an escape
        return known
    return {prefix: known[prefix] for prefix in set(_PREFIX.findall(query)) if prefix in known}
