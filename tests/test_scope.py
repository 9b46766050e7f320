"""What is validated and what is reported on: a checkout, a file of it, what changed in it, files from elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyoxigraph import NamedNode, Store

from interpol_graph.cli.main import main
from interpol_graph.graph import paths
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.validation import run, scope

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
    assert "kit.ttl" not in result.stdout and "1 error, 0 warnings in 1 file." in result.stderr
    other = validated("data/more")
    assert (
        other.exit_code == 0
        and "data/more/kit.ttl:7:1: warning: http://example.org/zoo/kit is nobody's friend. [lonely]" in other.stdout
    )


def test_what_another_file_has_wrong_is_not_said_of_the_one_that_is_judged(checkout: Path) -> None:
    write(checkout / "data/more/kit.ttl", "zoo:kit a interpol:Cat ;\n    interpol:friend zoo:tom , zoo:rex .\n")
    write(checkout / "data/empty.ttl", "")
    for name in ("data/tom.ttl", "data/empty.ttl", "ontology", "shapes/common.ttl"):
        result = validated(name)
        assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert validated("data/more").exit_code == validated().exit_code == 1


def test_a_file_is_judged_by_its_literals_as_they_are_written(checkout: Path) -> None:
    age, lives = 'interpol:age "7"^^<http://www.w3.org/2001/XMLSchema#{}>', "interpol:age a owl:DatatypeProperty .\n"
    write(checkout / "ontology/interpol.ttl", ONTOLOGY + lives)
    write(
        checkout / "shapes/age.ttl",
        """shape:Age a sh:NodeShape ; sh:targetSubjectsOf interpol:age ;
        sh:property [ sh:path interpol:age ; sh:message "Ages are whole." ;
        sh:datatype <http://www.w3.org/2001/XMLSchema#nonNegativeInteger> ] .\n""",
    )
    for datatype, code in ("nonNegativeInteger", 0), ("integer", 1):
        cat = f"zoo:tom a interpol:Cat ;\n    {age.format(datatype)} ;\n    interpol:friend zoo:kit .\n"
        write(checkout / "data/tom.ttl", cat)
        for named in ((), ("data/tom.ttl",)):
            result = validated(*named)
            assert result.exit_code == code and ("Ages are whole." in result.stdout) == bool(code), result.output


def test_a_check_reads_other_graphs_for_one_file_only_if_it_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[NamedNode] | None] = {}

    def noted(store: Store, path: Path, **graphs: Any) -> Any:
        asked[path.stem] = graphs.get("named_graphs")
        return store.query("SELECT ?focus {} LIMIT 0")

    monkeypatch.setattr(run, "ask", noted)
    sessions = paths.DATA / "sessions.ttl"
    assert run.every(scope.chosen([sessions])).checked == (sessions,)
    rest = {name for name, graphs in asked.items() if graphs is None}
    named = {"doubled-label", "foreign-term", "several-values", "split-entity", "unsupported-citation"}
    assert rest == named and len(asked) > 60
    assert all(graphs in (None, [NamedNode(GRAPHS + "sessions")]) for graphs in asked.values())


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
    assert result.exit_code == 1 and result.stdout.startswith("data/more/kit.ttl\ndata/more/kit.ttl:8:21: error")
    assert "Broken elsewhere" not in result.stdout and "Other files have 1 more, not shown." in result.stderr
    result = validated("--changed", "HEAD", "--fail-on", "warning")
    broken = result.stdout.partition("Broken elsewhere by this change:\n")[2]
    assert "data/tom.ttl:7:1: warning: http://example.org/zoo/tom is nobody's friend. [lonely]" in broken
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
    assert "data/new é.ttl:7:25: error" in result.stdout, result.output
    assert "data/tom.ttl:8:21: error" in result.stdout.partition("Broken elsewhere by this change:")[2]
    assert "2 errors, 1 warning in 1 file. 2 of them in files that did not change." in result.stderr


def test_changed_rules_concern_every_file(checkout: Path, repository: Callable[..., str]) -> None:
    write(checkout / "shapes/README.md", "What the shapes are for.\n")
    assert "Nothing that is validated changed against HEAD." in validated("--changed", "HEAD").stderr
    write(checkout / "shapes/common.ttl", SHAPES.replace("interpol:Cat", "owl:Class"))
    result = validated("--changed", "HEAD")
    assert "data/tom.ttl" in result.stdout and "data/more/kit.ttl" in result.stdout


