"""Three copies behind nginx with its cache, as server/layouts/nginx.conf has it: the repeated mix beside the same bytes as static files of the same nginx.

    .venv/bin/python benchmarks/layouts.py [--seconds S] [--rounds N]

Needs nginx and wrk (apt install nginx wrk). Copies, nginx and wrk share the machine; what that does not change is the time of
the processor that nginx takes for an answer. A file is asked for by as long a request, and sent with the fields of an answer.
"""

from __future__ import annotations

import argparse
import signal
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

#: The files lie beside the cache; which one is meant is said where other requests say what they accept.
STATIC = "location = /static-files { root .; try_files /static-files/$http_accept =404; include fields*.conf; }\n"
#: The fields of an answer that nginx gives to a file by itself, or in another way.
ITS_OWN = {"server", "date", "content-type", "content-length", "connection", "etag", "last-modified"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="seconds for each measurement (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, in turn (default 3)")
    given = parser.parse_args()
    with copies(STATIC) as three:
        load = loads(written(three.folder / "graph.nt", 1))["repeated"]
        folder = three.folder / "static-files"
        (folder / mixes.ROWS).parent.mkdir(parents=True)
        (folder / mixes.ROWS).write_bytes(b"")  # by which it is seen that a server is there
        for number, request in enumerate(load.requests):
            address = f"{three.url}/sparql?query={urllib.parse.quote(request.query, safe='')}"
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": request.accept})) as answer:
                (folder / str(number)).write_bytes(answer.read())
        fields = [
            f'add_header {name} "{value}";\n' for name, value in answer.headers.items() if name.lower() not in ITS_OWN
        ]
        (three.folder / "fields.conf").write_text("".join(fields))
        three.nginx.send_signal(signal.SIGHUP)
        named = [mixes.Request(request.query, str(number)) for number, request in enumerate(load.requests)]
        offered = {"/sparql": load, "/static-files": Load(named, load.order, new=False)}
        cells: dict[str, list[Cell]] = {path: [] for path in offered}
        for _ in range(given.rounds):
            for path, of_one in cells.items():
                nginx = Server(path, three.url, path, "", three.nginx)  # type: ignore[arg-type]
                of_one.append(driven(nginx, path, offered[path], given.seconds, 8, three.folder))
    print(f"{'':<15}{'answers/s':>12}{'median ms':>12}{'p99 ms':>10}{'nginx µs':>10}{'errors':>8}")
    for path, of_one in cells.items():
        rate, median, p99, processor = (
            statistics.median(getattr(cell, name) for cell in of_one) for name in ("rate", "median", "p99", "processor")
        )
        errors = sum(cell.errors for cell in of_one)
        print(f"{path:<15}{rate:>12,.0f}{median:>12.2f}{p99:>10.1f}{processor:>10.1f}{errors:>8}")
    copied, static = cells.values()
    for what, ratios in (
        ("answers a second", [one.rate / other.rate for one, other in zip(copied, static, strict=True)]),
        (
            "answers for the same time of nginx",
            [b.processor / a.processor for a, b in zip(copied, static, strict=True)],
        ),
    ):
        print(f"copies ÷ files, {what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
