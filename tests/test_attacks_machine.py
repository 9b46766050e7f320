"""Attacks on what is around the server: the disk of its temporary files, its stop, and fields that a proxy should have set."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from attacked import NEVER_ASKED, Target, request, target
from conftest import ROOT, descendants, free_port
from hostile import CROSS_JOINS
from interpol_graph.app import create_app
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.graph.files import given_files
from interpol_graph.graph.store import KnowledgeGraph
from interpol_graph.serving.answer_cache import AnswerCache
from interpol_graph.serving.door import Door
from test_door import SCOPE, Reader

#: Runs a command with a small disk of its own for temporary files, as a user without rights may.
SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
MOUNT = 'mount -t tmpfs -o size={0}m none "$TMPDIR" && exec "$@"'


def has_namespaces() -> bool:
    with suppress(OSError):
        return (
            subprocess.run([*SMALL_DISK, "mount -t tmpfs none /mnt"], check=False, capture_output=True).returncode == 0
        )
    return False


@pytest.fixture
def small_disk() -> None:
    """A system that gives a user a disk of their own; elsewhere the test fails with that word."""
    assert has_namespaces(), "this system gives no user a mount namespace (unshare --user --mount), so no small disk"


@pytest.fixture
def cramped(short: Path) -> Iterator[Target]:
    """A server whose disk for temporary files holds its own, three files of the whole graph and little more."""
    with target(before=(*SMALL_DISK, MOUNT.format(90), "sh"), TMPDIR=str(short)) as found:
        yield found


def fill(server: Target, folder: Path) -> Path:
    """Fill the server's disk for temporary files to the last byte; return the file that does."""
    ballast = Path(f"/proc/{server.process.pid}/root{folder}/ballast")
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert ballast.stat().st_size > 4096
    return ballast


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_refuses_files_and_nothing_else(cramped: Target, short: Path) -> None:
    ballast = fill(cramped, short)
    workers = [pid for pid, parent, _ in descendants(cramped.process.pid) if parent == cramped.process.pid]
    for path in ("/dumps/interpol.nt", "/dumps/SHA256SUMS", "/graphs?default"):
        assert cramped.send(path, Accept="*/*").checked(30, statuses={503}).status == 503
    answer = cramped.send("/validate", method="POST", body=b"<x:a> <x:b> 1 .", Content_Type="text/turtle")
    assert "room" in json.loads(answer.checked(statuses={503}).body)["detail"] or "space" in answer.text
    paths = [
        "/",
        "/page/session/84",
        "/dumps/",
        "/browse/",
        "/metrics",
        "/ontology",
        "/healthz",
        "/validate",
        "/queries/",
    ]
    for path in paths:
        cramped.send(path, Accept="text/html").checked(statuses={200})
    with ThreadPoolExecutor(8) as pool:
        texts = [f"SELECT ({next(NEVER_ASKED)} AS ?n) {{}}" for _ in range(150)]
        assert [answer.status for answer in pool.map(cramped.ask, texts)] == [200] * 150
    # A worker that ends has a successor, and one that is new has somewhere to count.
    for pid, _, command in list(descendants(cramped.process.pid)):
        if pid in workers and "forkserver" not in command and "resource_tracker" not in command:
            os.kill(pid, signal.SIGKILL)
            break
    time.sleep(1)
    cramped.wait()
    cramped.send("/metrics").checked(statuses={200})
    ballast.unlink()
    assert cramped.send("/dumps/interpol.nt", Accept="*/*").checked(30).status == 200


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_fills_up_under_load_and_then_the_graph_is_lost(cramped: Target, short: Path) -> None:
    files = [
        request("/dumps/interpol.rdf"),
        request("/validate", body="<x:a> <x:b> 1 .", media_type="text/turtle"),
        request("/graphs?default", "application/n-triples"),
    ]

    def queries(at_once: int, seconds: float) -> Counter[int]:
        texts = (f"/sparql?query=SELECT({next(NEVER_ASKED)}%20AS%20?n)%7B%7D" for _ in itertools.count())
        return cramped.crowd(map(request, texts), at_once, seconds)

    with ThreadPoolExecutor(2) as pool:
        hostile = pool.submit(cramped.elsewhere.crowd, itertools.cycle(files), 12, 3)
        ordinary = pool.submit(queries, 2, 3)
        time.sleep(1)
        ballast = fill(cramped, short)
    assert set(ordinary.result()) == {200} and set(hostile.result()) <= {200, 503}
    (forkserver,) = (pid for pid, parent, _ in descendants(cramped.process.pid) if is_forkserver(cramped, pid, parent))
    os.kill(forkserver, signal.SIGKILL)
    deadline = time.monotonic() + 120
    while set(found := queries(20, 2)) != {200}:  # more at once than evaluators of the one that was lost
        assert time.monotonic() < deadline, f"where the disk is full, no new ones are found: {found}"
    # A file that nobody has asked for yet: what /graphs gave may have been made in time.
    assert cramped.send("/dumps/interpol.jsonld", Accept="*/*").checked(30).status == 503
    ballast.unlink()
    assert cramped.send("/dumps/interpol.jsonld", Accept="*/*").checked(30).status == 200


