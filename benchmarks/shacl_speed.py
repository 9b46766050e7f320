"""How fast the graph is validated, beside other SHACL engines: whole commands, wall clock, peak memory, equal findings.

    .venv/bin/python benchmarks/shacl_speed.py [--scales 1 10] [--limit 900] [--rounds 1]

The graph is written as one N-Triples file, at a larger scale several times over with its things renamed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from pyoxigraph import BlankNode, Literal, NamedNode, Triple, parse

from interpol_graph.graph.files import project_files
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import KnowledgeGraph
from interpol_graph.shacl.data import Index, Term
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Result, Validation
from interpol_graph.validation import judgement
from scaled import written

BIN = Path(sys.executable).parent
SHACL = "import shacl, sys; print(shacl.Shapes.from_file(sys.argv[2]).validate_file(sys.argv[1]).conforms)"


@dataclass(frozen=True)
class Run:
    """One command: seconds by the clock, seconds of processor time, mebibytes at most, and how it ended."""

    wall: float
    cpu: float
    memory: float
    outcome: str


def commands(data: Path, shapes: Path) -> dict[str, list[str]]:
    """Return engine → the command that validates data by shapes. Ours is the first, the stock one the second."""
    given = [str(data), str(shapes)]
    found = {
        "interpol-graph": [
            str(BIN / "interpol-graph"),
            "validate",
            given[0],
            "--shapes",
            given[1],
            "--max-size",
            "99999",
        ],
        "pyshacl": [str(BIN / "pyshacl"), "-s", given[1], "-sf", "turtle", "-df", "nt", "-f", "nt", given[0]],
    }
    return found | ({"shacl (Rust)": [sys.executable, "-c", SHACL, *given]} if find_spec("shacl") else {})


def measured(command: list[str], limit: float) -> Run:
    """Run a command and measure it; one that takes longer than the limit is ended."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    timer = threading.Timer(limit, process.kill)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    outcome = {0: "conforms", 1: "findings"}.get(process.returncode, f"ended with {process.returncode}")
    if process.returncode < 0:
        outcome = f"ended after {limit:.0f} s" if wall >= limit else "killed (memory?)"
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, outcome)


def damaged(data: Path, number: int, seed: int) -> Iterator[Triple]:
    """Yield the statements of a file, but some are gone, and some have another thing, language or integer type as value."""
    chance = random.Random(seed)  # noqa: S311 - damage, not secrets
    statements = [quad.triple for quad in parse(path=data)]
    gone, wrong = (set(chance.sample(range(len(statements)), number)) for _ in range(2))
    for place, triple in enumerate(statements):
        value = triple.object
        if place in wrong and isinstance(value, NamedNode):
            value = chance.choice(statements).subject
        elif place in wrong and isinstance(value, Literal) and value.language:
            value = Literal(value.value, language="la")
        elif place in wrong and isinstance(value, Literal) and value.datatype.value.endswith("#integer"):
            value = Literal(
                value.value, datatype=NamedNode(value.datatype.value.replace("integer", "nonNegativeInteger"))
            )
        if place not in gone:
            yield Triple(triple.subject, triple.predicate, value)


def mark(result: Result) -> tuple[str, ...]:
    """Return what two engines must agree on, without the names of blank nodes, which they do not share."""
    terms: tuple[Term | None, ...] = (result.focus, result.value, result.shape, result.component, result.severity)
    return (str(result.path), *("_:" if isinstance(term, BlankNode) else str(term) for term in terms))


def agreement(data: Path, shapes: Path, number: int) -> None:
    """Print how many results the damaged graph has, and on how many of them pySHACL differs."""
    rules = Shapes(Index(parse(path=shapes)))
    for seed in (1, 2, 3):
        index = Index(damaged(data, number, seed))
        own, pyshacl = (
            Counter(map(mark, judgement.judged(Validation(index, rules), judge))) for judge in get_args(judgement.Judge)
        )
        ours, theirs = own - pyshacl, pyshacl - own
        print(
            f"damage {seed}: {own.total()} results; only we find {ours.total()}, only pySHACL finds {theirs.total()}",
            flush=True,
        )
        for difference in [*ours, *theirs][:5]:
            print(f"  {' '.join(difference)}")


def shapes_written(path: Path) -> None:
    """Write all shapes as one Turtle file."""
    with path.open("wb") as file:
        KnowledgeGraph(project_files(), rules=None).dump(file, BY_NAME["turtle"], NamedNode(GRAPHS + "shapes"))


def elsewhere(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a process of its own: a command's peak memory is counted from that of the one that starts it."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{function.__name__} failed")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a command is ended")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each command; the fastest counts")
    parser.add_argument("--damage", type=int, default=1000, help="statements to damage when findings are compared")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, shapes = Path(folder) / "graph.nt", Path(folder) / "shapes.ttl"
        elsewhere(shapes_written, shapes)
        print("| scale | engine | seconds | times pyshacl's speed | CPU seconds | peak MiB | outcome |")
        print("| ---: | --- | ---: | ---: | ---: | ---: | --- |")
        for scale in arguments.scales:
            elsewhere(written, data, scale)
            rows = {
                engine: min(
                    (measured(command, arguments.limit) for _ in range(arguments.rounds)), key=lambda run: run.wall
                )
                for engine, command in commands(data, shapes).items()
            }
            for engine, run in rows.items():
                ratio = f"{rows['pyshacl'].wall / run.wall:.1f}"
                print(
                    f"| {scale} | {engine} | {run.wall:.2f} | {ratio} | {run.cpu:.2f} | {run.memory:.0f} | {run.outcome} |",
                    flush=True,
                )
        if arguments.damage:
            elsewhere(written, data, 1)
            agreement(data, shapes, arguments.damage)


if __name__ == "__main__":
    main()