def test_foreign_files_that_changed(checkout: Path, repository: Callable[..., str]) -> None:
    write(checkout / "data/tom.ttl", "zoo:tom interpol:friend zoo:rex .\n")
    result = validated("data", "--shapes", "shapes", "--changed", "HEAD")
    own, _, broken = result.stdout.partition("Broken elsewhere by this change:")
    assert "data/tom.ttl:7:25: error" in own and "kit.ttl" not in own
    assert "data/more/kit.ttl:8:21: error: http://example.org/zoo/kit: A friend is a cat." in broken


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


def foreign(folder: Path, git: Callable[..., str]) -> list[str]:
    """Commit data and shapes of somebody else's, and return how they are named."""
    write(folder / "mine/a.ttl", "zoo:a zoo:next zoo:b .\n")
    write(folder / "mine/b.ttl", "zoo:b a zoo:Stop .\n")
    shape = "zoo:Shape sh:targetSubjectsOf zoo:next ; sh:property [ sh:path zoo:next ; sh:class zoo:Stop ] .\n"
    write(folder / "rules/next.ttl", shape)
    git("add", "--all")
    git("commit", "--quiet", "--message", "foreign")
    return ["mine", "--shapes", "rules"]


@pytest.fixture
def mine(checkout: Path, repository: Callable[..., str]) -> list[str]:
    (checkout / "mine").mkdir()
    (checkout / "rules").mkdir()
    return foreign(checkout, repository)


def test_a_deletion_fails_for_what_it_breaks(checkout: Path, mine: list[str]) -> None:
    (checkout / "mine/b.ttl").unlink()
    result = validated(*mine, "--changed", "HEAD")
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("Broken elsewhere by this change:\nmine/a.ttl\nmine/a.ttl:7:16: error")
    (found,) = json.loads(validated(*mine, "--changed", "HEAD", "--format", "json").stdout)["findings"]
    assert found["broken"] and found["file"] == "mine/a.ttl"


def test_what_was_broken_before_fails_no_change(
    checkout: Path, mine: list[str], repository: Callable[..., str]
) -> None:
    write(checkout / "mine/a.ttl", "# one line more\nzoo:a zoo:next zoo:c .\n")
    repository("commit", "--quiet", "--all", "--message", "broken")
    write(checkout / "mine/a.ttl", "\n# and another\n\nzoo:a zoo:next zoo:c .\n")
    repository("commit", "--quiet", "--all", "--message", "moved")
    write(checkout / "mine/b.ttl", "zoo:b a zoo:Stop ; zoo:name 'b' .\n")
    result = validated(*mine, "--changed", "HEAD")
    assert result.exit_code == 0 and "Other files have 1 more, not shown." in result.stderr, result.output


@pytest.mark.parametrize("gone", ["shapes/other.ttl", "queries/checks/other.rq", "ontology/rules/other.rq"])
def test_a_rule_that_is_gone_concerns_every_file(checkout: Path, repository: Callable[..., str], gone: str) -> None:
    (checkout / "ontology/rules").mkdir()
    (checkout / gone).write_text(CHECK if gone.startswith("queries") else "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }" if gone.endswith("rq") else PREFIXES)  # fmt: skip
    repository("add", "--all")
    repository("commit", "--quiet", "--message", "more rules")
    (checkout / gone).unlink()
    result = validated("--changed", "HEAD")
    assert "in 4 files" in result.stderr, result.output


def test_shapes_that_are_gone_concern_every_file(
    checkout: Path, mine: list[str], repository: Callable[..., str]
) -> None:
    write(checkout / "rules/more.ttl", "zoo:More sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:IRI .\n")
    repository("add", "--all")
    repository("commit", "--quiet", "--message", "more")
    (checkout / "rules/more.ttl").unlink()
    assert "in 2 files" in validated(*mine, "--changed", "HEAD").stderr


