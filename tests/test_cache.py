"""Caching that HTTP understands: entity tags, conditional requests, content codings, and answers kept in memory."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import brotli
import pytest
import zstandard
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from interpol_graph.app import create_app
from interpol_graph.endpoint import compression, flights
from interpol_graph.endpoint.flights import Crowded, Flights
from interpol_graph.engine.pool import Engine
from interpol_graph.serving.answer_cache import Answers, Kept
from interpol_graph.serving.front import OUTCOME

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SELECT = "SELECT ?s ?p ?o { ?s a interpol:AssemblySession ; ?p ?o } ORDER BY ?s ?p ?o LIMIT 100"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}
#: Addresses whose answers depend on the state of the graph only, and an Accept header.
ADDRESSES = [
    ("/sparql?query=ASK%7B%7D", "*/*"),
    ("/sparql?query=ASK%7B%7D", BROWSER),
    ("/sparql", "text/turtle"),
    ("/graphs?default", "text/turtle"),
    ("/api/agreements-by-year", "text/csv"),
    ("/queries/agreements-by-year", BROWSER),
    ("/queries/agreements-by-year.rq", "*/*"),
    ("/queries/", BROWSER),
    ("/data/session/84", "text/turtle"),
    ("/data/session/84.nt", "*/*"),
    ("/page/session/84", BROWSER),
    ("/dumps/interpol.ttl", "*/*"),
    ("/dumps/places.ttl", "*/*"),
    ("/ontology", "text/turtle"),
    ("/ontology", BROWSER),
    ("/openapi.json", "*/*"),
    ("/", BROWSER),
]


class Counted:
    """An engine that counts what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.asked = engine, 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.engine, name)
        if name not in ("query", "dump"):
            return value

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            return value(*args, **kwargs)

        return counted


@pytest.fixture
def counted(engine: Engine) -> Counted:
    return Counted(engine)


