"""The rules of the house: imports keep their contract, modules stay small, a subject has one name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "server" / "interpol_graph"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "bundle" not in path.relative_to(PACKAGE).parts)
ROOMS = {"graph", "shacl", "validation", "engine", "endpoint", "site", "serving", "cli"}
#: A room, what it must not import, and the contract that says so.
AGAINST = (
    ("graph", "interpol_graph.engine", "imports run downwards"),
    ("engine", "interpol_graph.validation", "imports run downwards"),  # on one floor
    ("site", "interpol_graph.validation", "pages and processes know no validation"),
    ("endpoint", "interpol_graph.shacl", "SHACL is for validation alone"),
    ("serving", "flask", "only endpoint, site and app know Flask"),
    ("endpoint", "granian", "only serving and cli know granian"),
)


def judged(folder: Path) -> subprocess.CompletedProcess[str]:
    """Judge the package in a folder by the contract that lies there."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder / "server"), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


def test_imports_keep_the_contract() -> None:
    done = judged(ROOT)
    assert done.returncode == 0, done.stdout
    assert "Contracts: 5 kept, 0 broken." in done.stdout


def test_an_import_against_the_contract_is_found(tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE, tmp_path / "server" / PACKAGE.name, ignore=shutil.ignore_patterns("bundle", "static", "__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room, imported, _ in AGAINST:
        with (tmp_path / "server" / PACKAGE.name / room / "__init__.py").open("a", encoding="utf-8") as file:
            file.write(f"import {imported}\n")
    done = judged(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    for room, imported, broken in AGAINST:
        assert f"{broken} BROKEN" in done.stdout
        told = done.stdout.rpartition(f"\n{broken}\n")[2].partition("\n---")[0]
        assert f"interpol_graph.{room} -> {imported}" in told, done.stdout


def test_every_package_says_what_lives_there() -> None:
    said = {
        path.parent.name: path.read_text(encoding="utf-8").startswith('"""')
        for path in MODULES
        if path.name == "__init__.py"
    }
    assert said == dict.fromkeys({*ROOMS, PACKAGE.name}, True)


def test_a_module_is_one_noun() -> None:
    sizes = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert len(sizes) > 50
    assert {name: lines for name, lines in sizes.items() if lines > 300} == {}, "two nouns in one room? split it"


def test_every_shape_file_has_its_data_file() -> None:
    subjects = {path.relative_to(ROOT / "data").with_suffix("").parts[0] for path in (ROOT / "data").rglob("*.ttl")}
    shapes = {path.stem for path in (ROOT / "shapes").glob("*.ttl")}
    assert len(subjects) > 20
    assert shapes - subjects <= {"common", "ontology"}, f"no data file for {sorted(shapes - subjects)}"
