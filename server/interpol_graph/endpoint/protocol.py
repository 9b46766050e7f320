"""The query operation of the SPARQL 1.1 Protocol on plain values: what is asked, and its whole answer."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from werkzeug.http import parse_options_header

from interpol_graph.endpoint import headers, negotiation, record
from interpol_graph.endpoint.flights import Crowded, Flights
from interpol_graph.endpoint.problems import BadRequest, UnsupportedMediaType
from interpol_graph.engine import tokens
from interpol_graph.engine.outcomes import Busy, Departed, ForbiddenQuery, Interrupted, NoFormat, Unwritable
from interpol_graph.engine.snapshot import Answer, Snapshot, hash_of
from interpol_graph.graph.formats import Format
from interpol_graph.serving import visitor

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

#: The parameters that are read; any other is left alone.
PARAMETERS = frozenset({"query", "update", "default-graph-uri", "named-graph-uri", "format"})


def _check_wanted() -> None:
    if visitor.is_gone():
        raise Departed("The client went away, and nobody waits for its answer.")


#: The same question asked by many at once, as after a restart, is evaluated once.
_FLIGHTS: Flights[Answer] = Flights(alone=(Interrupted,), look=_check_wanted)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its query (None when there is none), its dataset, its ?format=, what it accepts, and which formats failed."""

    query: str | None
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    wish: str = ""
    accept: str = ""
    tried: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; etag is None when the next answer may differ, body is None when the client has it already."""

    format: Format
    body: bytes | None
    etag: str | None
    seconds: float = 0.0

    def fields(self, method: str, coding: str = "") -> list[tuple[str, str]]:
        """Return the header fields of the answer; an entity tag stands for what GET returns, so POST has none."""
        fields = [
            ("Cache-Control", headers.CACHED if self.etag else headers.UNCACHED),
            ("Vary", "Accept, Accept-Encoding"),
        ]
        if self.etag and method != "POST":
            fields.append(("ETag", f'"{self.etag}-{coding}"' if coding else f'"{self.etag}"'))
        if self.body is not None:
            fields.append(("Content-Type", self.format.content_type))
            fields.append(("Server-Timing", f"query;dur={self.seconds * 1000:.3f}"))
        return fields


def read(query_string: bytes, accept: str, content_type: str | None = None, body: bytes | None = None) -> Asked:
    """Return what a request asks by one of the three query operations (2.1.1 to 2.1.3); body is None for GET.

    Raises BadRequest, ForbiddenQuery, UnsupportedMediaType.
    """
    pairs = _pairs(query_string)
    queries = [value for name, value in pairs if name == "query"]
    if body is not None:
        media_type, options = parse_options_header(content_type)
        media_type, charset = media_type.lower(), options.get("charset", "utf-8")
        if media_type not in (FORM, QUERY, UPDATE):
            raise UnsupportedMediaType(
                f"A query is posted as {FORM} (parameter `query`) or as {QUERY} (the body), "
                f"not as {media_type or 'a body without a Content-Type'}.",
                supported=[FORM, QUERY],
            )
        if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(
                f"The charset {charset} is not read here; send the query in UTF-8.", supported=["utf-8"]
            )
        if media_type == UPDATE:
            raise _read_only()
        if media_type == FORM:
            pairs += _pairs(body)
            queries = [value for name, value in pairs if name == "query"]
        elif queries:
            raise BadRequest("The query is sent twice, as the body and as the parameter `query`; send it once.")
        else:
            queries = [_text(body, "The query")]
    if any(name == "update" for name, _ in pairs):
        raise _read_only()
    if len(queries) > 1:
        raise BadRequest(f"The parameter `query` is given {len(queries)} times; send exactly one query.")
    wishes = [value for name, value in pairs if name == "format" and value]
    return Asked(
        queries[0] if queries else None,
        tuple(value for name, value in pairs if name == "default-graph-uri"),
        tuple(value for name, value in pairs if name == "named-graph-uri"),
        wishes[0] if wishes else "",
        accept,
    )


def answer(snapshot: Snapshot, asked: Asked, have: frozenset[str] = frozenset()) -> Reply:
    """Return the whole answer to a query; `have` are the entity tags of answers that the client holds.

    Raises Problem, EngineError: nothing is answered in part.
    """
    query = asked.query
    if query is None:
        raise BadRequest(
            f"There is no query: send one as the parameter `query`, or as the body with Content-Type {QUERY}."
        )
    record.note(query=hash_of(query))
    reading = tokens.read(query)
    if reading.update:
        raise _read_only(reading.update)
    if reading.service:
        raise ForbiddenQuery(
            "SERVICE is not allowed here: this endpoint fetches nothing from other servers. Query them from your own client."
        )
    if reading.labelled:
        raise ForbiddenQuery(
            "BNODE with an argument is not evaluated here: several solutions would get the same node, or one of the graph's own. "
            "BNODE() makes a new node for each solution; IRI(CONCAT(…)) names one."
        )
    # Named by the request, a dataset takes the place of the query's own FROM (2.1.4).
    known = snapshot.graphs
    for iri in (*asked.default, *asked.named) or reading.graphs:
        if iri not in known:
            raise _unknown(iri, list(known))
    wish = negotiation.called(asked.wish)
    formats = [
        (wish if wish.kind == kind else None) if wish else negotiation.best_of_kind(kind, asked.accept, asked.tried)
        for kind in negotiation.KINDS
    ]
    results, graph = formats
    name = None
    if not reading.volatile:
        expected = graph if reading.kind == "graph" else results
        name = headers.tag(snapshot.digest, query, asked.default, asked.named, expected and expected.name)
        if expected and (etag := headers.held(name, have)):
            return Reply(expected, None, etag)

    def evaluate() -> Answer:
        return snapshot.query(
            query, results=results, graph=graph, default=asked.default, named=asked.named, gone=visitor.is_gone
        )

    try:
        found = _FLIGHTS.join(name, evaluate) if name else evaluate()
    except Crowded:
        raise Busy("Many ask this just now; try again in a few seconds.") from None
    except Unwritable as problem:
        if wish:
            raise
        # The client may take another format, though it likes that one better.
        try:
            return answer(snapshot, replace(asked, tried=asked.tried | {str(problem.extra["format"])}), have)
        except NoFormat:
            raise problem from None
    record.note(**found.facts)
    if found.format.kind != reading.kind:  # the words misled: a tag made from them would not tell the formats apart
        name = None
    return Reply(found.format, found.body, headers.strong(name, found.body) if name else None, found.seconds)


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Return the parameters that are read, percent-decoded; bytes that are no UTF-8 are an error, not a guess."""
    pairs = []
    for part in encoded.split(b"&"):
        name, _, value = part.partition(b"=")
        called = (unquote_to_bytes(name) if b"%" in name else name).decode("utf-8", "replace")
        if called in PARAMETERS:
            pairs.append((called, _text(unquote_to_bytes(value.replace(b"+", b" ")), f"The parameter `{called}`")))
    return pairs


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} is not UTF-8: byte {error.start} cannot be decoded.") from error


def _read_only(word: str = "") -> ForbiddenQuery:
    return ForbiddenQuery(f"This endpoint is read-only: updates{f' such as {word}' if word else ''} are not accepted.")


def _unknown(iri: str, known: list[str]) -> BadRequest:
    return BadRequest(
        f"There is no graph <{iri}> here, and none is fetched from elsewhere; the graphs are listed at /dumps/.",
        graph=iri,
        similar=difflib.get_close_matches(iri, known, 5, 0.8),
        known=known,
    )
