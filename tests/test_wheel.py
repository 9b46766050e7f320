"""The wheel, installed in an empty environment and run from /, serves and answers the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from conftest import ROOT, free_port, started, stopped
from test_endpoint import NUMBER, asked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def program(wheel: Path) -> Path:
    """The command of the wheel, installed where nothing else is."""
    environment = wheel.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([str(environment / "bin/python"), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    return environment / "bin" / "interpol-graph"


def test_it_carries_the_package_and_the_graph(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        carried = {name: archive.read(name) for name in archive.namelist()}
    package = ROOT / "server" / "interpol_graph"
    expected = {
        path.relative_to(package.parent): path for path in package.rglob("*") if "__pycache__" not in path.parts
    }
    for folder in ("ontology", "data", "shapes", "queries"):
        bundle = Path("interpol_graph", "bundle", folder)
        expected |= {bundle / path.relative_to(ROOT / folder): path for path in (ROOT / folder).rglob("*")}
    files = {str(name): path.read_bytes() for name, path in expected.items() if path.is_file()}
    assert len(files) > 200
    assert {name for name, content in files.items() if carried.get(name) != content} == set()


def output(program: Path, *arguments: str) -> bytes:
    return subprocess.run([str(program), *arguments], cwd="/", check=True, capture_output=True).stdout


@pytest.mark.slow
def test_it_serves_from_the_root_directory(program: Path, server: str) -> None:
    port = free_port()
    process = started([str(program), "serve", "--port", str(port)], f"http://127.0.0.1:{port}/healthz", cwd="/")
    try:
        here = asked(f"http://127.0.0.1:{port}", NUMBER, "text/csv")
        assert here[0] == 200 and here[2] == asked(server, NUMBER, "text/csv")[2]
    finally:
        stopped(process)


@pytest.mark.slow
def test_it_dumps_validates_and_asks_the_same(program: Path) -> None:
    same = subprocess.run(
        [sys.executable, "-m", "interpol_graph", "dump", "--format", "nquads"],
        check=True,
        capture_output=True,
    ).stdout
    assert output(program, "dump", "--format", "nquads") == same
    assert b"mireille-ballestrazzi" in output(program, "query", "president-on-day", "-p", "day=2015-11-05")
    output(program, "validate")
