"""/api/: the saved questions for programs, and their description; the pages at /queries/ ask by the same functions."""

import json
import re
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, render_template, request

from interpol_graph.endpoint import caching, negotiation
from interpol_graph.endpoint.current import answered, heavy, query, select, snapshot
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.choices import Choices, asking
from interpol_graph.graph.formats import Format, of_kind
from interpol_graph.graph.questions import LANGUAGES, TYPES, BadQuestion, Question, named, saved

blueprint = Blueprint("api", __name__)


@blueprint.get("/api/<name>")
def answer(name: str) -> Response:
    """Answer a question as data."""
    text, _ = filled(question(name))
    results, graph = negotiation.of_answer(request.args.get("format", ""), request.headers.get("Accept", ""))
    response = answered(query(text, results=results, graph=graph))
    response.vary.add("Accept-Language")
    return response


@blueprint.get("/openapi.json")
def openapi() -> tuple[dict[str, Any], dict[str, str]]:
    """Describe the API of the questions (OpenAPI 3.1)."""
    asked = list(saved().values())
    known = {
        parameter.choices: choices(parameter.choices)
        for one in asked
        for parameter in one.parameters
        if parameter.choices
    }
    server, operations = request.host_url.rstrip("/"), [(one, _formats(one)) for one in asked]
    with heavy():
        text = render_template(
            "openapi.json", server=server, operations=operations, types=TYPES, languages=LANGUAGES, choices=known
        )
        return json.loads(text), {"Cache-Control": caching.CACHED}


def question(name: str) -> Question:
    """Return the question of a name. Raises NotFound."""
    try:
        return named(name)
    except BadQuestion as error:
        raise NotFound(str(error), known=list(saved())) from error


def choices(pattern: str) -> Choices:
    """Return what a parameter may be in the state of the graph that this request asks."""
    return _choices(snapshot().digest, pattern)


@lru_cache(maxsize=64)
def _choices(digest: str, pattern: str) -> Choices:
    return Choices({name: term.value for name, term in row.items()} for row in select(asking(pattern)))


def filled(question: Question) -> tuple[str, dict[str, str]]:
    """Return the SPARQL text of a question with the request's values, in its language, and the value of every parameter.

    Raises BadParameter for what is unknown, given twice or of the wrong type.
    """
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadParameter(f"The parameter {name} is given {len(values)} times; once is right.", parameter=name)
    given = {name: value for name, value in request.args.items() if name not in ("format", "lang")}
    for parameter in question.parameters:
        if parameter.choices and given.get(parameter.name):
            choices(parameter.choices)  # evaluated here, not while others wait
    try:
        with heavy():  # names like one that is none are found by a long comparison
            given = question.chosen(given, choices)
        text = question.filled(given | {"lang": request.args.get("lang") or negotiation.language()})
    except BadQuestion as error:
        raise BadParameter(str(error), known=[parameter.name for parameter in question.parameters]) from error
    return text, {parameter.name: given.get(parameter.name) or parameter.default for parameter in question.parameters}


def _formats(question: Question) -> tuple[Format, ...]:
    graph = re.search(r"^\s*(CONSTRUCT|DESCRIBE)\b", question.body, re.MULTILINE | re.IGNORECASE)
    return of_kind("graph" if graph else "results")
