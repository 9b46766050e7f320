"""The header fields of every answer: who may read it, how long it holds, which state it is of, in which content coding."""

import gzip
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import brotli
import pyoxigraph
import zstandard
from flask import Flask, Response, request

from interpol_graph import __version__
from interpol_graph.endpoint import problems
from interpol_graph.engine.snapshot import Answer
from interpol_graph.graph import paths

#: How long an answer may be used without asking whether the graph is still the same.
CACHED = "public, max-age=60"
#: For errors and for answers that differ from one evaluation to the next.
UNCACHED = "no-store"

#: Every answer carries these.
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After, Server-Timing, Allow, Accept-Ranges, Content-Range, Content-Disposition",
    "Timing-Allow-Origin": "*",
}
#: A page runs its own scripts only and stands in no foreign frame.
_PAGE = _COMMON | {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Data may be fetched from anywhere; opened as a document it runs nothing, whatever XML a query made.
_DATA = _COMMON | {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_IMAGE = _COMMON | {"Cross-Origin-Resource-Policy": "cross-origin"}
#: The answer to a browser that asks whether an application may send its request.
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Requested-With",
    "Access-Control-Max-Age": "86400",
    "Vary": "Access-Control-Request-Headers",
}
#: The ranges that are honoured; what names another unit, several of them or none may be answered whole (RFC 9110, 14.2).
_ONE_RANGE = re.compile("bytes=([0-9]{1,18}-[0-9]{0,18}|-0{0,9}[1-9][0-9]{0,18})", re.IGNORECASE)

#: Content coding → how a body is written in it, the preferred first, at levels that cost less time than a slow line.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: bytes(brotli.compress(body, quality=4)),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}
#: Bodies outside these bounds, in bytes, are sent as they are: too small to gain, or too large to spend the time on.
_SMALLEST, _LARGEST = 1024, 16 << 20
#: Media types that are text though their names do not say so.
_TEXTS = frozenset({"application/n-triples", "application/n-quads", "application/trig", "application/sparql-query"})


def register(app: Flask, digest: Callable[[], str]) -> None:
    """Give every answer its fields, and answer 304 without evaluating when the client has what it asks for.

    digest: returns the state of the graph that this request is answered from.
    """

    def asked() -> str:
        """Return the tag of any answer to this request, a weak one: rows without ORDER BY may come in another order."""
        wishes = request.headers.get("Accept", ""), request.headers.get("Accept-Language", "")
        return tag(digest(), request.scheme, request.host, request.path, request.query_string, *wishes)

    @app.before_request
    def unchanged() -> Response | None:
        environ = request.environ
        if environ.get("HTTP_IF_MATCH", "").strip() == "*":
            del environ["HTTP_IF_MATCH"]  # werkzeug takes * for a tag that nothing has (RFC 9110, 13.1.1)
        if not _is_partial():
            environ.pop("HTTP_RANGE", None)
        held = request.if_none_match
        if not held or request.method not in ("GET", "HEAD") or request.if_match:
            return None
        # * is true of anything; whether there is anything is not known yet.
        if held.star_tag or not held.contains_weak(etag := asked()):
            return None
        response = Response(status=304, headers={"Cache-Control": CACHED})
        response.headers.pop("Content-Type")
        response.set_etag(etag, weak=True)
        response.vary.update(["Accept", "Accept-Language", "Accept-Encoding"])
        return response

    @app.after_request
    def finish(response: Response) -> Response:
        if request.method in ("GET", "HEAD") and (response.status_code == 200 or "ETag" in response.headers):
            if "ETag" not in response.headers and response.headers.get("Cache-Control") == CACHED:
                response.set_etag(asked(), weak=True)
            try:
                check(response.headers.get("ETag", "").strip('"'), response.last_modified)
                if request.if_none_match and "ETag" in response.headers:
                    response.make_conditional(request)
            except problems.PreconditionFailed as error:
                response.close()
                response = problems.answer(error)
        if location := response.headers.get("Location"):  # whatever Host was sent, the reader stays here
            response.headers["Location"] = location.removeprefix(request.host_url.rstrip("/"))
        _encode(response)
        kind, _, _ = (response.mimetype or "").partition("/")
        policy = _PAGE if response.mimetype == "text/html" else _IMAGE if kind == "image" else _DATA
        # What has not changed keeps the policy that it came with: a 304 does not know its type.
        response.headers.extend(_COMMON if response.status_code == 304 else policy)
        if request.method == "OPTIONS":
            response.headers.extend(_PREFLIGHT)
            if asked_for := request.headers.get("Access-Control-Request-Headers"):
                response.headers["Access-Control-Allow-Headers"] = asked_for  # nothing here depends on who asks
        return response


def _is_partial() -> bool:
    """Tell whether a part of the answer is asked for, in words that are honoured here."""
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or request.method != "GET":
        return False
    first, _, last = match[1].partition("-")
    if first and last and int(last) < int(first):
        return False
    # Halves are joined by a strong tag alone (13.1.5); a date says nothing of what several processes wrote.
    return request.headers.get("If-Range", '"').startswith('"')


def tag(digest: str, *parts: object) -> str:
    """Return the tag of what is asked: of the state `digest` of the graph, this program, and `parts` of the request."""
    return hashlib.blake2b(repr((digest, _program(), parts)).encode(), digest_size=16).hexdigest()


def lifetime(answer: Answer | None) -> str:
    """Return how long an answer may be used: not at all if the next evaluation may differ."""
    return UNCACHED if answer and answer.volatile else CACHED


def check(etag: str, modified: datetime | None) -> None:
    """Raise PreconditionFailed if If-Match, by a strong tag, or without it If-Unmodified-Since names another answer (RFC 9110, 13.2.2)."""
    if request.if_match:
        other = not request.if_match.is_strong(etag)
    else:
        since = request.if_unmodified_since
        other = bool(since and modified and modified > since)
    if other:
        raise problems.PreconditionFailed("The answer is another one than If-Match or If-Unmodified-Since names.")


def _encode(response: Response) -> None:
    """Write a body in the content coding that the client likes best, if that is worth it (RFC 9110, 12.5.3)."""
    kind = response.mimetype or ""
    text = kind.startswith("text/") or kind.endswith(("json", "xml", "javascript")) or kind in _TEXTS
    if not text or "Content-Range" in response.headers or request.blueprint == "dumps":
        return
    response.vary.add("Accept-Encoding")
    if response.headers.get("ETag", "").startswith('"'):
        response.set_etag(response.get_etag()[0] or "", weak=True)  # one for all codings
    if response.status_code != 200 or not _SMALLEST <= (response.content_length or 0) <= _LARGEST:
        return
    quality = request.accept_encodings.quality
    coding = max(CODINGS, key=quality)
    plain = quality("identity") if "identity" in request.accept_encodings.values() else 0
    if quality(coding) > 0 and quality(coding) >= plain:
        response.direct_passthrough = False
        response.set_data(CODINGS[coding](response.get_data()))
        response.headers["Content-Encoding"] = coding
        response.headers.pop("Accept-Ranges", None)


@cache
def _program() -> str:
    """Return the digest of all that forms an answer beside the graph: code, templates, questions and what is told of them, prefixes."""
    package = Path(__file__).parents[1]
    files = [path for ending in ("**/*.py", "**/*.toml", "templates/*", "static/**/*") for path in package.glob(ending)]
    files += [*paths.QUERIES.rglob("*.*"), *paths.SHAPES.glob("*.ttl"), paths.ONTOLOGY / "prefixes.ttl"]
    content = b"".join(path.read_bytes() for path in sorted(files) if path.is_file())
    return hashlib.sha256(__version__.encode() + pyoxigraph.__version__.encode() + content).hexdigest()
