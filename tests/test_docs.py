"""What the README says is there, is there."""

from __future__ import annotations

import re
import subprocess

import pytest

from conftest import ROOT
from interpol_graph.cli.main import main

READMES = sorted(
    path for path in ROOT.rglob("README.md") if ".venv" not in path.parts and "node_modules" not in path.parts
)


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_a_readme_exists(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    named = set(re.findall(r"`((?:ontology|data|shapes|server|queries|tests|benchmarks)/[\w./-]*)`", text))
    for link in links:
        assert (path.parent / link).exists(), f"{link} is gone"
    for name in named:
        assert (ROOT / name).exists(), f"{name} is gone"


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, command in main.commands.items():
        assert f"interpol-graph {name}" in text
        for option in command.params:
            if option.opts[0].startswith("--"):
                assert option.opts[0] in text, f"interpol-graph {name} {option.opts[0]} is not in the README"


def test_every_make_target_is_in_the_readme() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"make {target}" in text for target in targets)


def test_every_top_folder_has_a_readme() -> None:
    for folder in ("ontology", "data", "shapes", "server", "queries", "tests", "benchmarks"):
        assert (ROOT / folder / "README.md").is_file()


def test_no_path_of_a_machine_is_committed() -> None:
    found = subprocess.run(
        ["git", "grep", "-nE", "/(work|home|root|tmp)/[a-z]", "--", ":!tests/test_docs.py", ":!data/sources"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.stdout == ""
