"""The wheel, installed in an empty environment and run from /, serves and answers the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, free_port, started, stopped
from test_endpoint import NUMBER, asked


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the wheel, built here and installed where nothing else is."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    return folder / "venv" / "bin" / "interpol-graph"


def output(program: Path, *arguments: str) -> bytes:
    return subprocess.run([str(program), *arguments], cwd="/", check=True, capture_output=True).stdout


def test_it_serves_from_the_root_directory(program: Path, server: str) -> None:
    port = free_port()
    process = started([str(program), "serve", "--port", str(port)], f"http://127.0.0.1:{port}/healthz", cwd="/")
    try:
        here = asked(f"http://127.0.0.1:{port}", NUMBER, "text/csv")
        assert here[0] == 200 and here[2] == asked(server, NUMBER, "text/csv")[2]
    finally:
        stopped(process)


def test_it_dumps_validates_and_asks_the_same(program: Path) -> None:
    same = subprocess.run(
        [sys.executable, "-m", "interpol_graph", "dump", "--format", "nquads"],
        check=True,
        capture_output=True,
    ).stdout
    assert output(program, "dump", "--format", "nquads") == same
    assert b"mireille-ballestrazzi" in output(program, "query", "president-on-day", "-p", "day=2015-11-05")
    output(program, "validate")
