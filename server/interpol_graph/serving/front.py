"""What stands before Flask: answers kept in memory, conditional requests, content codings, and the way of plain queries.

Errors are not written here: Flask's one handler writes them all.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from interpol_graph.endpoint import compression, conditional, headers, negotiation, protocol, record
from interpol_graph.endpoint.fields import OF_BODY, Fields, coded, value, without
from interpol_graph.endpoint.problems import PROBLEM
from interpol_graph.engine.pool import EvaluatorPool
from interpol_graph.serving.answer_cache import Answers, Kept

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: What became of a request here: hit, unchanged, miss or passed; for metrics.
OUTCOME = "interpol_graph.cache"
_KEPT = "interpol_graph.kept"

#: Bytes of a body that are read here; Flask says what is too long.
LONGEST = 1 << 20


class Front:
    """A WSGI application before another: `app` answers what is not kept, `room` is the memory for kept answers in bytes."""

    def __init__(self, app: WSGIApplication, pool: EvaluatorPool, room: int) -> None:
        self.app, self.pool, self.answers = app, pool, Answers(room)

    def ready(self, environ: WSGIEnvironment) -> bool:
        """Tell whether the answer to a request for something lies in memory; `__call__` will then give this one."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or _conditional(environ):
            return False
        if self.pool.settings.proxies:  # what they say of the address is believed further in
            return False
        kept = environ[_KEPT] = self.answers.get(self._key(environ, b""))
        return kept is not None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory if possible; else evaluate, encode, and keep what may be kept."""
        method, get = environ["REQUEST_METHOD"], environ.get
        if PROBLEM in environ:
            return self.app(environ, start_response)
        body = b""
        if method == "POST":
            read = _body(environ) if environ["PATH_INFO"] == "/sparql" else None
            if read is None:
                return self.app(environ, start_response)
            body = read
        elif method not in ("GET", "HEAD") or _conditional(environ):
            environ[OUTCOME] = "passed"
            return self.app(environ, start_response)
        kept = get(_KEPT)
        if kept is None:
            key = self._key(environ, body)
            kept = self.answers.get(key)
            if kept is None:
                environ[OUTCOME] = "miss"
                return self._miss(environ, start_response, key, body)
        record.note(**kept.notes)
        held = get("HTTP_IF_NONE_MATCH")
        if held is not None and kept.etag:
            codings = compression.accepted(get("HTTP_ACCEPT_ENCODING", ""))
            if kept.etag in conditional.tags(held, codings, kept.etag):
                environ[OUTCOME] = "unchanged"
                start_response("304 NOT MODIFIED", kept.unchanged.copy())
                return ()
        environ[OUTCOME] = "hit"
        start_response("200 OK", kept.fields.copy())
        return () if method == "HEAD" else (kept.body,)

    def _key(self, environ: WSGIEnvironment, body: bytes) -> tuple[Any, ...]:
        """Return all that an answer can depend on."""
        get = environ.get
        return (
            environ["REQUEST_METHOD"] == "POST", environ["PATH_INFO"], get("QUERY_STRING", ""), body,
            get("CONTENT_TYPE") if body else None, get("HTTP_ACCEPT", ""), get("HTTP_ACCEPT_ENCODING", ""),
            get("HTTP_ACCEPT_LANGUAGE", ""), get("HTTP_HOST", ""), environ["wsgi.url_scheme"], get("SCRIPT_NAME", ""),
            self.pool.snapshot().digest,
        )  # fmt: skip

    def _miss(
        self, environ: WSGIEnvironment, start_response: StartResponse, key: tuple[Any, ...], body: bytes
    ) -> Iterable[bytes]:
        """Let the query or Flask be answered, in the coding that the client likes best; keep it if it may be kept."""
        head, codings = environ["REQUEST_METHOD"] == "HEAD", environ.get("HTTP_ACCEPT_ENCODING", "")
        if head:  # the header of a HEAD is that of its GET, length and coding included
            environ = {**environ, "REQUEST_METHOD": "GET"}
        held = environ.pop("HTTP_IF_NONE_MATCH", None) if environ["REQUEST_METHOD"] != "POST" else None
        tags = conditional.tags(held, compression.accepted(codings)) if held else {}
        if tags and "*" not in tags:
            environ["HTTP_IF_NONE_MATCH"] = ", ".join(f'"{tag}"' for tag in dict.fromkeys(tags.values()))
        reply = self._query(environ, frozenset(tags.values()), body) if environ["PATH_INFO"] == "/sparql" else None
        if reply:
            content, coding = compression.encoded(reply.body, codings) if reply.body is not None else (None, "")
            status, fields = "200 OK", [*reply.fields(environ["REQUEST_METHOD"], coding), *_DATA]
            etag = value(fields, "etag").strip('"')
            if content is None:
                return _unchanged(start_response, fields, tags, etag)
        else:
            status, fields, whole = self._flask(environ)
            etag = value(fields, "etag").strip('"')
            if status.startswith("304"):
                return _unchanged(start_response, fields, tags, etag)
            if not status.startswith("200") or not isinstance(whole, bytes):
                start_response(status, fields)
                return _bodyless(whole) if head else [whole] if isinstance(whole, bytes) else whole
            fields, content, coding = without(fields, "content-length"), whole, ""
            if compression.compressible(value(fields, "content-type")) and not value(fields, "content-encoding"):
                content, coding = compression.encoded(whole, codings)
                fields, etag = coded(fields, coding, etag)
        if coding:
            fields.append(("Content-Encoding", coding))
        fields.append(("Content-Length", str(len(content))))
        control = value(fields, "cache-control")
        if "max-age" in control and "no-" not in control and "private" not in control:
            self._keep(key, fields, content, etag)
        if etag and ("*" in tags or etag in tags):
            start_response("304 NOT MODIFIED", without(fields, *OF_BODY))
            return ()
        start_response(status, fields)
        return () if head else (content,)

    def _query(self, environ: WSGIEnvironment, held: frozenset[str], body: bytes) -> protocol.Reply | None:
        """Answer a query that wants data as the blueprint would, or return None to let Flask do it."""
        accept = environ.get("HTTP_ACCEPT", "")
        posted = (environ.get("CONTENT_TYPE"), body) if environ["REQUEST_METHOD"] == "POST" else ()
        try:
            asked = protocol.read(environ.get("QUERY_STRING", "").encode("latin-1"), accept, *posted)
            if asked.query is None or (not asked.wish and negotiation.likes_html(accept)):
                return None
            return protocol.answer(self.pool.snapshot(), asked, held)
        except Exception as error:  # Flask raises it again and its handlers answer
            environ[PROBLEM] = error
            return None

    def _flask(self, environ: WSGIEnvironment) -> tuple[str, Fields, bytes | Iterable[bytes]]:
        """Return status, fields and body of Flask's answer; a large file stays the iterator that it is."""
        caught: list[Any] = []

        def start(status: str, fields: Fields, exc_info: object = None) -> Any:
            caught[:] = status, fields
            return None

        chunks = self.app(environ, start)
        length = next((value for name, value in caught[1] if name.lower() == "content-length"), "0")
        if int(length) > compression.LARGEST:
            return caught[0], caught[1], chunks
        try:
            return caught[0], caught[1], b"".join(chunks)
        finally:
            _bodyless(chunks)

    def _keep(self, key: tuple[Any, ...], fields: Fields, content: bytes, etag: str) -> None:
        kept = Kept(
            [*without(fields, "server-timing"), ("Server-Timing", 'cache;desc="hit"')],
            content,
            etag,
            without(fields, *OF_BODY),
            record.noted("query", "rows"),
        )
        weight = len(content) + 2048 + sum(len(part) for part in key if isinstance(part, str | bytes))
        self.answers.put(key, kept, weight)


