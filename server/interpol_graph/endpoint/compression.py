"""Content codings: which one a client takes, and a body in it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache

import brotli
import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

#: Coding → how a body is written in it, the preferred first. The levels are those that cost less time than a slow line;
#: the same body gives the same bytes in every process, as a strong entity tag promises.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: bytes(brotli.compress(body, quality=4)),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}
#: Bodies outside these bounds, in bytes, are sent as they are: too small to gain, or too large to spend the time on.
SMALLEST, LARGEST = 1024, 16 << 20


@lru_cache(maxsize=256)
def accepted(accept_encoding: str) -> tuple[str, ...]:
    """Return the codings that an Accept-Encoding header takes, the best liked first; ours come first in a tie.

    >>> accepted("gzip, br;q=0.5, zstd;q=0")
    ('gzip', 'br')
    """
    if not accept_encoding:
        return ()
    wishes = parse_accept_header(accept_encoding, Accept)
    liked = {coding: wishes.quality(coding) for coding in CODINGS}
    plain = wishes.quality("identity") if "identity" in wishes.values() else 0
    return tuple(
        sorted((c for c, quality in liked.items() if quality > 0 and quality >= plain), key=lambda c: -liked[c])
    )


def encoded(body: bytes, accept_encoding: str) -> tuple[bytes, str]:
    """Return a body in the coding that the client likes best, and that coding; as it is, with "", if none is worth it."""
    codings = accepted(accept_encoding) if accept_encoding else ()
    if not codings or not SMALLEST <= len(body) <= LARGEST:
        return body, ""
    return CODINGS[codings[0]](body), codings[0]


def compressible(content_type: str) -> bool:
    """Tell whether a body of this type is text, and not compressed already."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith(("json", "xml", "javascript")) or kind in _TEXTS


_TEXTS = frozenset({"application/n-triples", "application/n-quads", "application/trig", "application/sparql-query"})
