"""What is validated and what is reported on: a checkout, a file of it, what changed in it, files from elsewhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interpol_graph.cli.main import main

PREFIXES = """@prefix interpol: <https://w3id.org/interpol-graph/ontology#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix shape: <https://w3id.org/interpol-graph/shapes#> .
@prefix zoo: <http://example.org/zoo/> .

"""
ONTOLOGY = """<http://example.org/prefixes> sh:declare
    [ sh:prefix "interpol" ; sh:namespace "https://w3id.org/interpol-graph/ontology#" ] ,
    [ sh:prefix "owl" ; sh:namespace "http://www.w3.org/2002/07/owl#" ] ,
    [ sh:prefix "sh" ; sh:namespace "http://www.w3.org/ns/shacl#" ] ,
    [ sh:prefix "shape" ; sh:namespace "https://w3id.org/interpol-graph/shapes#" ] ,
    [ sh:prefix "zoo" ; sh:namespace "http://example.org/zoo/" ] .
interpol:Cat a owl:Class . interpol:friend a owl:ObjectProperty .
"""
SHAPES = """shape:Friend a sh:PropertyShape ; sh:targetSubjectsOf interpol:friend ;
    sh:path interpol:friend ; sh:class interpol:Cat ; sh:message "A friend is a cat." .
