"""The dumps: every file holds exactly the graph, the same bytes each time, and can be resumed and checked."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from interpol_graph.app import create_app
from interpol_graph.endpoint import dumps
from interpol_graph.engine.admission import Admission, never
from interpol_graph.engine.channel import Connection, Ended, Message
from interpol_graph.engine.limits import Lane, Settings
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.formats import BY_NAME, DUMPS, Format
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import KnowledgeGraph


def dumped(snapshot: Snapshot, fmt: Format, gone: Callable[[], bool] = never) -> bytes:
    file = BytesIO()
    snapshot.dump(file, fmt, gone=gone)
    return file.getvalue()


def parsed(client: FlaskClient, name: str, fmt: Format) -> set[Quad]:
    """Return the statements of a file: every format keeps the labels of blank nodes and the lexical forms of literals."""
    return set(parse(client.get(f"/dumps/{name}", buffered=True).data, fmt.rdf))


@pytest.mark.parametrize("fmt", DUMPS, ids=lambda fmt: fmt.name)
def test_a_dump_holds_exactly_the_graph(client: FlaskClient, graph: KnowledgeGraph, fmt: Format) -> None:
    union = parse(graph.exact.united(*graph.default_graphs), RdfFormat.N_TRIPLES)
    assert parsed(client, f"interpol{fmt.suffix}", fmt) == set(graph.exact if fmt.kind == "dataset" else union)


@pytest.mark.parametrize("name", ["sessions", "operations/2023", "ontology", "derived", "shapes"])
def test_a_graph_file_holds_exactly_its_graph(client: FlaskClient, graph: KnowledgeGraph, name: str) -> None:
    found = parsed(client, f"{name}.ttl", BY_NAME["turtle"])
    assert found == set(parse(graph.exact.united(NamedNode(GRAPHS + name)), RdfFormat.N_TRIPLES)) != set()


def test_all_processes_of_a_service_make_a_file_once(process: EvaluatorProcess, tmp_path: Path) -> None:
    found = []
    for number in range(2):
        with closing(EvaluatorPool(process.address, process.settings, process.about)) as pool:
            pool.state = str(tmp_path / "state")
            with create_app(pool).test_request_context():
                found.append(dumps.made("a file", lambda file, n=number: file.write(b"made by %d" % n)))  # type: ignore[misc]
    assert found[0] == found[1] and found[0].read_bytes() == b"made by 0"
    assert found[0].is_relative_to(tmp_path / "dumps")


def test_a_file_that_cannot_be_made_leaves_nothing_behind(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(snapshot: Snapshot, file: IO[bytes], *_: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "dumps").mkdir()
    monkeypatch.setitem(app.extensions, "dumps", tmp_path / "dumps")
    monkeypatch.setattr(Snapshot, "dump", full)
    answer = client.get("/dumps/interpol.nt", buffered=True)
    assert answer.status_code == 503 and "No space left on device" in answer.json["detail"]  # type: ignore[index]
    assert not [path for path in (tmp_path / "dumps").rglob("*") if path.is_file()]
    monkeypatch.undo()
    assert client.get("/dumps/interpol.nt", buffered=True).status_code == 200


def test_a_file_is_made_to_the_end_though_its_client_has_left(snapshot: Snapshot) -> None:
    whole = dumped(snapshot, BY_NAME["nquads"], gone=lambda: True)
    assert whole.count(b"\n") == sum(snapshot.graphs.values())


def test_a_dump_begins_anew_where_an_evaluator_was_killed(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, pieces, killed = dumped(snapshot, BY_NAME["turtle"]), [], []
    receive = Connection.receive

    def fatal(self: Connection, *idle: Callable[[], None]) -> Message:
        head, body = receive(self, *idle)
        pieces.extend([len(body)] * bool(head.get("more")))
        if len(pieces) == 2 and not killed:
            killed.append(self.pid)
            raise Ended(-signal.SIGKILL, 0)
        return head, body

    snapshot.query("ASK {}")  # there is a connection now that was used before: a death there is nobody's fault
    monkeypatch.setattr(Connection, "receive", fatal)
    assert dumped(snapshot, BY_NAME["turtle"]) == expected and killed


def test_files_of_states_before_the_last_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, state in enumerate(("first", "second", "third")):
        dumps._make_room(tmp_path / state)
        (tmp_path / state / "file").write_text("x")
        os.utime(tmp_path / state, (number, number))
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"second", "third"}, "the last may still be being sent"
    # Two may want the folder at once, and the last state be in use meanwhile.
    os.utime(tmp_path / "third", (0, 0))
    monkeypatch.setattr(Path, "exists", lambda _: False)
    dumps._make_room(tmp_path / "third")
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_crowd_sees_the_page_though_there_is_no_place_to_make_a_file(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "dumps", tmp_path)
    monkeypatch.setattr(dumps, "_MAKING", Admission([Lane(0, 0)], 1))
    assert client.get("/dumps/interpol.nt", buffered=True).status_code == 503
    assert "interpol.nt" in client.get("/dumps/").text and not list(tmp_path.rglob("*"))


def test_a_file_is_made_once_under_all_its_addresses_and_claims_a_place_as_what_it_is_of(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = []

    def slot(gone: object, claims: tuple[str, ...]) -> AbstractContextManager[None]:
        claimed.extend(claims)
        return nullcontext()

    monkeypatch.setitem(app.extensions, "dumps", tmp_path)
    monkeypatch.setattr(dumps._MAKING, "slot", slot)
    whole = ["/graphs?default", "/graphs?default&format=nt", "/dumps/interpol.ttl", "/dumps/interpol.ttl.gz"]
    part = [
        f"/graphs?graph={GRAPHS}places&format=turtle",
        f"/graphs?graph={GRAPHS}places&format=nt",
        "/dumps/places.ttl",
    ]
    for path in whole + part:
        assert client.get(path, buffered=True).status_code == 200
    assert claimed == ["interpol"] * 3 + [f"{GRAPHS}places"] * 2


@pytest.mark.parametrize("fmt", DUMPS, ids=lambda fmt: fmt.name)
def test_two_processes_write_the_same_bytes(client: FlaskClient, graph: KnowledgeGraph, fmt: Format) -> None:
    """The evaluators, which hash in another order, and this one."""
    graph.dump(file := BytesIO(), fmt)
    assert client.get(f"/dumps/interpol{fmt.suffix}", buffered=True).data == file.getvalue()


def test_a_graph_called_as_another_file_does_not_take_its_place(tmp_path: Path) -> None:
    data = tmp_path / "data.nq"
    data.write_text("".join(f'<urn:a> <urn:p> "{name}" <{GRAPHS}{name}> .\n' for name in ("interpol", "reifiers")))
    with EvaluatorProcess(Settings(data=(str(data),))) as process:
        client = create_app(process.pool()).test_client()
        assert client.get("/dumps/interpol.ttl", buffered=True).text.count('"') == 4
        page = BeautifulSoup(client.get("/dumps/").text, "html.parser")
        links = page.select("main a[href^='/graphs?graph=']")
        assert [client.get(str(link["href"]), buffered=True).text.count('"') for link in links] == [2, 2]
        assert client.get("/dumps/reifiers.ttl").status_code == 404, "other data cite in other ways"


def test_checksums(client: FlaskClient, snapshot: Snapshot) -> None:
    lines = client.get("/dumps/SHA256SUMS", buffered=True).text.splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert len(sums) == len(DUMPS) + len(snapshot.graphs) + 1
    for name in ("interpol.ttl", "interpol.nq", "sessions.ttl", "operations/2023.ttl", "reifiers.ttl"):
        assert hashlib.sha256(client.get(f"/dumps/{name}", buffered=True).data).hexdigest() == sums[name]


def test_a_download_can_be_resumed(client: FlaskClient) -> None:
    whole = client.get("/dumps/sessions.ttl", buffered=True)
    assert whole.headers["Accept-Ranges"] == "bytes"
    etag = whole.headers["ETag"]
    assert not etag.startswith("W/"), "only a strong tag lets a client join two halves"
    rest = client.get("/dumps/sessions.ttl", buffered=True, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole.data) - 1}/{len(whole.data)}"
    assert whole.data[:1000] + rest.data == whole.data
    other = client.get("/dumps/sessions.ttl", buffered=True, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert other.status_code == 200 and other.data == whole.data
    assert client.get("/dumps/sessions.ttl", buffered=True, headers={"Range": "bytes=99999999-"}).status_code == 416


@pytest.mark.parametrize("path", ["/dumps/sessions.ttl", f"/graphs?graph={GRAPHS}sessions"])
@pytest.mark.parametrize(
    ("wanted", "condition", "status"),
    [
        ("bytes=0-9", None, 206),
        ("Bytes=0-9", None, 206),
        ("bytes=-5", None, 206),
        ("bytes=0-", None, 206),
        ("bytes=0-99999999", None, 206),
        ("lines=0-9", None, 200),
        ("items=0-9", None, 200),
        ("bytes=0-9,20-29", None, 200),
        ("bytes=0-0,-1", None, 200),
        ("bytes=0-9, 99999999-", None, 200),
        ("bytes=9-0", None, 200),
        ("bytes=-0", None, 200),
        ("bytes=-", None, 200),
        ("bytes=a-b", None, 200),
        ("bytes 0-9", None, 200),
        ("bytes=" + "9" * 5000 + "-", None, 200),
        ("0-9", None, 200),
        ("", None, 200),
        ("bytes=99999999-", None, 416),
        ("bytes=0-9", "{etag}", 206),
        ("bytes=0-9", "W/{etag}", 200),
        ("bytes=0-9", "{modified}", 200),
        ("bytes=0-9", '"another"', 200),
        ("bytes=0-9", "nonsense", 200),
    ],
)
def test_a_part_is_sent_only_to_who_asks_for_one_in_bytes(
    client: FlaskClient, path: str, wanted: str, condition: str | None, status: int
) -> None:
    whole = client.get(path, buffered=True)
    fields = {"Range": wanted}
    if condition:
        modified = whole.headers.get("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        fields["If-Range"] = condition.format(etag=whole.headers["ETag"], modified=modified)
    answer = client.get(path, headers=fields, buffered=True)
    assert answer.status_code == status
    if status == 200:
        assert answer.data == whole.data and "Content-Range" not in answer.headers
    elif status == 206:
        assert answer.data and answer.data in whole.data
    assert client.head(path, headers=fields, buffered=True).status_code == 200


@pytest.mark.parametrize("path", ["/dumps/sessions.ttl", f"/graphs?graph={GRAPHS}sessions"])
@pytest.mark.parametrize(("wanted", "otherwise"), [("bytes=0-9", 206), ("bytes=99999999-", 416), ("lines=0-9", 200)])
def test_what_is_known_of_the_whole_comes_before_its_part(
    client: FlaskClient, path: str, wanted: str, otherwise: int
) -> None:
    fields = client.head(path, buffered=True).headers
    etag = fields["ETag"]
    for condition, held, status in (
        ("If-Match", '"of another state"', 412),
        ("If-Match", f'"of another state", {etag}', otherwise),
        ("If-None-Match", etag, 304),
        ("If-None-Match", f"W/{etag}", 304),
        ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 412),
        ("If-Unmodified-Since", fields["Last-Modified"], otherwise),
    ):
        answer = client.get(path, headers={"Range": wanted, condition: held}, buffered=True)
        assert (answer.status_code, "Content-Range" in answer.headers) == (status, status in (206, 416)), held
        assert (answer.mimetype == "application/problem+json") == (status > 400) and bool(answer.data) == (
            status != 304
        )


def test_a_known_file_is_not_sent_again(client: FlaskClient) -> None:
    answer = client.get("/dumps/interpol.nt", buffered=True)
    again = client.get("/dumps/interpol.nt", buffered=True, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    assert client.get("/dumps/interpol.nt", buffered=True, headers=since).status_code == 304
    earlier = {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}
    assert client.get("/dumps/interpol.nt", buffered=True, headers=earlier).status_code == 200
    head = client.head("/dumps/interpol.nt", buffered=True)
    assert head.headers["Content-Length"] == str(len(answer.data)) and not head.data


@pytest.mark.parametrize("name", ["interpol.ttl", "interpol.nq", "sessions.ttl", "operations/2023.ttl", "reifiers.ttl"])
def test_a_file_can_be_had_compressed(client: FlaskClient, name: str) -> None:
    plain = client.get(f"/dumps/{name}", buffered=True)
    answer = client.get(f"/dumps/{name}.gz", buffered=True, headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Type"] == "application/gzip" and "Content-Encoding" not in answer.headers
    assert gzip.decompress(answer.data) == plain.data and len(answer.data) < len(plain.data) / 2
    assert answer.data[4:8] == b"\0\0\0\0" and not answer.data[3], "neither a time nor a name"
    assert answer.headers["Content-Disposition"].endswith(f"{name.replace('/', '-')}.gz")
    assert answer.headers["ETag"] != plain.headers["ETag"]
    assert answer.headers["Last-Modified"] == plain.headers["Last-Modified"]
    part = client.get(f"/dumps/{name}.gz", buffered=True, headers={"Range": "bytes=5-9"})
    assert part.status_code == 206 and part.data == answer.data[5:10]


def test_every_process_tells_the_same_time(process: EvaluatorProcess) -> None:
    told = set()
    for _ in range(2):
        with closing(EvaluatorPool(process.address, process.settings, process.about)) as pool:
            told.add(create_app(pool).test_client().head("/dumps/sessions.ttl", buffered=True).last_modified)
    (when,) = told
    assert when and when.timestamp() == process.about["loaded"] <= time.time()


def test_every_file_has_its_own_tag(client: FlaskClient) -> None:
    names = [f"interpol{fmt.suffix}" for fmt in DUMPS] + ["sessions.ttl", "SHA256SUMS"]
    assert len({client.head(f"/dumps/{name}", buffered=True).headers["ETag"] for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "content_type", "filename"),
    [
        ("interpol.ttl", "text/turtle; charset=utf-8", "interpol.ttl"),
        ("interpol.nq", "application/n-quads", "interpol.nq"),
        ("interpol.jsonld", "application/ld+json", "interpol.jsonld"),
        ("operations/2023.ttl", "text/turtle; charset=utf-8", "operations-2023.ttl"),
    ],
)
def test_headers(client: FlaskClient, name: str, content_type: str, filename: str) -> None:
    answer = client.head(f"/dumps/{name}", buffered=True)
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"] == f"attachment; filename={filename}"


def test_the_page_lists_every_file(client: FlaskClient, snapshot: Snapshot) -> None:
    client.get("/dumps/interpol.ttl", buffered=True)
    soup = BeautifulSoup(client.get("/dumps/", buffered=True).text, "html.parser")
    links = {str(link["href"]) for link in soup.select("main a[href^='/dumps/']")}
    assert len(links) == 2 * (len(DUMPS) + 1 + len(snapshot.graphs)) + 1
    compressed = sorted(link for link in links if link.endswith(".gz"))[::10]
    assert all(client.head(link, buffered=True).status_code == 200 for link in compressed)
    row = soup.select_one("tr:has(a[href='/dumps/interpol.ttl'])")
    assert row and "MB" in row.get_text()


def test_the_page_tells_sizes_and_checksums_once_all_files_are_made(client: FlaskClient) -> None:
    sums = dict(reversed(line.split("  ")) for line in client.get("/dumps/SHA256SUMS", buffered=True).text.splitlines())
    soup = BeautifulSoup(client.get("/dumps/?lang=fr", buffered=True).text, "html.parser")
    rows = {link.text: link.find_parent("tr") for link in soup.select("td a[href*='/dumps/']")}
    for name in ("interpol.ttl", "sessions.ttl", "operations/2023.ttl"):
        told, size = rows[name].get_text(" "), len(client.get(f"/dumps/{name}", buffered=True).data)  # type: ignore[union-attr]
        unit, power = ("Mo", 1e6) if size >= 1e6 else ("ko", 1e3)
        assert f"{size / power:.1f}\u00a0{unit}".replace(".", ",") in told
    assert sums["interpol.ttl"].startswith(rows["interpol.ttl"].select_one("code").text.rstrip("…"))  # type: ignore[union-attr]
    groups = [group.summary.get_text(" ").split()[0] for group in soup.select("details.group") if group.summary]
    assert groups == ["Sujets", "Chiffres", "Opérations", "Documents"]


@pytest.mark.parametrize(
    "name",
    [
        "interpol.csv",
        "nothing.ttl",
        "../app.py",
        "sessions",
        "sesions.ttl",
        "interpol.gz",
        "SHA256SUMS.gz",
        "interpol.ttl.gz.gz",
    ],
)
def test_other_names_are_404(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/dumps/{name}", buffered=True)
    assert answer.status_code == 404
    if name == "sesions.ttl":
        assert "sessions.ttl" in answer.json["similar"]  # type: ignore[index]
