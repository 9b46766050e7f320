"""Whole answers kept in memory, so that a repeat is answered in the event loop, before any thread or Flask.

Only what a shared HTTP cache may keep is kept (RFC 9111): 200s to GET with Cache-Control: public.
"""

from collections import OrderedDict
from typing import Any, NamedTuple

Fields = list[tuple[bytes, bytes]]
Key = tuple[Any, ...]

#: Request fields on which an answer may depend, and those that proxies set.
_NEGOTIATED = (b"host", b"accept", b"accept-encoding", b"accept-language")
_FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto")
#: Request fields that only the application understands.
_CONDITIONS = frozenset({b"range", b"if-match", b"if-unmodified-since", b"content-length", b"transfer-encoding"})
#: Fields of a body, which a 304 has not.
_OF_BODY = frozenset({b"content-type", b"content-length", b"content-encoding", b"content-disposition"})
#: Bytes that an entry takes beside its body and its key.
_OVERHEAD = 2048


class Entry(NamedTuple):
    """One answer as it is sent: its fields and body, its entity tag, the fields of its 304, and what the log says of it."""

    fields: Fields
    body: bytes
    etag: bytes
    unchanged: Fields
    facts: dict[str, Any]

    def answer(self, method: str, if_none_match: bytes | None) -> tuple[int, Fields, bytes, dict[str, Any]]:
        """Return status, fields, body and facts for a client, which may hold this answer already.

        If-None-Match is compared weakly (RFC 9110, 13.1.2).
        """
        if if_none_match and self.etag:
            held = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
            if held == [b"*"] or self.etag.removeprefix(b"W/") in held:
                return 304, self.unchanged, b"", self.facts | {"cache": "unchanged"}
        return 200, self.fields, b"" if method == "HEAD" else self.body, self.facts


class AnswerCache:
    """Answers by request, the least recently used given up first; it belongs to one event loop.

    room: the bytes that all answers may take; forwarded: whether fields that proxies set are believed.
    """

    def __init__(self, room: int, forwarded: bool = False) -> None:
        self.room, self.used = room, 0
        self._varying = _NEGOTIATED + (_FORWARDED if forwarded else ())
        self.entries: OrderedDict[Key, tuple[Entry, int]] = OrderedDict()

    def key(self, scope: dict[str, Any], digest: str) -> tuple[Key, bytes | None] | None:
        """Return all that an answer depends on, and If-None-Match; None for a request that is never answered from here.

        scope: the request's ASGI scope; digest: the state of the graph.
        """
        if scope["method"] not in ("GET", "HEAD"):
            return None
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _CONDITIONS:
                return None
            found[name] = found[name] + b"," + value if name in found else value
        get = found.get
        # Without a host HTTP/1.0 is answered, and HTTP/1.1 is not.
        varying = [scope["http_version"], *(get(name) for name in self._varying)]
        return (digest, scope["raw_path"], scope["query_string"], scope["scheme"], *varying), get(b"if-none-match")

    def get(self, key: Key) -> Entry | None:
        """Return the answer to a request if it is kept."""
        found = self.entries.get(key)
        if found is None:
            return None
        self.entries.move_to_end(key)
        return found[0]

    def put(self, key: Key, fields: Fields, body: object, facts: dict[str, Any]) -> None:
        """Keep an answer if caches may keep it, it is there whole and takes at most an eighth of the room."""
        if not isinstance(body, bytes):
            return
        named = dict(fields)
        control = named.get(b"cache-control", b"")
        size = len(body) + _OVERHEAD + sum(len(part or b"") for part in key)
        if size > self.room // 8 or b"public" not in control or b"no-cache" in control:
            return
        timeless = [field for field in fields if field[0] != b"server-timing"]
        unchanged = [field for field in timeless if field[0] not in _OF_BODY]
        hit = [*timeless, (b"server-timing", b'cache;desc="hit"')]
        if key in self.entries:
            self.used -= self.entries.pop(key)[1]
        self.entries[key] = Entry(hit, body, named.get(b"etag", b""), unchanged, facts | {"cache": "hit"}), size
        self.used += size
        while self.used > self.room:
            self.used -= self.entries.popitem(last=False)[1][1]
