"""Entity tags for what Flask answers: what was asked of which state of the graph, and the bytes that it got."""

from __future__ import annotations

from flask import Flask, Response, request

from interpol_graph.endpoint import headers
from interpol_graph.site import pages


def register(app: Flask) -> None:
    """Give every answer that may be cached its tag, and answer 304 without evaluating when the client has it."""

    def asked() -> str:
        wishes = request.headers.get("Accept", ""), request.headers.get("Accept-Language", "")
        return headers.tag(pages.snapshot().digest, request.host_url, request.full_path, *wishes)

    @app.before_request
    def unchanged() -> Response | None:
        tag = headers.held(asked(), request.if_none_match.as_set())
        if request.method not in ("GET", "HEAD") or tag is None:
            return None
        response = Response(status=304)
        response.headers.pop("Content-Type")
        response.set_etag(tag)
        response.headers["Cache-Control"] = headers.CACHED
        response.vary.update(["Accept", "Accept-Language"])
        return response

    @app.after_request
    def tagged(response: Response) -> Response:
        kept = response.status_code == 200 and response.headers.get("Cache-Control", "") == headers.CACHED
        if request.method in ("GET", "HEAD") and kept and "ETag" not in response.headers:
            response.set_etag(headers.strong(asked(), response.get_data()))
        return response
