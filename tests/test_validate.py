"""`interpol-graph validate`: nothing to say of the repository, and the finger on the line of a damaged copy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import ROOT
from interpol_graph.cli.main import main


@pytest.fixture(scope="module")
def validated() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, ["validate", *map(str, arguments)])


def without(text: str, session: str, lines: str) -> str:
    """Return the sessions, one of them without the lines that a pattern fits."""
    start = text.index(f"\nsession:{session} ")
    end = text.index("\n\n", start)
    shorter, times = re.subn(rf"    {lines} ;\n", "", text[start:end])
    assert times
    return text[:start] + shorter + text[end:]


def line(text: str, words: str, after: int = 0) -> int:
    """Return the number of the line where some words stand, counted from 1."""
    return text.count("\n", 0, text.index(words, after)) + 1


def test_the_repository_is_clean(validated: Callable[..., Result]) -> None:
    result = validated()
    assert result.exit_code == 0, result.output


def test_every_kind_of_damage_is_found_at_its_line(validated: Callable[..., Result], tmp_path: Path) -> None:
    for folder in ("ontology", "data", "shapes", "queries"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    sessions = tmp_path / "data" / "sessions.ttl"
    text = without(sessions.read_text(encoding="utf-8"), "84", r"interpol:citation \[[^\n]*interpol:place[^\n]*\]")
    text = without(text, "90", r"rdfs:label [^\n]*@fr")
    lines = {
        "shape:Labelled-fr": line(text, "rdfs:label", text.index("\nsession:90 ")),
        "session:84: .*interpol:place.*uncited-fact": line(text, "interpol:place place:kigali"),
    }
    for rule, old, new in (
        ("ill-typed-literal", '"2015-11-02"^^xsd:date', '"2015-13-02"^^xsd:date'),
        ("undeclared-term", 'interpol:endDate "2015-11-05"', 'interpol:endDatum "2015-11-05"'),
        ("dangling-reference", "interpol:place place:nusa-dua", "interpol:place place:nusa-duo"),
    ):
        lines[rule] = line(text, old)
        text = text.replace(old, new, 1)
    sessions.write_text(text, encoding="utf-8")
    result = validated(tmp_path)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    for rule, number in lines.items():
        assert re.search(rf"sessions\.ttl:{number}:\d+: error: .*{rule}", result.output), (
            f"{rule} at line {number} in:\n{result.output[:4000]}"
        )
    assert "session:90" in result.output and "interpol:endDate" in result.output


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
    assert result.exit_code == 1 and "bad.ttl:3:1: error: http://example.org/tom: A cat has an age." in result.output


CAT = "@prefix ex: <http://example.org/> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\nex:tom a ex:Cat .\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.ttl", None, "missing.ttl: does not exist"),
        (
            "cut.ttl",
            b'@prefix ex: <http://example.org/> .\nex:a ex:b "never ends',
            "cut.ttl:2:11: is not well-formed Turtle",
        ),
        ("latin.ttl", "# 1\n# 23 é".encode("latin-1"), "latin.ttl:2:6: is not UTF-8: byte 0xe9"),
        ("binary.ttl", bytes(range(256)), "binary.ttl: is a binary file, not Turtle"),
        ("table.xlsx", b"", "suffix"),
        ("large.ttl", b"# padding\n" * (3 << 20) + b"<http://example.org/a> a <http://example.org/B> .", "up to 1 MiB"),
    ],
)
@pytest.mark.parametrize("style", ["text", "sarif", "github"])
@pytest.mark.parametrize("as_shapes", [False, True], ids=["data", "shapes"])
def test_what_cannot_be_read_ends_2_with_a_sentence(
    validated: Callable[..., Result],
    tmp_path: Path,
    name: str,
    content: bytes | None,
    words: str,
    style: str,
    as_shapes: bool,
) -> None:
    """Whether it is data or shapes; and a report in a format for programs says it too."""
    bad, good = tmp_path / name, tmp_path / "good.ttl"
    good.write_text(CAT)
    if content is not None:
        bad.write_bytes(content)
    arguments = [good, "--shapes", bad] if as_shapes else [bad]
    result = validated(*arguments, "--format", style, "--max-size", 1)
    assert result.exit_code == 2
    assert words in result.stderr and "Traceback" not in result.output
    assert len(result.stderr.splitlines()) <= 3
    if style != "text":
        assert words.split(": ")[-1] in result.stdout


def test_a_cut_file_is_shown_with_its_line(validated: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "cut.ttl").write_text('@prefix ex: <http://example.org/> .\nex:a ex:b "never ends')
    _, line, caret = validated(tmp_path / "cut.ttl").stderr.splitlines()
    assert line == '     2 | ex:a ex:b "never ends' and caret.index("^") == line.index('"')


def test_a_folder_without_turtle_ends_2(validated: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    result = validated(tmp_path)
    assert result.exit_code == 2 and "holds no RDF file; looked for .ttl" in result.stderr


@pytest.mark.parametrize(
    "shape",
    [
        "ex:S sh:targetClass ex:Cat ; sh:property [ sh:minCount 1 ] .",
        "ex:S sh:targetClass ex:Cat ; sh:property [ sh:path ex:age ; sh:minCount 'one' ] .",
        "ex:S sh:targetClass ex:Cat ; sh:property [ sh:path ex:age ; sh:pattern '(' ] .",
        "ex:S sh:targetClass ex:Cat ; sh:in ex:tom .",
        "ex:S sh:targetClass ex:Cat ; sh:sparql [ sh:select 'SELECT $this WHERE {' ] .",
    ],
)
def test_shapes_that_cannot_be_used_end_2_with_their_place(
    validated: Callable[..., Result], tmp_path: Path, shape: str
) -> None:
    (tmp_path / "data.ttl").write_text(CAT)
    (tmp_path / "shapes.ttl").write_text(CAT.replace("ex:tom a ex:Cat .\n", "") + "ex:S a sh:NodeShape .\n" + shape)
    result = validated(tmp_path / "data.ttl", "--shapes", tmp_path / "shapes.ttl", "--strict")
    assert result.exit_code == 2, result.output
    assert re.search(r"shapes\.ttl:[34]:\d+: ", result.stderr), result.stderr
    assert "Traceback" not in result.output


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """50 MB of valid Turtle: told within seconds, by a process that may use little memory."""
    large = tmp_path / "large.ttl"
    with large.open("w") as file:
        file.write("@prefix ex: <http://example.org/> .\n")
        file.writelines(
            f"ex:subject{n} ex:property ex:object{n} , 'some words to fill the line' .\n" for n in range(700_000)
        )
    assert large.stat().st_size > 50_000_000
    script = "import resource, sys, runpy; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); runpy.run_module('interpol_graph')"
    command = [sys.executable, "-c", script, "validate", str(large)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert f"{large}: has " in done.stderr and "files up to 32 MiB are validated (--max-size" in done.stderr
