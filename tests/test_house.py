"""The rules of the house: imports keep their contract, modules stay small, a subject has one name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "server" / "interpol_graph"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "bundle" not in path.parts)


def test_imports_keep_the_contract() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_package_says_what_lives_there() -> None:
    silent = [
        path.parent.name for path in MODULES if path.name == "__init__.py" and not path.read_text().startswith('"""')
    ]
    assert not silent


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_is_one_noun(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, "two nouns in one room? split it"


def test_every_data_file_has_its_shape_file() -> None:
    subjects = {path.relative_to(ROOT / "data").with_suffix("").parts[0] for path in (ROOT / "data").rglob("*.ttl")}
    shapes = {path.stem for path in (ROOT / "shapes").glob("*.ttl")}
    assert subjects <= shapes, f"no shape file for {sorted(subjects - shapes)}"
    assert shapes - subjects <= {"common", "ontology"}, f"no data file for {sorted(shapes - subjects)}"
