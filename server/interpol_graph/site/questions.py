"""The saved questions: /queries/ for people, /api/ for programs, both from one function."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request, url_for

from interpol_graph import __version__
from interpol_graph.endpoint import headers, negotiation
from interpol_graph.endpoint.problems import BadParameter, NotFound, Problem, document, problem_of
from interpol_graph.engine import tokens
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.snapshot import Answer
from interpol_graph.graph.formats import Format, of_kind
from interpol_graph.graph.questions import TYPES, BadQuestion, Question, saved
from interpol_graph.site import pages, rows
from interpol_graph.site.labels import Names, plain
from interpol_graph.site.rows import table
from interpol_graph.site.words import WORDS

blueprint = Blueprint("questions", __name__)

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


@blueprint.get("/queries/")
def questions() -> Response:
    """List the saved questions by their first tag."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in saved().values():
        groups[_heading(question)].append(question)
    return pages.render("questions.html", groups=sorted(groups.items(), key=lambda group: plain(group[0])))


@blueprint.get("/queries/<name>")
def question(name: str) -> Response:
    """Show one question as a form with its answer, or with what is wrong with a value."""
    asked = _question(name)
    try:
        text, given = _filled(asked)
        answer = ask(text, of_kind("results")[0], of_kind("graph")[0])
    except (Problem, EngineError) as error:
        problem = problem_of(error)
        values = {parameter.name: request.args.get(parameter.name, parameter.default) for parameter in asked.parameters}
        page = pages.render(
            "question.html",
            question=asked,
            values=values,
            fields=FIELDS,
            text=asked.body,
            problem=document(problem),
        )
        page.status_code = problem.code
        page.headers.extend(problem.headers)
        page.headers["Cache-Control"] = "no-store"
        return page
    found = table(answer.body) if answer.format.kind == "results" else None
    visible = found.rows[: pages.SHOWN] if found else []
    shown = {t.value for row in visible for t in row.values() if t.kind == "uri"}
    page = pages.render(
        "question.html", question=asked, values=given, answer=answer, text=text, fields=FIELDS,
        table=found, names=Names(pages.snapshot(), shown, pages.language()),
        downloads=_downloads(name, given, answer),
        api=request.host_url.rstrip("/") + _address(name, given),
    )  # fmt: skip
    if tokens.read(text).volatile:
        page.headers["Cache-Control"] = headers.UNCACHED
    return page


@blueprint.get("/queries/<name>.rq")
def text(name: str) -> Response:
    """Return the file of a question."""
    response = Response(_question(name).text, content_type="application/sparql-query; charset=utf-8")
    response.headers["Cache-Control"] = headers.CACHED
    return response


@blueprint.get("/api/<name>")
def api(name: str) -> Response:
    """Answer a question as data."""
    asked, _ = _filled(_question(name))
    answer = ask(asked, negotiation.choose(of_kind("results")), negotiation.choose(of_kind("graph")))
    response = Response(answer.body, content_type=answer.format.content_type)
    response.headers["Cache-Control"] = headers.UNCACHED if tokens.read(asked).volatile else headers.CACHED
    response.headers["Server-Timing"] = f"query;dur={answer.seconds * 1000:.3f}"
    response.vary.add("Accept")
    return response


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Describe the API of the questions (OpenAPI 3.1)."""
    paths = {f"/api/{asked.name}": {"get": _operation(asked)} for asked in saved().values()}
    info = {
        "title": "INTERPOL graph: saved questions",
        "version": __version__,
        "summary": "Each saved question as an operation; all are SPARQL queries too, see /queries/.",
        "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
    }
    problem = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {
                "type": "string",
                "description": "What was wrong with this request and what would be right.",
            },
        },
    }
    response = jsonify(
        openapi="3.1.0", info=info, servers=[{"url": request.host_url.rstrip("/")}], paths=paths,
        components={"schemas": {"Problem": problem}},
    )  # fmt: skip
    response.headers["Cache-Control"] = headers.CACHED
    return response


def _heading(question: Question) -> str:
    """Return the words for a question's first tag."""
    tag = question.tags[0] if question.tags else ""
    return pages.word(f"tag.{tag}") if f"tag.{tag}" in WORDS else tag.capitalize()


def ask(text: str, results: Format | None, graph: Format | None) -> Answer:
    """Answer a question's text; the page and the API are both made from this."""
    return rows.ask(pages.snapshot(), text, results, graph)


def _address(name: str, values: dict[str, str]) -> str:
    """Return the address of a question's answer as data."""
    return url_for("questions.api", name=name) + ("?" + urlencode(values) if values else "")


def _downloads(name: str, values: dict[str, str], answer: Answer) -> list[tuple[Format, str]]:
    return [(fmt, _address(name, values | {"format": fmt.name})) for fmt in of_kind(answer.format.kind)]


def _question(name: str) -> Question:
    if name not in saved():
        raise NotFound(f"There is no saved question {name!r}.", known=list(saved()))
    return saved()[name]


def _filled(question: Question) -> tuple[str, dict[str, str]]:
    """Return the SPARQL text of a question with the request's values, and the value of every parameter."""
    given = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadParameter(f"The parameter {name} is given {len(values)} times; once is right.", parameter=name)
        if name not in RESERVED:
            given[name] = values[0]
    try:
        text = question.filled(given)
    except BadQuestion as error:
        raise BadParameter(str(error), known=[parameter.name for parameter in question.parameters]) from error
    return text, {parameter.name: given.get(parameter.name) or parameter.default for parameter in question.parameters}


def _operation(question: Question) -> dict[str, Any]:
    """Return the description of one question as an operation."""
    form = re.search(r"^\s*(SELECT|ASK|CONSTRUCT|DESCRIBE)\b", question.body, re.MULTILINE | re.IGNORECASE)
    graph = form is not None and form[1].upper() in ("CONSTRUCT", "DESCRIBE")
    formats = of_kind("graph" if graph else "results")
    parameters: list[dict[str, Any]] = [
        {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "description": parameter.description["en"],
            "schema": {**FIELDS[parameter.type][1], "default": parameter.default},
            "example": parameter.default,
        }
        for parameter in question.parameters
    ]
    names = [fmt.name for fmt in formats]
    parameters.append(
        {
            "name": "format",
            "in": "query",
            "description": RESERVED["format"],
            "schema": {"type": "string", "enum": names},
        }
    )
    answers = {
        fmt.media_types[0]: {"schema": {"type": "object" if fmt.name == "json" else "string"}} for fmt in formats
    }
    failures = {
        "400": "A parameter is unknown or has a value of the wrong type.",
        "406": "None of the formats is acceptable.",
        "503": "A limit was reached.",
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": question.name,
        "summary": question.title["en"],
        "description": question.description["en"],
        "tags": list(question.tags),
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer.", "content": answers},
            **{status: {"description": said, "content": problem} for status, said in failures.items()},
        },
    }  # fmt: skip
