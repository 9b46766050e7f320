"""Real engines: what `load` puts there answers every saved question as the engine built in does, and what goes wrong is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engines import ENGINES, Engine
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.pool import EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import questions

pytestmark = pytest.mark.engines

#: Engine → saved question → why its answer is another one; nothing else may differ.
DEVIATIONS: dict[str, dict[str, str]] = {"oxigraph": {}, "virtuoso": {}}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interpol_graph", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that holds the graph."""
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as engine:
        done = run("load", engine.store, **engine.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        yield engine


@pytest.fixture(scope="module")
def elsewhere(engine: Engine) -> Iterator[Snapshot]:
    """The graph in that engine, as this server asks it."""
    with EvaluatorProcess(Settings(engine=engine.query, timeout=60)) as process:
        yield process.pool().snapshot()


def test_every_saved_question_has_the_same_answer_but_those_told(
    snapshot: Snapshot, elsewhere: Snapshot, engine: Engine
) -> None:
    others = {}
    for name, question in questions.saved().items():
        query = question.filled()
        try:
            if elsewhere.query(query).body != snapshot.query(query).body:
                others[name] = "another answer"
        except EngineError as error:
            others[name] = str(error)
    assert others.keys() == DEVIATIONS[engine.name].keys(), others
