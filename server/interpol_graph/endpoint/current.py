"""What a request works with: the engine behind the application; pages and data as responses."""

from __future__ import annotations

from flask import Response, current_app, make_response, render_template

from interpol_graph.endpoint import headers
from interpol_graph.endpoint.problems import Problem, document
from interpol_graph.engine.pool import Engine
from interpol_graph.graph.formats import Format


def engine() -> Engine:
    """Return the engine behind the application."""
    found: Engine = current_app.extensions["engine"]
    return found


def render(
    template: str,
    *,
    negotiated: bool = False,
    error: Problem | None = None,
    lifetime: str = headers.CACHED,
    **context: object,
) -> Response:
    """Return a page, in the reader's language.

    negotiated: whether the same address also answers with data; error: what the page, as `problem`, says was wrong;
    lifetime: how long it may be kept, if nothing was.
    """
    if error:
        context["problem"] = document(error)
    page = make_response(render_template(template, **context))
    page.headers["Cache-Control"] = headers.UNCACHED if error else lifetime
    page.vary.update(["Accept", "Accept-Language"] if negotiated else ["Accept-Language"])
    if error:
        page.status_code = error.code
        page.headers.extend(error.headers)
    return page


def data(body: bytes, fmt: Format, *, negotiated: bool = True, lifetime: str = headers.CACHED) -> Response:
    """Return data in a format; `negotiated` unless the address itself says in which."""
    response = Response(body, content_type=fmt.content_type)
    response.headers["Cache-Control"] = lifetime
    if negotiated:
        response.vary.add("Accept")
    return response
