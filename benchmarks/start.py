"""How long from the command to the first answer, beside rdflib-endpoint serving the same files, in one run.

    .venv/bin/python benchmarks/start.py [ROUNDS]

Needs rdflib-endpoint: .venv/bin/pip install "rdflib-endpoint[cli]"
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from interpol_graph.graph.files import project_files
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.store import KnowledgeGraph

QUERY = "SELECT (COUNT(*) AS ?n) WHERE { ?s a <https://w3id.org/interpol-graph/ontology#AssemblySession> }"
BIN = Path(sys.executable).parent


def seconds(command: list[str], url: str) -> tuple[float, bytes]:
    """Start a server; return the seconds until it answers the query, and the answer."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    request = urllib.request.Request(
        f"{url}?{urllib.parse.urlencode({'query': QUERY})}", headers={"Accept": "text/csv"}
    )
    try:
        while process.poll() is None and time.perf_counter() - started < 300:
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return time.perf_counter() - started, response.read()
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        sys.exit(f"{command[0]} did not answer")
    finally:
        process.terminate()
        process.wait()


def main(rounds: int = 3) -> None:
    """Print the table."""
    if not (BIN / "rdflib-endpoint").exists():
        sys.exit('rdflib-endpoint is not installed: .venv/bin/pip install "rdflib-endpoint[cli]"')
    clock = time.perf_counter()
    graph = KnowledgeGraph(project_files())
    load = time.perf_counter() - clock
    folder = Path(tempfile.mkdtemp())
    try:
        # The other side gets what our rules concluded as a file: both answer from the same statements.
        with (folder / "graph.nt").open("wb") as file:
            graph.dump(file, BY_NAME["ntriples"])
        triples = sum(1 for _ in (folder / "graph.nt").open())
        times: dict[str, list[float]] = {"interpol-graph": [], "rdflib-endpoint": []}
        answers = set()
        for _ in range(rounds):
            for name, command, url in (
                (
                    "interpol-graph",
                    [str(BIN / "interpol-graph"), "serve", "--port", "8091"],
                    "http://127.0.0.1:8091/sparql",
                ),
                (
                    "rdflib-endpoint",
                    [str(BIN / "rdflib-endpoint"), "serve", "--port", "8092", str(folder / "graph.nt")],
                    "http://127.0.0.1:8092/",
                ),
            ):
                elapsed, answer = seconds(command, url)
                times[name].append(elapsed)
                answers.add(answer.split()[-1])
        assert len(answers) == 1, f"the two answer differently: {answers}"
    finally:
        shutil.rmtree(folder)
    ours, theirs = (statistics.median(times[name]) for name in ("interpol-graph", "rdflib-endpoint"))
    print(f"{triples:,} triples in the default graph; loaded with rules in {load:.2f} s")
    print(f"{'server':<18}{'first answer, s (median of ' + str(rounds) + ')':<34}{'ratio':>8}")
    print(f"{'interpol-graph':<18}{ours:<34.2f}{1:>8.1f}")
    print(f"{'rdflib-endpoint':<18}{theirs:<34.2f}{theirs / ours:>8.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
