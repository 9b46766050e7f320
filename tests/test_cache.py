"""Caching that HTTP understands: entity tags, conditional requests, content codings, and answers kept in memory."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import brotli
import pytest
import zstandard
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from interpol_graph.app import create_app
from interpol_graph.endpoint import caching
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import paths
from interpol_graph.serving.answer_cache import AnswerCache
from interpol_graph.serving.door import PIECE, Door

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
    ("/", BROWSER),
    ("/openapi.json", "*/*"),
]


#: Those that are files: their tags are strong, for Range needs them.
FILES = ("/dumps/", "/graphs")


class Counted(EvaluatorPool):
    """A pool that counts what it is asked."""

    asked = 0

    def snapshot(self) -> Snapshot:
        found = super().snapshot()
        counted = replace(found)
        ask = counted._ask

        def counting(*args: Any, **options: Any) -> Any:
            self.asked += 1
            return ask(*args, **options)

        counted._ask = counting  # type: ignore[method-assign]
        return counted


@pytest.fixture
def counted(process: EvaluatorProcess) -> Iterator[Counted]:
    with closing(Counted(process.address, process.settings, process.about)) as pool:
        yield pool


@pytest.fixture
def fresh(counted: Counted) -> FlaskClient:
    """A client of an application of its own, whose pool counts."""
    return create_app(counted).test_client()


class Server:
    """A server process of its own, asked as granian asks it; `cache` is its memory."""

    def __init__(self, pool: EvaluatorPool) -> None:
        app, settings = create_app(pool), pool.settings
        self.cache = AnswerCache(settings.cache << 20, forwarded=settings.proxies > 0)
        self.door = Door(app.wsgi_app, 8, self.cache, lambda: pool.snapshot().digest)

    def __call__(self, path: str, method: str = "GET", body: bytes = b"", **fields: str) -> TestResponse:
        return asyncio.run(self.ask(path, method, body, **fields))

    async def ask(self, path: str, method: str = "GET", body: bytes = b"", **fields: str) -> TestResponse:
        sent: list[dict[str, Any]] = []
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        raw, _, query = path.partition("?")
        given = {"host": "localhost", **({"content-length": str(len(body))} if body else {}), **fields}
        scope = {
            "type": "http", "method": method, "path": raw, "raw_path": raw.encode(), "query_string": query.encode(),
            "http_version": "1.1", "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            return await asyncio.Event().wait()  # type: ignore[return-value]

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.door(scope, receive, send)
        headers = Headers([(name.decode(), value.decode()) for name, value in sent[0]["headers"]])
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return TestResponse([whole], str(sent[0]["status"]), headers, request=None)  # type: ignore[arg-type]


@pytest.fixture
def server_process(counted: Counted) -> Server:
    return Server(counted)


def select(query: str, **more: str) -> str:
    return "/sparql?" + urlencode({"query": query, **more})


def test_a_large_answer_is_kept_and_takes_its_room_until_it_is_read(
    server_process: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = select("SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 5000")
    first, second = server_process(query), server_process(query)
    assert first.status_code == second.status_code == 200 and len(first.data) > 2 * PIECE
    assert first.data == second.data and second.headers["Server-Timing"] == 'cache;desc="hit"'
    monkeypatch.setattr("interpol_graph.serving.door.ROOM_FOR_ALL", 1)
    server_process.door.held = 1
    assert server_process(select("SELECT ?o ?p ?s { ?s ?p ?o } LIMIT 5000")).status_code == 503


def ask(client: FlaskClient, query: str, method: str = "GET", **headers: str) -> TestResponse:
    return client.open("/sparql", method=method, query_string={"query": query}, headers=headers)


def is_hit(answer: TestResponse) -> bool:
    return 'cache;desc="hit"' in answer.headers.get("Server-Timing", "")


@pytest.mark.parametrize(("path", "accept"), ADDRESSES)
def test_every_answer_has_a_tag_and_says_how_long_it_holds(client: FlaskClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept}, buffered=True)
    tag, weak = answer.get_etag()
    assert answer.status_code == 200 and tag and weak is not path.startswith(FILES)
    assert "max-age=" in answer.headers["Cache-Control"] and "public" in answer.headers["Cache-Control"]
    unchanged = client.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == answer.headers["ETag"]
    assert unchanged.headers["Cache-Control"] == answer.headers["Cache-Control"]
    assert set(answer.vary) <= set(unchanged.vary)
    assert client.get(path, headers={"Accept": accept, "If-None-Match": '"another"'}, buffered=True).status_code == 200


@pytest.mark.parametrize(("path", "accept"), [pair for pair in ADDRESSES if not pair[0].startswith(FILES)])
def test_304_without_evaluating(
    client: FlaskClient, fresh: FlaskClient, counted: Counted, path: str, accept: str
) -> None:
    """A worker that has never seen the request says 304 all the same: the tag is made from the request."""
    tag = client.get(path, headers={"Accept": accept}, buffered=True).headers["ETag"]
    answer = fresh.get(path, headers={"Accept": accept, "If-None-Match": f'"other", {tag}'})
    assert (answer.status_code, counted.asked) == (304, 0)


def test_if_none_match_star(fresh: FlaskClient, server_process: Server) -> None:
    star = {"If-None-Match": "*"}
    assert ask(fresh, "ASK {}", **star).status_code == 304
    assert ask(fresh, "ASK {", **star).status_code == 400
    assert fresh.get("/page/session/nowhere", headers=star).status_code == 404
    assert server_process(select("ASK {}")).status_code == 200
    assert server_process(select("ASK {}"), **star).status_code == 304, "from memory"


@pytest.mark.parametrize(("path", "accept"), ADDRESSES)
def test_if_match(client: FlaskClient, path: str, accept: str) -> None:
    """Only a strong tag matches strongly (RFC 9110, 13.1.1), and only files have one."""
    tag = client.get(path, headers={"Accept": accept}, buffered=True).headers["ETag"]

    def status(held: str, **more: str) -> int:
        return client.get(path, headers={"Accept": accept, "If-Match": held, **more}, buffered=True).status_code

    assert status('"another"') == 412
    assert status("*") == 200
    assert status(tag) == status(tag.removeprefix("W/")) == (200 if path.startswith(FILES) else 412)
    assert status('"another"', **{"If-None-Match": tag}) == 412, "If-Match comes first (13.2.2)"


def test_if_match_of_what_is_not_there(client: FlaskClient) -> None:
    assert client.get("/page/session/nowhere", headers={"If-Match": '"x"'}, buffered=True).status_code == 404
    answer = client.get("/sparql?query=SELECT (RAND() AS ?x) {}", headers={"If-Match": '"x"'}, buffered=True)
    assert answer.status_code == 412 and answer.json["title"] == "Precondition failed"  # type: ignore[index]


def test_tags_tell_apart_what_differs(client: FlaskClient) -> None:
    places = "https://w3id.org/interpol-graph/graph/places"
    requests: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"query": SELECT}, {}),
        ({"query": SELECT + " "}, {}),
        ({"query": SELECT}, {"Accept": "text/csv"}),
        ({"query": SELECT, "format": "xml"}, {}),
        ({"query": SELECT, "default-graph-uri": places}, {}),
        ({"query": SELECT, "named-graph-uri": places}, {}),
    ]
    tags = [client.get("/sparql", query_string=args, headers=headers).headers["ETag"] for args, headers in requests]
    assert len(set(tags)) == len(requests)


def test_tags_change_with_the_state_of_the_graph(process: EvaluatorProcess, client: FlaskClient) -> None:
    changed = EvaluatorPool(process.address, process.settings, {**process.about, "digest": "another"})
    with closing(changed):
        other = create_app(changed).test_client()
        for path, accept in ADDRESSES[:-1]:  # the description of the API takes the answers to all questions
            headers = {"Accept": accept, "If-None-Match": "*"}  # a tag without the work of an answer
            tags = {c.get(path, headers=headers, buffered=True).headers["ETag"] for c in (client, other)}
            assert len(tags) == 2, path


# Answers kept in memory


@pytest.mark.parametrize("name", ["QUERIES/traps.toml", "QUERIES/classes.rq", "SHAPES/sessions.ttl"])
def test_tags_change_with_all_that_a_page_shows(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, _, file = name.partition("/")
    monkeypatch.setattr(paths, folder, shutil.copytree(getattr(paths, folder), tmp_path / folder))
    before = caching._program.__wrapped__()
    with (tmp_path / folder / file).open("a") as copy:
        copy.write("# another word")
    assert caching._program.__wrapped__() != before


def test_repeats_are_answered_from_memory(server_process: Server, counted: Counted) -> None:
    first = server_process(select(SELECT))
    asked = counted.asked
    assert not is_hit(first) and asked == 1
    for _ in range(3):
        again = server_process(select(SELECT))
        assert again.data == first.data and is_hit(again)
        named = [{name: value for name, value in a.headers if name != "server-timing"} for a in (again, first)]
        assert named[0] == named[1]
    head = server_process(select(SELECT), "HEAD")
    assert is_hit(head) and head.data == b"" and head.headers["Content-Length"] == str(len(first.data))
    unchanged = server_process(select(SELECT), **{"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == first.headers["ETag"] and "Content-Type" not in unchanged.headers
    assert counted.asked == asked


def test_a_posted_query_is_never_answered_from_memory(server_process: Server, counted: Counted) -> None:
    assert server_process(select("ASK {}")).status_code == 200
    assert server_process(select("ASK {}"), "POST", b"", **{"Content-Type": "text/plain"}).status_code == 415
    typed = {"Content-Type": "application/sparql-query"}
    answers = [server_process("/sparql", "POST", b"ASK {}", **typed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200] and counted.asked == 3
    assert not any("ETag" in answer.headers for answer in answers), "a tag stands for what GET returns"


@pytest.mark.parametrize("header", ["Accept", "Accept-Language", "Accept-Encoding", "Host"])
def test_memory_keeps_apart_what_is_negotiated(server_process: Server, header: str) -> None:
    one, other = {
        "Accept": ("text/csv", "text/tab-separated-values"),
        "Accept-Language": ("en", "fr"),
        "Accept-Encoding": ("gzip", "br"),
        "Host": ("one.example", "two.example"),
    }[header]
    path = {"Host": "/opensearch.xml", "Accept-Language": "/queries/"}.get(header, select(SELECT))
    answers = [server_process(path, **{header.lower(): value}) for value in (one, other, one, other)]
    assert answers[0].data == answers[2].data != answers[1].data == answers[3].data
    assert [is_hit(answer) for answer in answers] == [False, False, True, True]
    assert header == "Host" or header in answers[0].headers["Vary"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (RAND() AS ?x) {}", "SELECT (STRUUID() AS ?x) {}", "SELECT (NOW() AS ?x) {}", "SELECT (UUID() AS ?x) {}",
        "SELECT (BNODE() AS ?x) {}", "CONSTRUCT { [] rdfs:label ?o } { session:84 rdfs:label ?o }",
    ],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_what_never_repeats_is_never_kept(server_process: Server, query: str, accept: str) -> None:
    answers = [server_process(select(query), accept=accept, **{"if-none-match": '"x"'}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].data != answers[1].data and len(server_process.cache.entries) == 0
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize(
    "path",
    [
        "/sparql?query=ASK%7B",
        "/nothing",
        "/page/session/nowhere",
        "/api/agreements-by-year?nothing=1",
        "/graphs?x",
        "/healthz",
    ],
)
def test_errors_and_health_are_never_kept(server_process: Server, path: str, accept: str) -> None:
    for _ in range(2):
        answer = server_process(path, accept=accept)
        assert (answer.status_code == 200) is (path == "/healthz")
        assert "no-" in answer.headers["Cache-Control"] and "ETag" not in answer.headers
    assert len(server_process.cache.entries) == 0


@pytest.mark.parametrize("name", ["If-Match", "If-Unmodified-Since", "Range"])
def test_other_conditions_are_not_answered_from_memory(server_process: Server, name: str) -> None:
    value = {"If-Match": '"nope"', "Range": "bytes=0-9"}.get(name, "Sat, 01 Jan 2000 00:00:00 GMT")
    for _ in range(2):
        assert server_process("/dumps/places.ttl", **{name: value}).status_code == (206 if name == "Range" else 412)
        assert server_process("/dumps/places.ttl").status_code == 200


def test_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    cache = AnswerCache(100_000)
    fields = [(b"cache-control", b"public, max-age=60")]

    def put(name: str, size: int) -> None:
        cache.put((name,), fields, b"x" * (size - 2048 - len(name)), {})

    for name in "abcdefgh":
        put(name, 10_000)
    cache.get(("a",))
    for name in "ijk":
        put(name, 10_000)
    assert cache.used == 100_000 and len(cache.entries) == 10
    assert cache.get(("a",)) and cache.get(("c",)) and cache.get(("b",)) is None
    put("large", 20_000)
    assert cache.get(("large",)) is None, "one answer never drives out all others"
    put("a", 5_000)
    assert cache.used == 95_000
    for control in (b"no-store", b"public, no-cache", b"private, max-age=60", b""):
        cache.put((control,), [(b"cache-control", control)], b"", {})
        assert cache.get((control,)) is None


def test_memory_stays_bounded_under_many_different_requests(process: EvaluatorProcess) -> None:
    with closing(EvaluatorPool(process.address, replace(process.settings, cache=1), process.about)) as small:
        server = Server(small)
        for number in range(60):
            assert server(select(f"SELECT ({number} AS ?x) {{}} # {'x' * 30_000}")).status_code == 200
    assert 0 < server.cache.used <= server.cache.room == 1 << 20 and len(server.cache.entries) < 60


def test_many_at_once_get_their_own_answers(server_process: Server) -> None:
    async def crowd() -> list[TestResponse]:
        paths = [select(f"SELECT ({number % 20} AS ?x) {{}}", format="csv") for number in range(150)]
        return await asyncio.gather(*map(server_process.ask, paths))

    for number, answer in enumerate(asyncio.run(crowd())):
        assert answer.data == b"x\r\n%d\r\n" % (number % 20)


@pytest.mark.parametrize("believed", [0, 1])
def test_what_a_proxy_says_of_the_address_is_not_mixed_up(process: EvaluatorProcess, believed: int) -> None:
    with closing(EvaluatorPool(process.address, replace(process.settings, proxies=believed), process.about)) as pool:
        server = Server(pool)
        for scheme in ("http", "https", "http"):
            fields = {"x-forwarded-proto": scheme, "x-forwarded-prefix": "//evil.example"}
            answer = server("/sparql", accept="text/turtle", **fields)
            assert f"{scheme if believed else 'http'}://localhost/sparql" in answer.text and "evil" not in answer.text


# Content codings


@pytest.mark.parametrize("coding", [*caching.CODINGS])
@pytest.mark.parametrize("path", [f"/sparql?query={SELECT}", "/page/session/84", "/openapi.json", "/static/site.css"])
def test_codings(client: FlaskClient, coding: str, path: str) -> None:
    plain = client.get(path, buffered=True)
    coded = client.get(path, headers={"Accept-Encoding": coding}, buffered=True)
    assert coded.headers["Content-Encoding"] == coding and "Accept-Encoding" in coded.headers["Vary"]
    assert DECODE[coding](coded.data) == plain.data
    assert int(coded.headers["Content-Length"]) == len(coded.data) < len(plain.data)
    assert "Accept-Ranges" not in coded.headers
    again = client.get(path, headers={"Accept-Encoding": coding, "If-None-Match": coded.headers["ETag"]}, buffered=True)
    assert again.status_code == 304 and again.headers["ETag"] == coded.headers["ETag"]
    assert "Content-Encoding" not in plain.headers and "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("path", ["/dumps/interpol.ttl", "/graphs?default"])
def test_files_are_sent_as_they_are(client: FlaskClient, path: str) -> None:
    """A part of a file must be a part of the same bytes, whatever codings a client takes."""
    headers = {"Accept-Encoding": "gzip"}
    plain, coded = client.get(path, buffered=True), client.get(path, headers=headers, buffered=True)
    assert "Content-Encoding" not in coded.headers and coded.data == plain.data
    part = {**headers, "Range": "bytes=100-199", "If-Range": coded.headers["ETag"]}
    assert client.get(path, headers=part, buffered=True).data == plain.data[100:200]


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
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}, buffered=True).headers


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
    timings = [exchange(server, "GET", path)[1]["server-timing"] for _ in range(20)]
    assert "hit" in timings[-1], "both workers keep it by now"


def test_the_server_takes_bytes_beyond_ascii_as_they_come(server: str) -> None:
    query = "SELECT ('é漢' AS ?x) {}"
    for encoded in (quote(query), quote(query).replace("%C3%A9", "%c3%a9")):
        assert exchange(server, "GET", f"/sparql?query={encoded}", Accept="text/csv")[2].decode() == "x\r\né漢\r\n"
    assert exchange(server, "GET", "/sparql?query=ASK%7B%7D%20%23%ff")[0] == 400


def test_a_head_has_no_parts(fresh: FlaskClient) -> None:
    assert fresh.head("/dumps/places.ttl", headers={"Range": "bytes=0-9"}, buffered=True).status_code == 200


@pytest.mark.parametrize("held", ["nonsense", "*, nonsense", ',,"', 'W/"', '"a", b, "c"', "\\"])
def test_tags_that_are_none_do_no_harm(fresh: FlaskClient, held: str) -> None:
    for path in ("/id/session/84", "/none", "/sparql?query=ASK%7B%7D", "/queries/"):
        assert fresh.get(path, headers={"If-None-Match": held}, buffered=True).status_code in (200, 303, 304, 404)
