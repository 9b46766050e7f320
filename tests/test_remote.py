"""Another engine in place of the one built in: the same answers, the same limits, and no answer that is not whole."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from interpol_graph.app import create_app
from interpol_graph.engine import remote
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import (
    AnswerTooLarge,
    EngineFails,
    EngineSilent,
    ForbiddenQuery,
    MalformedQuery,
    NoFormat,
    OutOfTime,
    Unavailable,
)
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted
from interpol_graph.engine.remote import AUTH
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import questions
from interpol_graph.graph.formats import BY_NAME, of_kind
from interpol_graph.graph.prefixes import GRAPHS

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
BOOLEAN = "ASK { session:84 interpol:number 84 }"


@pytest.fixture(scope="module")
def elsewhere(server: str, patience: float) -> Iterator[Snapshot]:
    """A snapshot whose queries another server evaluates."""
    with EvaluatorProcess(Settings(engine=f"{server}/sparql", timeout=patience / 2, answer=1)) as process:
        yield process.pool().snapshot()


def test_saved_questions_have_the_same_answers(snapshot: Snapshot, elsewhere: Snapshot) -> None:
    for name, question in list(questions.saved().items())[::6]:
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


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/", "does not answer"),
        ("http://user:secret@127.0.0.1:1/", "INTERPOL_GRAPH_ENGINE_AUTH"),
        ("ftp://127.0.0.1/", "no address of an engine"),
        ("nothing", "no address of an engine"),
    ],
)
def test_an_engine_that_is_not_there_is_refused(url: str, words: str) -> None:
    with pytest.raises(NotStarted, match=words):
        EvaluatorProcess(Settings(engine=url))


@pytest.mark.parametrize(
    "secret", ["Basic nobody", "Kerberos a:b", "dba:dba"], ids=["no password", "another scheme", "no scheme"]
)
def test_credentials_that_are_none_are_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AUTH, secret)
    with pytest.raises(NotStarted, match="Bearer TOKEN"):
        EvaluatorProcess(Settings(engine="http://127.0.0.1:1/"))


JSON = BY_NAME["json"].media_types[0]
NTRIPLES = BY_NAME["ntriples"].media_types[0]
WORDS = b'{"head":{},"boolean":true}'
#: What an engine holds that does not tell.
HELD = b'{"head":{"vars":["g","n"]},"results":{"bindings":[{"n":{"type":"literal","value":"3"}}]}}'
NOTHING = b'{"head":{"vars":["about"]},"results":{"bindings":[]}}'


class Told(BaseHTTPRequestHandler):
    """An engine that gives the answers of `script` in turn: status, fields, body; then it has nothing to say."""

    script: list[tuple[int, dict[str, str], bytes | list[bytes]]]
    heard: list[tuple[str, str]]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append((self.headers.get("Authorization", ""), body))
        status, fields, body = self.script.pop(0) if self.script else (204, {}, b"")  # type: ignore[assignment]
        self.send_response(status)
        for name, value in ({"Content-Type": JSON, "Content-Length": str(len(body))} | fields).items():
            self.send_header(name, value)
        self.end_headers()
        if isinstance(body, list):  # one byte, and again
            with suppress(OSError):
                for drop in body:
                    self.wfile.write(drop)
                    time.sleep(0.1)
        else:
            self.wfile.write(body)
        if fields.get("Content-Length", str(len(body))) != str(len(body)):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def telling() -> Iterator[tuple[str, type[Told]]]:
    """Run an engine that says what it is told; give its address and what it is told."""
    handler = type(
        "Handler", (Told,), {"script": [(200, {}, NOTHING), (200, {}, HELD), (200, {}, NOTHING)], "heard": []}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as there:
        there.daemon_threads = True
        threading.Thread(target=there.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{there.server_port}/sparql?a=b", handler
        there.shutdown()


@pytest.fixture
def told() -> Iterator[tuple[str, type[Told]]]:
    with telling() as engine:
        yield engine


@pytest.fixture(scope="module")
def teller() -> Iterator[tuple[str, type[Told], Snapshot]]:
    """Such an engine, and a snapshot whose queries it is asked."""
    with telling() as (url, handler), EvaluatorProcess(Settings(engine=url, answer=1)) as process:
        yield url, handler, process.pool().snapshot()


@pytest.mark.parametrize(
    ("status", "fields", "body", "error", "words"),
    [
        (200, {"Content-Type": "text/html"}, WORDS, EngineFails, "text/html"),
        (200, {"Content-Length": "100"}, WORDS, EngineFails, "does not answer"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, b"", EngineFails, "answers 302"),
        (401, {}, b"", EngineFails, "answers 401"),
        (500, {}, WORDS, EngineFails, "answers 500"),
        (206, {}, WORDS, EngineFails, "answers 206"),
        (503, {}, b"", Unavailable, "answers 503"),
        (429, {}, b"", Unavailable, "answers 429"),
        (504, {}, b"", EngineSilent, "in time"),
        (
            400,
            {"Content-Type": "text/plain"},
            b"no such function\n\tat org.x.Y(Y.java:7)",
            ForbiddenQuery,
            "no such function$",
        ),
        (200, {"X-SQL-State": "S1TAT"}, WORDS, EngineFails, r"limit of its own \(X-SQL-State: S1TAT\)"),
        (200, {"X-SPARQL-MaxRows": "2"}, WORDS, EngineFails, "limit of its own"),
        (200, {}, WORDS * 400_000, AnswerTooLarge, None),
        (200, {}, b'{"head":', EngineFails, "fails"),
    ],
)
def test_what_is_no_whole_answer_is_none(
    teller: tuple[str, type[Told], Snapshot],
    status: int,
    fields: dict[str, str],
    body: bytes,
    error: type[Exception],
    words: str | None,
) -> None:
    url, handler, snapshot = teller
    handler.script[:] = [(status, fields, body)]
    with pytest.raises(error, match=words) as raised:
        snapshot.query(BOOLEAN)
    assert url not in str(raised.value), "where it stands is no business of a visitor"


def test_only_a_query_that_may_name_a_graph_is_sent_with_their_names(told: tuple[str, type[Told]]) -> None:
    url, handler = told
    held = HELD.replace(b'{"n"', b'{"g":{"type":"uri","value":"http://ex.test/g"},"n"')
    handler.script[1:] = [(200, {}, held), (200, {}, held), *[(200, {}, WORDS)] * 2]
    with EvaluatorProcess(Settings(engine=url)) as process:
        for pattern in ("?graph a graph:x # from", "GRAPH ?g { ?s ?p ?o }"):
            process.pool().snapshot().query(f"PREFIX graph: <{GRAPHS}> ASK {{ {pattern}\n}}")
    assert ["named-graph-uri" in body for _, body in handler.heard[3:]] == [False, True]


def test_what_an_engine_says_in_its_own_way_is_understood(told: tuple[str, type[Told]]) -> None:
    row = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"typed-literal","datatype":"http://www.w3.org/2001/XMLSchema#integer","value":"%d"}}]}}'
    node = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type": "bnode", "value": "nodeID://b7"}}]}}'
    url, handler = told
    with EvaluatorProcess(Settings(engine=url)) as process:
        handler.script += [(200, {}, row % 1), (200, {}, row % 0), (200, {}, node)]
        snapshot = process.pool().snapshot()
        assert [b'"boolean":true' in snapshot.query(BOOLEAN).body for _ in range(2)] == [True, False]
        assert b'"value":"b7"' in snapshot.query("SELECT ?x {}").body


def test_an_engine_that_does_not_tell_is_counted_and_its_state_is_of_this_start(told: tuple[str, type[Told]]) -> None:
    url, handler = told
    handler.script *= 2
    digests = set()
    for _ in range(2):
        with EvaluatorProcess(Settings(engine=url)) as process:
            assert process.about["triples"] == 3 and process.about["graphs"] == {}
            digests.add(process.about["digest"])
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("secret", "sent"), [("Bearer abc", "Bearer abc"), ("Basic a:b:c", "Basic YTpiOmM=")], ids=["bearer", "basic"]
)
def test_credentials_come_from_the_environment(
    told: tuple[str, type[Told]], secret: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AUTH, secret)
    with EvaluatorProcess(Settings(engine=told[0])):
        assert {authorization for authorization, _ in told[1].heard} == {sent}


@pytest.mark.parametrize("said", ["[1]", '{"digest": "x"}'])
def test_a_state_that_is_none_is_refused(told: tuple[str, type[Told]], tmp_path: Path, said: str) -> None:
    url, handler = told
    held = {"head": {"vars": ["about"]}, "results": {"bindings": [{"about": {"type": "literal", "value": said}}]}}
    for release, answer in ((tmp_path, NOTHING), (None, json.dumps(held).encode())):
        (tmp_path / "manifest.json").write_text(said, encoding="utf-8")
        handler.script[:] = [(200, {}, answer)]
        with pytest.raises(NotStarted, match="says of its state is none"):
            EvaluatorProcess(Settings(engine=url, release=release and str(release)))


def test_an_engine_that_drips_is_not_waited_for_without_end(
    told: tuple[str, type[Told]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, handler = told
    monkeypatch.setattr(remote, "PATIENCE", 1)
    handler.script[:] = [(200, {}, [b" "] * 100)]
    with pytest.raises(EngineSilent):
        remote.Remote(Settings(engine=url, timeout=1))


def test_connections_are_kept(told: tuple[str, type[Told]]) -> None:
    url, handler = told
    peers = set()
    handle = handler.do_POST

    def noting(self: Told) -> None:
        peers.add(self.client_address)
        handle(self)

    handler.do_POST = noting  # type: ignore[method-assign]
    with EvaluatorProcess(Settings(engine=url)) as process:
        handler.script += [(200, {}, WORDS)] * 3
        snapshot = process.pool().snapshot()
        for _ in range(3):
            snapshot.query(BOOLEAN)
    assert len(peers) == 2, "one of the start, one of the evaluator"


def test_a_start_with_an_engine_loads_nothing(server: str) -> None:
    with EvaluatorProcess(Settings(engine=f"{server}/sparql")) as process:
        status = Path(f"/proc/{process.process.pid}/status").read_text()
    assert int(status.partition("VmRSS:")[2].split()[0]) < 80_000


def test_files_come_from_the_release(snapshot: Snapshot, server: str, tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    about = {
        "digest": snapshot.digest,
        "graphs": snapshot.graphs,
        "default": snapshot.default,
        "triples": snapshot.triples,
    }
    (tmp_path / "manifest.json").write_text(json.dumps(about))
    for name, fmt, graph in (("interpol.nq", "nquads", None), ("sessions.ttl", "turtle", GRAPHS + "sessions")):
        with (tmp_path / "dumps" / name).open("wb") as file:
            snapshot.dump(file, BY_NAME[fmt], graph)
    with EvaluatorProcess(Settings(engine=f"{server}/sparql", release=str(tmp_path))) as process:
        there = process.pool().snapshot()
        assert there.digest == snapshot.digest
        for fmt in ("turtle", "jsonld"):
            files = BytesIO(), BytesIO()
            for of, file in zip((snapshot, there), files, strict=True):
                of.dump(file, BY_NAME[fmt], GRAPHS + "sessions")
            assert files[0].getvalue() == files[1].getvalue() != b""
        for name in ("interpol.nq", "sessions.ttl"):
            (tmp_path / "dumps" / name).unlink()
        for fmt in ("turtle", "jsonld"):  # the file itself, and what is made of the whole
            with pytest.raises(Unavailable, match="cannot be read") as refused:
                there.dump(BytesIO(), BY_NAME[fmt], GRAPHS + "sessions")
            assert str(tmp_path) not in refused.value.detail


def test_without_a_release_there_are_no_files_but_the_ontology(elsewhere: Snapshot) -> None:
    elsewhere.dump(file := BytesIO(), BY_NAME["turtle"], GRAPHS + "ontology")
    assert b"owl:Ontology" in file.getvalue()
    with pytest.raises(Unavailable, match="without --release"):
        elsewhere.dump(BytesIO(), BY_NAME["turtle"], None)


def test_every_file_that_is_listed_is_given(server: str) -> None:
    with EvaluatorProcess(Settings(engine=f"{server}/sparql")) as process:
        there = create_app(process.pool()).test_client()
        page = BeautifulSoup(there.get("/dumps/").text, "html.parser")
        files = {str(link["href"]) for link in page.select("td a[download], p a[href^='/dumps/']")}
        assert files == {"/dumps/ontology.ttl", "/dumps/ontology.ttl.gz", "/dumps/queries.ttl", "/dumps/queries.ttl.gz", "/dumps/SHA256SUMS"}  # fmt: skip
        for file in files:
            with there.get(file) as answer:
                assert answer.status_code == 200, file
        assert len(page.select("tbody th")) == len(process.about["graphs"]) > 50
        assert b"dcat:Distribution" not in there.get("/dataset", headers={"Accept": "text/turtle"}).data
