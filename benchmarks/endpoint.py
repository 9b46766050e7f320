"""Throughput and latency of this server, Oxigraph's own and rdflib-endpoint: one graph, one load, one run.

    .venv/bin/python benchmarks/endpoint.py [--scale N] [--seconds S] [--only NAME,NAME]

Needs wrk (apt install wrk) and .venv/bin/pip install oxigraph "rdflib-endpoint[cli]". One server runs at a time, on loopback;
all that is started is stopped. NAME is a server or a mix:

repeated     some hundred distinct requests, a few of them often (Zipf): saved questions among look-ups of single things
new          the same, but no request is sent twice: a literal, variable or comment differs in each
light        the lightest look-ups, some hundred distinct ones repeated: what the server itself costs
light-new    the same, but no request is sent twice
aggregates   queries that read much of the graph, no two the same
construct    CONSTRUCT of the whole default graph
dumps        the whole graph by the way that each server offers downloads
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Dataset, RdfFormat, parse

import mixes
import servers
from mixes import Request
from scaled import written

MIXES = ("repeated", "new", "light", "light-new", "aggregates", "construct", "dumps")
SERVERS = ("interpol-graph", "oxigraph", "rdflib-endpoint")
EVERYTHING = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
LUA = Path(__file__).with_name("load.lua")


@dataclass
class Load:
    """A mix as wrk reads it: distinct requests, the order they are sent in, whether each is to be new."""

    requests: list[Request]
    order: list[int]
    new: bool = True


@dataclass
class Cell:
    """What one server did under one mix; processor: microseconds for each answer, of processes that are still there."""

    rate: float
    median: float
    p99: float
    errors: int
    megabytes: float
    processor: float


def loads(entities: list[str]) -> dict[str, Load]:
    """Return the mixes that are queries."""
    typical, light, heavy = mixes.typical(entities), mixes.lightest(entities), mixes.aggregates()
    zipf = mixes.zipf(len(typical))
    everything = mixes.renewed(Request(EVERYTHING, "application/n-triples"), 2)
    return {
        "repeated": Load(typical, zipf, new=False),
        "new": Load([mixes.renewed(request, index) for index, request in enumerate(typical)], zipf),
        "light": Load(light, zipf, new=False),
        "light-new": Load([mixes.renewed(request, index) for index, request in enumerate(light)], zipf),
        "aggregates": Load(heavy, list(range(len(heavy)))),
        "construct": Load([everything], [0]),
    }


def started(
    name: str, graph: Path, scale: int, folder: Path, patience: float
) -> AbstractContextManager[servers.Server | None]:
    """Return one of the servers on the graph, to be entered."""
    port = servers.free_port()
    base = f"http://127.0.0.1:{port}"
    if name == "interpol-graph":
        _, command, base = servers.own(graph if scale > 1 else None)
        return servers.running(name, command, base, query="/sparql", dump="/dumps/interpol.nt", patience=patience)
    if name == "oxigraph":
        program, place = str(servers.BIN / "oxigraph"), str(folder / "oxigraph")
        subprocess.run([program, "load", "--location", place, "--file", str(graph)], check=True, capture_output=True)
        command = [program, "serve-read-only", "--location", place, "--bind", f"127.0.0.1:{port}"]
        return servers.running(name, command, base, query="/query", dump="/store?default", patience=patience)
    command = [str(servers.BIN / name), "serve", "--host", "127.0.0.1", "--port", str(port), str(graph)]
    everything = "/?" + urllib.parse.urlencode({"query": EVERYTHING})
    return servers.running(name, command, base, query="/", dump=everything, patience=patience)


def driven(server: servers.Server, mix: str, load: Load | None, seconds: int, clients: int, folder: Path) -> Cell:
    """Send one mix for some seconds, after a short warm-up."""
    if load:
        paths = [
            f"{server.query}?query={urllib.parse.quote(request.query, safe='')}\t{request.accept}"
            for request in load.requests
        ]
    else:
        paths = [f"{server.dump}\tapplication/n-triples"]
    (folder / "requests").write_text("\n".join(paths) + "\n", encoding="utf-8")
    (folder / "order").write_text("\n".join(str(index + 1) for index in (load.order if load else [0])) + "\n")
    for name, duration in (("w", 2), ("m", seconds)):  # warm-up, measurement
        command = [
            "wrk",
            "-t2",
            f"-c{clients}",
            f"-d{duration}s",
            "--timeout",
            "120s",
            "-s",
            str(LUA),
            server.base,
            "--",
        ]
        command += [str(folder / "requests"), str(folder / "order"), name]
        command += [mixes.NONCE] if load and load.new else []
        before = server.processor()
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=duration + 180).stdout
        processor = server.processor() - before
        server.settle()
    result = json.loads(output.partition("RESULT ")[2])
    wall = result["microseconds"] / 1e6
    return Cell(
        rate=(result["requests"] - result["refused"]) / wall,
        median=result["median"] / 1000,
        p99=result["p99"] / 1000,
        errors=result["refused"] + result["broken"] + result["late"],
        megabytes=result["bytes"] / wall / 1e6,
        processor=1e6 * processor / max(result["requests"], 1),
    )


def rows(server: servers.Server, requests: list[Request], limit: float = 60) -> list[int | None]:
    """Return how many rows or triples each request is answered with; None where it fails or time is up."""
    end, counts = time.monotonic() + limit, []
    for request in requests:
        status, body = (0, b"")
        if time.monotonic() < end:
            status, body = servers.fetched(server.base + server.query, request.query, request.accept)
        if status != 200:
            counts.append(None)
        elif request.accept == mixes.ROWS:
            answer = json.loads(body)
            counts.append(len(answer["results"]["bindings"]) if "results" in answer else int(answer["boolean"]))
        else:
            # N-Triples is Turtle; RDF/XML is what rdflib-endpoint describes with, whatever was asked for.
            fmt = RdfFormat.RDF_XML if body.startswith(b"<?xml") else RdfFormat.TURTLE
            counts.append(len(Dataset(parse(body, format=fmt))))
    return counts


def shown(mix: str, cells: dict[str, Cell]) -> str:
    """Return the lines of one mix: a server each, with the rate of the first server as a multiple of its own."""
    lines, first = [], cells.get(SERVERS[0])
    for name, cell in cells.items():
        ratio = f"{first.rate / cell.rate:9.2f}" if first and cell.rate else f"{'–':>9}"
        lines.append(
            f"{mix:<12}{name:<17}{cell.rate:>10,.1f}{cell.median:>11,.2f}{cell.p99:>11,.1f}{cell.megabytes:>8,.1f}{cell.errors:>8}{ratio}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, help="how many times the graph is served (default 1)")
    parser.add_argument("--seconds", type=int, default=10, help="seconds for each mix on each server (default 10)")
    parser.add_argument("--clients", type=int, default=8, help="connections (default 8)")
    parser.add_argument("--only", default="", help="servers and mixes, with commas between (default all)")
    parser.add_argument(
        "--patience", type=int, default=300, help="seconds that a server may take to start (default 300)"
    )
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name]
    if unknown := set(only) - set(SERVERS) - set(MIXES):
        parser.error(f"unknown: {', '.join(unknown)}; known are {', '.join(SERVERS + MIXES)}")
    chosen = [name for name in SERVERS if name in only] or list(SERVERS)
    table: dict[str, dict[str, Cell]] = {mix: {} for mix in MIXES if mix in only} or {mix: {} for mix in MIXES}
    if missing := [name for name in ("wrk", *(str(servers.BIN / name) for name in chosen)) if not shutil.which(name)]:
        sys.exit(f"not installed: {', '.join(missing)}; see the head of this file")
    reference: list[int | None] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        graph = folder / "graph.nt"
        offered = loads(written(graph, given.scale))
        print(f"{given.scale} × the graph, {given.clients} clients, {given.seconds} s each\n", flush=True)
        for name in chosen:
            with started(name, graph, given.scale, folder, given.patience) as server:
                if server is None:
                    print(f"{name} did not answer within {given.patience} s", flush=True)
                    continue
                usage, counts = server.usage(), rows(server, offered["repeated"].requests)
                reference = reference or counts
                both = [pair for pair in zip(counts, reference, strict=True) if None not in pair]
                print(
                    f"{name}: up in {server.seconds:.1f} s, {usage.mebibytes:,.0f} MiB in {usage.processes} processes; "
                    f"answered {len(counts) - counts.count(None)} of {len(counts)} requests of a check, and of {len(both)} that "
                    f"{chosen[0]} answered, too, {sum(count == other for count, other in both)} alike",
                    flush=True,
                )
                for mix, cells in table.items():
                    cells[name] = driven(server, mix, offered.get(mix), given.seconds, given.clients, folder)
    print(
        f"\n{'mix':<12}{'server':<17}{'answers/s':>10}{'median ms':>11}{'p99 ms':>11}{'MB/s':>8}{'errors':>8}{'ratio':>9}"
    )
    print("\n".join(shown(mix, cells) for mix, cells in table.items()))
    print(f"\nratio: answers/s of {SERVERS[0]} ÷ answers/s of the server in the line")


if __name__ == "__main__":
    main()
