"""What others put into their CI: the action and the hooks parse, name what exists, and do what the README shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from conftest import ROOT
from interpol_graph.cli import validate
from interpol_graph.cli.main import main
from interpol_graph.validation import formats

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
README, REPORTS = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "shapes/README.md"))
OPTIONS = {option for parameter in validate.command.params for option in parameter.opts}
DATA = "@prefix ex: <http://example.org/> .\n\nex:tom a ex:Cat ;\n    ex:age 'three' .\n"
SHAPES = """@prefix ex: <http://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

ex:CatShape a sh:NodeShape ; sh:targetClass ex:Cat ; sh:property ex:CatShape-age .
ex:CatShape-age sh:path ex:age ; sh:datatype xsd:integer ; sh:message "The age of a cat is a whole number." .
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's project: a file with a mistake, and shapes."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cats.ttl").write_text(DATA)
    (tmp_path / "shapes.ttl").write_text(SHAPES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(project: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's last step as the runner does, with the command of this environment."""
    program = project / "runner" / "interpol-graph" / "bin" / "interpol-graph"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m interpol_graph "$@"\n')
    program.chmod(0o755)
    step = ACTION["runs"]["steps"][-1]
    values = {name: inputs.get(name, setting["default"]) for name, setting in ACTION["inputs"].items()}
    env = {name: values[re.fullmatch(r"\${{ inputs\.(\w+) }}", value)[1]] for name, value in step["env"].items()}  # type: ignore[index]
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=project, env=os.environ | env | {"RUNNER_TEMP": str(project / "runner")}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_action_is_valid_by_the_schema_of_actions() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_names_what_exists() -> None:
    script = ACTION["runs"]["steps"][-1]["run"]
    assert {"--format", "--shapes"} <= set(re.findall(r"--[a-z-]+", script)) <= OPTIONS
    assert "${{" not in script, "an input inside a script is a script of whoever sets it"
    assert ACTION["inputs"]["format"]["default"] in formats.BY_NAME
    for name in formats.BY_NAME:
        assert name in ACTION["inputs"]["format"]["description"]


def test_the_action_fails_at_the_line(project: Path) -> None:
    done = ran(project, paths="data", shapes="shapes.ttl")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=data/cats.ttl,line=4,col=12,title=")
    (project / "data" / "cats.ttl").write_text(DATA.replace("'three'", "3"))
    assert ran(project, paths="data", shapes="shapes.ttl").returncode == 0


def test_the_action_takes_its_inputs_as_words_only(project: Path) -> None:
    done = ran(
        project, paths="data $(touch pwned) `touch pwned` ;touch pwned", shapes="shapes.ttl", output="x;touch pwned"
    )
    assert done.returncode == 2 and not (project / "pwned").exists()


def test_the_hooks_name_what_exists() -> None:
    assert {hook["id"] for hook in HOOKS} == {"interpol-graph-validate", "shacl-validate"}
    for hook in HOOKS:
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        program, command, *options = shlex.split(hook["entry"])
        assert program == "interpol-graph" and isinstance(main.get_command(click.Context(main), command), click.Command)
        assert {option for option in options if option.startswith("-")} <= OPTIONS
        assert re.search(hook["files"], "data/operations/2023.ttl")
        assert hook["id"] in README


def test_the_readme_shows_what_a_failing_run_says(project: Path) -> None:
    """The example of the README, run."""
    shown = re.search(r"```\n\$ interpol-graph validate data --shapes shapes\.ttl\n(.*?)```", README, re.DOTALL)
    assert shown, "the README shows a failing run"
    result = CliRunner().invoke(main, ["validate", "data", "--shapes", "shapes.ttl"])
    assert result.exit_code == 1
    assert result.output.split() == shown[1].split()
    for name in ACTION["inputs"]:
        assert f"`{name}`" in REPORTS


def test_the_formats_are_described() -> None:
    assert formats.BY_NAME
    for name in formats.BY_NAME:
        assert f"| `{name}` |" in REPORTS
