"""The commands: query, dump, fmt, serve. (validate has its own file.)"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pyoxigraph import NamedNode, RdfFormat, parse

from conftest import ROOT, busy, descendants, free_port, wait
from interpol_graph.cli import query
from interpol_graph.cli.main import main
from interpol_graph.engine import client
from interpol_graph.graph import questions
from interpol_graph.graph.files import project_files
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import KnowledgeGraph

NUMBER = "PREFIX interpol: <https://w3id.org/interpol-graph/ontology#> SELECT ?number { <https://w3id.org/interpol-graph/id/session/84> interpol:number ?number }"


@pytest.fixture(scope="module", autouse=True)
def stores() -> None:
    """The graph as `query` reads it, which its children inherit: each would read it again."""
    for named in (False, True):
        client._store(named)


def run(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments), input=stdin)
    return result.exit_code, result.output


def test_a_saved_question_by_name() -> None:
    code, output = run("query", "president-on-day", "--param", "day=2015-11-05")
    assert code == 0 and "mireille-ballestrazzi" in output


def at_terminal(stream: str, *arguments: str) -> str:
    """Return what a command writes to one of its streams when that is a terminal."""
    command = [sys.executable, "-m", "interpol_graph", *arguments]
    surroundings = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    terminal, other = os.openpty()
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: other}
    with subprocess.Popen(command, env=surroundings, **streams):
        os.close(other)
        written = b""
        with suppress(OSError):  # so ends a terminal
            while piece := os.read(terminal, 1 << 16):
                written += piece
    os.close(terminal)
    return written.decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Who presided over the Organisation on a given day?", "President ", "France", "certain", "Rows: 1"]),
        ("fr", ["Qui présidait l’Organisation un jour donné\u202f?", "Président ", "France", "Lignes\xa0: 1"]),
    ],
)
def test_a_terminal_gets_a_table(language: str, words: list[str]) -> None:
    text = at_terminal("stdout", "query", "president-on-day", "-p", "day=2015-11-05", "--lang", language)
    for word in [*words, "Mireille Ballestrazzi"]:
        assert word in text
    assert "https://" not in text and "personLabel" not in text


def test_a_terminal_is_told_how_far_a_validation_is(tmp_path: Path) -> None:
    (tmp_path / "data.ttl").write_text("<x:a> a <x:Thing> .")
    shape = "<x:S{0}> a sh:NodeShape ; sh:targetClass <x:Thing> ; sh:nodeKind sh:IRI ."
    shapes = "".join(f"{shape.format(number)}\n" for number in range(3))
    (tmp_path / "shapes.ttl").write_text("@prefix sh: <http://www.w3.org/ns/shacl#> .\n" + shapes)
    command = "validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl")
    told = at_terminal("stderr", *command)
    assert "Judging by shapes" in told and "3/3" in told and told.rstrip().endswith("0 errors, 0 warnings in 1 file.")
    assert "Judging" not in run(*command)[1]


def test_a_table_is_as_wide_as_the_terminal_and_has_no_empty_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows: list[dict[str, Any]] = [
        {"thing": "https://w3id.org/interpol-graph/id/session/84", "thingLabel": None, "n": 7, "none": None, "sure": True},
        {"thing": "https://w3id.org/interpol-graph/id/place/x", "thingLabel": "[bold]a name " * 9, "n": None, "none": None, "sure": None},
    ]  # fmt: skip
    query.show(rows, None, "en")
    text = capsys.readouterr().out
    assert all(len(line) <= 60 for line in text.splitlines())
    assert "session:84" in text and "[bold]a name" in text and "True" in text and "Rows: 2" in text
    assert "none" not in text and "thingLabel" not in text
    query.show([], None, "en")
    query.show([], None, "fr")
    assert capsys.readouterr().out.splitlines() == [
        "No row answers this query.",
        "Aucune ligne ne répond à cette requête.",
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_list_has_every_question_by_subject(language: str) -> None:
    code, output = run("query", "--list", "--lang", language)
    assert code == 0
    for question in questions.saved().values():
        assert re.search(rf"^  {question.name} +{re.escape(question.title[language])}$", output, re.MULTILINE)
    assert {"en": "\nElections\n  contested-", "fr": "\nÉlections\n  contested-"}[language] in output


def test_a_query_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "mine.rq").write_text(NUMBER)
    assert run("query", str(tmp_path / "mine.rq")) == (0, "number\n84\n")
    assert run("query", "-", "--format", "tsv", stdin=NUMBER) == (0, "?number\n84\n")
    code, output = run("query", "-", stdin="CONSTRUCT WHERE { ?s ?p 84 }")
    assert code == 0 and "interpol:number 84" in output


def test_a_remote_endpoint_is_asked_through_http(server: str) -> None:
    endpoint = ["--endpoint", f"{server}/sparql"]
    code, output = run("query", "president-on-day", "-p", "day=2015-11-05", *endpoint)
    assert code == 0 and "mireille-ballestrazzi" in output
    code, output = run("query", "-", *endpoint, stdin="CONSTRUCT WHERE { ?s ?p 84 }")
    assert code == 0 and "interpol:number 84" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query", "presidents-on-day"], "did you mean president-on-day or"),
        (["query", "no-such-question"], "--list shows"),
        (["query"], "Name a saved question"),
        (["query", "operations-by-country", "-p", "country=Rwnda"], "did you mean RW (Rwanda)?"),
        (["query", "-", "-p", "day=2015-11-05"], "declares parameters"),
        (["query", "president-on-day", "-p", "day=soon"], "a day such as"),
        (["query", "president-on-day", "-p", "day"], "KEY=VALUE"),
        (["query", "president-on-day", "--endpoint", "http://127.0.0.1:1/sparql"], "cannot be reached"),
        (["dump", "--graph", "nowhere"], "graphs are:"),
        (["fmt", "nowhere.ttl"], "does not exist"),
        (["validate", "--shapes", "nowhere.ttl"], "needs the files"),
        (["validate", "--rules", "--output", "/dev/full"], "the report cannot be written: No space left"),
        (["dump", "--graph", "sessions", "--output", "/dev/full"], "the dump cannot be written: No space left"),
        (["query", "president-on-day", "--endpoint", "nowhere"], "'nowhere'"),
    ],
)
def test_what_cannot_run_ends_2_with_a_sentence(arguments: list[str], words: str) -> None:
    code, output = run(*arguments)
    assert code == 2 and words in output and "Traceback" not in output


def test_serve_without_its_data_ends_2_with_a_sentence() -> None:
    # In a process of its own: `serve` forks, and a fork of the tests would go on testing.
    command = [sys.executable, "-m", "interpol_graph", "serve", "--port", str(free_port()), "--data", "nowhere.ttl"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "does not exist" in ended.stderr and "Traceback" not in ended.stderr


def test_malformed_queries_end_2_with_line_and_column() -> None:
    code, output = run("query", "-", stdin="SELECT * WHERE {\n ?s ?p }")
    assert code == 2 and "line 2, column" in output


def test_a_query_that_names_no_graph_and_one_that_does_see_the_same_statements() -> None:
    """They are answered from two stores: the second holds the named graphs, too."""
    count = "SELECT (COUNT(*) AS ?statements) (COUNT(DISTINCT ?node) AS ?blank) { ?s ?p ?o OPTIONAL { FILTER (isBLANK(?s)) BIND(?s AS ?node) } }"
    plain = run("query", "-", stdin=count)
    assert plain == run("query", "-", stdin=count + " # graph") and plain[0] == 0
    code, output = run("query", "-", stdin="SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    assert code == 0 and int(output.split()[1]) > 0
    code, output = run("query", "-", stdin="SELECT (COUNT(*) AS ?n) { gr\\u0061ph ?g { ?s ?p ?o } }")
    assert code == 2 and "unexpected" in output


def test_a_file_that_is_no_text_ends_2_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine.rq").write_bytes(b"ASK { ?s ?p '\xff' }")
    code, output = run("query", str(tmp_path / "mine.rq"))
    assert code == 2 and "cannot be read as UTF-8 text" in output
    (tmp_path / "mine.rq").write_bytes(b"\xef\xbb\xbfASK { }")
    assert run("query", str(tmp_path / "mine.rq")) == (0, "boolean\ntrue\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * {" + "{" * 20000 + "}" * 20001, "nested too deeply"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/sparql> { ?s ?p ?o } }", "SERVICE"),
    ],
    ids=["deep", "elsewhere"],
)
def test_a_query_that_cannot_be_evaluated_ends_2_with_a_sentence(text: str, words: str) -> None:
    code, output = run("query", "-", stdin=text)
    assert code == 2 and words in output


def test_a_fault_of_the_program_is_no_fault_of_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "filled", lambda *_: {}["gone"])
    shown = CliRunner().invoke(main, ["query", "classes"])
    assert shown.exit_code == 2 and "a fault of interpol-graph: KeyError: 'gone'" in shown.output


def test_an_interrupted_query_ends_at_once() -> None:
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    command = [sys.executable, "-m", "interpol_graph", "query", "-"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Where a script started the tests in the background, they ignore the signal, and so would the command.
    with subprocess.Popen(command, **pipes, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        assert process.stdin is not None
        process.stdin.write(endless)
        process.stdin.close()
        # A child reads the graph, in less than that, and evaluates.
        wait(lambda: process.poll() is not None or any(busy(pid) > 2 for pid, _, _ in descendants(process.pid)))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) != 0
        assert process.stderr is not None and "Traceback" not in process.stderr.read()


def test_an_answer_in_a_format_of_another_kind_ends_2_with_a_sentence() -> None:
    code, output = run("query", "-", "--format", "turtle", stdin=NUMBER)
    assert code == 2 and "rows or a boolean" in output and "csv" in output


def test_literals_stand_as_in_the_files(graph: KnowledgeGraph) -> None:
    """The files themselves, read without the store, against the dump."""
    files = {
        str(quad.object)
        for file in project_files()
        for quad in file.quads()
        if quad.object.__class__.__name__ == "Literal"
    }
    dump = {str(quad.object) for quad in graph.exact if quad.object.__class__.__name__ == "Literal"}
    assert len(files) > 1000
    assert files <= dump


def test_the_real_command_writes_the_bytes_of_a_dump(graph: KnowledgeGraph) -> None:
    graph.dump(file := BytesIO(), BY_NAME["turtle"])
    command = [sys.executable, "-m", "interpol_graph", "dump"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == file.getvalue()


def test_one_named_graph_in_a_format_and_a_file_of_ones_own(
    graph: KnowledgeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interpol_graph.cli.main.KnowledgeGraph", lambda *_, **__: graph)
    chosen = ["--graph", "sessions", "--format", "ntriples", "--output", str(tmp_path / "dump")]
    assert run("dump", *chosen) == (0, "")
    sessions = set(parse(graph.exact.united(NamedNode(GRAPHS + "sessions")), RdfFormat.N_TRIPLES))
    assert set(parse(path=tmp_path / "dump", format=RdfFormat.N_TRIPLES)) == sessions != set()


def test_the_files_are_formatted() -> None:
    code, output = run("fmt", "--check")
    assert code == 0, output


def test_deprecated_terms_are_replaced(tmp_path: Path) -> None:
    path, prefix = tmp_path / "mine.ttl", "@prefix interpol: <https://w3id.org/interpol-graph/ontology#> .\n"
    text = '\n<urn:x-a> interpol:plannedEnd "interpol:plannedEnd" . # interpol:plannedEnd\n'
    path.write_text(prefix + text, encoding="utf-8")
    code, output = run("fmt", "--check", str(path))
    assert code == 1 and "mine.ttl: deprecated terms" in output
    assert path.read_text(encoding="utf-8") == prefix + text
    assert run("fmt", str(path))[0] == 0
    assert path.read_text(encoding="utf-8") == prefix + text.replace("plannedEnd", "scheduledEnd", 1)
    assert run("fmt", "--check", str(path))[0] == 0


def test_what_only_looks_like_a_deprecated_term_stays(tmp_path: Path) -> None:
    path, space = tmp_path / "mine.ttl", "https://w3id.org/interpol-graph"
    text = f"""@prefix interpol: <{space}/ontology#> .
