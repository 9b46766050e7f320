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
from functools import partial
from typing import Any

from interpol_graph.engine import outcomes, tokens
from interpol_graph.engine.channel import Channel, Message, frame
from interpol_graph.engine.embedded import Engine
from interpol_graph.engine.limits import OUT_OF_MEMORY, Settings
from interpol_graph.engine.results import Output, evaluated
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.prefixes import prefixes

# Begins at the beginning of a word only: a long word is read once, not once from each of its letters.
_PREFIX = re.compile(r"(?<!\w)(\w*+):")


class Evaluator:
    """A child that answers requests on its socket until the other side closes it."""

    def __init__(self, engine: Engine, door: socket.socket, settings: Settings) -> None:
        self.engine, self.channel, self.timeout = engine, Channel(door), settings.timeout
        self.memory, self.limit = settings.memory << 20, settings.answer << 20
        self.statm = os.open("/proc/self/statm", os.O_RDONLY)  # before nothing can be opened any more
        self.born = self._size()
        most = self.born + self.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if engine.sealed:
            # No descriptor beyond those open now: nothing can be fetched, whatever a query says.
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def serve(self) -> None:
        """Answer until the connection is closed, or until this child has grown too large to be kept."""
        self.channel.send({"pid": os.getpid()})
        while True:
            try:
                request, _ = self.channel.receive()
            except (EOFError, OSError):
                return
            # A dump takes as long as the graph is large; what it costs is not the client's choice.
            signal.setitimer(signal.ITIMER_REAL, 0 if "dump" in request else self.timeout)
            started = time.perf_counter()
            try:
                try:
                    head, body = self._dump(request) if "dump" in request else self._query(request)
                except outcomes.EngineError as error:
                    head, body = {"error": type(error).__name__, "detail": error.detail, "extra": error.extra}, b""
                head["seconds"] = time.perf_counter() - started
                # What the allocator kept would be missing from the next query's allowance; and of the graph, which it
                # shares, this process has made its own what it has read.
                copied = resource.getrusage(resource.RUSAGE_SELF).ru_minflt * resource.getpagesize()
                head["last"] = self._size() - self.born > self.memory // 16 or copied > self.memory
                message = frame(head, body)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.channel.door.sendall(message)
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
        known = self.engine.about["graphs"]
        if refusal := outcomes.forbidden(reading) or outcomes.unknown_graph(chosen or reading.graphs, known):
            raise refusal
        # Named by the request, these take the place of FROM and FROM NAMED, empty ones included.
        graphs = (request["default"], request["named"]) if chosen else None
        results, graph = (BY_NAME[name] if (name := request[kind]) else None for kind in ("results", "graph"))
        ask = partial(self.engine.query, query, _used(query), graphs, self.limit)
        fmt, rows, body = evaluated(ask, query, results, graph, self.limit)
        return {"format": fmt.name, "rows": rows, "volatile": reading.volatile}, body

    def _dump(self, request: dict[str, Any]) -> Message:
        """Send all pieces of a dump but the last, and return that. Raises Unwritable, Unavailable."""
        fmt, graph = BY_NAME[request["dump"]], request["graph"]
        head = {"format": fmt.name}
        pieces = Output(fmt, send=lambda piece: self.channel.send(head | {"more": True}, piece))
        try:
            self.engine.dump(pieces, fmt, graph)
            pieces.end()
        except ConnectionError:  # whoever wanted it is gone
            raise
        except (FileNotFoundError, PermissionError) as error:  # where it lies is not for a visitor
            raise outcomes.Unavailable("The file is not in the folder of --release, or cannot be read.") from error
        except OSError as error:
            raise outcomes.unwritable(fmt, str(error)) from error
        return head, pieces.getvalue()


def _used(query: str) -> dict[str, str]:
    """Return the prefixes that a query may use: telling the parser of all of them takes longer than a short query."""
    known = prefixes()
    if "\\" in query:  # any letter may be written as an escape
        return known
    return {prefix: known[prefix] for prefix in set(_PREFIX.findall(query)) if prefix in known}
