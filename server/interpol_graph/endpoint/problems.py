"""What can go wrong with a request. The class is the status; one shape serves programs and people (RFC 9457).

Problem
├── BadRequest 400
│   ├── MalformedTurtle        with line and column
│   └── BadParameter
├── NotFound 404
├── NotAcceptable 406          with the formats on offer
├── RequestTimeout 408
├── PreconditionFailed 412
├── BodyTooLarge 413
└── UnsupportedMediaType 415

What becomes of a query stands in engine.outcomes; the table here gives each of those errors its name and status.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as RoutingNotFound

from interpol_graph.endpoint import observation
from interpol_graph.engine import outcomes
from interpol_graph.engine.outcomes import EngineError

TYPES = "https://w3id.org/interpol-graph/problems#"
#: Where a problem that was met before Flask stands in the WSGI environment: the one handler writes it, too.
PROBLEM = "interpol_graph.problem"
#: Where the WSGI environment has the function that tells whether the client has left.
DEPARTED = "interpol_graph.departed"
#: Where the WSGI environment has the state of the graph that the request was answered from.
DIGEST = "interpol_graph.digest"


class Problem(HTTPException):
    """An error that tells what was wrong with this input and what would be right.

    detail: the sentence for the reader; extra: further members of the problem document (RFC 9457, section 3.2);
    headers: header fields of the answer; kind: its name in the type's IRI and in the log.
    """

    code = 400
    title = "Bad request"
    headers: dict[str, str] = {}

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = {key: value for key, value in extra.items() if value is not None}
        self.kind = type(self).__name__

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the header fields of the answer."""
        return [*super().get_headers(*args, **kwargs), *self.headers.items()]


class BadRequest(Problem):
    """The request cannot be understood."""


class MalformedTurtle(BadRequest):
    """The statements are not Turtle."""

    title = "Malformed Turtle"


class BadParameter(BadRequest):
    """A parameter is missing, unknown or has a value of the wrong type."""

    title = "Bad parameter"


class NotFound(Problem):
    """There is no such thing here."""

    code, title = 404, "Not found"


class NotAcceptable(Problem):
    """None of the formats on offer is acceptable to the client."""

    code, title = 406, "Not acceptable"


class PreconditionFailed(Problem):
    """What is here is not what If-Match names."""

    code, title = 412, "Precondition failed"


class BodyTooLarge(Problem):
    """The body is larger than what is read here."""

    code, title = 413, "Body too large"


class RequestTimeout(Problem):
    """The client was too slow in sending its request."""

    code, title = 408, "Request timeout"


class UnsupportedMediaType(Problem):
    """The body is of a type that is not read here."""

    code, title = 415, "Unsupported media type"


#: What the engine's errors are called to a client: name, status, title, and seconds after which to try again.
_OF_ENGINE: dict[type[EngineError], tuple[str, int, str, int | None]] = {
    outcomes.MalformedQuery: ("MalformedQuery", 400, "Malformed query", None),
    outcomes.ForbiddenQuery: ("ForbiddenQuery", 400, "Query not allowed", None),
    outcomes.UnknownGraph: ("UnknownGraph", 400, "Unknown graph", None),
    outcomes.TooComplex: ("TooComplex", 400, "Query too complex", None),
    outcomes.NoFormat: ("NotAcceptable", 406, "Not acceptable", None),
    outcomes.Unwritable: ("Unwritable", 406, "Not acceptable", None),
    outcomes.OutOfTime: ("OutOfTime", 503, "Time limit reached", None),
    outcomes.OutOfMemory: ("OutOfMemory", 503, "Memory limit reached", None),
    outcomes.AnswerTooLarge: ("AnswerTooLarge", 503, "Answer too large", None),
    outcomes.Interrupted: ("Interrupted", 503, "Interrupted", 1),
    outcomes.Departed: ("Interrupted", 503, "Interrupted", 1),
    outcomes.Busy: ("Busy", 503, "Busy", 5),
    outcomes.Unavailable: ("Unavailable", 503, "Unavailable", 5),
}


def problem_of(error: Problem | EngineError) -> Problem:
    """Return the problem that tells a client of an error, and note for the log what the engine says of it."""
    if isinstance(error, Problem):
        return error
    observation.note(**error.facts)
    problem = Problem(error.detail, **error.extra)
    problem.kind, problem.code, problem.title, seconds = _OF_ENGINE[type(error)]
    if seconds:
        problem.headers = {"Retry-After": str(seconds)}
    return problem


def document(error: HTTPException) -> dict[str, Any]:
    """Return the problem document of an error, and note for the log what became of the request."""
    title = getattr(error, "title", error.name)
    kind = error.kind if isinstance(error, Problem) else type(error).__name__
    observation.note(outcome=kind)
    return {
        "type": TYPES + kind if isinstance(error, Problem) else "about:blank",
        "title": title,
        "status": error.code or 500,
        "detail": error.description or title,
        **getattr(error, "extra", {}),
    }


def answer(error: HTTPException) -> Response:
    """Write an error as problem+json, or as a page for a client that prefers HTML."""
    error = _told(error)
    problem = document(error)
    if (
        request.accept_mimetypes.best_match(["application/problem+json", "application/json", "text/html"])
        == "text/html"
    ):
        body, media_type = render_template("error.html", problem=problem), "text/html; charset=utf-8"
    else:
        body, media_type = json.dumps(problem, ensure_ascii=False), "application/problem+json"
    response = Response(body, problem["status"], content_type=media_type)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _told(error: HTTPException) -> HTTPException:
    """Return an error of the framework with a sentence that says what would be right."""
    if isinstance(error, RequestEntityTooLarge):
        most = request.max_content_length or 0
        return BodyTooLarge(f"The body is larger than {most >> 10} KiB, the most that is read here.", bytes=most)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        methods = ", ".join(sorted(error.valid_methods))
        return MethodNotAllowed(
            error.valid_methods, f"{request.path} is not asked by {request.method}, but by {methods}."
        )
    if type(error) is RoutingNotFound:
        error.description = f"There is nothing at {request.path}; the ways in are listed at {request.root_path}/."
    return error


def register(app: Flask) -> None:
    """Make the one handler answer every HTTP error, and an unexpected one without its traceback."""

    @app.before_request
    def met_before() -> None:
        if PROBLEM in request.environ:
            raise request.environ[PROBLEM]

    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(EngineError, lambda error: answer(problem_of(error)))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        app.logger.exception("unexpected error in %s %s", request.method, request.path)
        return answer(
            InternalServerError("The server met an error of its own; it was logged. Please report what you asked.")
        )
