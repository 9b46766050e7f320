"""What the request at hand works with: the state of the graph that it asks, and its answer as data or as a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, g, make_response, render_template, request

from interpol_graph.endpoint import caching, observation
from interpol_graph.endpoint.problems import DEPARTED, DIGEST, Problem, document, problem_of
from interpol_graph.engine.admission import never
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.snapshot import Answer, Snapshot


def snapshot() -> Snapshot:
    """Return the state of the graph that this request asks, the same from its first query to its last."""
    if "snapshot" not in g:
        g.snapshot = current_app.extensions["pool"].snapshot()
        request.environ[DIGEST] = g.snapshot.digest
    found: Snapshot = g.snapshot
    return found


def gone() -> Callable[[], bool]:
    """Return the function that tells whether the client has left."""
    found: Callable[[], bool] = request.environ.get(DEPARTED, never)
    return found


def query(text: str, **wishes: Any) -> Answer:
    """Evaluate a query, for a page or as data: see Snapshot.query. What became of it is noted for the log."""
    answer = snapshot().query(text, gone=gone(), **wishes)
    observation.note(**answer.facts)
    return answer


def answered(answer: Answer) -> Response:
    """Return the answer to a query as data."""
    response = data(answer.body, answer.format.content_type, lifetime=caching.lifetime(answer))
    response.headers["Server-Timing"] = f"query;dur={answer.seconds * 1000:.3f}"
    return response


def data(body: bytes, content_type: str, *, negotiated: bool = True, lifetime: str = caching.CACHED) -> Response:
    """Return data of a content type; `negotiated` unless the address itself says which."""
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = lifetime
    if negotiated:
        response.vary.add("Accept")
    return response


def render(
    template: str,
    *,
    negotiated: bool = False,
    error: Problem | EngineError | None = None,
    lifetime: str = caching.CACHED,
    **context: object,
) -> Response:
    """Return a page, in the reader's language.

    negotiated: whether the same address also answers with data; error: what the page, as `problem`, says was wrong;
    lifetime: how long it may be kept, if nothing was.
    """
    problem = problem_of(error) if error else None
    page = make_response(render_template(template, problem=problem and document(problem), **context))
    page.headers["Cache-Control"] = caching.UNCACHED if problem else lifetime
    page.vary.update(["Accept", "Accept-Language"] if negotiated else ["Accept-Language"])
    if problem:
        page.status_code = problem.code
        page.headers.extend(problem.headers)
    return page
