"""The header fields of every answer: open to browser applications, closed to foreign scripts, kept no longer than true."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pyoxigraph

from interpol_graph import __version__
from interpol_graph.graph import paths

#: Every answer carries these.
COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        "ETag, Link, Location, Retry-After, Server-Timing, Allow, Accept-Ranges, Content-Range, Content-Disposition",
    ),
    ("Timing-Allow-Origin", "*"),
)
#: A page runs its own scripts only and stands in no foreign frame.
PAGE = (
    (
        "Content-Security-Policy",
        "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
#: Data may be fetched from anywhere; opened as a document it runs nothing, whatever XML a query made.
DATA = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
#: The answer to a browser that asks whether an application may send its request.
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
    (
        "Access-Control-Allow-Headers",
        "Accept, Accept-Language, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Requested-With",
    ),
    ("Access-Control-Max-Age", "86400"),
)
#: How long an answer may be used without asking whether the graph is still the same.
CACHED = "public, max-age=60"
#: For errors and for answers that differ from one evaluation to the next.
UNCACHED = "no-store"


def security(media_type: str) -> tuple[tuple[str, str], ...]:
    """Return the fields that keep a browser safe with a body of this type."""
    if media_type.startswith("text/html"):
        return COMMON + PAGE
    return COMMON + (DATA[1:] if media_type.startswith("image/") else DATA)


def tag(digest: str, *parts: object) -> str:
    """Return the tag of what is asked: of the state `digest` of the graph, this program, and `parts` of the request."""
    return hashlib.blake2b(repr((digest, _program(), parts)).encode(), digest_size=16).hexdigest()


def strong(asked: str, body: bytes) -> str:
    """Return the entity tag of one answer to what is asked.

    Without ORDER BY, two evaluations may give the same rows in two orders: a strong tag names the very bytes.
    """
    return f"{asked}.{hashlib.blake2b(body, digest_size=8).hexdigest()}"


def held(asked: str, tags: Iterable[str]) -> str | None:
    """Return the tag of an answer to what is asked that a client holds: any such answer is right for this state."""
    return next((tag for tag in tags if tag and tag.partition(".")[0] == asked), None)


@cache
def _program() -> str:
    """Return the digest of all that forms an answer beside the graph: code, templates, saved questions, prefixes."""
    package = Path(__file__).parents[1]
    files = [path for ending in ("**/*.py", "**/*.toml", "templates/*", "static/**/*") for path in package.glob(ending)]
    files += [*paths.QUERIES.rglob("*.rq"), paths.ONTOLOGY / "prefixes.ttl"]
    content = b"".join(path.read_bytes() for path in sorted(files) if path.is_file())
    return hashlib.sha256(__version__.encode() + pyoxigraph.__version__.encode() + content).hexdigest()
