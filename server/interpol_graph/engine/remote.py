"""Another SPARQL engine that holds the same graph, asked over HTTP in place of the one built in (SPARQL 1.1 Protocol, 2.1.2)."""

import http.client
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from pyoxigraph import QuerySolutions, Store, parse_query_results

from interpol_graph.engine.outcomes import engine_fails, not_evaluated, too_large
from interpol_graph.graph.formats import BY_NAME

#: How many statements there are, by named graph, and unnamed in the default graph.
_COUNT = "SELECT ?g (COUNT(*) AS ?n) { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } } GROUP BY ?g"
_JSON = BY_NAME["json"]


class Remote:
    """The engine behind a URL. Raises ValueError for what is no http or https URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address of an engine; one begins with http:// or https://")
        self.url = url
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.hostname, parts.port, timeout=60)

    def fetch(
        self, query: str, media_type: str, limit: int, default: Sequence[str] = (), named: Sequence[str] = ()
    ) -> bytes:
        """Return the whole answer. Raises Unavailable, ForbiddenQuery, AnswerTooLarge.

        limit: bytes that the answer may have in the format of whoever asked; what is compact there may be eight times as
        long here.
        """
        form = urlencode({"query": query, "default-graph-uri": default, "named-graph-uri": named}, doseq=True)
        fields = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": media_type,
            "User-Agent": "interpol-graph",
        }
        try:
            self.connection.close()  # one that lay idle may be closed on the other side
            self.connection.request("POST", self.path, form, fields)
            response = self.connection.getresponse()
            body = bytearray()
            while piece := response.read(1 << 20):
                body += piece
                if len(body) > 8 * limit:
                    self.connection.close()
                    raise too_large(limit)
            if response.length:  # that many bytes were announced and did not come
                raise http.client.IncompleteRead(bytes(body), response.length)
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise engine_fails(f"{self.url} does not answer: {error or type(error).__name__}") from error
        if 400 <= response.status < 500:
            raise not_evaluated(" ".join(body.decode("utf-8", "replace").split())[:300])
        given = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if response.status != 200 or given != media_type:
            given = given or "no media type"
            raise engine_fails(f"{self.url} answers {response.status} with {given}, not 200 with {media_type}")
        return bytes(body)

    def check(self, store: Store) -> None:
        """Make sure that the engine holds as many statements as a store, by graph. Raises ValueError, and as `fetch`."""
        there = _sizes(parse_query_results(self.fetch(_COUNT, _JSON.media_types[0], 64 << 20), _JSON.results))
        here = _sizes(store.query(_COUNT))
        for name in sorted(here.keys() | there.keys()):
            if there[name] != here[name]:
                raise ValueError(
                    f"{self.url} holds {there[name]:,} statements in {name}, not {here[name]:,}: "
                    "load dumps/interpol.nt into its default graph, and dumps/interpol.nq"
                )


def _sizes(rows: object) -> Counter[str]:
    if not isinstance(rows, QuerySolutions):
        raise ValueError("the engine answers a SELECT without rows")
    return Counter({str(row["g"] or "its default graph"): int(row["n"].value) for row in rows})
