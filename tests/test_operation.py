"""The server as its operator sees it: limits that hold under fire, processes that are replaced, data that are reloaded."""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from conftest import busy, descendants, free_port, processes, slack, wait
from interpol_graph.endpoint import observation
from interpol_graph.engine import channel
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import AnswerTooLarge, Busy, Interrupted, OutOfMemory, TooComplex
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import paths
from interpol_graph.graph.prefixes import prefixes
from interpol_graph.serving import supervisor as service_module
from interpol_graph.serving.supervisor import Supervisor, valid
from test_limits import MEMORY_BOMB

TRIPLES = "\n".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(400))
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


class Service:
    """A real server of a small file, and what it wrote to its log."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data.ttl"
        self.data.write_text(TRIPLES, encoding="utf-8")
        self.log = folder / "log"
        command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            wait(lambda: self.process.poll() is not None or self.ask("ASK {}") == 200)
        except BaseException:
            self.process.terminate()
            raise
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")

    def open(self, query: str, timeout: float = 20, source: str = "127.0.0.1") -> tuple[int, str, bytes]:
        """Return status, ETag and body of the answer to a query; status 0 when the connection was cut."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout, (source, 0))
        try:
            connection.request("GET", f"/sparql?{urllib.parse.urlencode({'query': query})}")
            answer = connection.getresponse()
            return answer.status, answer.getheader("ETag", ""), answer.read()
        except (OSError, http.client.HTTPException):
            return 0, "", b""
        finally:
            connection.close()

    def ask(self, query: str, source: str = "127.0.0.1") -> int:
        return self.open(query, source=source)[0]

    def count(self) -> int:
        """Return the number of statements served."""
        return int(json.loads(self.open(COUNT)[2])["results"]["bindings"][0]["n"]["value"])

    def events(self) -> list[dict[str, object]]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def kinds(self) -> dict[str, list[int]]:
        """Return the process numbers of the workers, of the evaluators' parent and of its children."""
        found: dict[str, list[int]] = {"worker": [], "evaluators": [], "child": []}
        for pid, parent, command in descendants(self.process.pid):
            holder = "interpol_graph.engine.forkserver" in command
            found["worker" if not holder else "evaluators" if parent == self.process.pid else "child"].append(pid)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def load(service: Service, clients: int = 4) -> Iterator[list[int]]:
    """Ask ordinary questions all the while; yield the statuses of the answers."""
    statuses: list[int] = []
    over = threading.Event()

    def client(name: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            statuses.append(service.ask(f"SELECT * {{ <http://x/{number % 400}> ?p ?o }} # {name} {number}"))
            time.sleep(0.01)

    threads = [threading.Thread(target=client, args=(name,)) for name in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server for all whose doings it outlives."""
    service = Service(tmp_path_factory.mktemp("service"), "--timeout", "2")
    yield service
    service.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A server for a test that ends it, changes its data or counts what it has done."""
    service = Service(tmp_path, "--timeout", "2")
    yield service
    service.stop()


def evaluated(service: Service) -> None:
    """Return when an evaluator has begun with a query that has no end."""
    wait(lambda: any(busy(pid) > 0.2 for pid in service.kinds()["child"]))


def test_twenty_hostile_queries_leave_room_for_ordinary_ones(service: Service) -> None:
    with ThreadPoolExecutor(20) as pool:
        hostile = [pool.submit(service.ask, f"{SLOW} # {number}", "127.0.0.2") for number in range(20)]
        time.sleep(0.3)
        taken = []
        for number in range(40):
            started = time.monotonic()
            assert service.ask(f"SELECT * {{ <http://x/{number}> ?p ?o }}") == 200
            taken.append(time.monotonic() - started)
        assert sorted(taken)[20] < 0.5 * (pace := slack()) and max(taken) < 4 * pace
        assert {query.result() for query in hostile} == {503}
    # What they used is free again.
    before = busy(service.process.pid)
    time.sleep(1)
    assert busy(service.process.pid) - before < 0.5


def test_the_processor_is_free_within_a_second_of_the_limit(service: Service) -> None:
    started = time.monotonic()
    assert service.ask(SLOW) == 503
    assert time.monotonic() - started < 2 + 1 * slack()
    before = busy(service.process.pid)
    time.sleep(1)
    assert busy(service.process.pid) - before < 0.3


def test_a_client_that_goes_away_stops_its_query(tmp_path: Path) -> None:
    service = Service(tmp_path, "--timeout", "30")
    try:
        assert service.open(SLOW, timeout=1)[0] == 0
        wait(lambda: any(event.get("ended") == "Departed" for event in service.events()), 10)
        # One that stays is left alone beside one that goes.
        with ThreadPoolExecutor(1) as pool:
            stays = pool.submit(service.open, f"{SLOW} LIMIT 1", 4)
            time.sleep(0.2)
            assert service.open(SLOW, timeout=1)[0] == 0
            time.sleep(1)
            assert [event.get("ended") for event in service.events()].count("Departed") == 2
            assert not stays.done()
        # A stop lets running answers finish: it comes when this one, too, has nobody who waits for it.
        wait(lambda: [event.get("ended") for event in service.events()].count("Departed") == 3)
    finally:
        service.stop()


@pytest.mark.parametrize("kind", ["worker", "evaluators", "child"])
def test_any_process_may_be_killed(service: Service, kind: str) -> None:
    # Right after a kill the children of the killed one, which nobody counts any more, may answer what is new.
    wait(lambda: service.ask(f"ASK {{}} # {time.monotonic()}") == 200 and service.kinds()["child"])
    before = service.kinds()
    with load(service) as statuses:
        os.kill(before[kind][0], signal.SIGKILL)
        killed = len(statuses)
        wait(lambda: before[kind][0] not in service.kinds()[kind] and len(service.kinds()["worker"]) == 2)
        wait(lambda: len(statuses) > killed + 200)
    # A killed worker cuts its own connections, and those that wait for it; nobody else notices anything.
    failed = [status for status in statuses if status != 200]
    assert failed == [0] * len(failed) and len(failed) <= (8 if kind == "worker" else 0), failed
    assert set(statuses[-50:]) == {200}


def test_with_the_main_process_all_others_end_and_first_answer_what_they_have_begun(own: Service) -> None:
    others = [pid for pids in own.kinds().values() for pid in pids]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(own.open, SLOW)
        evaluated(own)
        own.process.kill()
        own.process.wait()
        status, _, body = running.result()
        assert status == 503 and b"Time limit" in body, "answered in order, by its own limit"
    assert len(others) >= 3

    def over(pid: int) -> bool:
        with suppress(OSError):
            return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        return True

    wait(lambda: all(map(over, others)))


def test_reload_serves_new_data_and_drops_nothing(own: Service) -> None:
    old = own.open("ASK {}")[1]
    with load(own) as statuses:
        own.data.write_text(TRIPLES + "<http://x/new> <http://x/p> 1 .", encoding="utf-8")
        own.process.send_signal(signal.SIGHUP)
        wait(lambda: own.count() == 401)
        time.sleep(0.5)
        own.data.write_text("this is no Turtle", encoding="utf-8")
        own.process.send_signal(signal.SIGHUP)
        wait(lambda: any(event.get("event") == "reload refused" for event in own.events()))
        assert own.count() == 401
    assert set(statuses) == {200}
    assert own.open("ASK {}")[1] != old, "the ETag follows the data"
    refused = next(event for event in own.events() if event.get("event") == "reload refused")
    assert "data.ttl" in str(refused["why"])


def test_what_stops_a_reload_is_named_with_file_and_line(tmp_path: Path) -> None:
    for folder in ("ontology", "data", "shapes", "queries"):
        (tmp_path / folder).mkdir()
    sessions = tmp_path / "data" / "sessions.ttl"
    text = "".join(f"@prefix {name}: <{namespace}> .\n" for name, namespace in prefixes().items())
    sessions.write_text(text, encoding="utf-8")
    assert valid(Settings(), tmp_path) is None
    line = text.count("\n") + 1
    sessions.write_text(text + "session:84 interpol:numbr 84 .\n", encoding="utf-8")
    said = valid(Settings(), tmp_path)
    assert said and f"sessions.ttl:{line}:1: " in said and "errors in all" in said
    sessions.write_text(text + "session:84 [\n", encoding="utf-8")
    said = valid(Settings(), tmp_path)
    assert said and f"sessions.ttl:{line}:12: is not well-formed Turtle" in said
    assert valid(Settings(data=("anything.ttl",)), tmp_path) is None, "foreign data have no rules here"


def test_refused_files_are_not_served_after_a_crash_either(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, folder = tmp_path / "project", short
    for name in ("ontology", "data", "shapes", "queries"):
        (project / name).mkdir(parents=True)
    (project / "data" / "a.ttl").write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
    monkeypatch.setattr(paths, "ROOT", project)
    supervisor = Supervisor(Settings(), folder, check=lambda *_: "1 error")
    digest = supervisor.start()["digest"]
    try:
        pool = EvaluatorPool.of_state(str(supervisor.state), supervisor.settings)
        (project / "data" / "a.ttl").write_text("<http://x/a> <http://x/b> 2 .", encoding="utf-8")
        supervisor.reload.set()
        wait(lambda: not supervisor.reload.is_set())
        os.kill(supervisor.process.process.pid, signal.SIGKILL)
        assert b'"1"' in pool.snapshot().query("SELECT ?o { ?s ?p ?o }").body and pool.snapshot().digest == digest
        supervisor.check = lambda *_: None
        supervisor.reload.set()
        wait(lambda: pool.snapshot().digest != digest)
        assert b'"2"' in pool.snapshot().query("SELECT ?o { ?s ?p ?o }").body
        wait(lambda: len([*folder.glob("project-*")]) == 1)
        pool.close()
    finally:
        supervisor.stop()


def test_evaluators_that_die_while_new_files_are_checked_are_replaced_at_once(tmp_path: Path, short: Path) -> None:
    data, asked, over = tmp_path / "data.ttl", threading.Event(), threading.Event()
    data.write_text(TRIPLES, encoding="utf-8")

    def check(*_: Any) -> None:
        asked.set()
        assert over.wait(60)

    supervisor = Supervisor(Settings(data=(str(data),)), short, check)
    digest = supervisor.start()["digest"]
    try:
        pool = EvaluatorPool.of_state(str(supervisor.state), supervisor.settings)
        data.write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
        supervisor.reload.set()
        assert asked.wait(60)
        killed = supervisor.process
        os.kill(killed.process.pid, signal.SIGKILL)
        wait(lambda: supervisor.process is not killed)
        assert b"true" in pool.snapshot().query("ASK {}").body
        over.set()
        wait(lambda: supervisor.process.about["digest"] != digest)
        pool.close()
    finally:
        over.set()
        supervisor.stop()


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_a_check_that_finds_no_room_refuses_a_reload_and_nothing_else(
    tmp_path: Path, short: Path, error: Exception
) -> None:
    data, asked = tmp_path / "data.ttl", threading.Event()
    data.write_text(TRIPLES, encoding="utf-8")

    def check(*_: Any) -> None:
        asked.set()
        raise error

    supervisor = Supervisor(Settings(data=(str(data),)), short, check)
    supervisor.start()
    try:
        supervisor.reload.set()
        assert asked.wait(60)
        wait(lambda: len([*short.glob("project-*")]) == 1)
        killed = supervisor.process
        os.kill(killed.process.pid, signal.SIGKILL)
        wait(lambda: supervisor.process is not killed)
    finally:
        supervisor.stop()


@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 1)])
def test_a_stop_while_the_graph_is_loaded_leaves_nothing_behind(short: Path, told: int, code: int) -> None:
    command = [sys.executable, "-u", "-m", "interpol_graph", "serve", "--port", str(free_port())]
    environment = os.environ | {"TMPDIR": str(short)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout and b"Loading" in process.stdout.readline()
        wait(lambda: [*descendants(process.pid)])
        process.send_signal(told)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code and b"Traceback" not in said
    assert not [*short.iterdir()] and not [pid for pid, _, command in processes() if str(short) in command]


def test_a_reload_may_be_asked_for_while_the_graph_is_loaded(tmp_path: Path, short: Path) -> None:
    log, port = tmp_path / "log", free_port()
    (tmp_path / "data.ttl").write_text(TRIPLES, encoding="utf-8")
    command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(port), "--data", str(tmp_path)]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | {"TMPDIR": str(short)})
    try:
        wait(lambda: [*descendants(process.pid)])
        folder = os.open(next(short.iterdir()), os.O_RDONLY)
        with pytest.raises(BlockingIOError):  # what tidies up temporary folders asks this, too
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(folder)
        process.send_signal(signal.SIGHUP)
        wait(lambda: '"event":"reloaded"' in log.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0, log.read_text(encoding="utf-8")


def test_a_machine_without_room_for_a_process_is_waited_for(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data.ttl"
    data.write_text(TRIPLES, encoding="utf-8")
    supervisor, attempts = Supervisor(Settings(data=(str(data),)), short), []

    def starting(*arguments: Any) -> EvaluatorProcess:
        attempts.append(arguments)
        if len(attempts) < 3:
            raise OSError(errno.EAGAIN, "no more processes")
        return EvaluatorProcess(*arguments)

    supervisor.start()
    try:
        pool = EvaluatorPool.of_state(str(supervisor.state), supervisor.settings)
        monkeypatch.setattr(service_module, "EvaluatorProcess", starting)
        os.kill(supervisor.process.process.pid, signal.SIGKILL)
        wait(lambda: len(attempts) == 3 and supervisor.process.alive)
        wait(lambda: b"true" in pool.snapshot().query("ASK {}").body)
        pool.close()
    finally:
        supervisor.stop()


def test_a_log_that_nobody_reads_any_more_costs_no_answer(tmp_path: Path) -> None:
    data = tmp_path / "data.ttl"
    data.write_text(TRIPLES, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(port), "--data", str(data)]
    reading, writing = os.pipe()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=writing)
    os.close(writing)
    os.close(reading)

    def status() -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/sparql?query=ASK%7B%7D", timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    try:
        wait(status)
        assert [status() for _ in range(5)] == [200] * 5

        def lost() -> bool:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                return b"interpol_graph_log_lines_lost_total 0.0" not in answer.read()

        wait(lost)
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_an_answer_with_its_senders_exit_report_behind_it_is_whole() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(
            channel.frame({"format": "json"}, b"{}")
            + channel.frame({"ended": 0, "mebibytes": 1}, end=channel.EXIT_REPORT)
        )
        assert channel.Channel(ours).receive() == ({"format": "json"}, b"{}")


def test_reload_is_refused_when_validation_fails(tmp_path: Path, short: Path) -> None:
    data = tmp_path / "data.ttl"
    data.write_text(TRIPLES, encoding="utf-8")
    supervisor = Supervisor(Settings(data=(str(data),)), short, check=lambda *_: "1 error")
    digest = supervisor.start()["digest"]
    try:
        pool = EvaluatorPool.of_state(str(supervisor.state), supervisor.settings)
        data.write_text("<http://x/a> <http://x/b> 1 .", encoding="utf-8")
        supervisor.reload.set()
        wait(lambda: not supervisor.reload.is_set())
        time.sleep(0.3)
        assert pool.snapshot().digest == digest
        supervisor.check = lambda *_: None
        supervisor.reload.set()
        wait(lambda: pool.snapshot().digest != digest)
        assert b'"1"' in pool.snapshot().query("SELECT ?o { ?s ?p ?o }").body
        pool.close()
    finally:
        supervisor.stop()


def test_a_stop_lets_running_answers_finish_and_refuses_new_ones(own: Service) -> None:
    assert [pid for pid, _, command in processes() if f"--port {own.port}" in command]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(own.open, SLOW)
        evaluated(own)
        own.process.terminate()
        time.sleep(0.5)
        assert own.ask("ASK {}") == 0, "refused: nobody listens"
        status, _, body = running.result()
        assert status == 503 and b"Time limit" in body, "answered in order, by its own limit"
    assert own.process.wait(timeout=10) == 0
    wait(lambda: not [pid for pid, _, command in processes() if f"--port {own.port}" in command], 10)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "interpol_graph", "serve", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 2 and f"127.0.0.1:{port}" in done.stderr and "--port" in done.stderr


def test_metrics_and_log_tell_of_every_request(own: Service) -> None:
    for number in range(10):
        assert own.ask(f"ASK {{}} # {number}") == 200
    assert own.ask("ASK {") == 400
    with closing(http.client.HTTPConnection("127.0.0.1", own.port, 20)) as connection:
        connection.request("A" * 5000, "/")
        assert connection.getresponse().status == 405

    def counted() -> bool:
        with urllib.request.urlopen(f"{own.url}/metrics") as answer:
            text = answer.read().decode()
        found = dict(re.findall(r'interpol_graph_requests_total\{route="/sparql",status="(\d+)"\} (\d+)', text))
        refused = 'interpol_graph_refused_total{problem="MalformedQuery"} 1.0' in text
        return found.get("400") == "1" and int(found["200"]) >= 10 and refused

    wait(counted)  # what was answered just now is counted a moment later, and both workers' counters are summed
    lines = [event for event in own.events() if event.get("route") == "/sparql"]
    assert len(lines) >= 11
    assert [line["method"] for line in own.events() if line.get("status") == 405] == ["A" * 20], "lines stay short"
    assert [line["outcome"] for line in lines if line["status"] == 400] == ["MalformedQuery"]
    assert all(re.fullmatch("[0-9a-f]{16}", str(line["query"])) for line in lines)
    rows = "SELECT ?n { VALUES ?n { 1 2 UNDEF } }"
    assert [own.ask(rows) for _ in range(20)] == [200] * 20
    asked = sha256(rows.encode()).hexdigest()[:16]
    wait(lambda: sum(event.get("query") == asked for event in own.events()) == 20)
    told = [event for event in own.events() if event.get("route") == "/sparql"][-20:]
    assert {line["cache"] for line in told} == {"miss", "hit"}, "a repeated answer is told like a new one"
    assert {(line["query"], line["rows"]) for line in told} == {(asked, 3)}
    log = own.log.read_text(encoding="utf-8")
    assert "ASK" not in log and "127.0.0.1" not in log.partition("\n{")[2], "no query text, no address"
    assert log.count("\n") - log.count("\n{") <= 2, "two plain lines at the start, nothing else"


def test_a_body_that_is_too_long_is_refused(service: Service) -> None:
    request = urllib.request.Request(
        f"{service.url}/sparql", b"#" * (2 << 20), {"Content-Type": "application/sparql-query"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(request, timeout=10):
        pass
    with refused.value as answer:
        assert answer.code == 413 and json.loads(answer.read())["status"] == 413


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluatorProcess]:
    """Evaluators of a small graph, two at once, 256 MiB for each query and 1 MiB for each answer."""
    data = tmp_path_factory.mktemp("data") / "data.ttl"
    data.write_text("\n".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(50_000)), encoding="utf-8")
    with EvaluatorProcess(Settings(data=(str(data),), timeout=30, memory=256, answer=1, evaluators=2)) as process:
        yield process


@pytest.fixture
def evaluators(process: EvaluatorProcess) -> Iterator[Snapshot]:
    pool = process.pool()
    yield pool.snapshot()
    pool.close()
    wait(lambda: not children(process))


def children(process: EvaluatorProcess) -> list[int]:
    return [pid for pid, *_ in descendants(process.process.pid)]


def test_an_answer_past_its_size_is_refused_whole(evaluators: Snapshot) -> None:
    with pytest.raises(AnswerTooLarge, match="1 MiB"):
        evaluators.query("SELECT * { ?s ?p ?o }")
    with pytest.raises(AnswerTooLarge):
        evaluators.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }")
    assert evaluators.query("SELECT * { ?s ?p ?o } LIMIT 10").body.count(b'"s":') == 10


