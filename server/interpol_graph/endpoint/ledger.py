"""Writes down every request: a line of JSON for the log, and the metrics. No query text, no address of a visitor."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from interpol_graph.endpoint import journal, metrics, record
from interpol_graph.endpoint.problems import PROBLEM
from interpol_graph.engine.outcomes import Busy
from interpol_graph.engine.pool import EvaluatorPool
from interpol_graph.serving.door import ROOM
from interpol_graph.serving.front import OUTCOME

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Bytes up to which an answer is sent in one piece.
_ONE_PIECE = 1 << 20
#: What may be noted of a request, in the order of the log line.
_NOTES = ("query", "rows", "cache", "outcome", "ended", "preempted")


def _always(_: int) -> bool:
    return True


class Ledger:
    """A WSGI application around another.

    routes: the first path segments that are told apart; log: whether lines are written to standard error.
    """

    def __init__(self, app: WSGIApplication, pool: EvaluatorPool, routes: frozenset[str], log: bool = True) -> None:
        self.app, self.log = app, log
        self._routes = routes
        pool.admission.watch = metrics.WAITING.set
        self._counters: dict[tuple[str, str], tuple[Any, Any]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer through the application, and write down how it went."""
        notes = record.begin()
        started = time.perf_counter()
        metrics.ACTIVE.inc()
        said: list[Any] = ["500", None]

        def observed(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said[0] = status[:3]
            said[1] = next((value for name, value in fields if name == "Content-Length"), None)
            return start_response(status, fields)

        try:
            body = self.app(environ, observed)
        except BaseException:
            self._write(environ, notes, "500", 0, started)
            raise
        if isinstance(body, list | tuple):
            if not environ.get(ROOM, _always)(sum(map(len, body))):
                environ[PROBLEM] = Busy("Too many large answers wait for their readers; try again in a few seconds.")
                body = list(self.app(environ, observed))
            self._write(environ, notes, said[0], sum(map(len, body)), started)
            return list(body)  # what granian sends in one piece
        if said[1] is not None and int(said[1]) <= _ONE_PIECE:
            try:
                whole = list(body)
            finally:
                getattr(body, "close", tuple)()
            self._write(environ, notes, said[0], sum(map(len, whole)), started)
            return whole
        return self._streamed(environ, notes, said[0], body, started)

    def _streamed(
        self, environ: WSGIEnvironment, notes: dict[str, Any], status: str, body: Iterable[bytes], started: float
    ) -> Iterator[bytes]:
        size = 0
        try:
            for piece in body:
                size += len(piece)
                yield piece
        finally:
            getattr(body, "close", tuple)()
            self._write(environ, notes, status, size, started)

    def _write(self, environ: WSGIEnvironment, notes: dict[str, Any], status: str, size: int, started: float) -> None:
        seconds = time.perf_counter() - started
        first = environ["PATH_INFO"].split("/", 2)[1:2]
        route = "/" + first[0] if first and first[0] in self._routes else "other"
        if OUTCOME in environ:
            notes["cache"] = environ[OUTCOME]
        metrics.ACTIVE.dec()
        self._count(notes, route, status, size, seconds)
        if not self.log:
            return
        facts = {"status": int(status), "seconds": round(seconds, 6), "bytes": size}
        facts |= {name: notes[name] for name in _NOTES if name in notes}
        if not journal.write(method=environ["REQUEST_METHOD"], route=route, **facts):
            metrics.LOST.inc()

    def _count(self, notes: dict[str, Any], route: str, status: str, size: int, seconds: float) -> None:
        counters = self._counters.get((route, status))
        if counters is None:
            counters = metrics.REQUESTS.labels(route, status), metrics.SECONDS.labels(route)
            self._counters[route, status] = counters
        counters[0].inc()
        counters[1].observe(seconds)
        metrics.BYTES.inc(size)
        if "cache" in notes:
            metrics.CACHE.labels(notes["cache"]).inc()
        if "outcome" in notes:
            metrics.REFUSED.labels(notes["outcome"]).inc()
        if "ended" in notes:
            metrics.KILLS.labels(notes["ended"]).inc()