@pytest.fixture
def fresh(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client of an application of its own, whose memory is empty and whose engine counts."""
    monkeypatch.setattr("interpol_graph.site.pages.Engine", (Engine, Counted))
    app = create_app(counted)  # type: ignore[arg-type]
    front = app.wsgi_app

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, fields: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*fields, ("X-Outcome", environ[OUTCOME])], *rest)

        return front(environ, start)

    app.extensions["front"], app.wsgi_app = front, watched  # type: ignore[method-assign]
    return app.test_client()


def ask(client: FlaskClient, query: str, method: str = "GET", **headers: str) -> TestResponse:
    return client.open("/sparql", method=method, query_string={"query": query}, headers=headers)


def outcome(answer: TestResponse) -> str:
    return answer.headers["X-Outcome"]


@pytest.mark.parametrize(("path", "accept"), ADDRESSES)
def test_every_answer_has_a_strong_tag_and_says_how_long_it_holds(client: FlaskClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    tag, weak = answer.get_etag()
    assert answer.status_code == 200 and tag and not weak
    assert "max-age=" in answer.headers["Cache-Control"] and "public" in answer.headers["Cache-Control"]
    unchanged = client.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == answer.headers["ETag"]
    assert unchanged.headers["Cache-Control"] == answer.headers["Cache-Control"]
    assert set(answer.vary) <= set(unchanged.vary) | {"Accept-Encoding"}
    assert client.get(path, headers={"Accept": accept, "If-None-Match": '"another"'}).data == answer.data


@pytest.mark.parametrize(
    ("path", "accept"), [pair for pair in ADDRESSES if not pair[0].startswith(("/dumps", "/graphs"))]
)
def test_304_without_evaluating(
    client: FlaskClient, fresh: FlaskClient, counted: Counted, path: str, accept: str
) -> None:
    """A worker that has never seen the request says 304 all the same: the tag is made from the request."""
    tag = client.get(path, headers={"Accept": accept}).headers["ETag"]
    answer = fresh.get(path, headers={"Accept": accept, "If-None-Match": f'"other", W/{tag}'})
    assert (answer.status_code, counted.asked) == (304, 0)


def test_if_none_match_star(client: FlaskClient, fresh: FlaskClient) -> None:
    for _ in range(2):  # evaluated, then from memory
        assert ask(fresh, "ASK {}", **{"If-None-Match": "*"}).status_code == 304
        assert ask(fresh, "ASK {", **{"If-None-Match": "*"}).status_code == 400
        assert fresh.get("/page/session/nowhere", headers={"If-None-Match": "*"}).status_code == 404


def test_tags_tell_apart_what_differs(client: FlaskClient) -> None:
    places = "https://w3id.org/interpol-graph/graph/places"
    requests: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"query": SELECT}, {}),
        ({"query": SELECT + " "}, {}),
        ({"query": SELECT}, {"Accept": "text/csv"}),
        ({"query": SELECT, "format": "xml"}, {}),
        ({"query": SELECT, "default-graph-uri": places}, {}),
        ({"query": SELECT, "named-graph-uri": places}, {}),
        ({"query": SELECT}, {"Accept-Encoding": "gzip"}),
        ({"query": SELECT}, {"Accept-Encoding": "br"}),
        ({"query": SELECT}, {"Accept-Encoding": "zstd"}),
    ]
    tags = [client.get("/sparql", query_string=args, headers=headers).headers["ETag"] for args, headers in requests]
    assert len(set(tags)) == len(requests)
    same = client.get("/sparql", query_string={"query": SELECT, "format": "csv"})
    assert same.headers["ETag"] == tags[2], "one representation, one tag"


def test_tags_change_with_the_state_of_the_graph(engine: Engine, client: FlaskClient) -> None:
    changed = Engine(engine.address, engine.settings, {**engine.known, "digest": "another"})
    with closing(changed):
        differ(client, create_app(changed).test_client())


def differ(client: FlaskClient, other: FlaskClient) -> None:
    for path, accept in ADDRESSES:
        tags = {c.get(path, headers={"Accept": accept}).headers["ETag"] for c in (client, other)}
        assert len(tags) == 2, path


def test_repeats_are_answered_from_memory(fresh: FlaskClient, counted: Counted) -> None:
    first = ask(fresh, SELECT)
    asked = counted.asked
    for _ in range(3):
        again = ask(fresh, SELECT)
        assert again.data == first.data and outcome(again) == "hit"
        named = [
            {name: value for name, value in a.headers if name not in ("Server-Timing", "X-Outcome")}
            for a in (again, first)
        ]
        assert named[0] == named[1]
        assert "cache" in again.headers["Server-Timing"]
    assert ask(fresh, SELECT, "HEAD").data == b"" and outcome(ask(fresh, SELECT, "HEAD")) == "hit"
    assert outcome(ask(fresh, SELECT, **{"If-None-Match": first.headers["ETag"]})) == "unchanged"
    assert counted.asked == asked


@pytest.mark.parametrize("content_type", ["application/sparql-query", "application/x-www-form-urlencoded"])
def test_posted_queries_too(fresh: FlaskClient, counted: Counted, content_type: str) -> None:
    def post(query: str) -> TestResponse:
        body: Any = query if content_type.endswith("query") else {"query": query}
        return fresh.post("/sparql", data=body, content_type=content_type)

    first, again, other = post("ASK {}"), post("ASK {}"), post("ASK { ?s ?p 'nothing of the kind' }")
    assert (outcome(first), outcome(again), outcome(other)) == ("miss", "hit", "miss")
    assert first.data == again.data != other.data and counted.asked == 2
    assert "ETag" not in again.headers, "a tag stands for what GET returns"


@pytest.mark.parametrize("header", ["Accept", "Accept-Language", "Accept-Encoding", "Host"])
def test_memory_keeps_apart_what_is_negotiated(fresh: FlaskClient, header: str) -> None:
    one, other = {
        "Accept": ("text/csv", "text/tab-separated-values"),
        "Accept-Language": ("en", "fr"),
        "Accept-Encoding": ("gzip", "br"),
        "Host": ("one.example", "two.example"),
    }[header]
    path = (
        "/openapi.json"
        if header == "Host"
        else "/queries/"
        if header == "Accept-Language"
        else f"/sparql?query={SELECT}"
    )
    answers = [fresh.get(path, headers={header: value}) for value in (one, other, one, other)]
    assert answers[0].data == answers[2].data != answers[1].data == answers[3].data
    assert [outcome(answer) for answer in answers] == ["miss", "miss", "hit", "hit"]
    assert header == "Host" or header in answers[0].headers["Vary"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (RAND() AS ?x) {}", "SELECT (STRUUID() AS ?x) {}", "SELECT (NOW() AS ?x) {}", "SELECT (UUID() AS ?x) {}",
        "SELECT (BNODE() AS ?x) {}", "CONSTRUCT { [] rdfs:label ?o } { session:84 rdfs:label ?o }",
    ],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_what_never_repeats_is_never_kept(fresh: FlaskClient, counted: Counted, query: str, accept: str) -> None:
    answers = [ask(fresh, query, Accept=accept, **{"If-None-Match": '"x"'}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].data != answers[1].data and counted.asked >= 2
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


def test_errors_are_never_kept(fresh: FlaskClient) -> None:
    for path in (
        "/sparql?query=ASK%7B",
        "/nothing",
        "/page/session/nowhere",
        "/api/agreements-by-year?nothing=1",
        "/graphs",
    ):
        for accept in ("*/*", BROWSER):
            for _ in range(2):
                answer = fresh.get(path, headers={"Accept": accept})
                if answer.status_code != 303:
                    assert answer.status_code >= 400 and answer.headers["Cache-Control"] == "no-store", path
                assert outcome(answer) == "miss" and "ETag" not in answer.headers
    assert len(front(fresh).answers) == 0


def test_the_same_question_at_the_same_moment_is_evaluated_once(fresh: FlaskClient, counted: Counted) -> None:
    slow = "SELECT (SUM(STRLEN(SHA512(SHA512(SHA512(STR(?o)))))) AS ?n) { ?s ?p ?o }"
    accepts = ["application/sparql-results+json", "*/*", "application/json", "application/sparql-results+json;q=0.5"]
    answers: list[TestResponse] = []

    def work(accept: str) -> None:
        answers.append(ask(fresh.application.test_client(), slow, Accept=accept))

    threads = [threading.Thread(target=work, args=(accept,)) for accept in accepts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(answer.status_code, answer.get_json().get("title")) for answer in answers}) == 1
    assert counted.asked == 1


def test_who_waits_for_another_shares_its_error_unless_it_was_the_others_own() -> None:
    flights: Flights[str] = Flights(alone=(ConnectionError,))
    begun, done = threading.Event(), threading.Event()
    errors = chain([ConnectionError()], repeat(ValueError("wrong for all")))
    got: list[str] = []

    def work() -> str:
        begun.set()
        done.wait(10)
        raise next(errors)

    def one() -> None:
        try:
            flights.join("key", work)
        except (ConnectionError, ValueError) as error:
            got.append(type(error).__name__)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    time.sleep(0.2)  # let the others come
    done.set()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["ConnectionError", "ValueError", "ValueError"]
    assert flights.join("key", lambda: "new") == "new"


def test_health_is_asked_every_time(fresh: FlaskClient, counted: Counted) -> None:
    assert [outcome(fresh.get("/healthz")) for _ in range(2)] == ["miss", "miss"]


def front(client: FlaskClient) -> Any:
    return client.application.extensions["front"]


# Content codings


@pytest.mark.parametrize("coding", [*compression.CODINGS])
@pytest.mark.parametrize(
    "path", [f"/sparql?query={SELECT}", "/page/session/84", "/dumps/interpol.ttl", "/openapi.json", "/graphs?default"]
)
def test_codings(client: FlaskClient, coding: str, path: str) -> None:
    plain = client.get(path)
    for _ in range(2):
        coded = client.get(path, headers={"Accept-Encoding": coding})
        assert coded.headers["Content-Encoding"] == coding and "Accept-Encoding" in coded.headers["Vary"]
        assert DECODE[coding](coded.data) == plain.data
        assert int(coded.headers["Content-Length"]) == len(coded.data) < len(plain.data)
        assert coded.headers["ETag"] == plain.headers["ETag"][:-1] + f'-{coding}"'
        assert "Accept-Ranges" not in coded.headers
    again = client.get(path, headers={"Accept-Encoding": coding, "If-None-Match": coded.headers["ETag"]})
    assert again.status_code == 304 and again.headers["ETag"] == coded.headers["ETag"]
    other = client.get(path, headers={"If-None-Match": coded.headers["ETag"]})
    assert other.status_code == 200, "a client that takes no coding cannot use the coded answer"
    assert "Content-Encoding" not in plain.headers and "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("*", "zstd"),
        ("*;q=0.1, br", "br"),
        ("zstd;q=0, *", "br"),
        ("deflate", None),
        ("", None),
        ("garbage;;q=x", None),
    ],
)
def test_the_coding_is_negotiated(client: FlaskClient, accept: str, coding: str | None) -> None:
    answer = client.get(f"/sparql?query={SELECT}", headers={"Accept-Encoding": accept})
    assert answer.status_code == 200 and answer.headers.get("Content-Encoding") == coding


def test_small_answers_and_images_are_sent_as_they_are(client: FlaskClient) -> None:
    for path in ("/sparql?query=ASK%7B%7D", "/healthz"):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}).headers


def test_parts_of_a_dump_are_parts_of_the_plain_file(client: FlaskClient) -> None:
    headers = {"Accept-Encoding": "gzip"}
    plain, coded = client.get("/dumps/interpol.ttl"), client.get("/dumps/interpol.ttl", headers=headers)
    part = client.get("/dumps/interpol.ttl", headers={**headers, "Range": "bytes=100-199"}, buffered=True)
    assert (part.status_code, part.data) == (206, plain.data[100:200])
    mixed = {**headers, "Range": "bytes=100-199", "If-Range": coded.headers["ETag"]}
    assert client.get("/dumps/interpol.ttl", headers=mixed, buffered=True).status_code == 200, (
        "no part of another coding"
    )


# The memory itself


def kept(size: int) -> Kept:
    return Kept([], b"x" * size, "", [], {})


def test_memory_is_bounded_and_forgets_the_longest_unused() -> None:
    answers = Answers(1000)
    for name in "abcdefgh":
        answers.put(name, kept(100), 100)
    answers.get("a")
    for name in "ijk":
        answers.put(name, kept(100), 100)
    assert answers.used == 1000 and len(answers) == 10
    assert answers.get("a") and answers.get("c") and answers.get("b") is None
    answers.put("large", kept(200), 200)
    assert answers.get("large") is None, "one answer never drives out all others"
    answers.put("a", kept(50), 50)
    assert answers.used == 950


def test_memory_stays_bounded_under_many_different_requests(engine: Engine) -> None:
    with closing(Engine(engine.address, replace(engine.settings, cache=1), engine.known)) as small:
        app = create_app(small)
        client = app.test_client()
        for number in range(60):
            ask(client, f"SELECT ({number} AS ?x) {{}} # {'x' * 30_000}")
    memory = app.wsgi_app.answers  # type: ignore[attr-defined]
    assert 0 < memory.used <= memory.room == 1 << 20 and len(memory) < 60


def test_memory_is_safe_for_threads(app: Flask) -> None:
    wrong: list[object] = []

    def work(start: int) -> None:
        client = app.test_client()
        for number in range(start, start + 60):
            answer = ask(client, f"SELECT ({number % 20} AS ?x) {{}}", Accept="text/csv")
            if answer.data != b"x\r\n%d\r\n" % (number % 20):
                wrong.append(answer.data)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Over a real server


def exchange(server: str, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, header fields and body; nothing is decoded or followed on the way."""
    connection = HTTPConnection(urlsplit(server).netloc, timeout=30)
    with closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_the_server_gives_head_and_304_and_codings(server: str) -> None:
    path = "/sparql?" + urlencode({"query": SELECT, "format": "csv"})
    status, fields, body = exchange(server, "GET", path)
    assert status == 200 and int(fields["content-length"]) == len(body) > 1024
    for _ in range(6):  # either worker, from memory and not
        status, head, nothing = exchange(server, "HEAD", path)
        assert (status, head["content-length"], head["etag"], nothing) == (200, str(len(body)), fields["etag"], b"")
        assert exchange(server, "GET", path, **{"If-None-Match": fields["etag"]})[0::2] == (304, b"")
        status, coded, packed = exchange(server, "GET", path, **{"Accept-Encoding": "gzip"})
        assert (status, coded["content-encoding"], gzip.decompress(packed)) == (200, "gzip", body)
    assert "cache" in exchange(server, "GET", path)[1]["server-timing"]


def test_the_server_takes_bytes_beyond_ascii_as_they_come(server: str) -> None:
    query = "SELECT ('é漢' AS ?x) {}"
    for encoded in (quote(query), quote(query).replace("%C3%A9", "%c3%a9")):
        assert exchange(server, "GET", f"/sparql?query={encoded}", Accept="text/csv")[2].decode() == "x\r\né漢\r\n"
    assert exchange(server, "GET", "/sparql?query=ASK%7B%7D%20%23%ff")[0] == 400


def test_a_tag_names_the_bytes_and_any_right_answer_is_still_right(fresh: FlaskClient, counted: Counted) -> None:
    """Two evaluations may give the same rows in another order: their tags differ, and either is good for a 304."""
    first = ask(fresh, SELECT)
    asked, _, bytes_ = first.headers["ETag"].strip('"').partition(".")
    assert len(asked) == 32 and len(bytes_) == 16
    before = counted.asked
    for other in (f'"{asked}.0123456789abcdef"', first.headers["ETag"]):
        answer = ask(create_app(counted).test_client(), SELECT, **{"If-None-Match": other})  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["ETag"]) == (304, other)
    assert counted.asked == before, "without evaluating"
    assert ask(fresh, SELECT, **{"If-None-Match": f'"{"0" * 32}.{bytes_}"'}).status_code == 200


