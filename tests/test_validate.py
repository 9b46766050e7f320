"""`interpol-graph validate`: nothing to say of the repository, and the finger on the line of a damaged copy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import ROOT
from interpol_graph.cli import main


@pytest.fixture(scope="module")
def validated() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, ["validate", *map(str, arguments)])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project's four folders, to be damaged."""
    for folder in ("ontology", "data", "shapes", "queries"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def damage(file: Path, old: str, new: str) -> int:
    """Replace the first `old` by `new` and return its line number, counted from 1."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file} does not hold {old!r}"
    line = text[: text.index(old)].count("\n") + 1
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return line


def test_the_repository_is_clean(validated: Callable[..., Result]) -> None:
    result = validated()
    assert result.exit_code == 0, result.output


def test_every_kind_of_damage_is_found_at_its_line(validated: Callable[..., Result], copy: Path) -> None:
    sessions = copy / "data" / "sessions.ttl"
    lines = {
        "ill-typed-literal": damage(sessions, '"2015-11-02"^^xsd:date', '"2015-13-02"^^xsd:date'),
        "undeclared-term": damage(sessions, 'interpol:endDate "2015-11-05"', 'interpol:endDatum "2015-11-05"'),
        "dangling-reference": damage(sessions, "interpol:place place:nusa-dua", "interpol:place place:nusa-duo"),
    }
    block = sessions.read_text(encoding="utf-8").index("\nsession:90 ")
    text = sessions.read_text(encoding="utf-8")
    french = re.compile(r"    rdfs:label [^\n]*@fr ;\n")
    sessions.write_text(text[:block] + french.sub("", text[block:], count=1), encoding="utf-8")
    lines["shape:Labelled-fr"] = text[: text.index("rdfs:label", block)].count("\n") + 1
    result = validated(copy)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    for rule, line in lines.items():
        assert re.search(rf"sessions\.ttl:{line}: error: .*{rule}", result.output), (
            f"{rule} at line {line} in:\n{result.output[:4000]}"
        )
    assert "session:90" in result.output and "interpol:endDate" in result.output


def test_a_removed_citation_is_named(validated: Callable[..., Result], copy: Path) -> None:
    sessions = copy / "data" / "sessions.ttl"
    text = sessions.read_text(encoding="utf-8")
    start = text.index("\nsession:84 ")
    end = text.index("\n\n", start)
    block = re.sub(
        r"    interpol:citation \[[^\n]*interpol:place[^\n]*\] [;.]\n?",
        "",
        text[start:end].rstrip(" .") + " ;\n",
    )
    sessions.write_text(text[:start] + block.rstrip("; \n") + " ." + text[end:], encoding="utf-8")
    result = validated(copy)
    assert result.exit_code == 1
    line = (text[:start] + block).split("\n").index("    interpol:place place:kigali ;") + 1
    assert re.search(rf"sessions\.ttl:{line}: error: session:84: .*interpol:place.*uncited-fact", result.output), (
        result.output
    )


def test_shapes_and_data_that_have_nothing_to_do_with_us(validated: Callable[..., Result], tmp_path: Path) -> None:
    shapes, good, bad = (tmp_path / name for name in ("shapes.ttl", "good.ttl", "bad.ttl"))
    prefixes = "@prefix ex: <http://example.org/> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
    shapes.write_text(
        prefixes
        + 'ex:Shape a sh:NodeShape ; sh:targetClass ex:Cat ; sh:property [ sh:path ex:age ; sh:minCount 1 ; sh:message "A cat has an age." ] .\n'
    )
    good.write_text(prefixes + "ex:tom a ex:Cat ;\n    ex:age 3 .\n")
    bad.write_text(prefixes + "ex:tom a ex:Cat ;\n    ex:name 'Tom' .\n")
    assert validated(good, "--shapes", shapes).exit_code == 0
    result = validated(bad, "--shapes", shapes)
    assert result.exit_code == 1 and "bad.ttl:3: error: http://example.org/tom: A cat has an age." in result.output


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.ttl", None, "does not exist"),
        ("cut.ttl", b'@prefix ex: <http://example.org/> .\nex:a ex:b "never ends', "cut.ttl:2:"),
        ("latin.ttl", "@prefix ex: <http://example.org/> .\nex:a ex:b 'é' .".encode("latin-1"), "UTF-8"),
        ("binary.ttl", bytes(range(256)), "not well-formed"),
        ("table.xlsx", b"", "suffix"),
    ],
)
def test_what_cannot_be_read_ends_2_with_a_sentence(
    validated: Callable[..., Result], tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = validated(tmp_path / name)
    assert result.exit_code == 2
    assert words in result.output and "Traceback" not in result.output
