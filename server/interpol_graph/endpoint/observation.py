"""What the server tells of itself: a log line of JSON for each request and event, and metrics for Prometheus.

No query text and no address of a visitor is written down. The counters of several processes are files that `serve` has
made, so that they outlive a worker; its successor counts on. Without them they count for this process alone.
"""

import fcntl
import os
import select
import threading
import time
from collections import Counter as Counts
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
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
_COUNTED = "Seconds to an answer that the cache did not have."
SECONDS = Histogram("interpol_graph_request_seconds", _COUNTED, ["route"], buckets=_CLASSES)
BYTES = Counter("interpol_graph_answer_bytes", "Bytes of answers, before they are cut into packets.")
REFUSED = Counter("interpol_graph_refused", "Requests that were refused, by problem.", ["problem"])
KILLS = Counter("interpol_graph_kills", "Evaluators that ended with their query, by problem.", ["problem"])
CACHE = Counter("interpol_graph_cache", "Requests at the answer cache: hit, unchanged, miss, passed.", ["result"])
LOST = Counter("interpol_graph_log_lines_lost", "Log lines that nobody was ready to read.")
ACTIVE = Gauge("interpol_graph_requests_active", "Requests being answered.", multiprocess_mode="livesum")
WAITING = Gauge("interpol_graph_queries_waiting", "Queries that wait for a place.", multiprocess_mode="livesum")

#: Requests that have been answered and not yet counted and written: time, method, path, status, bytes, seconds, facts.
_finished: list[tuple[float, str, str, int, int, float, dict[str, Any]]] = []
#: Lines of the log that are written at once: they are shorter than PIPE_BUF.
_TOGETHER = 12
#: Seconds for which what /metrics shows is shown again: to add up the counters takes longer than most answers.
_SHOWN_FOR = 0.5
_ADDING = threading.Lock()


def start(app: Flask, admission: Admission, access_log: bool) -> None:
    """Observe a whole process: which routes there are, who waits to be evaluated, and whether an access log is written."""
    if folder := os.environ.get(FOLDER):
        _Process.name = _free_name(Path(folder))
        ACTIVE.set(0)
        WAITING.set(0)
        SECONDS.labels("/")  # its file, too, is opened now: there may be no descriptor for it later
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
    request.environ.setdefault(FACTS, {}).update(facts)


def record(method: str, path: str, status: int, size: int, seconds: float, facts: dict[str, Any]) -> bool:
    """Note a request that has been answered, for `flush`; tell whether it is the first since the last one.

    status, size: of its answer; facts: what was noted of it. Called, like `flush`, by the thread of the event loop alone.
    """
    _finished.append((time.time(), method, path, status, size, seconds, facts))
    return len(_finished) == 1


def flush() -> None:
    """Count and write what was noted: together it takes a fraction of the time that one by one would take."""
    finished = [(*entry, _route(entry[2])) for entry in _finished]
    _finished.clear()
    for (route, code), count in Counts((entry[-1], str(entry[3])) for entry in finished).items():
        REQUESTS.labels(route, code).inc(count)
    BYTES.inc(sum(entry[4] for entry in finished))
    for counter, name in ((CACHE, "cache"), (REFUSED, "outcome"), (KILLS, "ended")):
        for value, count in Counts(entry[6][name] for entry in finished if name in entry[6]).items():
            counter.labels(value).inc(count)
    lines = []
    for at, method, _, status, size, seconds, facts, route in finished:
        if facts.get("cache") in ("miss", "passed"):
            SECONDS.labels(route).observe(seconds)
        if _Process.access_log:
            told = {name: facts[name] for name in _NOTED if name in facts}
            head = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6), "bytes": size}
            lines.append(_line(at, head | told))
    if lines:
        LOST.inc(_write(lines))


def log(**facts: Any) -> None:
    """Write a line with the time and some facts to standard error."""
    # The name of a file may be bytes that are no text.
    texts = {name: fact for name, fact in facts.items() if isinstance(fact, str)}
    legible = {name: text.encode(errors="backslashreplace").decode() for name, text in texts.items()}
    _write([_line(time.time(), facts | legible)])


def _route(path: str) -> str:
    first = "/" + path[1:].partition("/")[0]
    return first if first in _Process.routes else "other"


def _line(at: float, facts: dict[str, Any]) -> bytes:
    # The standard library would take twice the time of an answer from the cache for it.
    return orjson.dumps({"time": datetime.fromtimestamp(at, UTC), **facts}, option=orjson.OPT_APPEND_NEWLINE)


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
    with _ADDING:
        text = _metrics(int(time.monotonic() / _SHOWN_FOR))
    return Response(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


@lru_cache(maxsize=1)
def _metrics(_: int) -> bytes:
    """Return what /metrics shows at a moment."""
    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
