"""One child's work: evaluate queries within limits that no query can undo.

A query cannot be cancelled inside the engine, but a process can be killed: every child arms the kernel's timer before
it evaluates (SIGALRM ends it, whatever it does), may allocate only so much memory, and cannot open a socket or a file.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import sys
import time
from typing import Any

from pyoxigraph import NamedNode, QueryTriples, Store, parse, parse_query_results

from interpol_graph.engine import wire
from interpol_graph.engine.remote import Refused, Remote, TooLarge, Unreachable
from interpol_graph.engine.results import Bounded, Found, Pieces, Unwritable, write
from interpol_graph.graph.formats import BY_NAME, Format
from interpol_graph.graph.prefixes import BASE, prefixes
from interpol_graph.graph.store import KnowledgeGraph

#: A child that was refused memory ends with this code.
OUT_OF_MEMORY = 71

# Begins at the beginning of a word only: a long word is read once, not once from each of its letters.
_PREFIX = re.compile(r"(?<!\w)(\w*+):")
#: What the engine raises for a query that is in order and cannot be evaluated.
_FAULTS = (ValueError, OSError, RuntimeError)
#: Queries after which the size is looked at even when they were short.
_NOW_AND_THEN = 50


class Evaluation:
    """A child that answers requests on its socket until the other side closes it.

    timeout: seconds for one query; memory, answer: bytes that one query may use and that one answer may have;
    engine: the URL of another engine that evaluates, or "".
    """

    def __init__(
        self, graph: KnowledgeGraph, door: socket.socket, timeout: float, memory: int, answer: int, engine: str = ""
    ) -> None:
        self.graph, self.door, self.timeout, self.memory, self.limit = graph, door, timeout, memory, answer
        self.remote = Remote(engine) if engine else None
        # What another engine evaluates is only read here: over no statements, to see what is wrong with it.
        self.store = Store() if engine else graph.store
        self.size = _Size()
        used = self.size.now() if sys.platform == "linux" else 0
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
        if not engine:
            # No descriptor beyond those open now: nothing can be fetched, whatever a query says.
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.born = self.size.now()
        self.answered = 0

    def serve(self) -> None:
        """Answer until the connection is closed, or until this child has grown too large to be kept."""
        self.door.sendall(wire.frame({"pid": os.getpid()}))
        while True:
            try:
                request, _ = wire.receive(self.door)
            except (EOFError, OSError):
                return
            # A dump takes as long as the graph is large; what it costs is not the client's choice.
            signal.setitimer(signal.ITIMER_REAL, 0 if "dump" in request else self.timeout)
            try:
                head, body = self.answer(request)
                # What the allocator kept would be missing from the next query's allowance.
                self.answered += 1
                if head.get("seconds", 1) > 0.005 or self.answered % _NOW_AND_THEN == 0:
                    head["last"] = self.size.now() - self.born > self.memory // 16 or _copied() > self.memory
                message = wire.frame(head, body)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.door.sendall(message)
            except MemoryError:
                os._exit(OUT_OF_MEMORY)
            except OSError:
                return
            if head.get("last"):
                return

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return (head, body) for one request: {"dump": …}, of which the last piece is returned, or {"query": …}."""
        if "dump" in request:
            return self._dump(BY_NAME[request["dump"]], request["graph"])
        chosen = request["default"] or request["named"]
        started = time.perf_counter()
        try:
            answer = self.store.query(
                request["query"],
                base_iri=BASE,
                prefixes=_used(request["query"]),
                # Named by the request, these take the place of FROM and FROM NAMED, empty ones included.
                default_graph=[NamedNode(iri) for iri in request["default"]] if chosen else None,
                named_graphs=[NamedNode(iri) for iri in request["named"]] if chosen else None,
            )
        except SyntaxError as error:
            return {"error": "syntax", "message": error.msg}, b""
        except _FAULTS as error:
            return {"error": "evaluation", "message": str(error)}, b""
        kind = "graph" if isinstance(answer, QueryTriples) else "results"
        fmt = BY_NAME.get(request[kind] or "")
        if fmt is None:
            return {"error": "format", "kind": kind}, b""
        body = Bounded(fmt, self.limit)
        try:
            rows = write(_elsewhere(self.remote, request, kind, self.limit) if self.remote else answer, fmt, body)
        except TooLarge:
            return {"error": "size"}, b""
        except (SyntaxError, Unreachable) as error:  # only another engine's answer is parsed here
            return {"error": "engine", "message": str(error)}, b""
        except Unwritable as error:
            return {"error": "unwritable", "format": fmt.name, "message": str(error)}, b""
        except (*_FAULTS, Refused) as error:
            return {"error": "evaluation", "message": str(error)}, b""
        return {"format": fmt.name, "seconds": time.perf_counter() - started, "rows": rows}, body.getvalue()

    def _dump(self, fmt: Format, graph: str | None) -> tuple[dict[str, Any], bytes]:
        head = {"format": fmt.name}
        pieces = Pieces(fmt, lambda piece: self.door.sendall(wire.frame(head | {"more": True}, piece)))
        try:
            self.graph.dump(pieces, fmt, NamedNode(graph) if graph else None)
            pieces.end()
        except ConnectionError:  # whoever wanted it is gone
            raise
        except (Unwritable, OSError) as error:
            return head | {"error": "unwritable", "message": str(error)}, b""
        return head, pieces.getvalue()


def _elsewhere(remote: Remote, request: dict[str, Any], kind: str, limit: int) -> Found:
    """Let another engine evaluate, and return its answer as the one built in would have given it."""
    query: str = request["query"]
    # It gets the prefixes before the query: what may be left out here may be left out there.
    known = "".join(f"PREFIX {prefix}: <{namespace}> " for prefix, namespace in sorted(_used(query).items()))
    fmt = BY_NAME["ntriples" if kind == "graph" else "json"]
    # What is compact here may be long there; the limit of the answer itself is that of its own format.
    body = remote.fetch(
        f"BASE <{BASE}> {known}{query}", fmt.media_types[0], 8 * limit, request["default"], request["named"]
    )
    if kind == "graph":
        return (quad.triple for quad in parse(body, fmt.rdf))
    return parse_query_results(body, fmt.results)


def _used(query: str) -> dict[str, str]:
    """Return the prefixes that a query may use: telling the parser of all of them takes longer than a short query."""
    known = prefixes()
    if "\\" in query:  # any letter may be written as an escape
        return known
    return {prefix: known[prefix] for prefix in set(_PREFIX.findall(query)) if prefix in known}


def _copied() -> int:
    """Return how many bytes this process has made its own: of the graph, too, which it shares until it reads it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt * resource.getpagesize()


class _Size:
    """The memory of this process in bytes, as its limit counts it; opened before nothing can be opened any more."""

    def __init__(self) -> None:
        self.file = os.open("/proc/self/statm", os.O_RDONLY) if sys.platform == "linux" else -1

    def now(self) -> int:
        """Return the size now, or where the kernel does not tell it, the largest so far."""
        if self.file < 0:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(os.pread(self.file, 64, 0).split()[0]) * resource.getpagesize()
