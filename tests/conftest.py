"""Fixtures are nouns: the evaluators, the state of the data that they hold, the application, its client, a real server."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from interpol_graph.app import create_app
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.files import project_files
from interpol_graph.graph.store import KnowledgeGraph

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def graph() -> KnowledgeGraph:
    """The whole bundled graph, with what the rules conclude."""
    return KnowledgeGraph(project_files())


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


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(command: list[str], url: str, **options: object) -> subprocess.Popen[str]:
    """Start a server and return its process when `url` answers; fail with what it printed when it ends before."""
    # A file, not a pipe: nobody reads while the server runs, and a full pipe would stop it.
    printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stopped()
    process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    process.stdout = printed
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"{command} ended with {process.returncode}: {stopped(process)}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return process  # type: ignore[no-any-return]
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    process.kill()
    pytest.fail(f"{url} did not answer within a minute: {stopped(process)}")


def stopped(process: subprocess.Popen[str]) -> str:
    """Stop a server and return what it printed."""
    process.terminate()
    process.wait(timeout=30)
    assert process.stdout is not None
    with process.stdout as printed:
        printed.seek(0)
        return printed.read()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The base URL of a real server of the bundled graph."""
    port = free_port()
    command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(port), "--timeout", "2"]
    process = started(command, f"http://127.0.0.1:{port}/healthz")
    yield f"http://127.0.0.1:{port}"
    stopped(process)
