"""Queries that would freeze an endpoint, fetch for a stranger, or eat its memory."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from conftest import slack, wait
from interpol_graph.endpoint import problems
from interpol_graph.engine import outcomes
from interpol_graph.engine.channel import Channel, Connection
from interpol_graph.engine.embedded import Embedded
from interpol_graph.engine.evaluator import Evaluator
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import Busy, Departed, OutOfMemory, OutOfTime, Unavailable
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess, NotStarted
from test_endpoint import asked

CROSS_JOIN = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
MEMORY_BOMB = "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f"


@pytest.fixture
def listener() -> Iterator[tuple[str, list[object]]]:
    """The URL of a server that must never be reached, and the connections that it saw."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        seen: list[object] = []

        def watch() -> None:
            while True:
                try:
                    seen.append(door.accept())
                except OSError:
                    return

        threading.Thread(target=watch, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/", seen
        door.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, ...]:
    """A small graph, which is soon loaded, and large enough for queries without an end."""
    file = tmp_path / "data.ttl"
    file.write_text("\n".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(5000)), encoding="utf-8")
    return (str(file),)


def test_a_query_past_its_time_is_stopped_and_the_endpoint_goes_on(server: str, patience: float) -> None:
    started = time.monotonic()
    status, headers, body = asked(server, CROSS_JOIN, "*/*")
    problem = json.loads(body)
    assert status == 503 and problem["title"] == "Time limit reached" and f"{patience:g} seconds" in problem["detail"]
    assert time.monotonic() - started < patience + 5 * slack()
    assert asked(server, "ASK {}", "*/*")[0] == 200


def test_ordinary_queries_are_answered_beside_hostile_ones(server: str) -> None:
    hostile = [threading.Thread(target=asked, args=(server, CROSS_JOIN, "*/*")) for _ in range(3)]
    for thread in hostile:
        thread.start()
    assert all(asked(server, "ASK {}", "*/*")[0] == 200 for _ in range(20))
    for thread in hostile:
        thread.join()


def test_a_query_past_its_memory_dies_alone(data: tuple[str, ...]) -> None:
    with EvaluatorProcess(Settings(data=data, timeout=60, memory=64, evaluators=1)) as process:
        snapshot = process.pool().snapshot()
        with pytest.raises(OutOfMemory, match="64 MiB"):
            snapshot.query(MEMORY_BOMB)
        assert b"true" in snapshot.query("ASK {}").body


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux is asked")
def test_an_evaluator_that_has_made_much_of_the_graph_its_own_is_not_kept() -> None:
    """Idle, it would hold a copy of what its siblings share; and when the machine is short of memory, it goes first."""
    with EvaluatorProcess(Settings(memory=32, evaluators=1)) as process:
        snapshot = process.pool().snapshot()
        snapshot.query("ASK {}")
        (kept,) = snapshot.idle
        assert Path(f"/proc/{kept.pid}/oom_score_adj").read_text() == "1000\n"
        assert Path(f"/proc/{process.process.pid}/oom_score_adj").read_text() != "1000\n"
        snapshot.query("SELECT (SUM(STRLEN(STR(?o))) AS ?all) { ?s ?p ?o }")
        assert not snapshot.idle


def test_a_full_house_turns_away_with_retry_after(data: tuple[str, ...]) -> None:
    with EvaluatorProcess(Settings(data=data, timeout=2, evaluators=1, queue_timeout=0.1)) as process:
        snapshot = process.pool().snapshot()
        thread = threading.Thread(target=lambda: pytest.raises(OutOfTime, snapshot.query, CROSS_JOIN))
        thread.start()
        wait(lambda: any(snapshot.admission.running))
        with pytest.raises(Busy) as busy:
            snapshot.query("ASK {}")
        assert problems.fields(busy.value) == {"Retry-After": "5"}
        thread.join()


def test_a_client_that_has_left_does_not_wait_for_a_place(data: tuple[str, ...]) -> None:
    with EvaluatorProcess(Settings(data=data, timeout=3, evaluators=1, queue=1, queue_timeout=30)) as process:
        snapshot, left = process.pool().snapshot(), threading.Event()
        hostile = threading.Thread(target=lambda: pytest.raises(OutOfTime, snapshot.query, CROSS_JOIN))
        hostile.start()
        wait(lambda: any(snapshot.admission.running))

        def leave() -> None:
            with pytest.raises(Departed):
                snapshot.query("ASK {}", gone=left.is_set)

        waiting = threading.Thread(target=leave)
        waiting.start()
        wait(lambda: sum(snapshot.admission.waiting) == 1)
        left.set()
        waiting.join(timeout=2)
        assert not waiting.is_alive() and sum(snapshot.admission.waiting) == 0 and hostile.is_alive()
        hostile.join()


