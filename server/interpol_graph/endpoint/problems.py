"""What can go wrong with a request, and how it is told: one table, and one shape for programs and people (RFC 9457).

The errors here are of requests as such; what becomes of a query stands in engine.outcomes.
"""

import json
import re
from traceback import format_exc
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as RoutingNotFound

from interpol_graph.endpoint import observation
from interpol_graph.engine.outcomes import EngineError

TYPES = "https://w3id.org/interpol-graph/problems#"
#: Where a problem that was met before Flask stands in the WSGI environment: the one handler writes it, too.
PROBLEM = "interpol_graph.problem"
#: Where the WSGI environment has the function that tells whether the client has left.
DEPARTED = "interpol_graph.departed"
#: Where the WSGI environment has the state of the graph that the request was answered from.
DIGEST = "interpol_graph.digest"


class BadRequest(EngineError):
    """The request cannot be understood."""


class MalformedTurtle(BadRequest):
    """The statements are not Turtle; with line and column."""


class BadParameter(BadRequest):
    """A parameter is missing, unknown or has a value of the wrong type."""


class NotFound(EngineError):
    """There is no such thing here."""


class RequestTimeout(EngineError):
    """The client was too slow in sending its request."""


class PreconditionFailed(EngineError):
    """What is here is not what If-Match or If-Unmodified-Since names."""


class BodyTooLarge(EngineError):
    """The body is larger than what is read here."""


class UnsupportedMediaType(EngineError):
    """The body is of a type that is not read here."""


#: A host as the field Host names it (RFC 9110, 7.2), with its port if it has one.
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
#: Name of an error, as in the type's IRI and in the log → status and title.
PROBLEMS = {
    "BadRequest": (400, "Bad request"),
    "MalformedTurtle": (400, "Malformed Turtle"),
    "BadParameter": (400, "Bad parameter"),
    "MalformedQuery": (400, "Malformed query"),
    "ForbiddenQuery": (400, "Query not allowed"),
    "UnknownGraph": (400, "Unknown graph"),
    "TooComplex": (400, "Query too complex"),
    "NotFound": (404, "Not found"),
    "NotAcceptable": (406, "Not acceptable"),
    "Unwritable": (406, "Not acceptable"),
    "RequestTimeout": (408, "Request timeout"),
    "PreconditionFailed": (412, "Precondition failed"),
    "BodyTooLarge": (413, "Body too large"),
    "UnsupportedMediaType": (415, "Unsupported media type"),
    "EngineFails": (502, "Bad gateway"),
    "OutOfTime": (503, "Time limit reached"),
    "OutOfMemory": (503, "Memory limit reached"),
    "AnswerTooLarge": (503, "Answer too large"),
    "Interrupted": (503, "Interrupted"),
    "Busy": (503, "Busy"),
    "Unavailable": (503, "Unavailable"),
    "EngineSilent": (504, "Gateway timeout"),
}
#: Errors that a client knows by the name of another.
_ALIASES = {"NoFormat": "NotAcceptable", "Departed": "Interrupted"}
#: Seconds after which to try again.
_RETRY_AFTER = {"Interrupted": 1, "Busy": 5, "Unavailable": 5, "EngineFails": 5, "EngineSilent": 5}


def name(error: EngineError) -> str:
    """Return the name of an error in the table."""
    own = type(error).__name__
    return _ALIASES.get(own, own)


def document(error: EngineError | HTTPException) -> dict[str, Any]:
    """Return the problem document of an error, and note for the log what became of the request."""
    if isinstance(error, HTTPException):  # the framework's own
        observation.note(outcome=type(error).__name__)
        told = {"title": error.name, "status": error.code or 500, "detail": error.description or error.name}
        return {"type": "about:blank", **told}
    observation.note(**error.facts, outcome=name(error))
    return stated(error)


def stated(error: EngineError) -> dict[str, Any]:
    """Return what the table and the error say, as a problem document."""
    status, title = PROBLEMS[name(error)]
    return {"type": TYPES + name(error), "title": title, "status": status, "detail": error.detail, **error.extra}


def fields(error: EngineError | HTTPException) -> dict[str, str]:
    """Return the header fields of an error's answer, beside its type."""
    if isinstance(error, HTTPException):
        return {field: value for field, value in error.get_headers() if field != "Content-Type"}
    seconds = _RETRY_AFTER.get(name(error))
    return {"Retry-After": str(seconds)} if seconds else {}


def written(error: EngineError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, fields and body of an answer that takes no framework to write, and closes the connection."""
    told = stated(error)
    body = json.dumps(told).encode()
    given = fields(error) | {"Content-Type": "application/problem+json", "Content-Length": str(len(body))}
    given |= {"Cache-Control": "no-store", "Connection": "close", "Access-Control-Allow-Origin": "*"}
    return told["status"], [(field.lower().encode(), value.encode()) for field, value in given.items()], body


def answer(error: EngineError | HTTPException) -> Response:
    """Write an error as problem+json, or as a page for a client that prefers HTML."""
    error = _told(error)
    problem = document(error)
    offered = ["application/problem+json", "application/json", "text/html"]
    if request.accept_mimetypes.best_match(offered) == "text/html":
        body, media_type = render_template("error.html", problem=problem), "text/html; charset=utf-8"
    else:
        body, media_type = json.dumps(problem, ensure_ascii=False), "application/problem+json"
    response = Response(body, problem["status"], fields(error), content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _told(error: EngineError | HTTPException) -> EngineError | HTTPException:
    """Return an error of the framework with a sentence that says what would be right."""
    if isinstance(error, RequestEntityTooLarge):
        most = request.max_content_length or 0
        return BodyTooLarge(f"The body is larger than {most >> 10} KiB, the most that is read here.", bytes=most)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        methods = ", ".join(sorted(error.valid_methods))
        error.description = f"{request.path} is not asked by {request.method}, but by {methods}."
    elif type(error) is RoutingNotFound:
        error.description = f"There is nothing at {request.path}; the ways in are listed at {request.root_path}/."
    return error


def register(app: Flask) -> None:
    """Make the one handler answer every error, and an unexpected one without its traceback."""

    @app.before_request
    def met_before() -> None:
        if PROBLEM in request.environ:
            raise request.environ[PROBLEM]
        host, scheme = request.environ.get("HTTP_HOST", "localhost"), request.scheme
        if not _HOST.fullmatch(host) or scheme not in ("http", "https"):
            raise BadRequest(f"Host and scheme, {host[:100]!r} and {scheme[:20]!r}, are no address of the web.")

    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(EngineError, answer)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # As one line, which a visitor's words cannot break.
        observation.log(event="unexpected error", at=f"{request.method} {request.path}", why=format_exc())
        detail = "The server met an error of its own; it was logged. Please report what you asked."
        return answer(InternalServerError(detail))