def test_a_context_is_read_and_no_more(checkout: Path, mine: list[str]) -> None:
    alone = validated("mine/a.ttl", "--shapes", "rules")
    assert alone.exit_code == 1 and "a.ttl:7:16" in alone.stdout
    assert validated("mine/a.ttl", "--shapes", "rules", "--context", "mine/b.ttl").exit_code == 0
    write(checkout / "mine/b.ttl", "zoo:b a zoo:Stop ; zoo:next zoo:nowhere .\n")
    result = validated("mine/a.ttl", "--shapes", "rules", "--context", "mine")
    assert result.exit_code == 0 and "0 warnings in 1 file." in result.stderr, result.output


def test_a_change_of_the_context_is_a_change(checkout: Path, mine: list[str]) -> None:
    arguments = ("mine/a.ttl", "--shapes", "rules", "--context", "mine", "--changed", "HEAD")
    assert "Nothing that is validated changed" in validated(*arguments).stderr
    write(checkout / "mine/b.ttl", "zoo:b a zoo:Shop .\n")
    result = validated(*arguments)
    assert result.exit_code == 1 and "Broken elsewhere by this change:\nmine/a.ttl" in result.stdout, result.output


def test_changes_count_from_where_the_work_began(
    checkout: Path, mine: list[str], repository: Callable[..., str]
) -> None:
    """Main moved on meanwhile: what it changed is no change of this branch."""
    repository("checkout", "--quiet", "-b", "work")
    repository("checkout", "--quiet", "main")
    write(checkout / "mine/b.ttl", "zoo:b a zoo:Stop ; zoo:name 'new' .\n")
    repository("commit", "--quiet", "--all", "--message", "main moves on")
    repository("checkout", "--quiet", "work")
    for base in ("main", "main...HEAD", "main...", "main..HEAD"):
        assert f"Nothing that is validated changed against {base}." in validated(*mine, "--changed", base).stderr
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:c .\n")
    assert "1 error, 0 warnings in 1 file." in validated(*mine, "--changed", "main").stderr
    repository("checkout", "--quiet", "--force", "--orphan", "alone")
    repository("commit", "--quiet", "--all", "--message", "another history")
    result = validated(*mine, "--changed", "main")
    assert result.exit_code == 2 and "have no commit in common here" in result.stderr


