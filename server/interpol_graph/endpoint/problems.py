"""What can go wrong with a request. The class is the status; one shape serves programs and people (RFC 9457).

Problem
├── BadRequest 400
│   ├── MalformedQuery         with line and column
│   ├── MalformedTurtle        with line and column
│   ├── ForbiddenQuery         well-formed, but reaches outside this graph
│   ├── TooComplex             nested too deeply
│   └── BadParameter
├── NotFound 404
├── NotAcceptable 406          with the formats on offer
├── BodyTooLarge 413
├── RequestTimeout 408
├── PreconditionFailed 412
├── UnsupportedMediaType 415
└── LimitReached 503
    ├── OutOfTime
    ├── OutOfMemory
    ├── AnswerTooLarge
    ├── Interrupted            with Retry-After
    ├── Busy                   with Retry-After
    └── Unavailable            with Retry-After
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as RoutingNotFound

from interpol_graph.endpoint import record
from interpol_graph.serving import visitor

TYPES = "https://w3id.org/interpol-graph/problems#"
#: Where a problem that was met before Flask stands in the WSGI environment: the one handler writes it, too.
PROBLEM = "interpol_graph.problem"


class Problem(HTTPException):
    """An error that tells what was wrong with this input and what would be right.

    detail: the sentence for the reader; extra: further members of the problem document (RFC 9457, section 3.2);
    headers: header fields of the answer.
    """

    code = 400
    title = "Bad request"
    headers: dict[str, str] = {}

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = {key: value for key, value in extra.items() if value is not None}

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the header fields of the answer."""
        return [*super().get_headers(*args, **kwargs), *self.headers.items()]


class BadRequest(Problem):
    """The request cannot be understood."""


class MalformedQuery(BadRequest):
    """The query is not SPARQL 1.1."""

    title = "Malformed query"


class MalformedTurtle(BadRequest):
    """The statements are not Turtle."""

    title = "Malformed Turtle"


class ForbiddenQuery(BadRequest):
    """The query asks for what this endpoint never does."""

    title = "Query not allowed"


class TooComplex(BadRequest):
    """The query is nested too deeply to be evaluated."""

    title = "Query too complex"


class BadParameter(BadRequest):
    """A parameter is missing, unknown or has a value of the wrong type."""

    title = "Bad parameter"


class NotFound(Problem):
    """There is no such thing here."""

    code, title = 404, "Not found"


class NotAcceptable(Problem):
    """None of the formats on offer is acceptable to the client."""

    code, title = 406, "Not acceptable"


class Unwritable(NotAcceptable):
    """The answer cannot be written in the format."""


class BodyTooLarge(Problem):
    """The body is larger than what is read here."""

    code, title = 413, "Body too large"


class RequestTimeout(Problem):
    """The client was too slow in sending its request."""

    code, title = 408, "Request timeout"


class PreconditionFailed(Problem):
    """The client asked on a condition that does not hold."""

    code, title = 412, "Precondition failed"


class UnsupportedMediaType(Problem):
    """The body is of a type that is not read here."""

    code, title = 415, "Unsupported media type"


class LimitReached(Problem):
    """The query is in order but needs more than it may have."""

    code, title = 503, "Limit reached"


class OutOfTime(LimitReached):
    """The query ran past its time limit and was stopped."""

    title = "Time limit reached"


class OutOfMemory(LimitReached):
    """The query ran past its memory limit and was stopped."""

    title = "Memory limit reached"


class AnswerTooLarge(LimitReached):
    """The answer is larger than what is sent; it is refused whole."""

    title = "Answer too large"


class Interrupted(LimitReached):
    """The evaluator was ended from outside; the query may be sent again."""

    title = "Interrupted"
    headers = {"Retry-After": "1"}


def check_wanted() -> None:
    """Give up what nobody waits for any more. Raises Interrupted when the client has gone away."""
    if visitor.is_gone():
        raise Interrupted("The client went away, and nobody waits for its answer.")


class Busy(LimitReached):
    """All evaluators are at work."""

    title = "Busy"
    headers = {"Retry-After": "5"}


class Unavailable(LimitReached):
    """The evaluators cannot be reached: the server starts or stops."""

    title = "Unavailable"
    headers = {"Retry-After": "5"}


def document(error: HTTPException) -> dict[str, Any]:
    """Return the problem document of an error, and note for the log what became of the request."""
    title = getattr(error, "title", error.name)
    kind = type(error).__name__
    record.note(outcome=kind)
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

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        app.logger.exception("unexpected error in %s %s", request.method, request.path)
        return answer(
            InternalServerError("The server met an error of its own; it was logged. Please report what you asked.")
        )
