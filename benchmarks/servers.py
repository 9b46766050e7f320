"""Servers under measurement: started on loopback, watched through /proc, stopped with all that they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """What the processes of a server hold at one moment; memory shared by forks is counted once (PSS).

    lasting: the memory of the processes that live as long as the server does, each by itself (RSS).
    """

    processes: int
    mebibytes: float
    files: int
    lasting: float


@dataclass
class Server:
    """A running server: its SPARQL endpoint, where it gives the whole graph, and its processes."""

    name: str
    base: str
    query: str
    dump: str
    process: subprocess.Popen[bytes]
    seconds: float = 0.0

    def pids(self) -> list[int]:
        """Return the processes of the server: those of the session that it was started in."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(stat.parent.name))
        return sorted(found)

    def processor(self) -> float:
        """Return the seconds of the processor that its processes have taken until now."""
        ticks = 0
        for pid in self.pids():
            with suppress(OSError):  # it has ended meanwhile
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def settle(self, patience: float = 120) -> None:
        """Wait until the server answers again; what was asked last may keep it at work."""
        end = time.monotonic() + patience
        while not answers(self.base + self.query) and time.monotonic() < end:
            time.sleep(0.2)

    def usage(self) -> Usage:
        """Return processes, memory and open files now."""
        pids, memory, files, lasting = self.pids(), 0, 0, 0
        for pid in pids:
            with suppress(OSError, KeyError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
                sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
                memory += sizes["Pss"]
                files += len(os.listdir(f"/proc/{pid}/fd"))
                lasting += 0 if _forked_for_queries(pid) else sizes["Rss"]
        return Usage(len(pids), memory / 1024, files, lasting / 1024)


def _forked_for_queries(pid: int) -> bool:
    """Tell whether a process is one of our evaluators: a fork of the one that holds the graph, and soon replaced."""
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    commands = [Path(f"/proc/{one}/cmdline").read_bytes() for one in (pid, parent)]
    return all(b"interpol_graph.engine.forkserver" in command for command in commands)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether an endpoint answers ASK {}."""
    request = urllib.request.Request(f"{url}?query=ASK%20%7B%7D", headers={"Accept": "application/sparql-results+json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def running(
    name: str, command: list[str], base: str, *, query: str, dump: str, patience: float = 300, log: Path | None = None
) -> Iterator[Server | None]:
    """Start a server for the time of the `with` block; None when it does not answer within `patience` seconds."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped then, too
    started = time.perf_counter()
    with log.open("wb") if log else open(os.devnull, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    server = Server(name, base, query, dump, process)
    try:
        while not (ready := answers(base + query)) and process.poll() is None:
            if time.perf_counter() - started > patience:
                break
            time.sleep(0.05)
        server.seconds = time.perf_counter() - started
        yield server if ready else None
    finally:
        stop(server)


def stop(server: Server) -> None:
    """End a server politely, then whatever is left of its session."""
    server.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.process.wait(timeout=20)
    for pid in server.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait(timeout=20)


def own(data: Path | None = None, *options: str) -> tuple[str, list[str], str]:
    """Return (name, command, base URL) of this project's server, on the bundled graph or on a file."""
    port = free_port()
    command = [str(BIN / "interpol-graph"), "serve", "--port", str(port), "--workers", "2", *options]
    return "interpol-graph", [*command, *(["--data", str(data)] if data else [])], f"http://127.0.0.1:{port}"


def fetched(url: str, query: str, accept: str, timeout: float = 60) -> tuple[int, bytes]:
    """Return status and body of a query sent by GET, errors included; (0, b"") when there was no answer."""
    address = f"{url}?{urllib.parse.urlencode({'query': query}, quote_via=urllib.parse.quote)}"
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers={"Accept": accept}), timeout=timeout
        ) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (urllib.error.URLError, OSError):
        return 0, b""
