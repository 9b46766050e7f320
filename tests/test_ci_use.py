"""What others put into their CI: the action and the hooks parse, name what exists, and do what the README shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
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
Git = Callable[..., subprocess.CompletedProcess[str]]
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


def ran(project: Path, folder: str = ".", **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's last step as the runner does, with the Python of this environment."""
    program = project / "runner" / "interpol-graph" / "bin" / "python"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    step = ACTION["runs"]["steps"][-1]
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    values = {name: given.get(name, setting["default"]) for name, setting in ACTION["inputs"].items()}
    env = {name: values[re.fullmatch(r"\${{ inputs\.([\w-]+) }}", value)[1]] for name, value in step["env"].items()}  # type: ignore[index]
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (project / "runner" / name).write_text("")
        env[name] = str(project / "runner" / name)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=project / folder, env=os.environ | env | {"RUNNER_TEMP": str(project / "runner")}, capture_output=True, text=True,
    )  # fmt: skip


def told(project: Path) -> dict[str, str]:
    """What the last step told the ones after it."""
    lines = (project / "runner" / "GITHUB_OUTPUT").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_action_is_valid_by_the_schema_of_actions() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_names_what_exists(project: Path) -> None:
    script = ACTION["runs"]["steps"][-1]["run"]
    assert "-m interpol_graph.cli.actions" in script
    assert "${{" not in script, "an input inside a script is a script of whoever sets it"
    assert ACTION["inputs"]["format"]["default"] in formats.BY_NAME
    for name in formats.BY_NAME:
        assert name in ACTION["inputs"]["format"]["description"]
    ran(project, paths="data", shapes="shapes.ttl")
    assert set(told(project)) == set(ACTION["outputs"])
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.validate.outputs.{name} }}}}" and f"`{name}`" in REPORTS


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


def test_the_action_tells_the_steps_after_it_and_the_job(project: Path) -> None:
    ran(project, paths="data", shapes="shapes.ttl", output="report.json", format="json")
    assert told(project) == {"conforms": "false", "errors": "1", "warnings": "0", "infos": "0", "report": "report.json"}
    assert (project / "report.json").read_text().startswith("{")
    (project / "data" / "cats.ttl").write_text(
        DATA + "".join(f"ex:c{n} a ex:Cat ; ex:age 'x' .\n" for n in range(1234))
    )
    ran(project, paths="data", shapes="shapes.ttl")
    summary = (project / "runner" / "GITHUB_STEP_SUMMARY").read_text()
    assert "**The data does not conform**: 1235 errors, 0 warnings in 1 files." in summary
    assert "| http://example.org/CatShape-age | error | 1,235 |" in summary
    assert "GitHub shows 10 annotations of a kind: 1,225 more stand in the log." in summary
    ran(project, paths="nowhere.ttl", shapes="shapes.ttl")
    assert told(project) == {"conforms": "false"}
    assert "could not validate" in (project / "runner" / "GITHUB_STEP_SUMMARY").read_text()


def test_the_action_takes_a_path_a_line_and_patterns(project: Path) -> None:
    (project / "more data").mkdir()
    (project / "more data" / "a [1].ttl").write_text(DATA.replace("tom", "kit"))
    (project / "more data" / "deep").mkdir()
    (project / "more data" / "deep" / "b.ttl").write_text(DATA.replace("tom", "rex"))
    done = ran(project, paths="data\nmore data/a [1].ttl\n\n  more data/**/b.ttl  \n", shapes="*.ttl")
    assert done.returncode == 1 and done.stdout.count("::error ") == 3, done.stdout + done.stderr
    done = ran(project, paths="*.nothing", shapes="shapes.ttl")
    assert done.returncode == 2 and "*.nothing" in done.stderr


@pytest.mark.parametrize("inputs", [{}, {"paths": "data"}, {"shapes": "shapes.ttl"}])
def test_the_action_judges_no_foreign_repository_by_rules_of_ours(project: Path, inputs: dict[str, str]) -> None:
    done = ran(project, **inputs)
    assert done.returncode == 2 and "give the inputs paths and shapes" in done.stderr, done.stdout
    assert done.stdout.count("::error") == 1 and "file=" not in done.stdout


