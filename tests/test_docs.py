"""What the READMEs say is there, is there: paths, commands, options, make targets, addresses, modules."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from conftest import ROOT
from interpol_graph.cli.main import main
from interpol_graph.endpoint import sparql
from interpol_graph.graph.prefixes import sparql_header
from interpol_graph.graph.store import KnowledgeGraph

FOLDERS = ("ontology", "data", "shapes", "server", "queries", "tests", "benchmarks")
#: Every README of ours: not those of environments, caches and packages.
READMES = sorted(
    path
    for path in ROOT.rglob("README.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in READMES}
MAIN = TEXTS[ROOT / "README.md"]
ALL = "\n".join(TEXTS.values())
TARGETS = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
_CONTEXT = click.Context(main)
COMMANDS = {name: command for name in main.list_commands(_CONTEXT) if (command := main.get_command(_CONTEXT, name))}
OPTIONS = {
    option
    for command in COMMANDS.values()
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
    if option.startswith("--")
}
each_readme = pytest.mark.parametrize("path", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())


def code(text: str) -> list[str]:
    """Return what stands between backticks within lines."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def anchors(path: Path) -> set[str]:
    """Return what a link into a README may name: its headings, as they are written in addresses."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_readmes_are_found() -> None:
    assert {ROOT / "README.md", *(ROOT / folder / "README.md" for folder in FOLDERS)} <= {*READMES}


def test_a_newcomer_reads_the_first_one_in_three_minutes() -> None:
    assert len(MAIN.splitlines()) <= 150


@each_readme
def test_every_path_in_a_readme_exists(path: Path) -> None:
    text = TEXTS[path]
    for link, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", text):
        target = path.parent / link if link else path
        assert target.exists(), f"{link} is gone"
        assert not anchor or anchor in anchors(target), f"{link}#{anchor} is gone"
    for name in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", text):
        assert (ROOT / name).exists(), f"{name} is gone"


def test_the_known_deviations_are_those_of_the_table() -> None:
    row = "| {name} | {effect} | [{specification}]({see}) | `{instead}` |"
    text = TEXTS[ROOT / "server" / "README.md"].partition("## Known deviations")[2].partition("\n## ")[0]
    rows = [
        row.format_map({key: str(value).replace("|", "\\|") for key, value in deviation.items()})
        for deviation in sparql.DEVIATIONS["deviations"]
    ]
    assert rows == text.strip().split("\n")[4:]


@each_readme
def test_every_option_in_a_readme_exists(path: Path) -> None:
    # The benchmarks have options of their own.
    others = "".join(module.read_text(encoding="utf-8") for module in (ROOT / "benchmarks").glob("*.py"))
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(code(TEXTS[path]))):
        assert option in OPTIONS or f'"{option}"' in others, f"there is no {option}"


@each_readme
def test_every_command_and_target_in_a_readme_exists(path: Path) -> None:
    for name in re.findall(r"^(?:\$ )?interpol-graph (\w+)|`interpol-graph (\w+)", TEXTS[path], re.MULTILINE):
        assert "".join(name) in COMMANDS
    for name in re.findall(r"(?:^|`)make ([\w-]+)", TEXTS[path], re.MULTILINE):
        assert name in TARGETS


@each_readme
def test_every_address_in_a_readme_leads_somewhere(app: Flask, path: Path) -> None:
    addresses = app.url_map.bind("localhost")
    for name in code(TEXTS[path]):
        if re.fullmatch(r"/[a-z][\w./?=-]*", name) and not name.startswith(("/opt", "/proc")) and name != "/metrics":
            try:
                addresses.match(name.partition("?")[0])
            except NotFound:
                pytest.fail(f"nothing answers at {name}")


def test_every_room_and_module_of_the_house_exists() -> None:
    text = TEXTS[ROOT / "server" / "README.md"]
    package = ROOT / "server" / "interpol_graph"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    house = text.partition("## The house")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)/` \|", house, re.MULTILINE)) == rooms
    modules = re.findall(rf"`((?:{'|'.join(sorted(rooms))})/\w+)`", house)
    assert len(modules) >= 10
    assert [name for name in modules if not (package / f"{name}.py").is_file()] == []


def test_every_command_and_option_is_in_a_readme() -> None:
    for name in COMMANDS:
        assert f"interpol-graph {name}" in MAIN
    assert {option for option in OPTIONS if option not in ALL} == set()


def test_every_make_target_is_in_the_readme() -> None:
    assert {target for target in TARGETS if f"make {target}" not in MAIN} == set()


def test_an_example_in_the_ontology_holds(graph: KnowledgeGraph) -> None:
    """The thing that it names is there and as it says, unless it is a form to fill in (KEY), or tells of a rule or a node."""
    found = graph.store.query(f"{sparql_header()}SELECT ?example {{ ?term skos:example ?example }}")
    examples = [row["example"].value for row in found]  # type: ignore[union-attr,index]
    told = [text for text in examples if "KEY" not in text and text[0] not in '"[']
    assert len(told) > 200
    asked = {text: text if " " in text else f"{text} ?p ?o" for text in told}
    assert [text for text, asks in asked.items() if not graph.store.query(f"{sparql_header()}ASK {{ {asks} }}")] == []


def test_no_path_of_a_machine_is_committed() -> None:
    # Without an index, so that a copy without .git is searched as well.
    pattern = ["-nE", "/(work|home|root|tmp)/[a-z]"]
    left_out = [":!tests/test_docs.py", ":!data/sources"]
    found = subprocess.run(
        ["git", "grep", "--no-index", "--exclude-standard", *pattern, "--", ".", *left_out],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (1, ""), found.stderr