"""
CHECK = """#+ title: Lonely cats
#+ message: {focus} is nobody's friend.
#+ severity: warning
PREFIX interpol: <https://w3id.org/interpol-graph/ontology#>
SELECT ?focus WHERE { ?focus a interpol:Cat FILTER NOT EXISTS { ?other interpol:friend ?focus } }
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small graph of its own, with its own ontology, shapes, checks and prefixes: two files that need each other."""
    root = tmp_path / "checkout"
    for name, content in {
        "ontology/interpol.ttl": PREFIXES + ONTOLOGY,
        "shapes/common.ttl": PREFIXES + SHAPES,
        "data/tom.ttl": PREFIXES + "zoo:tom a interpol:Cat ;\n    interpol:friend zoo:kit .\n",
        "data/more/kit.ttl": PREFIXES + "zoo:kit a interpol:Cat ;\n    interpol:friend zoo:tom .\n",
        "queries/checks/lonely.rq": CHECK,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def repository(checkout: Path) -> Callable[..., str]:
    """The checkout under version control, and git to work on it."""

    def git(*arguments: str) -> str:
        settings = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
        done = subprocess.run(["git", *settings, *arguments], cwd=checkout, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    return git


def validated(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


def write(file: Path, statements: str) -> None:
    file.write_text(PREFIXES + statements)


def test_a_checkout_is_judged_by_its_own_rules(checkout: Path) -> None:
    result = validated()
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert "0 errors, 0 warnings in 4 files" in result.stderr
    assert validated(checkout).exit_code == 0


def test_a_file_is_judged_among_all_the_others(checkout: Path) -> None:
    assert validated("data/tom.ttl").exit_code == 0, "zoo:kit is a cat in another file"
    write(checkout / "data/tom.ttl", "zoo:tom a interpol:Cat ;\n    interpol:friend zoo:rex .\n")
    result = validated("data/tom.ttl")
    assert result.exit_code == 1
    assert "data/tom.ttl:8:21: error: http://example.org/zoo/tom: A friend is a cat." in result.stdout
    assert "kit.ttl" not in result.stdout and "Other files have 1 more, not shown." in result.stderr
    other = validated("data/more")
    assert (
        other.exit_code == 0
        and "data/more/kit.ttl:7:1: warning: http://example.org/zoo/kit is nobody's friend. [lonely]" in other.stdout
    )


def test_a_checkout_is_found_from_anywhere(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(checkout / "data/tom.ttl", "zoo:tom a interpol:Cat ;\n    interpol:friend zoo:rex .\n")
    monkeypatch.chdir("/")
    result = validated(checkout / "data" / "tom.ttl")
    assert result.exit_code == 1 and "A friend is a cat." in result.stdout and "[prefix]" not in result.stdout


def test_a_file_of_a_checkout_that_is_not_its_data_stands_alone(checkout: Path) -> None:
    write(checkout / "draft.ttl", "zoo:cleo a interpol:Cat ;\n    interpol:friend zoo:tom .\n")
    result = validated("draft.ttl")
    assert (
        result.exit_code == 1
        and "draft.ttl:8:21: error: http://example.org/zoo/cleo: A friend is a cat." in result.stdout
    )


def test_several_files_are_reported_together(checkout: Path) -> None:
    write(checkout / "draft.ttl", "zoo:cleo a interpol:Cat .\n")
    result = validated("draft.ttl", "data/tom.ttl")
    assert "0 errors, 1 warning in 2 files" in result.stderr


def test_a_blank_node_is_found_in_its_own_file(checkout: Path) -> None:
    write(
        checkout / "data/tom.ttl",
        "zoo:tom a interpol:Cat ; interpol:friend zoo:kit ,\n    [ interpol:friend zoo:kit ] .\n",
    )
    write(
        checkout / "data/more/kit.ttl",
        "zoo:kit a interpol:Cat ; interpol:friend zoo:tom , [\n    interpol:friend zoo:bo ] .\n",
    )
    result = validated("data/tom.ttl")
    assert result.stdout.count("error:") == 1 and "data/tom.ttl:8:5: error: http://example.org/zoo/tom" in result.stdout
    both = validated()
    assert "data/more/kit.ttl:8:21: error: blank node: A friend is a cat." in both.stdout


def test_only_what_changed_is_reported(checkout: Path, repository: Callable[..., str]) -> None:
    result = validated("--changed", "HEAD")
    assert result.exit_code == 0 and "Nothing that is validated changed against HEAD." in result.stderr
    write(checkout / "data/more/kit.ttl", "zoo:kit a interpol:Cat ;\n    interpol:friend zoo:rex .\n")
    result = validated("--changed", "HEAD")
    assert result.exit_code == 1 and "data/more/kit.ttl:8:21" in result.stdout and "tom.ttl" not in result.stdout
    repository("commit", "--quiet", "--all", "--message", "second")
    assert validated("--changed", "HEAD").exit_code == 0
    assert validated("--changed", "HEAD~1").exit_code == 1
    assert validated("data/tom.ttl", "--changed", "HEAD~1").exit_code == 0


def test_an_untracked_file_has_changed_and_a_removed_one_is_no_trouble(
    checkout: Path, repository: Callable[..., str]
) -> None:
    write(checkout / "data/new é.ttl", "zoo:new interpol:friend zoo:nobody .\n")
    (checkout / "data" / "more" / "kit.ttl").unlink()
    result = validated("--changed", "HEAD")
    assert result.exit_code == 1
    assert "data/new é.ttl:7:25: error" in result.stdout and "Other files have 2 more" in result.stderr, result.output


def test_changed_rules_concern_every_file(checkout: Path, repository: Callable[..., str]) -> None:
    write(checkout / "shapes/common.ttl", SHAPES.replace("interpol:Cat", "owl:Class"))
    result = validated("--changed", "HEAD")
    assert "data/tom.ttl" in result.stdout and "data/more/kit.ttl" in result.stdout


def test_foreign_files_that_changed(checkout: Path, repository: Callable[..., str]) -> None:
    write(checkout / "data/tom.ttl", "zoo:tom interpol:friend zoo:rex .\n")
    result = validated("data", "--shapes", "shapes", "--changed", "HEAD")
    assert "data/tom.ttl:7:25: error" in result.stdout and "kit.ttl" not in result.stdout


@pytest.mark.parametrize("base", ["nowhere", "--output=x", "HEAD:data", ""])
def test_an_unknown_base_ends_2(repository: Callable[..., str], base: str) -> None:
    result = validated(f"--changed={base}")
    assert result.exit_code == 2 and f"git knows no commit {base!r} here" in result.stderr


def test_changes_outside_git_end_2(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checkout.parent))
    result = validated("--changed", "HEAD")
    assert result.exit_code == 2 and "is not in a git checkout" in result.stderr
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in validated("--changed", "HEAD").stderr
