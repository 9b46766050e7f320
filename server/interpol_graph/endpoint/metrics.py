"""/metrics: what the server did, for Prometheus, summed over all its workers.

The counters of several processes are files in a folder that `serve` names in the environment, so that they outlive a
worker; without the folder they count for this process alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flask import Blueprint, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

blueprint = Blueprint("metrics", __name__)

#: The folder of the counters; prometheus_client reads this variable when it is imported.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Upper bounds of the latency classes, in seconds.
_CLASSES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)

REQUESTS = Counter("interpol_graph_requests", "Requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram("interpol_graph_request_seconds", "Seconds from request to answer.", ["route"], buckets=_CLASSES)
BYTES = Counter("interpol_graph_answer_bytes", "Bytes of answers, before they are cut into packets.")
REFUSED = Counter("interpol_graph_refused", "Requests that were refused, by problem.", ["problem"])
KILLS = Counter("interpol_graph_kills", "Evaluators that ended with their query, by problem.", ["problem"])
CACHE = Counter("interpol_graph_cache", "Requests at the memory of answers: hit, unchanged, miss, passed.", ["result"])
LOST = Counter("interpol_graph_log_lines_lost", "Log lines that nobody was ready to read.")
ACTIVE = Gauge("interpol_graph_requests_active", "Requests being answered.", multiprocess_mode="livesum")
WAITING = Gauge("interpol_graph_queries_waiting", "Queries that wait for a place.", multiprocess_mode="livesum")


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return generate_latest(REGISTRY)
    for file in Path(folder).glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker may be faster
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Show the metrics."""
    response = Response(exposition(), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response