def test_each_end_is_told_as_what_it_was(evaluators: Snapshot) -> None:
    with pytest.raises(OutOfMemory):
        evaluators.query(MEMORY_BOMB)
    with pytest.raises(TooComplex):
        evaluators.query("ASK { FILTER(" + "(" * 5_000 + "1" + ")" * 5_000 + ") }")


def test_a_killed_evaluator_is_not_told_as_a_limit(process: EvaluatorProcess, evaluators: Snapshot) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(evaluators.query, SLOW)
        wait(lambda: any(busy(pid) > 0.2 for pid in children(process)))
        os.kill(children(process)[0], signal.SIGKILL)
        with pytest.raises(Interrupted, match="SIGKILL"):
            running.result()
    assert b"true" in evaluators.query("ASK {}").body
    # One that dies while nobody uses it costs nobody an answer.
    for pid in children(process):
        os.kill(pid, signal.SIGKILL)
    assert b"true" in evaluators.query("ASK {}").body


def test_a_child_that_grew_is_replaced(process: EvaluatorProcess, evaluators: Snapshot) -> None:
    evaluators.query("ASK {}")
    before = children(process)
    evaluators.query("ASK {}")
    assert children(process) == before
    evaluators.query(
        "SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s ?p ?o ?x { ?s ?p ?o . VALUES ?x { 1 2 3 4 5 6 7 8 } } }"
    )
    evaluators.query("ASK {}")
    assert children(process) != before