def test_the_action_works_in_a_folder_and_names_places_from_the_top(project: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    assert ACTION["runs"]["steps"][-1]["working-directory"] == "${{ inputs.working-directory }}"
    done = ran(project, "data", paths="cats.ttl", shapes="../shapes.ttl", fail_on="warning", context="../shapes.ttl")
    assert done.returncode == 1 and "::error file=data/cats.ttl,line=4" in done.stdout


def test_the_hooks_name_what_exists() -> None:
    assert {hook["id"] for hook in HOOKS} == {"interpol-graph-validate", "shacl-validate"}
    for hook in HOOKS:
        assert {"id", "name", "entry", "language"} <= set(hook)
        assert hook["pass_filenames"] is False and hook["always_run"] is True, "a deletion has no file name"
        program, command, *options = shlex.split(hook["entry"])
        assert program == "interpol-graph" and isinstance(main.get_command(click.Context(main), command), click.Command)
        assert {option for option in options if option.startswith("-")} <= OPTIONS
        assert hook["id"] in README


@pytest.fixture
def hooked(project: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Git:
    """Somebody's repository with the hook of the README, of a tag of ours, and git to work in it.

    The hook is installed as for a user in the slow run; in the quick one the command of this environment is on the path.
    """
    installed = getattr(request, "param", False)
    ours = tmp_path_factory.mktemp("ours")
    copy = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-DATA", "server", "ontology", "data", "shapes", "queries")
    for name in (".pre-commit-hooks.yaml", *(copy if installed else ())):
        done = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        done(ROOT / name, ours / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment["PRE_COMMIT_HOME"] = str(tmp_path_factory.mktemp("hooks"))
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]

    def git(*arguments: str, cwd: Path = project, program: str = "git") -> subprocess.CompletedProcess[str]:
        command = [program, *(settings if program == "git" else ()), *arguments]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)

    for arguments in (["init"], ["add", "--all"], ["commit", "--message", "release"], ["tag", "v0.1.0"]):
        assert git(*arguments, cwd=ours).returncode == 0
    config = re.search(r"```yaml\n(repos:.*?)```", README, re.DOTALL)
    assert config, "the README shows how the hook is used"
    text = config[1].replace("https://github.com/OWNER/interpol-graph", str(ours))
    if not installed:
        text = text.replace("- id: shacl-validate\n", "- id: shacl-validate\n        language: system\n")
    (project / ".pre-commit-config.yaml").write_text(text)
    (project / "data" / "cats.ttl").write_text(DATA.replace("'three'", "3"))
    for arguments in (["init"], ["add", "--all"], ["commit", "--no-verify", "--message", "first"]):
        assert git(*arguments).returncode == 0
    done = git("install", program="pre-commit")
    assert done.returncode == 0, done.stdout + done.stderr
    return git


@pytest.mark.parametrize("hooked", [False, pytest.param(True, marks=pytest.mark.slow)], indirect=True)
def test_the_hook_stops_what_breaks_and_lets_pass_what_does_not(project: Path, hooked: Git) -> None:
    shapes = SHAPES + "ex:CatShape sh:property [ sh:path ex:friend ; sh:class ex:Cat ] .\n"
    (project / "shapes.ttl").write_text(shapes)
    (project / "data" / "kit.ttl").write_text(DATA.replace("tom", "kit").replace("'three'", "3 ; ex:friend ex:tom"))
    hooked("add", "--all")
    done = hooked("commit", "--message", "good")
    assert done.returncode == 0 and "Passed" in done.stderr, done.stdout + done.stderr
    # a file that is not there any more, and that another one needs
    hooked("rm", "data/cats.ttl")
    done = hooked("commit", "--message", "deleted")
    assert done.returncode == 1 and "data/kit.ttl:4:26: error" in done.stderr, done.stdout + done.stderr
    hooked("reset", "--hard")
    # what is staged, not what lies there
    (project / "data" / "cats.ttl").write_text(DATA)
    hooked("add", "--all")
    (project / "data" / "cats.ttl").write_text(DATA.replace("'three'", "3"))
    done = hooked("commit", "--message", "staged")
    assert done.returncode == 1 and "data/cats.ttl:4:12: error" in done.stderr
    hooked("reset", "--hard")
    # tightened shapes, which no file of data accompanies
    (project / "shapes.ttl").write_text(shapes.replace("sh:datatype xsd:integer", "sh:datatype xsd:date"))
    hooked("add", "--all")
    done = hooked("commit", "--message", "tightened")
    assert done.returncode == 1 and "data/cats.ttl" in done.stderr and "data/kit.ttl" in done.stderr
    hooked("reset", "--hard")
    done = hooked("run", "--all-files", program="pre-commit")
    assert done.returncode == 0
    done = hooked("run", "--all-files", "--verbose", program="pre-commit")
    assert "data: 0 errors, 0 warnings in 2 files." in done.stdout


def test_the_hook_without_shapes_says_what_to_give(project: Path, hooked: Git) -> None:
    config = project / ".pre-commit-config.yaml"
    config.write_text(config.read_text().replace("args: [data, --shapes, shapes.ttl]", "args: []"))
    hooked("add", "--all")
    done = hooked("commit", "--message", "no shapes")
    assert done.returncode == 1 and "name PATH and --shapes" in done.stderr


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
