"""The process that holds the graph: it forks a child for every connection, watches it, and tells how it ended.

Run as `python -m interpol_graph.engine.forkserver SOCKET SETTINGS-JSON`; it prints one line of JSON when the graph is loaded.
Its standard input is its lead: when whoever started it is gone it stays only as long as somebody is connected.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from interpol_graph.engine.channel import EXIT_REPORT, frame
from interpol_graph.engine.embedded import Embedded, Engine
from interpol_graph.engine.evaluator import Evaluator
from interpol_graph.engine.limits import TICK, Settings
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph.files import Unreadable
from interpol_graph.graph.prefixes import prefixes


class Forkserver:
    """The children of one graph, each with its socket; the parent keeps each socket to watch it."""

    def __init__(self, engine: Engine, door: socket.socket, settings: Settings) -> None:
        self.engine, self.door, self.settings = engine, door, settings
        #: Process number → socket.
        self.children: dict[int, socket.socket] = {}
        self.poll = select.poll()
        self.led = True
        self.statm = os.open("/proc/self/statm", os.O_RDONLY)  # where no other can be opened, it still is
        self.bell, self.ringer = socket.socketpair()
        self.ringer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.ringer.fileno(), warn_on_full_buffer=False)
        for waking in (door, self.bell, sys.stdin):
            self.poll.register(waking, select.POLLIN)

    def serve(self) -> None:
        """Fork, watch and reap; without a lead, until nobody has been connected for two seconds."""
        while events := dict(self.poll.poll(None if self.led or self.children else 2000)):
            if sys.stdin.fileno() in events:  # nobody writes there: it has been closed
                self.led = False
                self.poll.unregister(sys.stdin)
            for pid, connection in self.children.items():
                if connection.fileno() in events:  # the other side is gone, and with it whoever wanted the answer
                    os.kill(pid, signal.SIGKILL)
                    self.poll.unregister(connection)
            # Last, as these end and begin children: what was told of a descriptor must not fall on its next owner.
            if self.bell.fileno() in events:
                self.bell.recv(4096)
                self._reap()
            if self.door.fileno() in events:
                self._fork()

    def _fork(self) -> None:
        """Give whoever knocks a child; where the machine has room for none, the closed door says so."""
        try:
            connection, _ = self.door.accept()
        except OSError:  # there is no descriptor; who knocks waits until a child has ended
            return time.sleep(TICK)
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
            Evaluator(self.engine, connection, self.settings).serve()
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
                # A child holds from the start what this process holds.
                held = int(os.pread(self.statm, 64, 0).split()[1]) * resource.getpagesize()
                grown = (usage.ru_maxrss >> 10) - (held >> 20)
                report = {"ended": os.waitstatus_to_exitcode(status), "mebibytes": grown}
                with suppress(OSError):
                    connection.send(frame(report, end=EXIT_REPORT), socket.MSG_DONTWAIT)
                connection.close()


def _tell(said: dict[str, Any]) -> None:
    """Print a line of JSON to whoever started this process, and end if they were stopped meanwhile."""
    try:
        print(json.dumps(said), flush=True)
    except BrokenPipeError:
        os._exit(0)


def main() -> None:
    """Load, tell, then serve."""
    address, settings = sys.argv[1], Settings(**json.loads(sys.argv[2]))
    for ending in (signal.SIGTERM, signal.SIGHUP):  # to all of a service, they must not cut answers off
        signal.signal(ending, signal.SIG_IGN)
    door = socket.socket(socket.AF_UNIX)
    try:
        door.bind(address)
        os.chmod(address, 0o600)
        if settings.engine:
            from interpol_graph.engine.remote import Remote  # its client takes a while to be read

            engine: Engine = Remote(settings)
        else:
            engine = Embedded(settings)
    except (Unreadable, EngineError, OSError, ValueError, SyntaxError) as error:
        _tell({"error": str(error)})
        sys.exit(2)
    about = engine.about | {"loaded": int(time.time())}
    prefixes()  # read now: a child can open no file
    gc.collect()
    gc.freeze()  # the collector of a child would copy every page it looks at
    door.listen(128)
    _tell(about)
    Forkserver(engine, door, settings).serve()


if __name__ == "__main__":
    main()
