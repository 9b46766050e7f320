"""/sparql: the query operation of the SPARQL 1.1 Protocol, and the editor for people."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlencode

from flask import Blueprint, Response, request

from interpol_graph.endpoint import caching, current, description, negotiation
from interpol_graph.endpoint.problems import BadRequest, Problem, UnsupportedMediaType
from interpol_graph.endpoint.rows import table
from interpol_graph.engine import outcomes
from interpol_graph.engine.outcomes import EngineError, NoFormat, Unwritable
from interpol_graph.engine.snapshot import Answer
from interpol_graph.graph.formats import FORMATS, Format, of_kind
from interpol_graph.graph.prefixes import sparql_header
from interpol_graph.graph.questions import Question, saved

blueprint = Blueprint("sparql", __name__)

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

#: The parameters that are read; any other is left alone.
PARAMETERS = frozenset({"query", "update", "default-graph-uri", "named-graph-uri", "format"})

#: Bytes of an answer up to which it is shown as a table: a larger one would take a page's time and memory many times over.
LARGEST = 4 << 20

EXAMPLE = """SELECT ?session ?sessionLabel ?place ?placeLabel ?start WHERE {
  ?session a interpol:AssemblySession ; rdfs:label ?sessionLabel .
  ?session interpol:place ?place ; interpol:startDate ?start .
  ?place rdfs:label ?placeLabel .
  FILTER(LANG(?sessionLabel) = "en" && LANG(?placeLabel) = "en")
}
ORDER BY DESC(?start) LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its query (None when there is none), its dataset, and the format that it wants by name, if any."""

    query: str | None
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    format: Format | None = None


@blueprint.route("/sparql", methods=["GET", "POST"], strict_slashes=False)
def sparql() -> Response:
    """Answer a query sent by GET, POST form or POST direct; to a browser, as the editor's page.

    Without a query, the endpoint describes itself.
    """
    asked = _read()
    accept = request.headers.get("Accept", "")
    if asked.format is None and negotiation.likes_html(accept):
        return _editor(asked)
    if asked.query is None and request.method != "POST" and not asked.default and not asked.named:
        return description.answer()
    answer = _answer(asked, accept)
    return current.answered(answer)


def _read() -> Asked:
    """Return what the request asks by one of the three query operations (2.1.1 to 2.1.3).

    Raises BadRequest, ForbiddenQuery, UnsupportedMediaType.
    """
    pairs = _pairs(request.query_string)
    direct = None
    if request.method == "POST":
        negotiation.check_coding()
        if request.mimetype not in (FORM, QUERY, UPDATE):
            raise UnsupportedMediaType(
                f"A query is posted as {FORM} (parameter `query`) or as {QUERY} (the body), "
                f"not as {request.mimetype or 'a body without a Content-Type'}.",
                supported=[FORM, QUERY],
            )
        charset = request.mimetype_params.get("charset", "utf-8")
        if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(
                f"The charset {charset} is not read here; send the query in UTF-8.", supported=["utf-8"]
            )
        body = request.get_data(cache=False)
        if request.mimetype == UPDATE:
            raise outcomes.read_only()
        if request.mimetype == FORM:
            pairs += _pairs(body)
        else:
            direct = _text(body, "The query")
    queries = [value for name, value in pairs if name == "query"]
    if direct is not None and queries:
        raise BadRequest("The query is sent twice, as the body and as the parameter `query`; send it once.")
    if any(name == "update" for name, _ in pairs):
        raise outcomes.read_only()
    if len(queries) > 1:
        raise BadRequest(f"The parameter `query` is given {len(queries)} times; send exactly one query.")
    wishes = [value for name, value in pairs if name == "format" and value]
    return Asked(
        queries[0] if queries else direct,
        tuple(value for name, value in pairs if name == "default-graph-uri"),
        tuple(value for name, value in pairs if name == "named-graph-uri"),
        negotiation.called(wishes[0]) if wishes else None,
    )


def _answer(asked: Asked, accept: str, failed: frozenset[str] = frozenset()) -> Answer:
    """Return the whole answer in the best format but those that failed. Raises a Problem or an EngineError."""
    if asked.query is None:
        raise BadRequest(
            f"There is no query: send one as the parameter `query`, or as the body with Content-Type {QUERY}."
        )
    results, graph = (
        (asked.format if asked.format.kind == kind else None)
        if asked.format
        else negotiation.best_of_kind(kind, accept, failed)
        for kind in negotiation.KINDS
    )
    try:
        return current.query(asked.query, results=results, graph=graph, default=asked.default, named=asked.named)
    except Unwritable as problem:
        if asked.format:
            raise
        # The client may take another format, though it likes that one better.
        try:
            return _answer(asked, accept, failed | {str(problem.extra["format"])})
        except NoFormat:
            raise problem from None


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Return the parameters that are read, percent-decoded; bytes that are no UTF-8 are an error, not a guess."""
    pairs = []
    for part in encoded.split(b"&"):
        name, _, value = part.partition(b"=")
        called = unquote_to_bytes(name).decode("utf-8", "replace")
        if called in PARAMETERS:
            pairs.append((called, _text(unquote_to_bytes(value.replace(b"+", b" ")), f"The parameter `{called}`")))
    return pairs


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} is not UTF-8: byte {error.start} cannot be decoded.") from error


def _editor(asked: Asked) -> Response:
    """Return the editor, with the answer to its query or with what is wrong with it."""
    answer = error = shown = None
    query = asked.query or ""
    if query.strip():
        try:
            answer = _answer(asked, "")
        except (Problem, EngineError) as problem:
            error = problem
    if answer and answer.format.kind == "results" and len(answer.body) <= LARGEST:
        shown = table(answer.body)
    dataset = [("default-graph-uri", iri) for iri in asked.default]
    dataset += [("named-graph-uri", iri) for iri in asked.named]
    return current.render(
        "sparql.html", negotiated=True, error=error, lifetime=caching.lifetime(answer), query=asked.query, dataset=dataset,
        header=sparql_header(), default_query=EXAMPLE, formats=FORMATS[:8], examples=_examples(),
        answer=answer, table=shown, large=answer and answer.format.kind == "results" and not shown,
        downloads=[(fmt, _address(query, dataset, fmt)) for fmt in of_kind(answer.format.kind)] if answer else [],
    )  # fmt: skip


def _examples() -> list[Question]:
    """Return one saved question of each kind."""
    return list({question.tags[:1]: question for question in reversed(saved().values())}.values())[:8]


def _address(query: str, dataset: list[tuple[str, str]], fmt: Format) -> str:
    return "/sparql?" + urlencode([("query", query), *dataset, ("format", fmt.name)])
