"""/sparql: the query side of the SPARQL 1.1 Protocol, and the editor for people."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from interpol_graph.endpoint import description, headers, negotiation, protocol
from interpol_graph.endpoint.current import engine, render
from interpol_graph.endpoint.problems import Problem, document
from interpol_graph.endpoint.rows import table
from interpol_graph.graph.formats import FORMATS, Format, of_kind
from interpol_graph.graph.prefixes import sparql_header
from interpol_graph.graph.questions import Question, saved

blueprint = Blueprint("sparql", __name__)

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


@blueprint.route("/sparql", methods=["GET", "POST"], strict_slashes=False)
def sparql() -> Response:
    """Answer a query sent by GET, POST form or POST direct; to a browser, as the editor's page.

    Without a query, the endpoint describes itself.
    """
    posted = (request.content_type, _body()) if request.method == "POST" else ()
    asked = protocol.read(request.query_string, request.headers.get("Accept", ""), *posted)
    if not asked.wish and negotiation.likes_html(asked.accept):
        return _editor(asked)
    if asked.query is None and not posted and not asked.default and not asked.named:
        return description.answer()
    reply = protocol.answer(engine(), asked, frozenset(request.if_none_match.as_set()))
    response = Response(reply.body or b"", 200 if reply.body is not None else 304)
    response.headers.pop("Content-Type", None)
    response.headers.extend(reply.fields(request.method))
    return response


def _body() -> bytes:
    negotiation.check_coding()
    return request.get_data(cache=False)


def _editor(asked: protocol.Asked) -> Response:
    """Return the editor, with the answer to its query or with what is wrong with it."""
    answer = problem = shown = None
    query = asked.query
    if query and query.strip():
        try:
            answer = protocol.answer(engine(), replace(asked, accept=""))
        except Problem as error:
            problem = error
    if answer and answer.body and answer.format.kind == "results" and len(answer.body) <= LARGEST:
        shown = table(answer.body)
    dataset = [("default-graph-uri", iri) for iri in asked.default]
    dataset += [("named-graph-uri", iri) for iri in asked.named]
    page = render(
        "sparql.html", negotiated=True, query=query, dataset=dataset, header=sparql_header(), default_query=EXAMPLE, formats=FORMATS[:8], examples=_examples(),
        answer=answer, table=shown, large=answer and answer.format.kind == "results" and not shown,
        downloads=[(fmt, _address(query or "", dataset, fmt)) for fmt in of_kind(answer.format.kind)] if answer else [],
        problem=document(problem) if problem else None,
    )  # fmt: skip
    if problem:
        page.status_code = problem.code or 400
        page.headers.extend(problem.headers)
        page.headers["Cache-Control"] = headers.UNCACHED
    if answer and not answer.etag:
        page.headers["Cache-Control"] = headers.UNCACHED
    return page


def _examples() -> list[Question]:
    """Return one saved question of each kind."""
    return list({question.tags[:1]: question for question in reversed(saved().values())}.values())[:8]


def _address(query: str, dataset: list[tuple[str, str]], fmt: Format) -> str:
    return "/sparql?" + urlencode([("query", query), *dataset, ("format", fmt.name)])
