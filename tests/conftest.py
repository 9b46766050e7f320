"""Fixtures are nouns: the evaluators, the state of the data that they hold, the application, its client, a real server."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from flask import Flask
from flask.testing import FlaskClient

from interpol_graph.app import create_app
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.store import KnowledgeGraph

#: A module of fixtures that several files of tests share: imported by each, there would be one server for each.
pytest_plugins = ["attacked"]

ROOT = Path(__file__).resolve().parents[1]


def sampled(cases: Iterable[object], stay: Collection[object], mark: str) -> list[object]:
    """Return the cases of a test; those that do not stay in `make test` bear the mark `attack` or `slow`."""
    cases = list(cases)
    missing = [case for case in stay if case not in cases]
    assert not missing, f"no such cases: {missing}"
    return [case if case in stay else pytest.param(case, marks=getattr(pytest.mark, mark)) for case in cases]


def slack() -> float:
    """Return how many times longer than alone the machine takes now: about 1 when a core is free, more beside other work."""
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.1:
        pass
    return max(1.0, (time.monotonic() - began) / 0.1)


def descendants(pid: int) -> Iterator[tuple[int, int, str]]:
    """Yield number, parent and command of all processes below one, parents first."""
    table: dict[int, list[tuple[int, str]]] = {}
    for child, parent, command in processes():
        table.setdefault(parent, []).append((child, command))
    todo = [pid]
    while todo:
        parent = todo.pop()
        for child, command in table.get(parent, ()):
            yield child, parent, command
            todo.append(child)


def processes() -> Iterator[tuple[int, int, str]]:
    """Yield number, parent and whole command of every process; `ps` would cut commands to the width of a terminal."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield int(folder.name), parent, command


def wait(met: Callable[[], object], seconds: float = 30) -> None:
    """Return when something has become true; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"not met within {seconds} seconds"
        time.sleep(0.05)


def busy(pid: int) -> float:
    """Return the processor seconds that a process and its descendants have used."""
    total = 0
    for process in (pid, *(child for child, *_ in descendants(pid))):
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="session")
def graph() -> KnowledgeGraph:
    """The whole bundled graph, with what the rules conclude."""
    return KnowledgeGraph(graph_files())


@pytest.fixture(scope="session")
def process() -> Iterator[EvaluatorProcess]:
    with EvaluatorProcess(Settings()) as process:
        yield process


@pytest.fixture(scope="session")
def pool(process: EvaluatorProcess) -> EvaluatorPool:
    return process.pool()


@pytest.fixture(scope="session")
def snapshot(pool: EvaluatorPool) -> Snapshot:
    return pool.snapshot()


@pytest.fixture(scope="session")
def app(pool: EvaluatorPool) -> Flask:
    return create_app(pool)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, for sockets: theirs may have about a hundred characters, and pytest's folders have more."""
    with tempfile.TemporaryDirectory(prefix="ig-", dir="/tmp" if Path("/tmp").is_dir() else None) as folder:  # noqa: S108
        yield Path(folder)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, none of those that the system gives to clients in a hurry."""
    while True:
        port = random.randrange(10_000, 32_000)  # noqa: S311  nothing secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def started(command: list[str], url: str, **options: object) -> subprocess.Popen[str]:
    """Start a server and return its process when `url` answers; fail with what it printed when it ends before."""
    # A file, not a pipe: nobody reads while the server runs, and a full pipe would stop it.
    printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stopped()
    process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    process.stdout = printed
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.fail(f"{command} ended with {process.returncode}: {stopped(process)}")
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return process  # type: ignore[no-any-return]
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        pytest.fail(f"{url} did not answer within a minute: {stopped(process)}")
    except BaseException:
        process.terminate()  # whatever went wrong, it does not go on by itself
        raise


def stopped(process: subprocess.Popen[str]) -> str:
    """Stop a server and return what it printed."""
    process.terminate()
    process.wait(timeout=30)
    assert process.stdout is not None
    with process.stdout as printed:
        printed.seek(0)
        return printed.read()


@pytest.fixture(scope="session")
def patience() -> float:
    """Seconds that the real server gives a query: on a busy machine an ordinary one takes longer, too."""
    return round(2 * slack(), 1)


@pytest.fixture(scope="session")
def server(patience: float) -> Iterator[str]:
    """The base URL of a real server of the bundled graph."""
    port = free_port()
    command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(port), "--timeout", str(patience)]
    process = started(command, f"http://127.0.0.1:{port}/healthz")
    yield f"http://127.0.0.1:{port}"
    stopped(process)


@dataclass
class Attack:
    """What `make attack` tells of one test: all its cases together."""

    cases: int = 0
    seconds: float = 0.0
    ordinary: int = 0
    p95: float = 0.0
    failed: int = 0
    #: Mebibytes of all processes before the first case and after the last.
    before: float = 0.0
    after: float = 0.0
    outcomes: set[str] = field(default_factory=set)


ATTACKS: dict[str, Attack] = defaultdict(Attack)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what an attack did to the ordinary requests beside it, as its fixture `ordinary` counted them."""
    told = dict(report.user_properties)
    if report.when == "teardown" and "ordinary" in told:
        attack = ATTACKS[report.nodeid.partition("[")[0]]
        attack.cases += 1
        attack.ordinary += told["ordinary"]
        attack.p95 = max(attack.p95, told["p95"])
        attack.failed += told["failed"]
        before, attack.after = told["mebibytes"]
        attack.before = attack.before or before
    if report.nodeid.startswith("tests/test_attacks"):
        attack = ATTACKS[report.nodeid.partition("[")[0]]
        attack.seconds += report.duration
        attack.outcomes.add(report.outcome)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the table of attacks where all of them were asked for."""
    if not ATTACKS or "not attack and" in terminalreporter.config.option.markexpr:
        return
    terminalreporter.section("attacks")
    terminalreporter.line(
        f"{'attack':<72} {'cases':>5} {'seconds':>8} {'ordinary':>8} {'failed':>6} {'p95':>6} {'MiB':>6} {'after':>6}  outcome"
    )
    for name, attack in sorted(ATTACKS.items()):
        words = name.rpartition("::test_")[2].replace("_", " ")
        outcome = "failed" if "failed" in attack.outcomes else "withstood"
        terminalreporter.line(
            f"{words:<72} {attack.cases:>5} {attack.seconds:>8.1f} {attack.ordinary:>8} {attack.failed:>6} {attack.p95:>6.2f} "
            f"{attack.before:>6.0f} {attack.after:>6.0f}  {outcome}"
        )