def test_a_query_of_half_a_second_does_not_wait_behind_one_of_ten(process: EvaluatorProcess) -> None:
    def lasting(times: int) -> str:
        return f"SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c VALUES ?x {{ {'1 ' * times} }} }}"

    with closing(
        EvaluatorPool(process.address, replace(process.settings, evaluators=4, long=1), process.about)
    ) as pool:
        snapshot = pool.snapshot()
        often = round(0.5 / max(snapshot.query(lasting(number)).seconds / number for number in (50, 60)))
        with ThreadPoolExecutor(2) as threads:
            endless = [threads.submit(snapshot.query, f"{SLOW} #{number}") for number in range(2)]
            wait(lambda: pool.admission.running[2] == 1 and pool.admission.waiting[2] == 1)
            for number in range(3):
                assert b'"n"' in snapshot.query(f"{lasting(often)} #{number}").body
            assert pool.admission.running[2] == 1, "the long ones were there all the while"
            while not all(query.done() for query in endless):
                for pid in children(process):
                    with suppress(ProcessLookupError):  # it has been reaped meanwhile
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.1)
            assert {type(query.exception()) for query in endless} <= {Interrupted, Busy}
        assert pool.admission.running == [0, 0, 0] and pool.admission.waiting == [0, 0, 0]


def test_an_exit_report_within_an_answer_is_no_answer() -> None:
    report = channel.frame({"ended": -9, "mebibytes": 1}, end=channel.EXIT_REPORT)
    for missing in range(1, len(report) + 1):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(channel.frame({"format": "json"}, b"x" * 100)[:-missing] + report)
            with pytest.raises(EOFError):
                channel.Channel(ours).receive()


def test_the_log_tells_of_a_file_whose_name_is_no_text(capfd: pytest.CaptureFixture[str]) -> None:
    observation.log(event="reload refused", why=os.fsdecode(b"data/caf\xe9.ttl is not here"), code=3)
    told = json.loads(capfd.readouterr().err)
    assert datetime.fromisoformat(told.pop("time")).utcoffset() == timedelta(0)
    assert told == {"event": "reload refused", "why": "data/caf\\udce9.ttl is not here", "code": 3}
