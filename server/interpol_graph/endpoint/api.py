"""/api/: the saved questions for programs, and their description; the pages at /queries/ ask by the same functions."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import IO
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup

from interpol_graph.endpoint import current, dumps, negotiation, pictures
from interpol_graph.endpoint.current import Row, answered, data, heavy, merged, query, select, table
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.engine.outcomes import AnswerTooLarge, OutOfMemory, OutOfTime, UnknownGraph
from interpol_graph.graph import rows
from interpol_graph.graph.choices import Choices, asking
from interpol_graph.graph.formats import BY_NAME, FORMATS, Offered, of_kind
from interpol_graph.graph.questions import LANGUAGES, TYPES, BadQuestion, Question, named, saved

blueprint = Blueprint("api", __name__)

#: Plain rows, which only questions are answered with, and are so by default; SPARQL's own JSON has another name here.
ROWS = Offered("json", "JSON", ("application/json", "text/json"))
SPARQL_JSON = replace(BY_NAME["json"], name="sparql-json")
ANSWERS = (ROWS, SPARQL_JSON, *of_kind("results")[1:])
#: The picture of an answer, of a question that says what suits it.
SVG = Offered("svg", "SVG", ("image/svg+xml",))
#: What a page of an answer is asked with: how a right value looks, in words and as a pattern.
PAGING = {"limit": ("a whole number from 1", "[1-9][0-9]{0,8}"), "offset": ("a whole number from 0", "[0-9]{1,9}")}
#: Rows of the examples in the description.
EXAMPLE = 2


@blueprint.get("/api/<name>")
def answer(name: str) -> Response:
    """Answer a question as data, whole or a page of it."""
    asked = question(name)
    text, _ = filled(asked)
    wish = negotiation.require(formats(asked), "The answer", (*ANSWERS, SVG, *FORMATS))
    limit, offset = map(_whole, PAGING)
    if wish == SVG:
        limit = min(limit or pictures.ROWS + 1, pictures.ROWS + 1)
    fmt = BY_NAME.get(wish.name, BY_NAME["json"])
    found = query(_page(text, limit, offset), results=fmt, graph=fmt)
    if wish == ROWS:
        with heavy():
            found.body = rows.write(rows.read(found.body))
    elif wish == SVG:
        found.body = picture(asked, [group[0] for group in merged(table(found.body))], alone=True).encode()
    response = answered(found)
    response.content_type = wish.content_type
    response.vary.add("Accept-Language")
    if wish == SVG:
        response.headers["Content-Security-Policy"] = pictures.POLICY
    elif limit and found.rows == limit and query(_page(text, 1, offset + limit)).rows:
        following = urlencode(request.args.to_dict() | {"offset": str(offset + limit)})
        response.headers["Link"] = f'<{url_for("api.answer", name=name)}?{following}>; rel="next"'
    return response


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Describe the API of the questions (OpenAPI 3.1), with examples that are answers of this graph."""
    content = dumps.made("openapi.json", _describe).read_bytes()
    return data(current.addressed(content), "application/json")


def question(name: str) -> Question:
    """Return the question of a name. Raises NotFound."""
    try:
        return named(name)
    except BadQuestion as error:
        raise NotFound(str(error), known=list(saved())) from error


def formats(question: Question) -> tuple[Offered, ...]:
    """Return what a question is answered in, the default first."""
    return (*ANSWERS, *[SVG][: len(question.picture)]) if question.variables else of_kind("graph")


def picture(question: Question, found: list[Row], anchor: str = "", alone: bool = False) -> Markup:
    """Return the picture of rows that answer a question, for a page or to stand alone. Raises Busy, Departed."""
    kind, columns = next(iter(question.picture.items()))
    title = question.title[negotiation.speech()]
    return pictures.draw(kind, columns, found, question.columns, title, anchor=anchor, alone=alone)


@current.remembered
def choices(pattern: str) -> Choices:
    """Return what a parameter may be."""
    return Choices({name: term.value for name, term in row.items()} for row in select(asking(pattern)))


def filled(question: Question) -> tuple[str, dict[str, str]]:
    """Return the SPARQL text of a question with the request's values, in its language, and the value of every parameter.

    Raises BadParameter for what is unknown, given twice or of the wrong type.
    """
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadParameter(f"The parameter {name} is given {len(values)} times; once is right.", parameter=name)
    others = ("format", "lang", *(PAGING if question.variables else ()))
    given = {name: value for name, value in request.args.items() if name not in others}
    try:
        given = question.chosen(given, choices)
        text = question.filled(given | {"lang": request.args.get("lang") or negotiation.language()})
    except BadQuestion as error:
        raise BadParameter(str(error), known=[parameter.name for parameter in question.parameters]) from error
    return text, {parameter.name: given.get(parameter.name) or parameter.default for parameter in question.parameters}


def _whole(name: str) -> int:
    """Return the number of rows that a parameter of the request gives, 0 without it. Raises BadParameter."""
    text, (words, pattern) = request.args.get(name) or "", PAGING[name]
    if text and not re.fullmatch(pattern, text):
        raise BadParameter(f"The parameter {name} is {words}, not {text!r}.", parameter=name)
    return int(text or 0)


def _page(text: str, limit: int, offset: int) -> str:
    """Return a query for a page of its rows, whose order the questions give to the last."""
    return text + f"LIMIT {limit}\n" * (limit > 0) + f"OFFSET {offset}\n" * (offset > 0)


def _describe(output: IO[bytes]) -> None:
    """Write the description, without the address of the server."""
    asked = saved().values()
    known = {one.choices: choices(one.choices) for question in asked for one in question.parameters if one.choices}
    examples = {}
    for one in filter(lambda one: one.variables, asked):
        with suppress(AnswerTooLarge, OutOfMemory, OutOfTime, UnknownGraph):  # then the others have one
            examples[one.name] = rows.read(query(_page(one.filled(), EXAMPLE, 0)).body)
    with heavy():
        text = render_template(
            "openapi.json", questions=asked, formats=formats, rows=ROWS, examples=examples, types=TYPES,
            languages=LANGUAGES, choices=known, example=EXAMPLE,
        )  # fmt: skip
        servers = {"servers": [{"url": current.ANYWHERE}]}
        output.write(json.dumps(servers | json.loads(text), ensure_ascii=False).encode())
