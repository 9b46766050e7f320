"""What the request at hand works with: the state of the graph that it asks, rows of answers as Python values, and its response."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from flask import Response, current_app, g, make_response, render_template, request
from pyoxigraph import NamedNode

from interpol_graph.endpoint import caching, observation, problems
from interpol_graph.engine.admission import Admission, Slot, never
from interpol_graph.engine.limits import Lane
from interpol_graph.engine.outcomes import Departed, EngineError
from interpol_graph.engine.snapshot import Answer, Snapshot
from interpol_graph.graph import questions
from interpol_graph.graph.prefixes import GRAPHS


class Term(NamedTuple):
    """One RDF term of an answer; kind is uri, bnode or literal (triple for a quoted one, nothing for an unbound one)."""

    kind: str = ""
    value: str = ""
    language: str = ""
    datatype: str = ""


P = ParamSpec("P")
R = TypeVar("R")
UNBOUND = Term()
Row = dict[str, Term]
#: What is said of one subject: property → values.
Parts = Mapping[str, list[Term]]
#: The columns in which rows differ that say the same by several documents.
DOCUMENT = frozenset({"source", "sourceLabel", "paragraph"})
#: Bytes of an answer up to which a page shows it as a table, and the rows, columns and cells that the page shows of it:
#: a page takes a worker's time and memory many times over.
LARGEST, ROWS, COLUMNS, CELLS = 4 << 20, 1000, 100, 20_000
#: What takes a worker's own time is done by few threads at once: the others have some for queries.
_HEAVY = Admission([Lane(2, 96)], 5.0, "Many pages are being written; try again in a few seconds.")
#: Bytes of an answer that takes so long to read.
_LONG = 1 << 16
#: Stands for the address of this server, which differs by request, in what is written once for all of them.
ANYWHERE = "https://server.invalid"
_MODIFIED = "SELECT (STR(MAX(?day)) AS ?last) { ?ontology dcterms:modified ?day FILTER(DATATYPE(?day) = xsd:date) }"


@dataclass(frozen=True)
class Table:
    """What a SELECT or ASK answers: columns and rows, or one truth."""

    columns: list[str]
    rows: list[Row]
    truth: bool | None = None

    def shown(self) -> tuple[list[str], list[Row], int]:
        """Return the columns and rows that a page shows, and how many columns there are; ?xLabel stands in that of ?x."""
        columns = questions.shown(self.columns)
        shown = columns[:COLUMNS]
        return shown, self.rows[: min(ROWS, CELLS // max(len(shown), 1))], len(columns)

    def iris(self) -> set[str]:
        """Return the IRIs in what a page shows."""
        columns, rows, _ = self.shown()
        return {row[name].value for row in rows for name in columns if name in row and row[name].kind == "uri"}


def snapshot() -> Snapshot:
    """Return the state of the graph that this request asks, the same from its first query to its last."""
    if "snapshot" not in g:
        g.snapshot = current_app.extensions["pool"].snapshot()
        request.environ[problems.DIGEST] = g.snapshot.digest
    found: Snapshot = g.snapshot
    return found


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function that asks the graph answer once for each state of it, the one that the request at hand asks."""
    known = lru_cache(maxsize=64)(lambda _, *args: function(*args))  # type: ignore[call-arg]
    return wraps(function)(lambda *args: known(snapshot().digest, *args))  # type: ignore[return-value]


def gone() -> Callable[[], bool]:
    """Return the function that tells whether the client has left."""
    found: Callable[[], bool] = request.environ.get(problems.DEPARTED, never)
    return found


def heavy() -> AbstractContextManager[Slot]:
    """Hold one of the places for what takes a worker long: to write a page, to read a large form; never one within another. Raises Busy, Departed."""
    if gone()():
        raise Departed("The client went away, and nothing is written for it.")
    return _HEAVY.slot(gone=gone())


def query(text: str, **wishes: Any) -> Answer:
    """Evaluate a query, for a page or as data: see Snapshot.query. What became of it is noted for the log."""
    answer = snapshot().query(text, gone=gone(), client=request.remote_addr or "", **wishes)
    observation.note(**answer.facts)
    return answer


def select(text: str) -> list[Row]:
    """Evaluate a SELECT query and return its rows."""
    return table(query(text).body).rows


def ask(text: str) -> bool:
    """Evaluate an ASK query and return the truth."""
    return bool(table(query(text).body).truth)