def test_a_submodule_that_moved_is_looked_into(checkout: Path, repository: Callable[..., str], tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always"]

    def git(*arguments: object, cwd: Path = inner) -> None:
        subprocess.run(["git", *settings, *map(str, arguments)], cwd=cwd, check=True, capture_output=True)

    git("init", "--quiet")
    write(inner / "a.ttl", "zoo:a zoo:next zoo:b . zoo:b a zoo:Stop .\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "inner")
    git("submodule", "--quiet", "add", inner, "vocab", cwd=checkout)
    (checkout / "rules").mkdir()
    (checkout / "mine").mkdir()
    foreign(checkout, repository)
    arguments = ("vocab", "--shapes", "rules", "--changed", "HEAD")
    assert "Nothing that is validated changed" in validated(*arguments).stderr
    write(checkout / "vocab/a.ttl", "zoo:a zoo:next zoo:b .\n")
    git("commit", "--quiet", "--all", "--message", "moved", cwd=checkout / "vocab")
    result = validated(*arguments)
    assert result.exit_code == 1 and "vocab/a.ttl:7:16: error" in result.stdout, result.output
    # What a submodule is, the commit that is recorded of it says; its own work is another repository's.
    repository("commit", "--quiet", "--all", "--message", "vocab")
    breaking = ("mine", "--context", "vocab", "--shapes", "rules")
    write(checkout / "mine/b.ttl", "")
    write(checkout / "vocab/a.ttl", "zoo:b a zoo:Stop .\n")
    git("commit", "--quiet", "--all", "--message", "all is well", cwd=checkout / "vocab")
    repository("commit", "--quiet", "--all", "--message", "vocab")
    write(checkout / "vocab/a.ttl", "")
    assert validated(*breaking, "--changed", "HEAD").exit_code == 1
    assert validated(*breaking, "--staged").exit_code == 0
    git("commit", "--quiet", "--all", "--message", "broken", cwd=checkout / "vocab")
    assert "Broken elsewhere by this change:\nmine/a.ttl" in validated(*breaking, "--changed", "HEAD").stdout
    repository("config", "diff.ignoreSubmodules", "all")
    repository("add", "vocab")
    assert validated(*breaking, "--staged").exit_code == 1
    git("submodule", "--quiet", "deinit", "--force", "vocab", cwd=checkout)
    repository("rm", "--quiet", "--cached", "vocab")
    repository("update-index", "--add", "--cacheinfo", "160000," + "1" * 40 + ",vocab")
    result = validated("mine", *arguments[1:])
    assert result.exit_code == 2 and "is a submodule that moved, and is not here" in result.stderr, result.output


def test_what_is_staged_is_judged(checkout: Path, mine: list[str], repository: Callable[..., str]) -> None:
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:c .\n")
    repository("add", "--all")
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:b .\n")
    result = validated(*mine, "--staged")
    assert result.exit_code == 1 and "mine/a.ttl:7:16: error" in result.stdout and "zoo:next" not in result.stderr
    assert validated(*mine, "--changed", "HEAD").exit_code == 0, "the work tree"
    repository("add", "--all")
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:c .\n")
    assert validated(*mine, "--staged").exit_code == 0
    assert "in 2 files" in validated(*mine, "--staged").stderr, "nothing is staged: everything is asked for"


@pytest.mark.parametrize("theirs", ["zoo:a zoo:next zoo:d .\n", None], ids=["changed", "removed"])
def test_what_is_in_conflict_is_not_judged(
    checkout: Path, mine: list[str], repository: Callable[..., str], theirs: str | None
) -> None:
    for branch, text in (("ours", "zoo:a zoo:next zoo:c .\n"), ("theirs", theirs)):
        repository("checkout", "--quiet", "-b", branch, "main")
        if text:
            write(checkout / "mine/a.ttl", text)
        else:
            (checkout / "mine/a.ttl").unlink()
        repository("commit", "--quiet", "--all", "--message", branch)
    with pytest.raises(subprocess.CalledProcessError):
        repository("merge", "ours")
    result = validated(*mine, "--staged")
    assert result.exit_code == 2 and "mine/a.ttl is in conflict: settle it, and stage it with git add" in result.stderr


def test_the_first_commit_is_a_change_of_everything(checkout: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    subprocess.run(["git", "add", "--all"], cwd=checkout, check=True)
    result = validated("--staged")
    assert result.exit_code == 0 and "in 4 files" in result.stderr, result.output


def test_a_hook_in_a_worktree_looks_where_the_files_are(
    checkout: Path, mine: list[str], repository: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository("worktree", "add", "--quiet", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git" / "worktrees" / "other"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    assert "Nothing that is validated changed" in validated(*mine, "--changed", "HEAD").stderr
    write(checkout / "mine/b.ttl", "zoo:b a zoo:Stop ; zoo:name 'b' .\n")
    assert "in 1 file." in validated(*mine, "--changed", "HEAD").stderr


def test_a_name_that_is_no_utf8_ends_2(checkout: Path, mine: list[str]) -> None:
    name = os.fsencode(checkout / "mine") + b"/caf\xe9.ttl"
    with open(name, "w") as file:
        file.write(PREFIXES)
    for arguments in ([*mine, "--changed", "HEAD"], mine, ["mine"]):
        for style in ("text", "json", "sarif"):
            result = validated(*arguments, "--format", style)
            assert result.exit_code == 2 and "caf�.ttl: has a name that is not UTF-8" in result.stderr, result.output


def test_what_changed_in_somebody_elses_repository_needs_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    write(tmp_path / "a.ttl", "")
    monkeypatch.chdir(tmp_path)
    for arguments in (["--staged"], ["a.ttl", "--changed", "HEAD"]):
        result = validated(*arguments)
        assert result.exit_code == 2 and "name PATH and --shapes" in result.stderr


def test_hidden_and_ignored_files_are_left_alone(checkout: Path, mine: list[str]) -> None:
    for name in (".venv/x.ttl", "node_modules/x.ttl", "deep/.cache/x.ttl", "build/x.ttl", ".hidden.ttl"):
        (checkout / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / "mine" / name).write_text("no Turtle")
    (checkout / ".gitignore").write_text("build/\n")
    result = validated(*mine)
    assert result.exit_code == 0 and "in 2 files" in result.stderr, result.output
    assert "not well-formed" in validated("mine/build/x.ttl", "--shapes", "rules").stderr, "who names it means it"
    assert "holds no RDF file that git does not ignore" in validated("mine/build", "--shapes", "rules").stderr


def test_every_broken_file_is_told(checkout: Path, mine: list[str]) -> None:
    write(checkout / "mine/x.ttl", "zoo:x zoo:next\n")
    write(checkout / "mine/y.ttl", "zoo:y zoo:next zoo:b . .\n")
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:c .\n")
    result = validated(*mine)
    assert result.exit_code == 2 and "mine/x.ttl:" in result.stderr and "mine/y.ttl:7:" in result.stderr, result.stderr
    result = validated(*mine, "--keep-going", "--format", "json")
    found = {(item["file"], item["rule"]) for item in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 1
    assert found == {("mine/a.ttl", "sh:ClassConstraintComponent"), ("mine/x.ttl", "syntax"), ("mine/y.ttl", "syntax")}


def test_what_is_linked_changes_with_what_it_is_a_link_to(
    checkout: Path, mine: list[str], repository: Callable[..., str]
) -> None:
    (checkout / "shared").mkdir()
    write(checkout / "shared/c.ttl", "zoo:c zoo:next zoo:b .\n")
    (checkout / "mine/c.ttl").symlink_to("../shared/c.ttl")
    repository("add", "--all")
    repository("commit", "--quiet", "--message", "shared")
    assert "Nothing that is validated changed" in validated(*mine, "--changed", "HEAD").stderr
    write(checkout / "shared/c.ttl", "zoo:c zoo:next zoo:nowhere .\n")
    for how in ("--changed=HEAD", "--staged"):
        result = validated(*mine, how)
        assert result.exit_code == 1 and "mine/c.ttl:7:16: error" in result.stdout, result.output
        repository("add", "--all")


def test_shapes_that_are_imported_concern_every_file(
    checkout: Path, mine: list[str], repository: Callable[..., str]
) -> None:
    write(checkout / "rules/own.ttl", "<> owl:imports <next.ttl> , <urn:else> .\n")
    (checkout / "else").mkdir()
    write(checkout / "else/more.ttl", "zoo:More sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:IRI .\n")
    repository("add", "--all")
    repository("commit", "--quiet", "--message", "imports")
    arguments = ("mine", "--shapes", "rules/own.ttl", "--map", "urn:else=else/more.ttl")
    assert "Nothing that is validated changed" in validated(*arguments, "--changed", "HEAD").stderr
    write(checkout / "else/more.ttl", "zoo:More sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:Literal .\n")
    result = validated(*arguments, "--changed", "HEAD")
    assert result.exit_code == 1 and "in 2 files" in result.stderr, result.output
    repository("add", "--all")
    write(checkout / "else/more.ttl", "zoo:More sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:IRI .\n")
    assert validated(*arguments, "--staged").exit_code == 1, "what is staged is judged by what is staged"


def test_places_in_what_is_staged_are_those_of_the_work(
    checkout: Path, mine: list[str], repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:nowhere .\n")
    repository("add", "--all")
    monkeypatch.chdir(checkout / "mine")
    assert validated(".", "--shapes", "../rules", "--staged").stdout.startswith("mine/a.ttl\nmine/a.ttl:7:16: error")
    monkeypatch.chdir(checkout)
    (checkout / ".gitignore").write_text("tmp/\n")
    (checkout / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(checkout / "tmp"))
    monkeypatch.chdir(checkout / "mine")
    write(checkout / "mine/s.ttl", "zoo:Shape sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:Literal .\n")
    repository("add", "--all")
    assert "file=mine/a.ttl,line=7" in validated(".", "--shapes", "s.ttl", "--staged", "--format", "github").stdout
    monkeypatch.chdir(checkout.parent)
    assert "\nmine/a.ttl:7:16" in validated("checkout/mine", "--shapes", "checkout/rules", "--staged").stdout


def test_what_git_knows_nothing_of_ends_2(checkout: Path, mine: list[str], tmp_path: Path) -> None:
    write(tmp_path / "far.ttl", "zoo:a zoo:next zoo:nowhere .\n")
    for name in ("-", str(tmp_path / "far.ttl")):
        result = validated(*mine, name, "--changed", "HEAD")
        assert result.exit_code == 2 and "is not in the repository" in result.stderr, result.output


def test_a_repository_of_other_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.ttl", "zoo:a zoo:next zoo:b .\n")
    write(tmp_path / "s.ttl", "zoo:Shape sh:targetSubjectsOf zoo:next ; sh:nodeKind sh:Literal .\n")
    subprocess.run(["git", "init", "--quiet", "--object-format=sha256"], check=True)
    subprocess.run(["git", "add", "--all"], check=True)
    for how in ("--changed=HEAD", "--staged"):
        assert "a.ttl:7:1: error" in validated("a.ttl", "--shapes", "s.ttl", how).stdout


def test_several_ways_to_a_file_are_one_file(checkout: Path, mine: list[str]) -> None:
    """Read twice, its blank nodes would be twice as many."""
    write(
        checkout / "rules/next.ttl",
        "zoo:Shape sh:targetNode zoo:a ; sh:property [ sh:path zoo:next ; sh:maxCount 1 ] .\n",
    )
    write(checkout / "mine/a.ttl", "zoo:a zoo:next [ ] .\n")
    (checkout / "mine/0.ttl").symlink_to("a.ttl")
    (checkout / "more").mkdir()
    (checkout / "more/a.ttl").symlink_to("../mine/a.ttl")
    result = validated("mine", "more", *mine, "--context", "more")
    assert result.exit_code == 0 and "in 2 files" in result.stderr, result.output


def test_links_lead_somewhere_or_are_told(checkout: Path, mine: list[str]) -> None:
    (checkout / "blob").write_text(PREFIXES + "zoo:a zoo:next zoo:nowhere .\n")
    for name, target in {"blob.ttl": "blob", "loop.ttl": "loop.ttl", "mine/gone.ttl": "nowhere.ttl"}.items():
        (checkout / name).symlink_to(target)
    assert "blob.ttl:7:16: error" in validated("blob.ttl", "--shapes", "rules").stdout
    for arguments in (["loop.ttl", "--shapes", "rules"], ["mine", "--shapes", "loop.ttl"], ["loop.ttl"]):
        result = validated(*arguments)
        assert result.exit_code == 2 and "loop.ttl: does not exist" in result.stderr, result.output
    result = validated(*mine)
    assert result.exit_code == 2 and "mine/gone.ttl: cannot be read: No such file" in result.stderr, result.output


def test_what_editors_leave_in_a_checkout_is_not_read(checkout: Path) -> None:
    for folder in ("data", "shapes", "ontology"):
        (checkout / folder / ".#open.ttl").symlink_to("me@machine.1234")
        (checkout / folder / "folder.ttl").mkdir()
    assert validated().exit_code == 0


def test_a_statement_that_cannot_be_judged_is_a_finding_of_its_file(checkout: Path, mine: list[str]) -> None:
    write(checkout / "mine/x.ttl", "zoo:x zoo:next <<( zoo:a zoo:b zoo:c )>> .\n")
    write(checkout / "mine/y.ttl", 'zoo:y zoo:says " <<( " .\n')
    write(checkout / "mine/a.ttl", "zoo:a zoo:next zoo:c .\n")
    assert validated(*mine).exit_code == 2
    found = json.loads(validated(*mine, "--keep-going", "--format", "json").stdout)["findings"]
    assert {(item["file"], item["rule"]) for item in found} == {
        ("mine/a.ttl", "sh:ClassConstraintComponent"),
        ("mine/x.ttl", "unreadable"),
    }


def test_prefixes_stand_where_turtle_declares_them(checkout: Path) -> None:
    text = PREFIXES.replace("\n", " ") + "PREFIX owl: <http://else/>\n# @prefix a: <http://a/> .\n"
    (checkout / "data/tom.ttl").write_text(
        text + 'zoo:tom a interpol:Cat ; interpol:friend zoo:kit ; zoo:says """\n@prefix b: <http://b/> .\n""" .'
    )
    found = json.loads(validated("--format", "json").stdout)["findings"]
    assert [(item["rule"], item["focus"], item["line"]) for item in found] == [("prefix", "owl:", 1)]
