"""/api/: the saved questions for programs, and their description; the pages at /queries/ ask by the same functions."""

import json
import re
from typing import Any

from flask import Blueprint, Response, render_template, request

from interpol_graph.endpoint import caching, negotiation
from interpol_graph.endpoint.current import answered, heavy, query
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.formats import Format, of_kind
from interpol_graph.graph.questions import LANGUAGES, TYPES, BadQuestion, Question, saved

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
    with heavy():
        server, operations = request.host_url.rstrip("/"), [(asked, _formats(asked)) for asked in saved().values()]
        text = render_template("openapi.json", server=server, operations=operations, types=TYPES, languages=LANGUAGES)
        return json.loads(text), {"Cache-Control": caching.CACHED}


def question(name: str) -> Question:
    """Return the question of a name. Raises NotFound."""
    if name not in saved():
        raise NotFound(f"There is no saved question {name!r}.", known=list(saved()))
    return saved()[name]


def filled(question: Question) -> tuple[str, dict[str, str]]:
    """Return the SPARQL text of a question with the request's values, in its language, and the value of every parameter.

    Raises BadParameter for what is unknown, given twice or of the wrong type.
    """
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadParameter(f"The parameter {name} is given {len(values)} times; once is right.", parameter=name)
    given = {name: value for name, value in request.args.items() if name not in ("format", "lang")}
    try:
        text = question.filled(given | {"lang": request.args.get("lang") or negotiation.language()})
    except BadQuestion as error:
        raise BadParameter(str(error), known=[parameter.name for parameter in question.parameters]) from error
    return text, {parameter.name: given.get(parameter.name) or parameter.default for parameter in question.parameters}


def _formats(question: Question) -> tuple[Format, ...]:
    graph = re.search(r"^\s*(CONSTRUCT|DESCRIBE)\b", question.body, re.MULTILINE | re.IGNORECASE)
    return of_kind("graph" if graph else "results")
