"""Some minutes of good and hostile load at once: good requests that failed, growth of memory and of open files.

    .venv/bin/python benchmarks/soak.py [--minutes N]  (and up to 4 minutes before, until memory stands still)

Exit code 0: no good request failed and nothing grew. On loopback only; all that is started is stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import mixes
import servers
from scaled import written

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import hostile

#: Clients that ask ordinary things one after the other, and clients that mean harm.
GOOD, BAD = 4, 4
#: Seconds between two looks at the processes.
EVERY = 10.0
#: Seconds after which the last query has ended by its limit, however long it waited.
REST = 20.0
#: Seconds of load after which memory has been seen to stand still.
WARM = 240.0
#: What is taken for growth: share of the memory of the processes that last, number of processes, number of files. How many
#: evaluators stay behind for the next query, and how much of the graph each has read, differs from moment to moment.
MEMORY, PROCESSES, FILES = 0.10, 4, 30


class Soak:
    """The load and what came of it."""

    def __init__(self, server: servers.Server, requests: list[mixes.Request]) -> None:
        self.server, self.requests = server, requests
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.good = 0
        self.failures: list[str] = []
        self.seconds: list[float] = []
        self.hostile: Counter[str] = Counter()
        self.bodies: dict[tuple[int, bool], str] = {}
        bombs = [*hostile.CROSS_JOINS.values(), *hostile.PATHS.values(), *hostile.GREEDY.values()]
        bombs += hostile.nested(3_000).values()
        self.bombs = [*bombs, *(hostile.LONG[name] for name in ("one keyword", "quotes", "names", "from"))]

    def be_good(self, seed: int) -> None:
        """Ask ordinary things; every answer is whole, in order and the same as the last time."""
        draw = random.Random(seed)  # noqa: S311
        order = mixes.zipf(len(self.requests))
        at = draw.randrange(len(order))
        while not self.over.is_set():
            at = (at + 1) % len(order)
            index, new = order[at], draw.random() < 0.5
            request = self.requests[index]
            if new:
                request = mixes.renewed(request, 2)
                request = mixes.Request(request.query.replace(mixes.NONCE, f"{draw.random()}"), request.accept)
            begun = time.monotonic()
            status, body = servers.fetched(self.server.base + "/sparql", request.query, request.accept)
            took = time.monotonic() - begun
            name = hashlib.sha256(body).hexdigest()
            with self.lock:
                self.good += 1
                self.seconds.append(took)
                if status != 200 or self.bodies.setdefault((index, new), name) != name:
                    self.failures.append(f"{status} after {took:.2f} s: {request.query[:80]!r} {body[:200]!r}")

    def be_bad(self, seed: int) -> None:
        """Do harm of every kind in turn."""
        draw = random.Random(seed)  # noqa: S311
        kinds: list[Callable[[random.Random], str]] = [
            self._bomb,
            self._bomb,
            self._bomb,
            self._leave,
            self._dribble,
            self._flood,
        ]
        while not self.over.is_set():
            told = draw.choice(kinds)(draw)
            with self.lock:
                self.hostile[told] += 1

    def _bomb(self, draw: random.Random) -> str:
        query = f"#{draw.random()}\n{draw.choice(self.bombs)}"[: 1 << 20]
        return f"query: {self._post(query.encode())}"

    def _flood(self, draw: random.Random) -> str:
        return f"large body: {self._post(b'#' * draw.randrange(1 << 20, 8 << 20))}"

    def _leave(self, draw: random.Random) -> str:
        with suppress(OSError), self._connection() as connection:
            connection.sendall(_message(f"#{draw.random()}\n{draw.choice(self.bombs)}"[: 1 << 20].encode()))
            time.sleep(draw.random())
        return "left"

    def _dribble(self, draw: random.Random) -> str:
        connections = []
        with suppress(OSError):
            for _ in range(20):
                connections.append(self._connection())
                connections[-1].sendall(_message(b" " * 900_000)[: draw.randrange(20, 500)])
            for connection in connections:
                connection.sendall(b" ")
                time.sleep(0.05)
        for connection in connections:
            connection.close()
        return "dribbled"

    def _connection(self) -> socket.socket:
        host, port = self.server.base.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def _post(self, body: bytes) -> str:
        try:
            with self._connection() as connection:
                connection.sendall(_message(body))
                status = connection.recv(12)[9:12].decode() or "closed"
                while connection.recv(1 << 16):
                    pass
                return status
        except OSError:
            return "closed"


def _message(body: bytes) -> bytes:
    head = "POST /sparql HTTP/1.1\r\nHost: soak\r\nConnection: close\r\nAccept: application/json, text/turtle\r\n"
    return f"{head}Content-Type: application/sparql-query\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--minutes", type=float, default=5, help="how long, after a first part of at most four (default 5)"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        requests = mixes.typical(written(Path(temporary) / "graph.nt", 1))
        name, command, base = servers.own()
        log = Path(temporary) / "log"
        with servers.running(name, command, base, query="/sparql", dump="/dumps/interpol.nt", log=log) as server:
            if server is None:
                sys.exit(f"the server did not start: {log.read_text()[-2000:]}")
            return _soaked(Soak(server, requests), given.minutes * 60)


def _soaked(soak: Soak, duration: float) -> int:
    print(
        f"{'s':>5}{'good':>9}{'failed':>8}{'median ms':>11}{'p99 ms':>9}{'hostile':>9}{'processes':>11}{'MiB':>8}{'files':>7}"
    )
    # What is kept in memory on purpose, answers above all, is there after the first part, and so is what the allocator keeps
    # for the next large answer; queries at work come and go, so both looks are at rest.
    before, after = (_loaded(soak, part) for part in (min(WARM, duration), duration))
    for told, usage in (("after the first part", before), ("at the end", after)):
        print(
            f"at rest {told}: {usage.processes} processes, {usage.mebibytes:,.0f} MiB, {usage.files} files; "
            f"those that last hold {usage.lasting:,.0f} MiB"
        )
    print("hostile: " + ", ".join(f"{told} {count}" for told, count in sorted(soak.hostile.items())))
    print(f"good: {soak.good:,}, failed: {len(soak.failures)}")
    for failure in soak.failures[:10]:
        print(f"    {failure}")
    grew = (
        after.lasting > before.lasting * (1 + MEMORY)
        or after.processes > before.processes + PROCESSES
        or after.files > before.files + FILES
    )
    return 1 if soak.failures or grew else 0


def _loaded(soak: Soak, duration: float) -> servers.Usage:
    """Put on the load for some seconds, a line every few; return what the server holds when it has come to rest."""
    soak.over.clear()
    threads = [threading.Thread(target=soak.be_good, args=(seed,), daemon=True) for seed in range(GOOD)]
    threads += [threading.Thread(target=soak.be_bad, args=(seed,), daemon=True) for seed in range(GOOD, GOOD + BAD)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    while time.monotonic() - began < duration:
        time.sleep(EVERY)
        usage = soak.server.usage()
        with soak.lock:
            seconds, soak.seconds = sorted(soak.seconds) or [0.0], []
            middle, slowest = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.99))
            print(
                f"{time.monotonic() - began:5.0f}{soak.good:9,}{len(soak.failures):8}{middle:11.1f}{slowest:9.0f}"
                f"{sum(soak.hostile.values()):9,}{usage.processes:11}{usage.mebibytes:8,.0f}{usage.files:7}",
                flush=True,
            )
    soak.over.set()
    for thread in threads:
        thread.join()
    time.sleep(REST)
    return soak.server.usage()


if __name__ == "__main__":
    sys.exit(main())