@pytest.mark.parametrize(
    "keyword",
    [
        "SERVICE",
        "service",
        "SERVICE SILENT",
        "S\\u0045RVICE",
        "\\u0053\\u0045\\u0052\\u0056\\u0049\\u0043\\u0045",
        "SERVICE#\n",
        "\\U00000053ERVICE",
    ],
)
def test_service_is_refused_however_it_is_spelt(server: str, listener: tuple[str, list[object]], keyword: str) -> None:
    url, seen = listener
    status, _, body = asked(server, f"SELECT * {{ {keyword} <{url}> {{ ?s ?p ?o }} }}", "*/*")
    assert status == 400 and "SERVICE" in json.loads(body)["detail"]
    assert seen == []


def test_the_engine_itself_cannot_reach_out(
    listener: tuple[str, list[object]], monkeypatch: pytest.MonkeyPatch, data: tuple[str, ...]
) -> None:
    """Even if a keyword slipped past the reading of the words, an evaluator cannot open a socket."""
    monkeypatch.setattr(outcomes, "forbidden", lambda _: None)
    url, seen = listener
    engine = Embedded(Settings(data=data))
    ours, its = socket.socketpair()
    pid = os.fork()
    if not pid:
        try:
            ours.close()
            Evaluator(engine, its, Settings()).serve()
        finally:
            os._exit(0)
    its.close()
    with ours:
        evaluator = Channel(ours)
        assert evaluator.receive()[0] == {"pid": pid}
        for silent, outcome in (("SILENT", "format"), ("", "error")):
            query = f"SELECT * {{ SERVICE {silent} <{url}> {{ ?s ?p ?o }} }}"
            wanted = {"query": query, "results": "json", "graph": "turtle", "default": [], "named": []}
            evaluator.send(wanted)
            answer, _ = evaluator.receive()
            assert outcome in answer and (silent or "could not be evaluated" in answer["detail"])
    os.waitpid(pid, 0)
    assert seen == []


@pytest.mark.parametrize(
    "clause", ["FROM <{0}>", "FROM NAMED <{0}>", "FROM <file:///etc/passwd>", "FROM <file:///etc/hostname>"]
)
def test_from_fetches_nothing(server: str, listener: tuple[str, list[object]], clause: str) -> None:
    url, seen = listener
    status, _, body = asked(server, f"SELECT * {clause.format(url)} {{ ?s ?p ?o }}", "text/csv")
    assert status in (200, 400)
    if status == 200:
        assert body.count(b"\n") == 1, "the header only: there is no such graph here"
    assert seen == []


def test_protocol_datasets_are_chosen_among_our_graphs_only(server: str, listener: tuple[str, list[object]]) -> None:
    url, seen = listener
    for parameter in ("default-graph-uri", "named-graph-uri"):
        status, _, body = asked(server, "ASK {}", "*/*", **{parameter: url})
        assert status == 400 and "none is fetched" in json.loads(body)["detail"]
    assert seen == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ('SERVICE' AS ?word) {}",
        'ASK { ?s ?p "a \\" SERVICE <http://x/>" }',
        "ASK { ?s <http://example.org/SERVICE> ?o } # SERVICE",
        "ASK { ?service ?p ?o }",
        "PREFIX service: <http://x/> ASK { service:SERVICE ?p ?o }",
        "ASK { ?s ?p '''many\nlines 'SERVICE' ''' }",
    ],
)
def test_the_word_service_elsewhere_is_no_false_alarm(server: str, query: str) -> None:
    assert asked(server, query, "*/*")[0] == 200


def test_data_that_cannot_be_loaded_is_told(tmp_path: object) -> None:
    with pytest.raises(NotStarted, match="does not exist"), EvaluatorProcess(Settings(data=(f"{tmp_path}/none.ttl",))):
        pass


def test_evaluators_that_are_gone_are_no_fault_of_the_query(data: tuple[str, ...]) -> None:
    with EvaluatorProcess(Settings(data=data)) as process:
        snapshot = process.pool().snapshot()
    with pytest.raises(Unavailable):
        snapshot.query("ASK {}")


def test_the_graph_outlives_a_crowd_that_leaves_it_no_descriptor(data: tuple[str, ...]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 20, hard))
    try:
        process = EvaluatorProcess(Settings(data=data))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ticks = iter(range(20))
    with process, ExitStack() as crowd:
        with pytest.raises(StopIteration):
            while True:
                crowd.callback(Connection(process.address, lambda: next(ticks)).close)
        crowd.close()
        assert b"true" in process.pool().snapshot().query("ASK {}").body


@pytest.mark.parametrize(("gone", "error"), [(False, Unavailable), (True, Departed)])
@pytest.mark.parametrize("callers", [0, 3])
def test_evaluators_that_do_not_answer_are_not_waited_for_without_end(
    tmp_path: Path, gone: bool, error: type[Exception], callers: int
) -> None:
    about = {"digest": "", "graphs": {}, "default": [], "triples": 0, "loaded": 0}
    with socket.socket(socket.AF_UNIX) as door, ExitStack() as before:
        door.bind(str(tmp_path / "door"))
        door.listen(2)
        for _ in range(callers):
            before.enter_context(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "door"))
        pool = EvaluatorPool(str(tmp_path / "door"), Settings(queue_timeout=0.2), about)
        with pytest.raises(error):
            pool.snapshot().query("ASK {}", gone=lambda: gone and bool(pool.admission.running[0]))
