"""Entity tags for what Flask answers: the same request to the same state of the graph gets the same bytes."""

from __future__ import annotations

from flask import Flask, Response, request

from interpol_graph import headers
from interpol_graph.engine import Engine


def register(app: Flask, engine: Engine) -> None:
    """Give every answer that may be cached its tag, and answer 304 without evaluating when the client has it."""

    def tag() -> str:
        wishes = request.headers.get("Accept", ""), request.headers.get("Accept-Language", "")
        return headers.tag(engine.digest, request.host_url, request.full_path, *wishes)

    @app.before_request
    def unchanged() -> Response | None:
        if request.method not in ("GET", "HEAD") or tag() not in request.if_none_match.as_set():
            return None
        response = Response(status=304)
        response.headers.pop("Content-Type")
        response.set_etag(tag())
        response.headers["Cache-Control"] = headers.CACHED
        response.vary.update(["Accept", "Accept-Language"])
        return response

    @app.after_request
    def tagged(response: Response) -> Response:
        control = response.headers.get("Cache-Control", "")
        if request.method in ("GET", "HEAD") and response.status_code == 200 and control == headers.CACHED:
            response.headers.setdefault("ETag", f'"{tag()}"')
        return response
