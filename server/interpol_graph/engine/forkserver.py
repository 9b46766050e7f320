"""The process that holds the graph: it forks a child for every connection, watches it, and tells how it ended.

Run as `python -m interpol_graph.engine.forkserver SOCKET SETTINGS-JSON`; it prints one line of JSON when the graph is loaded.
Its standard input is its lead: a line, "end", ends it with all its children, and when whoever started it is gone it stays
only as long as somebody is connected.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyoxigraph import DefaultGraph

from interpol_graph.engine.channel import EXIT_REPORT, frame
from interpol_graph.engine.evaluator import Evaluator
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.remote import Remote
from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable, given_files, project_files
from interpol_graph.graph.prefixes import prefixes
from interpol_graph.graph.store import KnowledgeGraph

#: Milliseconds without a connection after which evaluators that nobody leads end.
_LONELY = 2000


class Forkserver:
    """The children of one graph, each with its socket; the parent keeps each socket to watch it."""

    def __init__(self, graph: KnowledgeGraph, door: socket.socket, settings: Settings) -> None:
        self.graph, self.door, self.settings = graph, door, settings
        #: Process number → socket.
        self.children: dict[int, socket.socket] = {}
        self.poll = select.poll()
        self.led = True
        self.bell, self.ringer = socket.socketpair()
        self.ringer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.ringer.fileno(), warn_on_full_buffer=False)
        for waking in (door, self.bell, sys.stdin):
            self.poll.register(waking, select.POLLIN)

    def serve(self) -> None:
        """Fork, watch and reap until told to end, or until nobody leads and nobody asks."""
        while events := dict(self.poll.poll(None if self.led or self.children else _LONELY)):
            if events.pop(sys.stdin.fileno(), 0):
                if os.read(sys.stdin.fileno(), 64):
                    return self._end()
                self.led = False
                self.poll.unregister(sys.stdin)
            rang, knocked = events.pop(self.bell.fileno(), 0), events.pop(self.door.fileno(), 0)
            for pid, connection in self.children.items():
                if events.get(connection.fileno(), 0) & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                    # The other side is gone, and with it whoever wanted the answer.
                    os.kill(pid, signal.SIGKILL)
                    self.poll.unregister(connection)
            # Last, as these end and begin children: what was told of a descriptor must not fall on its next owner.
            if rang:
                self.bell.recv(4096)
                self._reap()
            if knocked:
                self._fork()

    def _fork(self) -> None:
        """Give whoever knocks a child; where the machine has room for none, the closed door says so."""
        connection, _ = self.door.accept()
        try:
            pid = os.fork()
        except OSError:
            return connection.close()
        if pid:
            self.children[pid] = connection
            self.poll.register(connection, 0)
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # A child that held its siblings' sockets would keep them open after their deaths.
            for other in (self.door, self.bell, self.ringer, *self.children.values()):
                other.close()
            with suppress(OSError):  # of Linux: when the machine has no memory left, a query goes, and not the graph
                Path("/proc/self/oom_score_adj").write_text("1000")
            # An allocator that is refused memory says so there, before it aborts; the exit report says it better.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            Evaluator(self.graph, connection, self.settings).serve()
        finally:
            os._exit(0)

    def _reap(self) -> None:
        """Tell of every child that has ended, on its own socket, by which signal or code and how much it had grown."""
        with suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, usage = ended
                connection = self.children.pop(pid)
                with suppress(KeyError):
                    self.poll.unregister(connection)
                size = (usage.ru_maxrss >> (20 if sys.platform == "darwin" else 10)) - _held()
                report = {"ended": os.waitstatus_to_exitcode(status), "mebibytes": size}
                with suppress(OSError):
                    connection.send(frame(report, end=EXIT_REPORT), socket.MSG_DONTWAIT)
                connection.close()

    def _end(self) -> None:
        signal.set_wakeup_fd(-1)
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)


def _held() -> int:
    """Return the mebibytes that a child holds from the start: those of this process."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (pages * resource.getpagesize()) >> 20


def describe(graph: KnowledgeGraph) -> dict[str, Any]:
    """Return what the front end needs to know of the graph: digest, graphs with their sizes, default graphs."""
    sizes = {name.value: graph.exact.size(name) for name in graph.graphs}
    return {"digest": graph.digest, "graphs": sizes, "default": [name.value for name in graph.default_graphs]}


def differs(engine: str, graph: KnowledgeGraph, expected: dict[str, int]) -> str | None:
    """Return in what another engine's graph differs from this one, of which the sizes are expected, or None."""
    try:
        default, named = Remote(engine).counts()
    except (ValueError, EngineError) as error:
        return str(error)
    union = sum(1 for _ in graph.store.quads_for_pattern(None, None, None, DefaultGraph()))
    compared = [
        (f"<{name}>", named.get(name, 0), expected.get(name, 0)) for name in sorted(expected.keys() | named.keys())
    ]
    for name, there, here in [*compared, ("its default graph", default, union)]:
        if there != here:
            return (
                f"{engine} holds {there:,} statements in {name}, not {here:,}: "
                "load dumps/interpol.nt into its default graph, and dumps/interpol.nq"
            )
    return None


def main() -> None:
    """Load, tell, then serve."""
    address, settings = sys.argv[1], Settings(**json.loads(sys.argv[2]))
    # Whoever started this process ends it through standard input; a signal to the whole group must not cut answers off.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    try:
        root = Path(settings.project or paths.ROOT)
        if settings.data:
            graph = KnowledgeGraph(given_files(map(Path, settings.data)), rules=None)
        else:
            graph = KnowledgeGraph(project_files(root), rules=root / "ontology" / "rules")
        about = describe(graph)
        wrong = differs(settings.engine, graph, about["graphs"]) if settings.engine else None
    except Unreadable as error:
        wrong = str(error)
    if wrong:
        print(json.dumps({"error": wrong}), flush=True)
        sys.exit(2)
    prefixes()  # read now: a child can open no file
    gc.collect()
    gc.freeze()  # the collector of a child would copy every page it looks at
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        os.chmod(address, 0o600)
        door.listen(128)
        print(json.dumps(about), flush=True)
        Forkserver(graph, door, settings).serve()


if __name__ == "__main__":
    main()
