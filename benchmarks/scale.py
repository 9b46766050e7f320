"""What a larger graph costs: load, memory, look-ups, saved questions, aggregates and throughput, by where the graph is held.

    .venv/bin/python benchmarks/scale.py [--scales 1,10] [--only embedded,oxigraph,virtuoso] [--seconds S]

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
from pathlib import Path

import mixes
import servers
from endpoint import driven, loads
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


def latency(server: servers.Server, requests: Sequence[Request]) -> float:
    """Return the median of the milliseconds to each answer, one after the other; nan when half of them fail."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.base).netloc, timeout=180)
    times = []
    for number, request in enumerate(requests):
        query = request.query.replace(mixes.NONCE, f"x{number}")
        began = time.perf_counter()
        connection.request(
            "GET", f"{server.query}?query={urllib.parse.quote(query)}", headers={"Accept": request.accept}
        )
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000 if answer.status == 200 else math.inf)
    median = statistics.median(times)
    return median if median < math.inf else math.nan


def measured(held: str, scale: int, seconds: int, folder: Path) -> list[float]:
    """Return one row of the table."""
    graph = folder / f"{scale}.nt"
    entities = written(graph, scale)
    triples = sum(1 for _ in graph.open("rb"))
    offered = loads(entities)
    with ExitStack() as stack:
        load, engine_memory = 0.0, 0.0
        if held == "embedded":
            _, command, base = servers.own(graph)
        else:
            place = folder / f"{held}{scale}"
            place.mkdir()
            if held == "virtuoso":
                engine = stack.enter_context(engines.virtuoso(place, PAGES * max(scale, 2)))
            else:
                began = time.perf_counter()
                program = [str(servers.BIN / "oxigraph"), "load", "--location", str(place / "store"), "--graph", UNION]
                subprocess.run([*program, "--file", str(graph)], check=True, capture_output=True)
                load = time.perf_counter() - began
                engine = stack.enter_context(engines.oxigraph(place))
            os.environ.pop("INTERPOL_GRAPH_ENGINE_AUTH", None)
            os.environ.update(engine.environment)
            store = GraphStore(stack.enter_context(client(engine.store, 3600)), engine.store)
            store.get(STATE)  # which tells what engine it is
            if held == "virtuoso":
                began = time.perf_counter()
                store.put(UNION, graph.read_bytes(), lambda _: None)
                load = time.perf_counter() - began
            about = {"digest": str(scale), "graphs": {}, "default": [], "triples": triples}
            text = json.dumps(json.dumps(about))
            store.put(STATE, f"<{STATE}> <{RDF}value> {text} .\n".encode(), lambda _: None)
            engine_memory = memory(engine.process.pid)
            _, command, base = servers.own(None)
            command += ["--engine", engine.query]
        command += ["--timeout", "60"]
        server = stack.enter_context(servers.running(held, command, base, query="/sparql", dump="", patience=1800))
        if server is None:
            return [load, *[math.nan] * (len(COLUMNS) - 1)]
        row = [load or server.seconds, server.seconds, engine_memory, memory(server.process.pid)]
        row += [latency(server, offered[mix].requests[:60]) for mix in ("light-new", "new")]
        row += [latency(server, mixes.aggregates()[:5])]
        row += [driven(server, "light-new", offered["light-new"], seconds, 8, folder).rate]
        if engine_memory:
            row[2] = memory(engine.process.pid)
        return row


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", default="1,10", help="how many times the graph, with commas between (default 1,10)")
    parser.add_argument("--only", default=",".join(HELD), help="where it is held (default all)")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of the throughput (default 10)")
    given = parser.parse_args()
    scales = [int(scale) for scale in given.scales.split(",")]
    print(f"{'':<10}{'×':>5}" + "".join(f"{name:>14}" for name in COLUMNS), flush=True)
    for held in given.only.split(","):
        rows = []
        for scale in scales:
            with tempfile.TemporaryDirectory() as temporary:
                rows.append(measured(held, scale, given.seconds, Path(temporary)))
            print(f"{held:<10}{scale:>5}" + "".join(f"{value:>14,.1f}" for value in rows[-1]), flush=True)
        if len(scales) > 1:
            growth = math.log(scales[-1] / scales[0])
            pairs = zip(rows[0], rows[-1], strict=True)
            exponents = [
                math.log(last / first) / growth if first > 0 and last > 0 else math.nan for first, last in pairs
            ]
            print(f"{held:<10}{'exp.':>5}" + "".join(f"{value:>14.2f}" for value in exponents), flush=True)


if __name__ == "__main__":
    main()