_DATA = headers.COMMON + headers.DATA


def _conditional(environ: WSGIEnvironment) -> bool:
    """Tell whether a request has conditions or parts that only Flask knows; a HEAD has no parts (RFC 9110, 14.2)."""
    if environ["REQUEST_METHOD"] == "HEAD":
        environ.pop("HTTP_RANGE", None)
    return "HTTP_RANGE" in environ or "HTTP_IF_MATCH" in environ or "HTTP_IF_UNMODIFIED_SINCE" in environ


def _body(environ: WSGIEnvironment) -> bytes | None:
    """Return the body of a request, which can then be read again; None if it is for Flask to read or to refuse."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > LONGEST or "HTTP_CONTENT_ENCODING" in environ:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _unchanged(start_response: StartResponse, fields: Fields, tags: dict[str, str], etag: str) -> Iterable[bytes]:
    """Say 304 with the client's own tag: it names the coding of what the client holds."""
    sent = next((tag for tag, bare in tags.items() if bare == etag), None)
    fields, _ = coded(fields, "", etag)
    start_response("304 NOT MODIFIED", [*without(fields, "etag"), ("ETag", f'"{sent}"')] if sent else fields)
    return ()


def _bodyless(chunks: object) -> Iterable[bytes]:
    with suppress(AttributeError):
        chunks.close()  # type: ignore[attr-defined]
    return ()
