"""Another SPARQL engine that holds the same graph, asked over HTTP in place of the one built in (SPARQL 1.1 Protocol, 2.1.2)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from interpol_graph.engine.outcomes import engine_fails, not_evaluated, too_large

#: Seconds that an engine may be silent; whoever asks may have less patience.
_SILENCE = 60.0
#: Characters of an engine's own words that are passed on.
_WORDS = 300
#: Bytes that are read of an answer at a time.
_PIECE = 1 << 20
#: How many times as long as its limit an answer may be in the format in which the engine sends it.
_LONGER = 8


class Remote:
    """The engine behind a URL. Raises ValueError for what is no http or https URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address of an engine; one begins with http:// or https://")
        self.url = url
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.hostname, parts.port, timeout=_SILENCE)

    def fetch(
        self, query: str, media_type: str, limit: int, default: Iterable[str] = (), named: Iterable[str] = ()
    ) -> bytes:
        """Return the whole answer. Raises Unavailable, ForbiddenQuery, AnswerTooLarge.

        limit: bytes that the answer may have in the format of whoever asked; what is compact there may be long here.
        """
        form = [("query", query), *(("default-graph-uri", iri) for iri in default)]
        form += [("named-graph-uri", iri) for iri in named]
        fields = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": media_type,
            "User-Agent": "interpol-graph",
        }
        try:
            self.connection.close()  # one that lay idle may be closed on the other side
            self.connection.request("POST", self.path, urlencode(form), fields)
            response = self.connection.getresponse()
            body = bytearray()
            while piece := response.read(_PIECE):
                body += piece
                if len(body) > _LONGER * limit:
                    self.connection.close()
                    raise too_large(limit)
            if response.length:  # that many bytes were announced and did not come
                raise http.client.IncompleteRead(bytes(body), response.length)
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise engine_fails(f"{self.url} does not answer: {error or type(error).__name__}") from error
        if 400 <= response.status < 500:
            raise not_evaluated(" ".join(body.decode("utf-8", "replace").split())[:_WORDS])
        given = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if response.status != 200 or given != media_type:
            raise engine_fails(
                f"{self.url} answers {response.status} with {given or 'no media type'}, not 200 with {media_type}"
            )
        return bytes(body)

    def counts(self) -> tuple[int, dict[str, int]]:
        """Return how many statements the engine holds: in its default graph, and by named graph. Raises as `fetch`."""
        default = self._rows("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
        named = self._rows("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
        return int(default[0]["n"]["value"]), {row["g"]["value"]: int(row["n"]["value"]) for row in named}

    def _rows(self, query: str) -> list[dict[str, dict[str, str]]]:
        body = self.fetch(query, "application/sparql-results+json", 64 << 20)
        try:
            rows: list[dict[str, dict[str, str]]] = json.loads(body)["results"]["bindings"]
        except (ValueError, LookupError) as error:
            raise engine_fails(f"{self.url} does not answer with SPARQL results") from error
        return rows
