"""What the server tells of itself: a log line of JSON for each request and event, and metrics for Prometheus.

No query text and no address of a visitor is written down. The counters of several processes are files that `serve` has
made, so that they outlive a worker; its successor counts on. Without them they count for this process alone.
"""

import fcntl
import json
import os
import select
import time
from collections import Counter as Counts
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from interpol_graph.engine.admission import Admission

blueprint = Blueprint("metrics", __name__)

#: Where the WSGI environment has what has been noted of its request.
FACTS = "interpol_graph.facts"
#: The folder of the counters; prometheus_client reads this variable when it is imported.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Upper bounds of the latency classes, in seconds.
_CLASSES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
#: What may be noted of a request, in the order of the log line.
_NOTED = ("query", "rows", "cache", "outcome", "ended", "preempted")


class _Process:
    """Of this process: the name of its counters' files, whether it writes an access log, and the routes told apart."""

    name = "main"
    access_log = False
    routes: frozenset[str] = frozenset()


if FOLDER in os.environ:
    values.ValueClass = values.MultiProcessValue(lambda: _Process.name)  # type: ignore[no-untyped-call]

REQUESTS = Counter("interpol_graph_requests", "Requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram(
    "interpol_graph_request_seconds", "Seconds to an answer that the cache did not have.", ["route"], buckets=_CLASSES
)
BYTES = Counter("interpol_graph_answer_bytes", "Bytes of answers, before they are cut into packets.")
REFUSED = Counter("interpol_graph_refused", "Requests that were refused, by problem.", ["problem"])
KILLS = Counter("interpol_graph_kills", "Evaluators that ended with their query, by problem.", ["problem"])
CACHE = Counter("interpol_graph_cache", "Requests at the answer cache: hit, unchanged, miss, passed.", ["result"])
LOST = Counter("interpol_graph_log_lines_lost", "Log lines that nobody was ready to read.")
ACTIVE = Gauge("interpol_graph_requests_active", "Requests being answered.", multiprocess_mode="livesum")
WAITING = Gauge("interpol_graph_queries_waiting", "Queries that wait for a place.", multiprocess_mode="livesum")


#: A request that has been answered: time, method, route, status, bytes, seconds, facts.
_Finished = tuple[float, str, str, int, int, float, dict[str, Any]]
#: Repeats that have not yet been counted and written.
_repeats: list[_Finished] = []
#: Lines of the log that are written at once: they are shorter than PIPE_BUF.
_TOGETHER = 12


def start(app: Flask, admission: Admission, access_log: bool) -> None:
    """Observe a whole process: which routes there are, who waits to be evaluated, and whether an access log is written."""
    if folder := os.environ.get(FOLDER):
        _Process.name = _free_name(Path(folder))
        ACTIVE.set(0)
        WAITING.set(0)
    admission.watch = WAITING.set
    _Process.access_log = access_log
    _Process.routes = frozenset("/" + rule.rule.split("/", 2)[1] for rule in app.url_map.iter_rules())


def _free_name(folder: Path) -> str:
    """Return the name of counters that no living process counts with, and keep it as long as this one lives."""
    for path in sorted(folder.glob("counter_worker*.db")):
        lock = os.open(path, os.O_RDONLY)  # never closed
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return path.stem.removeprefix("counter_")
        os.close(lock)
    return _Process.name


def register(app: Flask) -> None:
    """Write down every request that the application answers."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        request.environ[FACTS] = {"cache": "miss" if request.method in ("GET", "HEAD") else "passed"}
        ACTIVE.inc()

    @app.after_request
    def end(response: Response) -> Response:
        seconds, size = time.perf_counter() - g.started, response.content_length or 0
        record(request.method, request.path, response.status_code, size, seconds, request.environ[FACTS])
        return response

    @app.teardown_request
    def over(_: BaseException | None) -> None:
        ACTIVE.dec()


def warn_of_proxy(app: Flask) -> None:
    """Say once when a request seems to come through a proxy, and none is believed."""
    why = "X-Forwarded-For is not believed: behind a proxy all visitors count as one client; start with --proxies 1"
    untold = [why]

    @app.before_request
    def warn() -> None:
        if "HTTP_X_FORWARDED_FOR" in request.environ:
            with suppress(IndexError):
                log(event="proxy not believed", why=untold.pop())


def note(**facts: Any) -> None:
    """Note something about the request at hand: query, rows, outcome, ended …"""
    request.environ[FACTS].update(facts)


def record(method: str, path: str, status: int, size: int, seconds: float, facts: dict[str, Any]) -> None:
    """Count a request, and write its line: its answer's status and bytes, its seconds, and what was noted of it."""
    route = _route(path)
    SECONDS.labels(route).observe(seconds)
    _tell([(time.time(), method, route, status, size, seconds, facts)])


def record_repeat(method: str, path: str, status: int, size: int, seconds: float, facts: dict[str, Any]) -> bool:
    """Note a request that was answered from the answer cache, for `flush`; tell whether it is the first since the last one.

    Called, like `flush`, by the thread of the event loop alone.
    """
    _repeats.append((time.time(), method, _route(path), status, size, seconds, facts))
    return len(_repeats) == 1


def flush() -> None:
    """Count and write the repeats: together it takes a fraction of the time that one by one would take."""
    repeats = _repeats.copy()
    _repeats.clear()
    _tell(repeats)


def _tell(finished: list[_Finished]) -> None:
    for (route, code), count in Counts((entry[2], str(entry[3])) for entry in finished).items():
        REQUESTS.labels(route, code).inc(count)
    BYTES.inc(sum(entry[4] for entry in finished))
    for counter, name in ((CACHE, "cache"), (REFUSED, "outcome"), (KILLS, "ended")):
        for value, count in Counts(entry[6][name] for entry in finished if name in entry[6]).items():
            counter.labels(value).inc(count)
    if _Process.access_log:
        lines = []
        for at, method, route, status, size, seconds, facts in finished:
            told = {name: facts[name] for name in _NOTED if name in facts}
            head = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6), "bytes": size}
            lines.append(_line(at, head | told))
        LOST.inc(_write(lines))


def log(**facts: Any) -> None:
    """Write a line with the time and some facts to standard error."""
    _write([_line(time.time(), facts)])


def _route(path: str) -> str:
    first = "/" + path[1:].partition("/")[0]
    return first if first in _Process.routes else "other"


def _line(at: float, facts: dict[str, Any]) -> bytes:
    told = {"time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), **facts}
    return json.dumps(told, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _write(lines: list[bytes]) -> int:
    """Write lines to standard error and return how many nobody takes now.

    A reader of the log that stands still, or is gone, must not make the service stand still: a pipe that takes anything
    takes as much as is written at once here (select(2), PIPE_BUF).
    """
    for start in range(0, len(lines), _TOGETHER):
        try:
            if not select.select([], [2], [], 0)[1]:
                return len(lines) - start
            os.write(2, b"".join(lines[start : start + _TOGETHER]))
        except OSError:  # it is gone, or its disk is full
            return len(lines) - start
    return 0


@blueprint.get("/metrics")
def metrics() -> Response:
    """Show all metrics in the text format of Prometheus, summed over all workers."""
    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
