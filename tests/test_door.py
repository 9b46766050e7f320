"""The door of a server process: what it does with answers that are read slowly, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from interpol_graph.endpoint import problems
from interpol_graph.serving.answer_cache import AnswerCache
from interpol_graph.serving.door import PIECE, Door

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "http_version": "1.1",
    "scheme": "http",
    "headers": [(b"host", b"localhost")],
}


class Reader:
    """A client: it takes `pieces` pieces of its answer, then stands still until `free` is set."""

    def __init__(self, pieces: int = 1 << 30) -> None:
        self.pieces, self.sent, self.free = pieces, list[dict[str, Any]](), asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if len(self.sent) > self.pieces:
            await self.free.wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return bool(self.sent) and self.sent[-1]["type"].endswith("body") and not self.sent[-1].get("more_body")


def serving(body: Iterable[bytes]) -> Door:
    """Return a door before an application."""

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if problem := environ.get(problems.PROBLEM):
            status, title = problems.PROBLEMS[problems.name(problem)]
            start(f"{status} {title}", [])
            return [json.dumps({"title": title}).encode()]
        start("200 OK", [("Content-Type", "text/plain")])
        return body

    return Door(app, 4, AnswerCache(1 << 20), lambda: "digest")


LARGE = bytes(range(256)) * (PIECE // 64)


@pytest.mark.parametrize("body", [[LARGE], [b"small"], [], iter([LARGE[:PIECE], LARGE[PIECE:]])])
def test_an_answer_arrives_whole(body: Iterable[bytes]) -> None:
    async def ask() -> Reader:
        reader = Reader()
        await serving(body)(SCOPE, reader.receive, reader.send)
        return reader

    expected = b"".join(body) if isinstance(body, list) else LARGE
    reader = asyncio.run(ask())
    assert reader.body == expected and reader.ended


@pytest.mark.parametrize("body", [[LARGE], iter([LARGE[:PIECE], LARGE[PIECE:]])])
def test_a_reader_that_stands_still_is_cut_off(body: Iterable[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpol_graph.serving.door.STALLED", 0.05)

    async def ask() -> tuple[Door, Reader]:
        reader, door = Reader(1), serving(body)
        await asyncio.wait_for(door(SCOPE, reader.receive, reader.send), 10)
        return door, reader

    door, reader = asyncio.run(ask())
    # No end is sent: less than the announced length tells the client that this is not its answer.
    assert reader.body == LARGE[:PIECE] and not reader.ended
    assert door.held == 0


def test_answers_that_nobody_reads_have_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpol_graph.serving.door.ROOM_FOR_ALL", 2 * len(LARGE))

    async def ask() -> tuple[Reader, Reader]:
        door, slow = serving([LARGE]), [Reader(1), Reader(1)]
        waiting = [asyncio.ensure_future(door(SCOPE, reader.receive, reader.send)) for reader in slow]
        while door.held < 2 * len(LARGE):
            await asyncio.sleep(0.01)
        refused, later = Reader(), Reader()
        await door(SCOPE, refused.receive, refused.send)
        for reader in slow:
            reader.free.set()
        await asyncio.gather(*waiting)
        assert [reader.body for reader in slow] == [LARGE, LARGE] and door.held == 0
        await door(SCOPE, later.receive, later.send)
        return refused, later

    refused, later = asyncio.run(asyncio.wait_for(ask(), 20))
    assert refused.sent[0]["status"] == 503
    assert json.loads(refused.body)["title"] == "Busy"
    assert later.body == LARGE and later.ended


def test_one_answer_is_never_too_large_for_an_empty_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpol_graph.serving.door.ROOM_FOR_ALL", 1)

    async def ask() -> Reader:
        reader = Reader()
        await serving([LARGE])(SCOPE, reader.receive, reader.send)
        return reader

    assert asyncio.run(ask()).body == LARGE


@pytest.mark.parametrize("hosts", [0, 2])
def test_a_request_names_one_host(hosts: int) -> None:
    async def ask() -> Reader:
        reader = Reader()
        scope = {**SCOPE, "headers": [(b"host", b"localhost")] * hosts}
        await serving([b"small"])(scope, reader.receive, reader.send)
        return reader

    reader = asyncio.run(ask())
    assert reader.sent[0]["status"] == 400 and (b"connection", b"close") in reader.sent[0]["headers"]


def test_bodies_that_come_in_have_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpol_graph.serving.door.ROOM_FOR_ALL", 3 * PIECE)

    async def ask() -> tuple[Door, list[int]]:
        door, more = serving([b"small"]), asyncio.Event()
        scope = {**SCOPE, "method": "POST", "headers": [(b"host", b"x"), (b"content-length", b"%d" % (8 * PIECE))]}
        readers = [Reader() for _ in range(3)]

        async def sent(pieces: list[int]) -> dict[str, Any]:
            if pieces.pop():
                return {"type": "http.request", "body": bytes(2 * PIECE), "more_body": True}
            await more.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        asked = [asyncio.ensure_future(door(scope, partial(sent, [0, 1, 1]), reader.send)) for reader in readers]
        await asyncio.wait(asked, timeout=0.3)
        more.set()
        await asyncio.gather(*asked)
        return door, sorted(reader.sent[0]["status"] for reader in readers)

    door, statuses = asyncio.run(ask())
    assert set(statuses) == {200, 503} and door.held == 0


@pytest.mark.parametrize(
    "fields", [[(b"accept", b"a/b," * 5000)], [(b"accept", b"a/b," * 500)] * 9, [(b"x-a", b"a" * 9000)]]
)
def test_a_long_field_is_refused_and_not_read(fields: list[tuple[bytes, bytes]]) -> None:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ)
        start("400 Bad Request" if problems.PROBLEM in environ else "200 OK", [])
        return [b""]

    async def ask() -> int:
        reader = Reader()
        scope = {**SCOPE, "headers": [(b"host", b"x"), *fields]}
        await Door(app, 4, AnswerCache(1 << 20), lambda: "digest")(scope, reader.receive, reader.send)
        return int(reader.sent[0]["status"])

    assert asyncio.run(ask()) == 400
    assert "bytes; at most 8192" in seen[0][problems.PROBLEM].detail and len(repr(seen)) < 8192


def test_of_the_bodies_of_one_client_the_oldest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpol_graph.serving.door.READING", 3)

    async def ask(proxies: int, forwarded: list[bytes]) -> list[int]:
        door, whole = Door(serving([b"small"]).app, 4, AnswerCache(1 << 20), lambda: "digest", proxies), asyncio.Event()

        async def receive(sent: list[int]) -> dict[str, Any]:
            await (asyncio.Event() if sent else whole).wait()
            sent.append(1)
            return {"type": "http.request", "body": b"ASK {}", "more_body": False}

        readers, tasks = [Reader() for _ in forwarded], []
        for reader, client in zip(readers, forwarded, strict=True):
            fields = [(b"host", b"x"), (b"content-length", b"6"), (b"x-forwarded-for", client)]
            scope = {**SCOPE, "method": "POST", "headers": fields, "client": ("127.0.0.1", 5)}
            tasks.append(asyncio.ensure_future(door(scope, partial(receive, []), reader.send)))
            await asyncio.sleep(0.05)
        whole.set()
        await asyncio.gather(*tasks)
        assert not door.reading
        return [int(reader.sent[0]["status"]) for reader in readers]

    assert asyncio.run(ask(0, [b"a", b"b", b"c", b"d", b"e"])) == [408, 408, 200, 200, 200], (
        "the field is believed of proxies"
    )
    assert asyncio.run(ask(1, [b"a", b"a", b"evil, a", b"b", b"a"])) == [408, 200, 200, 200, 200]


def test_a_flood_of_one_client_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much is refused in the event loop; others, behind a believed proxy too, are answered."""
    monkeypatch.setattr("interpol_graph.serving.door.AT_WORK", 3)

    async def ask(proxies: int, forwarded: list[bytes]) -> list[int]:
        door, readers = Door(serving([b"small"]).app, 4, AnswerCache(1 << 20), lambda: "digest", proxies), []
        tasks = []
        for client in forwarded:
            readers.append(Reader(0))  # it has the status and stands still: the request is at work
            scope = {**SCOPE, "headers": [(b"host", b"x"), (b"x-forwarded-for", client)], "client": ("127.0.0.1", 5)}
            tasks.append(asyncio.ensure_future(door(scope, readers[-1].receive, readers[-1].send)))
            await asyncio.sleep(0.05)
        for reader in readers:
            reader.free.set()
        await asyncio.gather(*tasks)
        assert not door.at_work
        refused = [reader for reader in readers if reader.sent[0]["status"] == 503]
        assert all(json.loads(reader.body)["title"] == "Busy" for reader in refused)
        # Applications in a browser are told, too.
        assert all((b"access-control-allow-origin", b"*") in reader.sent[0]["headers"] for reader in refused)
        return [int(reader.sent[0]["status"]) for reader in readers]

    assert asyncio.run(ask(0, [b"a", b"b", b"c", b"d"])) == [200, 200, 200, 503]
    assert asyncio.run(ask(1, [b"a", b"a", b"evil, a", b"b", b"x, a"])) == [200, 200, 200, 200, 503]


def test_who_has_left_while_waiting_for_a_thread_costs_none() -> None:
    called = list[int]()
    environ = {problems.DEPARTED: lambda: True}
    door = Door(lambda *_: called.append(1) or [], 1, AnswerCache(1 << 20), lambda: "digest")  # type: ignore[func-returns-value,arg-type,return-value]
    assert door._call(environ)[0] == 499 and not called