def is_forkserver(server: Target, pid: int, parent: int) -> bool:
    """Tell whether a process is the one that holds the graph: a child of the main process that leads a session of its own."""
    return parent == server.process.pid and os.getsid(pid) == pid


@pytest.mark.attack
def test_a_storm_of_reloads_loses_no_request(attacked: Target) -> None:
    with ThreadPoolExecutor(1) as pool:
        texts = (f"/sparql?query=SELECT({next(NEVER_ASKED)}%20AS%20?n)%7B%7D" for _ in itertools.count())
        asked = pool.submit(attacked.elsewhere.crowd, map(request, texts), 4, 12)
        while not asked.done():
            attacked.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
    assert set(asked.result()) == {200}


@pytest.mark.attack
def test_a_server_without_descriptors_is_well_when_it_has_some_again() -> None:
    with target(before=("prlimit", "--nofile=100:100")) as server, ExitStack() as stack:
        for _ in range(300):
            connection = stack.enter_context(socket.create_connection((server.host, server.port), 10))
            connection.sendall(b"GET /sparql HTTP/1.1\r\n")
        time.sleep(3)
        stack.close()
        server.wait()


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("mebibytes", [1, 6])
def test_a_disk_that_is_full_at_the_start_is_told_in_a_sentence(tmp_path: Path, mebibytes: int) -> None:
    command = [
        *SMALL_DISK,
        MOUNT.format(mebibytes),
        "sh",
        sys.executable,
        "-m",
        "interpol_graph",
        "serve",
        "--port",
        str(free_port()),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=os.environ | {"TMPDIR": str(tmp_path)}, check=False
    )
    assert (
        done.returncode == 2
        and "Traceback" not in done.stderr
        and len(done.stderr.splitlines()) == 1
        and len(done.stderr) < 300 + len(str(tmp_path)) + len(str(ROOT))
    )
    assert "No space left" in done.stderr, done.stderr


@pytest.mark.attack
def test_a_stop_comes_within_what_the_unit_of_systemd_allows() -> None:
    with target("--timeout", "10") as server, ExitStack() as stack:
        turtle = "".join(
            f"<https://w3id.org/interpol-graph/id/country/{n}> a interpol:Country .\n" for n in range(12_000)
        )
        bodies = [("/sparql", "application/sparql-query", f"{CROSS_JOINS['select, counted']} # {n}") for n in range(40)]
        bodies += [("/validate", "text/turtle", turtle)] * 4
        for path, media_type, body in bodies:
            connection = stack.enter_context(socket.create_connection((server.host, server.port)))
            head = (
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall((head + body).encode())
        reader = stack.enter_context(socket.socket())
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect((server.host, server.port))
        reader.sendall(b"GET /sparql?query=SELECT*%7B?a?b?c%7DLIMIT%2050000 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")
        time.sleep(3)
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(timeout=60)
        assert time.monotonic() - begun < 25, "the unit of the README allows 30 seconds"


def test_a_field_with_an_underscore_is_no_field_of_the_proxy(pool: EvaluatorPool) -> None:
    with closing(EvaluatorPool(pool._now.address, Settings(proxies=1), {**about(pool)})) as own:
        app = create_app(own)
        keep_to_the_proxy(Door(app.wsgi_app, 4, AnswerCache(1 << 20, forwarded=True), lambda: "digest", 1))


def keep_to_the_proxy(door: Door) -> None:

    def location(*fields: tuple[bytes, bytes]) -> Reader:
        reader = Reader()
        scope = {
            **SCOPE,
            "path": "/opensearch.xml",
            "raw_path": b"/opensearch.xml",
            "headers": [(b"host", b"inside"), *fields],
        }
        asyncio.run(door(scope, reader.receive, reader.send))
        return reader

    ours = (b"x-forwarded-host", b"graph.example"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"1.2.3.4")
    assert b'"https://graph.example/' in location(*ours).body
    for name in (b"x_forwarded_host", b"x-forwarded_host", b"x_forwarded-host"):
        body = location(*ours, (name, b"evil.example")).body
        assert b"evil.example" not in body and b'"https://graph.example/' in body
        assert b"evil.example" not in location((name, b"evil.example")).body
    for scheme in (b"javascript", b"file", b"http://evil/#", b""):
        reader = location((b"x-forwarded-proto", scheme))
        assert reader.sent[0]["status"] == 400 or b'"http://inside/' in reader.body


def about(pool: EvaluatorPool) -> dict[str, object]:
    state = pool.snapshot()
    return {name: getattr(state, name) for name in ("digest", "graphs", "default", "triples", "loaded")}


def test_a_relative_path_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data4").mkdir()
    (tmp_path / "data4" / "facts.ttl").write_text("<x:a> <x:b> <c> .")
    (tmp_path / "facts.nq").write_text("<x:a> <x:b> <x:c> .")
    monkeypatch.chdir(tmp_path)
    for name in ("data4", "data4/facts.ttl", "./data4/../facts.nq", "facts.nq"):
        with EvaluatorProcess(Settings(data=(name,))) as process:
            assert b"true" in process.pool().snapshot().query("ASK { <x:a> <x:b> ?c }").body
    assert KnowledgeGraph(given_files([Path("data4")]), rules=None).exact.digest