@prefix organ: <{space}/id/organ/> .
@prefix old.interpol: <urn:x-old/> .

<urn:x-a> interpol:offices organ:president ;
    interpol:plannedEnd.note 'organ:president' ;
    old.interpol:plannedEnd '''organ:president
organ:president \\''' ''' .
"""
    path.write_text(text, encoding="utf-8")
    assert run("fmt", str(path))[0] == 0
    renewed = path.read_text(encoding="utf-8")
    assert "interpol:offices interpol:President ;" in renewed and renewed.count("organ:president") == 3
    assert "interpol:plannedEnd.note" in renewed and "old.interpol:plannedEnd" in renewed
    assert run("validate", str(path))[1].count("[deprecated-term]") == 0


def test_what_became_an_event_or_an_inverse_is_left_to_its_author_and_found(tmp_path: Path) -> None:
    path = tmp_path / "mine.ttl"
    text = (
        "@prefix interpol: <https://w3id.org/interpol-graph/ontology#> .\n\n<urn:x-a> interpol:component <urn:x-b> ;\n"
    )
    path.write_text(
        text + '    interpol:handover "2014"^^<http://www.w3.org/2001/XMLSchema#gYear> .\n', encoding="utf-8"
    )
    assert run("fmt", str(path))[0] == 0
    found = run("validate", str(path))[1]
    assert "mine.ttl:3:" in found and "mine.ttl:4:" in found and found.count("[deprecated-term]") == 2


def test_an_unformatted_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "loose.ttl").write_text("@prefix ex:   <http://example.org/> .\n\nex:a   ex:b ex:c .\n")
    assert run("fmt", "--check", str(tmp_path))[0] == 1
    assert run("fmt", str(tmp_path))[0] == 0
    assert run("fmt", "--check", str(tmp_path))[0] == 0


def test_every_option_is_explained() -> None:
    context = click.Context(main)
    names = main.list_commands(context)
    assert {"serve", "validate", "query", "dump", "fmt"} <= set(names)
    for name in names:
        command = main.get_command(context, name)
        assert command is not None
        assert command.help, name
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{name} {option.name}"


def test_the_package_version_is_the_ontology_version() -> None:
    from interpol_graph import __version__

    assert f'owl:versionInfo "{__version__}"' in (ROOT / "ontology" / "interpol.ttl").read_text(encoding="utf-8")
