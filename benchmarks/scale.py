"""What a larger graph costs: load, memory, look-ups, saved questions, aggregates and throughput, by where the graph is held.

    .venv/bin/python benchmarks/scale.py [--scales 1,10] [--only embedded,oxigraph,virtuoso] [--seconds S] [--turns N]

Needs wrk and Virtuoso (apt install wrk virtuoso-opensource-7-bin) and .venv/bin/pip install oxigraph. The same server answers
each time: by itself from --data, or with --engine. An exponent of 0 says that size costs nothing, of 1 that it costs in proportion.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import mixes
import servers
from endpoint import Load, driven, loads
from mixes import Request
from scaled import written

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import engines
from conftest import descendants
from interpol_graph.engine.remote import STATE, UNION, client
from interpol_graph.engine.upload import GraphStore
from interpol_graph.graph.prefixes import RDF

HELD = ("embedded", "oxigraph", "virtuoso")
COLUMNS = ("load s", "start s", "engine MiB", "server MiB", "look-up ms", "question ms", "aggregate ms", "look-ups/s")
#: Of Virtuoso: how many pages of 8 KiB it may keep for each multiple of the graph.
PAGES = 12_000


def memory(pid: int) -> float:
    """Return the mebibytes of a process and all below it; what they share counts once (PSS)."""
    total = 0
    for one in (pid, *(child for child, _, _ in descendants(pid))):
        lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()[1:]
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def latency(server: servers.Server, requests: Sequence[Request], nonce: str) -> float:
    """Return the median of the milliseconds to each answer, one after the other; nan when half of them fail.

    nonce: what makes the requests other ones than those before.
    """
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.base).netloc, timeout=180)
    times = []
    for number, request in enumerate(requests):
        query = request.query.replace(mixes.NONCE, f"x{nonce}x{number}")
        began = time.perf_counter()
        connection.request(
            "GET", f"{server.query}?query={urllib.parse.quote(query)}", headers={"Accept": request.accept}
        )
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000 if answer.status == 200 else math.inf)
    median = statistics.median(times)
    return median if median < math.inf else math.nan


@dataclass
class Held:
    """A graph of one size where it is held: what is asked of it, its server, its engine if it has one, what was measured."""

    offered: dict[str, Load]
    server: servers.Server
    engine: int | None
    columns: dict[str, list[float]]

    def measure(self, turn: int, seconds: int, folder: Path) -> None:
        """Measure once each column that time has a part in; aggregates in the first turn only, as they may take minutes."""
        asked = {"look-up ms": self.offered["light-new"].requests, "question ms": self.offered["new"].requests}
        if not turn:
            asked["aggregate ms"] = mixes.aggregates()[:5]
        for name, requests in asked.items():
            self.columns[name].append(latency(self.server, requests[:60], str(turn)))
        cell = driven(self.server, "light-new", self.offered["light-new"], seconds, 8, folder)
        self.columns["look-ups/s"].append(cell.rate)

    def row(self) -> list[float]:
        """Return the median of each column."""
        return [statistics.median(values) for values in self.columns.values()]


def loaded(where: str, scale: int, folder: Path, stack: ExitStack) -> Held:
    """Load the graph so many times over, and start the server that answers from it."""
    graph, load, engine = folder / f"{scale}.nt", 0.0, None
    offered = loads(written(graph, scale))
    _, command, base = servers.own(graph if where == "embedded" else None)
    if where != "embedded":
        place = folder / f"{where}{scale}"
        place.mkdir()
        if where == "oxigraph":
            began = time.perf_counter()
            program = [str(servers.BIN / "oxigraph"), "load", "--location", str(place / "store"), "--graph", UNION]
            subprocess.run([*program, "--file", str(graph)], check=True, capture_output=True)
            load = time.perf_counter() - began
            running = stack.enter_context(engines.oxigraph(place))
        else:
            running = stack.enter_context(engines.virtuoso(place, PAGES * max(scale, 2)))
        os.environ.pop("INTERPOL_GRAPH_ENGINE_AUTH", None)
        os.environ.update(running.environment)
        store = GraphStore(stack.enter_context(client(running.store, 3600)), running.store)
        store.get(STATE)  # which tells what engine it is
        if where == "virtuoso":
            began = time.perf_counter()
            store.put(UNION, graph.read_bytes(), lambda _: None)
            load = time.perf_counter() - began
        about = {"digest": str(scale), "graphs": {}, "default": [], "triples": sum(1 for _ in graph.open("rb"))}
        text = json.dumps(json.dumps(about))
        store.put(STATE, f"<{STATE}> <{RDF}value> {text} .\n".encode(), lambda _: None)
        engine = running.process.pid
        command += ["--engine", running.query]
    command += ["--timeout", "60", "--memory", "8192"]
    server = stack.enter_context(servers.running(where, command, base, query="/sparql", dump="", patience=7200))
    assert server, f"{where} does not hold {scale} times the graph"
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
    columns["load s"], columns["start s"] = [load or server.seconds], [server.seconds]
    columns["engine MiB"] = [memory(engine) if engine else 0.0]
    columns["server MiB"] = [memory(server.process.pid)]
    return Held(offered, server, engine, columns)


def shown(name: str, scale: object, row: Sequence[float], digits: int = 1) -> None:
    """Print one row of the table."""
    print(f"{name:<10}{scale:>5}" + "".join(f"{value:>14,.{digits}f}" for value in row), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", default="1,10", help="how many times the graph, with commas between (default 1,10)")
    parser.add_argument("--only", default=",".join(HELD), help="where it is held (default all)")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of the throughput (default 10)")
    parser.add_argument("--turns", type=int, default=3, help="measurements of each size, by turns (default 3)")
    given = parser.parse_args()
    scales = [int(scale) for scale in given.scales.split(",")]
    print(f"{'':<10}{'×':>5}" + "".join(f"{name:>14}" for name in COLUMNS), flush=True)
    for where in given.only.split(","):
        with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
            folder = Path(temporary)
            every = []
            for scale in scales:
                every.append(loaded(where, scale, folder, stack))
                print(f"{where} {scale} × is loaded: {every[-1].columns}", file=sys.stderr, flush=True)
            # By turns, so that what else the machine does is the same for all sizes.
            for turn in range(given.turns):
                for one in every:
                    one.measure(turn, given.seconds, folder)
                    print(one.columns, file=sys.stderr, flush=True)
            for scale, one in zip(scales, every, strict=True):
                one.columns["engine MiB"] = [memory(one.engine) if one.engine else 0.0]
                shown(where, scale, one.row())
            if len(every) > 1:
                growth, pairs = math.log(scales[-1] / scales[0]), zip(every[0].row(), every[-1].row(), strict=True)
                shown(where, "exp.", [math.log(b / a) / growth if a > 0 and b > 0 else math.nan for a, b in pairs], 2)


if __name__ == "__main__":
    main()
