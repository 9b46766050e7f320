"""The process that holds the graph and forks one child per connection to evaluate queries.

A query cannot be cancelled inside the engine, but a process can be killed: every child arms the kernel's timer before
it evaluates (SIGALRM ends it, whatever it does), may allocate only so much memory, and cannot open a socket or a file.

Run as `python -m interpol_graph.evaluator SOCKET SETTINGS-JSON`; it prints one line of JSON when the graph is loaded and ends
when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, QueryBoolean, QuerySolutions, QueryTriples, serialize

from interpol_graph import source
from interpol_graph.formats import BY_NAME
from interpol_graph.prefixes import prefixes
from interpol_graph.store import KnowledgeGraph


class Evaluation:
    """One child's work: it answers requests on its connection until the other side closes it."""

    def __init__(self, graph: KnowledgeGraph, connection: Connection, timeout: float, memory: int) -> None:
        self.graph, self.connection, self.timeout = graph, connection, timeout
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        used = (
            int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            if sys.platform == "linux"
            else 0
        )
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
        # No descriptor beyond those open now: nothing can be fetched, whatever a query says.
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def serve(self) -> None:
        """Answer until the connection is closed."""
        while True:
            try:
                request = json.loads(self.connection.recv_bytes())
            except EOFError:
                return
            # A dump takes as long as the graph is large; what it costs is not the client's choice.
            signal.setitimer(signal.ITIMER_REAL, 0 if "dump" in request else self.timeout)
            head, body = self.answer(request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.connection.send_bytes(json.dumps(head).encode())
            self.connection.send_bytes(body)

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return (head, body) for one request: {"dump": …} or {"query": …}."""
        if "dump" in request:
            graph = NamedNode(request["graph"]) if request.get("graph") else None
            return {"format": request["dump"]}, self.graph.dump(BY_NAME[request["dump"]].rdf, graph)
        chosen = request["default"] or request["named"]
        started = time.perf_counter()
        try:
            answer = self.graph.store.query(
                request["query"],
                prefixes=prefixes(),
                # Named by the request, these take the place of FROM and FROM NAMED, empty ones included.
                default_graph=[NamedNode(iri) for iri in request["default"]] if chosen else None,
                named_graphs=[NamedNode(iri) for iri in request["named"]] if chosen else None,
            )
            kind = "graph" if isinstance(answer, QueryTriples) else "results"
            fmt = BY_NAME.get(request[kind] or "")
            if fmt is None:
                return {"error": "format", "kind": kind}, b""
            if isinstance(answer, QueryTriples):
                body = serialize(dict.fromkeys(answer), format=fmt.rdf, prefixes=prefixes())
            elif isinstance(answer, QueryBoolean) and fmt.name in ("csv", "tsv"):
                # The CSV and TSV formats have no boolean; one column named for the question is what clients read.
                body = b"boolean\r\n" + (b"true" if answer else b"false") + b"\r\n"
            else:
                assert isinstance(answer, QueryBoolean | QuerySolutions)
                body = answer.serialize(format=fmt.results)
        except SyntaxError as error:
            return {"error": "syntax", "message": error.msg}, b""
        except (ValueError, OSError, RuntimeError) as error:
            return {"error": "evaluation", "message": str(error)}, b""
        except MemoryError:
            os._exit(1)  # as when the engine itself runs out: the front end knows what a sudden end means
        return {"format": fmt.name, "seconds": time.perf_counter() - started}, body or b""


def describe(graph: KnowledgeGraph) -> dict[str, Any]:
    """Return what the front end needs to know of the graph: digest, graphs with their sizes, default graphs."""
    sizes = {name.value: sum(1 for _ in graph.exact.quads_for_graph_name(name)) for name in graph.graphs}
    return {"digest": graph.digest, "graphs": sizes, "default": [name.value for name in graph.default_graphs]}


def main() -> None:
    """Load, tell, then fork a child for every connection until standard input closes."""
    address, settings = sys.argv[1], json.loads(sys.argv[2])
    try:
        own = settings["data"]
        graph = KnowledgeGraph(source.given(map(Path, own)), rules=None) if own else KnowledgeGraph(source.project())
    except source.Unreadable as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(2)
    about = describe(graph)
    prefixes()  # read now: a child can open no file
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Listener(address, family="AF_UNIX", backlog=128) as listener:
        print(json.dumps(about), flush=True)
        door = listener._listener._socket  # type: ignore[attr-defined]
        while True:
            ready, _, _ = select.select([sys.stdin, door], [], [])
            if sys.stdin in ready:
                return
            connection = listener.accept()
            if os.fork() == 0:
                try:
                    door.close()
                    Evaluation(graph, connection, settings["timeout"], settings["memory"] << 20).serve()
                finally:
                    os._exit(0)
            connection.close()


if __name__ == "__main__":
    main()