def test_what_a_proxy_says_of_the_address_is_not_mixed_up(engine: Engine) -> None:
    with closing(Engine(engine.address, replace(engine.settings, proxies=1), engine.known)) as behind:
        app = create_app(behind)
        for scheme in ("http", "https", "http"):
            fields = {"Accept": "text/turtle", "X-Forwarded-Proto": scheme, "X-Forwarded-Prefix": "//evil.example"}
            builder = EnvironBuilder("/sparql", headers=fields)
            environ = builder.get_environ()
            builder.close()
            app.extensions["front"].ready(environ)  # as the gate does, before it is known what the proxy says
            answer = TestResponse(*run_wsgi_app(app.wsgi_app, environ, buffered=True), request=None)  # type: ignore[arg-type]
            assert f"{scheme}://localhost/sparql" in answer.text and "evil" not in answer.text


def test_a_crowd_at_one_question_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "MOST", 2)
    crowd: Flights[str] = Flights()
    leave, results = threading.Event(), []

    def work() -> str:
        leave.wait(20)
        return "done"

    threads = [threading.Thread(target=lambda: results.append(crowd.join("question", work))) for _ in range(3)]
    for thread in threads:
        thread.start()
    while crowd._waiting < 2:
        time.sleep(0.01)
    with pytest.raises(Crowded):
        crowd.join("question", work)
    leave.set()
    for thread in threads:
        thread.join()
    assert results == ["done"] * 3 and crowd._waiting == 0
    assert crowd.join("question", work) == "done"