def table(body: bytes) -> Table:
    """Read SPARQL results JSON, a long one in one of the places for what takes long. Raises Busy, Departed."""
    with heavy() if len(body) > _LONG else nullcontext():
        answer = json.loads(body)
        if "boolean" in answer:
            return Table([], [], answer["boolean"])
        rows = [{name: _term(binding) for name, binding in row.items()} for row in answer["results"]["bindings"]]
        return Table(answer["head"]["vars"], rows)


def tabulated(answer: Answer) -> Table | None:
    """Return an answer as a page shows it; None for a graph, and for one that is too large for a table."""
    return table(answer.body) if answer.format.kind == "results" and len(answer.body) <= LARGEST else None


def merged(answer: Table) -> list[list[Row]]:
    """Return rows that differ by their document alone together, in the order of the first of them."""
    if "source" not in answer.columns[1:]:  # an answer about documents has them first
        return [[row] for row in answer.rows]
    found = defaultdict[frozenset[tuple[str, Term]], list[Row]](list)
    for row in answer.rows:
        found[frozenset((name, term) for name, term in row.items() if name not in DOCUMENT)].append(row)
    return list(found.values())


def _term(binding: Mapping[str, Any]) -> Term:
    if binding["type"] == "triple":
        parts = (_term(binding["value"][part]).value for part in ("subject", "predicate", "object"))
        return Term("triple", "<< " + " ".join(parts) + " >>")
    return Term(binding["type"], binding["value"], binding.get("xml:lang", ""), binding.get("datatype", ""))


def described(rows: Iterable[Row], called: Callable[[str], str] = str) -> dict[str, dict[str, list[Term]]]:
    """Return subject → property → values of rows of ?s ?p ?o; `called` says how an IRI of a property is written."""
    found: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    called = cache(called)  # of few properties in many rows
    for row in rows:
        found[row["s"].value][called(row["p"].value)].append(row["o"])
    return found


def own() -> bool:
    """Say whether what is served is this project's graph, not other data: it has its ontology."""
    given = current_app.extensions["pool"].settings.data
    return not given and GRAPHS + "ontology" in snapshot().graphs


@remembered
def modified() -> datetime | None:
    """Return the day that the data state as that of their last change, the same wherever they are loaded; None if they do not."""
    with suppress(ValueError):
        return datetime.fromisoformat(select(_MODIFIED)[0].get("last", UNBOUND).value).replace(tzinfo=UTC)
    return None


def iri(text: str) -> str | None:
    """Return an IRI as SPARQL writes it, in angle brackets, or None if the text cannot be an IRI."""
    try:
        return str(NamedNode(text))
    except ValueError:
        return None


def values(iris: Iterable[str]) -> str:
    """Return IRIs as the inside of a VALUES block; what is not an IRI is left out."""
    return " ".join(filter(None, map(iri, iris)))


def data(body: bytes, content_type: str, *vary: str, lifetime: str = caching.CACHED) -> Response:
    """Return data of a content type; vary: the fields of the request beside its address that it depends on."""
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = lifetime
    response.vary.update(vary)
    return response


def addressed(content: bytes) -> bytes:
    """Return what was written for any server with the address of this one."""
    return content.replace(ANYWHERE.encode(), request.url_root.rstrip("/").encode())


def answered(answer: Answer) -> Response:
    """Return the answer to a query as data."""
    response = data(answer.body, answer.format.content_type, "Accept", lifetime=caching.lifetime(answer))
    response.headers["Server-Timing"] = f"query;dur={answer.seconds * 1000:.3f}"
    return response


def render(
    template: str, *vary: str, error: EngineError | None = None, lifetime: str = caching.CACHED, **context: object
) -> Response:
    """Return a page, in the reader's language.

    vary: the fields of the request that it depends on beside the language; error: what the page, as `problem`, says was
    wrong; lifetime: how long it may be kept, if nothing was. Raises Busy, Departed.
    """
    problem = problems.document(error) if error else None
    with heavy():
        page = make_response(render_template(template, problem=problem, **context))
    page.headers["Cache-Control"] = caching.UNCACHED if problem else lifetime
    if not problem:
        page.last_modified = modified()
    page.vary.update([*vary, "Accept-Language"])
    if error and problem:
        page.status_code = problem["status"]
        page.headers.update(problems.fields(error))
    return page
