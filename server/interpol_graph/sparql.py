"""/sparql: the query side of the SPARQL 1.1 Protocol, and the editor for people."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from interpol_graph import negotiate
from interpol_graph.engine import Answer
from interpol_graph.errors import BadRequest, ForbiddenQuery, Problem, UnsupportedMediaType, document
from interpol_graph.formats import FORMATS, Format, of_kind
from interpol_graph.pages import engine, render
from interpol_graph.prefixes import sparql_header
from interpol_graph.queries import Question, saved
from interpol_graph.rows import table

blueprint = Blueprint("sparql", __name__)

QUERY = "application/sparql-query"
EXAMPLE = """SELECT ?session ?sessionLabel ?place ?placeLabel ?start WHERE {
  ?session a interpol:AssemblySession ; rdfs:label ?sessionLabel .
  ?session interpol:place ?place ; interpol:startDate ?start .
  ?place rdfs:label ?placeLabel .
  FILTER(LANG(?sessionLabel) = "en" && LANG(?placeLabel) = "en")
}
ORDER BY DESC(?start) LIMIT 20
"""
FORM = "application/x-www-form-urlencoded"

# What a keyword cannot hide in: IRIs, strings and comments. The engine unescapes \u sequences first, so do we.
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_OPAQUE = re.compile(
    r"""'''(?:(?:''?)?(?:[^'\\]|\\.))*''' | \"\"\"(?:(?:""?)?(?:[^"\\]|\\.))*\"\"\" | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*"
      | <[^<>"{}|^`\\\s]*> | \#[^\n\r]* | [?$]\w+ | [\w.-]*:[\w.%-]*""",
    re.VERBOSE,
)
_SERVICE = re.compile(r"\bSERVICE\b", re.IGNORECASE)


def refuse_service(query: str) -> None:
    """Raise ForbiddenQuery if the query holds the keyword SERVICE outside strings, IRIs, names and comments.

    This is for the sentence; that nothing is fetched is ensured in the evaluator, which cannot open a socket.
    """
    plain = _ESCAPE.sub(lambda match: chr(min(int(match[1] or match[2], 16), 0x10FFFF)), query)
    if _SERVICE.search(_OPAQUE.sub(" ", plain)):
        raise ForbiddenQuery(
            "SERVICE is not allowed here: this endpoint fetches nothing from other servers. Query them from your own client."
        )


@blueprint.route("/sparql", methods=["GET", "POST"])
def sparql() -> Response:
    """Answer a query sent by GET, POST form or POST direct; to a browser, as the editor's page."""
    query, values = _request()
    default, named = values.getlist("default-graph-uri"), values.getlist("named-graph-uri")
    if negotiate.wants_html():
        return _editor(query, default, named)
    if query is None:
        raise BadRequest(
            "There is no query: send one as the parameter `query`, or as the body with Content-Type application/sparql-query."
        )
    answer = _evaluate(query, negotiate.choose(of_kind("results")), negotiate.choose(of_kind("graph")), default, named)
    response = Response(answer.body, content_type=answer.format.content_type)
    response.headers["Server-Timing"] = f"query;dur={answer.seconds * 1000:.3f}"
    response.vary.add("Accept")
    return response


def _evaluate(query: str, results: Format | None, graph: Format | None, default: list[str], named: list[str]) -> Answer:
    refuse_service(query)
    for iri in (*default, *named):
        if iri not in engine().graphs:
            raise BadRequest(
                f"There is no graph <{iri}> here, and none is fetched from elsewhere; the graphs are listed at /dumps/.",
                graph=iri,
                known=list(engine().graphs),
            )
    return engine().query(query, results=results, graph=graph, default=default, named=named)


def _editor(query: str | None, default: list[str], named: list[str]) -> Response:
    """Return the editor, with the answer to its query or with what is wrong with it."""
    answer = problem = None
    if query and query.strip():
        try:
            answer = _evaluate(query, of_kind("results")[0], of_kind("graph")[0], default, named)
        except Problem as error:
            problem = error
    dataset = [("default-graph-uri", iri) for iri in default] + [("named-graph-uri", iri) for iri in named]
    page = render(
        "sparql.html", negotiated=True, query=query, dataset=dataset, header=sparql_header(), default_query=EXAMPLE, formats=FORMATS[:8], examples=_examples(),
        answer=answer, table=table(answer.body) if answer and answer.format.kind == "results" else None,
        downloads=[(fmt, _address(query or "", dataset, fmt)) for fmt in of_kind(answer.format.kind)] if answer else [],
        problem=document(problem) if problem else None,
    )  # fmt: skip
    if problem:
        page.status_code = problem.code or 400
        page.headers.extend(problem.headers)
        page.headers["Cache-Control"] = "no-store"
    return page


def _examples() -> list[Question]:
    """Return one saved question of each kind."""
    return list({question.tags[:1]: question for question in reversed(saved().values())}.values())[:8]


def _address(query: str, dataset: list[tuple[str, str]], fmt: Format) -> str:
    return "/sparql?" + urlencode([("query", query), *dataset, ("format", fmt.name)])


def _request() -> tuple[str | None, MultiDict[str, str]]:
    """Return (query or None, the other parameters) by the three operations of the protocol (section 2.1)."""
    if request.method == "GET":
        values = request.args
    elif request.mimetype == FORM:
        values = request.form
    elif request.mimetype == QUERY:
        if "query" in request.args:
            raise BadRequest("The query is sent twice, as the body and as the parameter `query`; send it once.")
        try:
            return request.get_data().decode("utf-8"), request.args
        except UnicodeDecodeError as error:
            raise BadRequest(f"The query is not UTF-8: byte {error.start} cannot be decoded.") from error
    else:
        raise UnsupportedMediaType(
            f"A query is posted as {FORM} (parameter `query`) or as {QUERY} (the body), not as {request.mimetype or 'a body without type'}.",
            supported=[FORM, QUERY],
        )
    if "update" in values or request.mimetype == "application/sparql-update":
        raise ForbiddenQuery("This endpoint is read-only: updates are not accepted.")
    queries = values.getlist("query")
    if len(queries) > 1:
        raise BadRequest(f"The parameter `query` is given {len(queries)} times; send exactly one query.")
    return (queries[0] if queries else None), values
