"""Another engine in place of the one built in: the same answers, the same limits, and no answer that is not whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import (
    AnswerTooLarge,
    ForbiddenQuery,
    MalformedQuery,
    NoFormat,
    OutOfTime,
    Unavailable,
)
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted
from interpol_graph.engine.remote import Remote
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import questions
from interpol_graph.graph.formats import BY_NAME, of_kind

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
BOOLEAN = "ASK { session:84 interpol:number 84 }"


@pytest.fixture(scope="module")
def elsewhere(server: str, patience: float) -> Iterator[Snapshot]:
    """A snapshot whose queries another server evaluates."""
    with EvaluatorProcess(Settings(engine=f"{server}/sparql", timeout=patience / 2, answer=1)) as process:
        yield process.pool().snapshot()


def test_every_saved_question_has_the_same_answer(snapshot: Snapshot, elsewhere: Snapshot) -> None:
    for name, question in questions.saved().items():
        query = question.filled()
        assert elsewhere.query(query).body == snapshot.query(query).body, name


@pytest.mark.parametrize("fmt", of_kind("results"), ids=lambda fmt: fmt.name)
def test_results_are_the_same_in_every_format(snapshot: Snapshot, elsewhere: Snapshot, fmt: object) -> None:
    rows = "SELECT ?s ?n ?l { ?s interpol:number ?n ; rdfs:label ?l FILTER(LANG(?l) = 'fr') } ORDER BY ?n ?s"
    for query in (rows, BOOLEAN, "SELECT * {}", "SELECT ?x { FILTER(false) }"):
        here, there = snapshot.query(query, results=fmt), elsewhere.query(query, results=fmt)  # type: ignore[arg-type]
        assert (here.body, here.rows) == (there.body, there.rows)


@pytest.mark.parametrize("fmt", of_kind("graph"), ids=lambda fmt: fmt.name)
def test_graphs_are_the_same_in_every_format(snapshot: Snapshot, elsewhere: Snapshot, fmt: object) -> None:
    query = "CONSTRUCT { session:84 ?p ?o } { SELECT ?p ?o { session:84 ?p ?o FILTER(!isBlank(?o)) } ORDER BY ?p ?o }"
    here, there = snapshot.query(query, graph=fmt), elsewhere.query(query, graph=fmt)  # type: ignore[arg-type]
    assert sorted(here.body.split(b"\n")) == sorted(there.body.split(b"\n")) and here.rows == there.rows > 3  # type: ignore[operator]


def test_a_dataset_is_chosen_there_too(snapshot: Snapshot, elsewhere: Snapshot) -> None:
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    for graphs in ({"default": [name]} for name in list(snapshot.graphs)[:3]):
        assert elsewhere.query(query, **graphs).body == snapshot.query(query, **graphs).body  # type: ignore[arg-type]


def test_what_is_wrong_with_a_query_is_said_as_ever(snapshot: Snapshot, elsewhere: Snapshot) -> None:
    for query in ("SELECT * WHERE {\n ?s ?p }", "ASK { <> a nobody:x }", ""):
        with pytest.raises(MalformedQuery) as here:
            snapshot.query(query)
        with pytest.raises(MalformedQuery) as there:
            elsewhere.query(query)
        assert here.value.detail == there.value.detail
    with pytest.raises(NoFormat):
        elsewhere.query(BOOLEAN, results=None)


def test_limits_hold(elsewhere: Snapshot) -> None:
    with pytest.raises(OutOfTime):
        elsewhere.query(ENDLESS)
    with pytest.raises(AnswerTooLarge):
        elsewhere.query("SELECT * { ?s ?p ?o } LIMIT 20000")
    assert elsewhere.query(BOOLEAN).body, "and the next query is answered"


def test_an_engine_at_its_own_limit_is_no_answer(server: str) -> None:
    with (
        EvaluatorProcess(Settings(engine=f"{server}/sparql", timeout=120)) as process,  # the engine's own comes first
        pytest.raises(Unavailable, match="answers 503"),
    ):
        process.pool().snapshot().query(ENDLESS)


def test_an_engine_with_another_graph_is_refused(server: str, tmp_path: Path) -> None:
    data = tmp_path / "data.ttl"
    data.write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
    with pytest.raises(NotStarted, match=r"statements in <.*>, not .*: load"):
        EvaluatorProcess(Settings(data=(str(data),), engine=f"{server}/sparql"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/", "does not answer"),
        ("ftp://127.0.0.1/", "no address of an engine"),
        ("nothing", "no address of an engine"),
    ],
)
def test_an_engine_that_is_not_there_is_refused(tmp_path: Path, url: str, words: str) -> None:
    data = tmp_path / "data.ttl"
    data.write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
    with pytest.raises(NotStarted, match=words):
        EvaluatorProcess(Settings(data=(str(data),), engine=url))


def test_an_engine_that_goes_away_is_said_so() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Remote("http://127.0.0.1:1/").fetch(BOOLEAN, JSON, 100)


JSON = BY_NAME["json"].media_types[0]
WORDS = b'{"head":{},"boolean":true}'


@pytest.mark.parametrize(
    ("status", "fields", "body", "error", "words"),
    [
        (200, {"Content-Type": "text/html"}, WORDS, Unavailable, "text/html"),
        (200, {}, WORDS, Unavailable, "no media type"),
        (200, {"Content-Type": JSON, "Content-Length": "100"}, WORDS, Unavailable, "does not answer: IncompleteRead"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, b"", Unavailable, "answers 302"),
        (500, {"Content-Type": JSON}, WORDS, Unavailable, "answers 500"),
        (400, {"Content-Type": "text/plain"}, b"no such\nfunction", ForbiddenQuery, "no such function"),
        (200, {"Content-Type": JSON}, WORDS * 4000, AnswerTooLarge, None),
    ],
)
def test_what_is_no_whole_answer_is_none(
    status: int, fields: dict[str, str], body: bytes, error: type[Exception], words: str | None
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | fields).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as there:
        threading.Thread(target=there.handle_request).start()
        with pytest.raises(error, match=words):
            Remote(f"http://127.0.0.1:{there.server_port}/sparql?a=b").fetch("ASK {}", JSON, 10_000)
