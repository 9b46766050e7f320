"""/api/: the saved questions for programs, and their description; the pages at /queries/ ask by the same functions."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request

from interpol_graph import __version__
from interpol_graph.endpoint import caching, negotiation
from interpol_graph.endpoint.current import answered, query
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.formats import of_kind
from interpol_graph.graph.questions import TYPES, BadQuestion, Parameter, Question, saved

blueprint = Blueprint("api", __name__)

#: Parameters that every question understands, so that none of its own may be called so.
RESERVED = {
    "format": "Format of the answer instead of Accept.",
    "lang": "Language of the page; the API ignores it.",
}
#: Parameter type → (type of an HTML field, JSON schema).
FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "date": ("date", {"type": "string", "format": "date"}),
    "year": ("number", {"type": "string", "pattern": r"^\d{4}$"}),
    "integer": ("number", {"type": "integer"}),
    "string": ("text", {"type": "string"}),
    "iri": ("text", {"type": "string", "description": TYPES["iri"][0]}),
}
#: What the description says of every operation.
INFO = {
    "title": "INTERPOL graph: saved questions",
    "version": __version__,
    "summary": "Each saved question as an operation; all are SPARQL queries too, see /queries/.",
    "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
}
FAILURES = {
    "400": "A parameter is unknown or has a value of the wrong type.",
    "406": "None of the formats is acceptable.",
    "503": "A limit was reached.",
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong with this request and what would be right."},
    },
}


@blueprint.get("/api/<name>")
def answer(name: str) -> Response:
    """Answer a question as data."""
    text, _ = filled(question(name))
    results, graph = (negotiation.choose(of_kind(kind)) for kind in negotiation.KINDS)
    return answered(query(text, results=results, graph=graph))


@blueprint.get("/openapi.json")
def openapi() -> tuple[dict[str, Any], dict[str, str]]:
    """Describe the API of the questions (OpenAPI 3.1)."""
    description = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": request.host_url.rstrip("/")}],
        "paths": {f"/api/{asked.name}": {"get": _operation(asked)} for asked in saved().values()},
        "components": {"schemas": {"Problem": PROBLEM}},
    }
    return description, {"Cache-Control": caching.CACHED}


def question(name: str) -> Question:
    """Return the question of a name. Raises NotFound."""
    if name not in saved():
        raise NotFound(f"There is no saved question {name!r}.", known=list(saved()))
    return saved()[name]


def filled(question: Question) -> tuple[str, dict[str, str]]:
    """Return the SPARQL text of a question with the request's values, and the value of every parameter.

    Raises BadParameter for what is unknown, given twice or of the wrong type.
    """
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadParameter(f"The parameter {name} is given {len(values)} times; once is right.", parameter=name)
    given = {name: value for name, value in request.args.items() if name not in RESERVED}
    try:
        text = question.filled(given)
    except BadQuestion as error:
        raise BadParameter(str(error), known=[parameter.name for parameter in question.parameters]) from error
    return text, {parameter.name: given.get(parameter.name) or parameter.default for parameter in question.parameters}


def _operation(question: Question) -> dict[str, Any]:
    """Return the description of one question as an operation."""
    graph = re.search(r"^\s*(CONSTRUCT|DESCRIBE)\b", question.body, re.MULTILINE | re.IGNORECASE)
    formats = of_kind("graph" if graph else "results")
    enum = {"type": "string", "enum": [fmt.name for fmt in formats]}
    wish = {"name": "format", "in": "query", "description": RESERVED["format"], "schema": enum}
    answers = {
        fmt.media_types[0]: {"schema": {"type": "object" if fmt.name == "json" else "string"}} for fmt in formats
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": question.name,
        "summary": question.title["en"],
        "description": question.description["en"],
        "tags": list(question.tags),
        "parameters": [*map(_parameter, question.parameters), wish],
        "responses": {
            "200": {"description": "The answer.", "content": answers},
            **{status: {"description": reason, "content": problem} for status, reason in FAILURES.items()},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    """Return the description of one parameter of a question."""
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description["en"],
        "schema": {**FIELDS[parameter.type][1], "default": parameter.default},
        "example": parameter.default,
    }
