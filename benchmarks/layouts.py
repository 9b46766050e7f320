"""Three copies behind nginx with its cache, as server/layouts/nginx.conf has it: the repeated mix beside the same bytes as static files of the same nginx.

    .venv/bin/python benchmarks/layouts.py [--seconds S] [--rounds N]

Needs nginx and wrk (apt install nginx wrk). Copies, nginx and wrk share the machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import mixes
from endpoint import Cell, Load, driven, loads
from scaled import written
from servers import Server

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from copies import copies

#: The static files lie beside the cache, and are sent with the fields that say least.
STATIC = "location = /static-files { root .; default_type application/octet-stream; try_files /static-files/$arg_query =404; }\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="seconds for each measurement (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, in turn (default 3)")
    given = parser.parse_args()
    with copies(STATIC) as three:
        graph = three.folder / "graph.nt"
        load = loads(written(graph, 1))["repeated"]
        folder = three.folder / "static-files"
        folder.mkdir()
        (folder / "ASK%20%7B%7D").write_bytes(b"")  # by which it is seen that a server is there
        for number, request in enumerate(load.requests):
            address = f"{three.url}/sparql?query={urllib.parse.quote(request.query, safe='')}"
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": request.accept})) as answer:
                (folder / str(number)).write_bytes(answer.read())
        static = Load(
            [mixes.Request(str(number), "*/*") for number in range(len(load.requests))], load.order, new=False
        )
        cells: dict[str, list[Cell]] = {"copies": [], "static": []}
        nginx = Server("nginx", three.url, "/sparql", "", three.servers[0])  # type: ignore[arg-type]
        files = Server("static", three.url, "/static-files", "", three.servers[0])  # type: ignore[arg-type]
        for _ in range(given.rounds):
            cells["copies"].append(driven(nginx, "repeated", load, given.seconds, 8, three.folder))
            cells["static"].append(driven(files, "static", static, given.seconds, 8, three.folder))
    print(f"{'':<10}{'answers/s':>12}{'median ms':>12}{'p99 ms':>10}{'errors':>8}")
    for name, of_one in cells.items():
        rate = statistics.median(cell.rate for cell in of_one)
        best = min(of_one, key=lambda cell: abs(cell.rate - rate))
        print(f"{name:<10}{best.rate:>12,.0f}{best.median:>12.2f}{best.p99:>10.1f}{sum(c.errors for c in of_one):>8}")
    ratios = [one.rate / other.rate for one, other in zip(*cells.values(), strict=True)]
    print(
        f"copies ÷ static: {statistics.median(ratios):.2f} (median of {len(ratios)}; {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