#: Conditions in the order in which RFC 9110, 13.2.2, weighs them, and the status of a GET. TAG stands for the tag of
#: the answer, OTHER for that of another.
CONDITIONS = [
    ({"If-Match": "TAG"}, 200),
    ({"If-Match": "OTHER, TAG"}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": "OTHER"}, 412),
    ({"If-Match": "W/TAG"}, 412),  # If-Match compares strongly
    ({"If-None-Match": "TAG"}, 304),
    ({"If-None-Match": "W/TAG"}, 304),  # If-None-Match weakly
    ({"If-None-Match": "OTHER, TAG"}, 304),
    ({"If-None-Match": "OTHER"}, 200),
    ({"If-Match": "OTHER", "If-None-Match": "TAG"}, 412),
    ({"If-Match": "TAG", "If-None-Match": "TAG"}, 304),
    ({"If-Match": "TAG", "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
    ({"If-None-Match": "OTHER", "If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
    ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),  # without Last-Modified there is nothing to compare
]


@pytest.mark.parametrize(
    "path", ["/dumps/places.ttl", "/graphs?graph=https%3A%2F%2Fw3id.org%2Finterpol-graph%2Fgraph%2Fplaces"]
)
@pytest.mark.parametrize(("conditions", "status"), CONDITIONS, ids=str)
def test_conditions_are_weighed_in_their_order(
    fresh: FlaskClient, path: str, conditions: dict[str, str], status: int
) -> None:
    tag = fresh.get(path, buffered=True).headers["ETag"]
    assert not tag.startswith("W/")
    fields = {name: text.replace("TAG", tag).replace("OTHER", '"another"') for name, text in conditions.items()}
    for _ in range(3):  # made anew, then from whatever keeps it
        answer = fresh.get(path, headers=fields, buffered=True)
        assert answer.status_code == status, fields
        assert bool(answer.data) is (status != 304)
        assert answer.headers.get("ETag", tag) == tag


def test_a_head_has_no_parts(fresh: FlaskClient) -> None:
    assert fresh.head("/dumps/places.ttl", headers={"Range": "bytes=0-9"}, buffered=True).status_code == 200


def test_a_304_varies_like_its_answer(fresh: FlaskClient) -> None:
    for path, accept in ADDRESSES:
        whole = fresh.get(path, headers={"Accept": accept}, buffered=True)
        again = (
            create_app(fresh.application.extensions["engine"])
            .test_client()
            .get(path, headers={"Accept": accept, "If-None-Match": whole.headers["ETag"]})
        )
        assert again.status_code == 304
        varies = [set(answer.headers.get("Vary", "").split(", ")) for answer in (whole, again)]
        assert varies[0] <= varies[1], path


@pytest.mark.parametrize("held", ["nonsense", "*, nonsense", ',,"', 'W/"', '"a", b, "c"', "\\"])
def test_tags_that_are_none_do_no_harm(fresh: FlaskClient, held: str) -> None:
    for path, status in (("/id/session/84", 303), ("/none", 404), ("/sparql?query=ASK%7B%7D", 200), ("/queries/", 200)):
        found = fresh.get(path, headers={"If-None-Match": held}).status_code
        assert found == status or (found == 304 and status == 200 and "*" in held), path
