"""/sparql: the query operation of the SPARQL 1.1 Protocol, the description of the service, and the editor for people."""

import tomllib
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, request
from pyoxigraph import Literal

from interpol_graph.endpoint import current, dataset, negotiation
from interpol_graph.endpoint.problems import BadRequest, BodyTooLarge, UnsupportedMediaType
from interpol_graph.engine import outcomes, tokens
from interpol_graph.engine.limits import LONGEST_QUERY
from interpol_graph.engine.snapshot import Answer
from interpol_graph.graph import paths
from interpol_graph.graph.executables import QUERIES
from interpol_graph.graph.formats import of_kind
from interpol_graph.graph.prefixes import TERMS

blueprint = Blueprint("sparql", __name__)

#: Terms without a declaration of which a page tells at most.
STRANGERS = 5

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

#: The parameters that are read; any other is left alone.
PARAMETERS = frozenset({"query", "update", "default-graph-uri", "named-graph-uri", "format"})

#: Where the engine answers otherwise than its specification says.
DEVIATIONS = tomllib.loads(Path(__file__).with_name("deviations.toml").read_text(encoding="utf-8"))
#: What misleads those who write queries.
TRAPS = tomllib.loads((paths.QUERIES / "traps.toml").read_text(encoding="utf-8"))["traps"]
#: The terms of our own vocabulary.
_DECLARED = "SELECT ?term { GRAPH graph:ontology { ?term a [] } FILTER(STRSTARTS(STR(?term), STR(interpol:))) }"
_NOTE = "Known deviation: {name}: {effect} ({specification}, {see}). A way round, by an example: {instead}"


class Asked(NamedTuple):
    """One request: its query (None when there is none), its dataset, and the name of the format that it wants, if any."""

    query: str | None
    default: list[str]
    named: list[str]
    format: str


@blueprint.route("/sparql", methods=["GET", "POST"], strict_slashes=False)
def sparql() -> Response:
    """Answer a query sent by GET, POST form or POST direct; to a browser, as the editor's page, which says what is wrong, too.

    Without a query, the endpoint describes itself.
    """
    asked = _read()
    accept = request.headers.get("Accept", "")
    people = negotiation.likes_html(accept)
    editor: Callable[..., Response] = current_app.extensions["editor"]
    if people and not asked.format:
        return editor(asked)
    if asked.query is None and request.method != "POST" and not asked.default and not asked.named:
        return dataset.described("The description of this endpoint", "service-description.ttl", _context)
    try:
        return current.answered(answer(asked, accept))
    except outcomes.EngineError as error:
        if not people:
            raise
        return editor(asked, error)  # the query is not lost


def _read() -> Asked:
    """Return what the request asks by one of the three query operations (2.1.1 to 2.1.3).

    Raises BadRequest, ForbiddenQuery, UnsupportedMediaType.
    """
    given: dict[str, list[str]] = defaultdict(list)
    _parameters(request.query_string, given)
    if request.method == "POST":
        _posted(given)
    if "update" in given:
        raise outcomes.read_only()
    queries = given["query"]
    if len(queries) > 1:
        raise BadRequest(f"The query is given {len(queries)} times, as the body or as `query`; send exactly one.")
    wish = next(filter(None, given["format"]), "")
    return Asked(queries[0] if queries else None, given["default-graph-uri"], given["named-graph-uri"], wish)


def _posted(given: dict[str, list[str]]) -> None:
    """Add what the body says to the parameters of the address."""
    negotiation.check_coding()
    if request.mimetype not in (FORM, QUERY, UPDATE):
        raise UnsupportedMediaType(
            f"A query is posted as {FORM} (parameter `query`) or as {QUERY} (the body), "
            f"not as {request.mimetype or 'a body without a Content-Type'}.",
            supported=[FORM, QUERY],
        )
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"The charset {charset} is not read here; send UTF-8.", supported=["utf-8"])
    body = request.get_data(cache=False)
    if request.mimetype == UPDATE:
        raise outcomes.read_only()
    if request.mimetype == FORM:
        with current.heavy():
            _parameters(body, given)
    else:
        given["query"].append(_text(body, "The query"))


def _parameters(encoded: bytes, given: dict[str, list[str]]) -> None:
    """Add the parameters that are read, percent-decoded; bytes that are no UTF-8 are an error, not a guess."""
    # Latin-1 stands for the bytes themselves.
    for name, value in parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, encoding="latin-1"):
        if name in PARAMETERS and (value or not name.endswith("-uri")):  # a form sends what was left empty, too
            given[name].append(_text(value.encode("latin-1"), f"The parameter `{name}`"))


def _text(content: bytes, what: str) -> str:
    if len(content) > LONGEST_QUERY:
        most = f"{LONGEST_QUERY >> 10} KiB, the most that is read here"
        raise BodyTooLarge(f"{what} is larger than {most}; ask several smaller queries.", bytes=LONGEST_QUERY)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} is not UTF-8: byte {error.start} cannot be decoded.") from error


def answer(asked: Asked, accept: str, failed: frozenset[str] = frozenset()) -> Answer:
    """Return the whole answer in the best format but those that failed. Raises EngineError."""
    if asked.query is None:
        raise BadRequest(f"There is no query: send one as the parameter `query`, or as a body of Content-Type {QUERY}.")
    results, graph = negotiation.of_answer(asked.format, accept, failed)
    try:
        return current.query(asked.query, results=results, graph=graph, default=asked.default, named=asked.named)
    except outcomes.Unwritable as problem:
        if asked.format:
            raise
        # The client may take another format, though it likes that one better.
        try:
            return answer(asked, accept, failed | {str(problem.extra["format"])})
        except outcomes.NoFormat:
            raise problem from None


def strangers(query: str) -> list[tuple[str, str]]:
    """Return the first terms of a query that their vocabulary does not declare, each with the one that may be meant, if any.

    Raises Busy, Departed.
    """
    from interpol_graph.validation import vocabulary  # a start needs not wait for all that knows terms

    ours = _declared()
    with current.heavy():  # to find the nearest takes milliseconds for each
        found = (vocabulary.misspelt(iri, ours) for iri in dict.fromkeys(tokens.names(query))) if ours else ()
        return list(islice(filter(None, found), STRANGERS))


@current.remembered
def _declared() -> frozenset[str]:
    """Return the local names that the ontology declares."""
    names = (row["term"].value for row in current.select(_DECLARED))
    return frozenset(name.removeprefix(TERMS) for name in names)


def _context() -> dict[str, Any]:
    return {
        "formats": (*of_kind("results"), *of_kind("graph")),
        "notes": [Literal(_NOTE.format(**row)) for row in DEVIATIONS["deviations"]],
        "queries": QUERIES,
    }
