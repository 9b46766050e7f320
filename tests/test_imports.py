"""What shapes import: beside them, in a catalogue, mapped, fetched only where that is allowed; what cannot be had is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interpol_graph.cli.main import main
from interpol_graph.validation import imports

PREFIXES = """@prefix ex: <http://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .

"""
IMPORTED = "<http://example.org/more> a owl:Ontology . ex:More sh:targetNode ex:x ; sh:nodeKind sh:Literal .\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    imports._neighbours.cache_clear()
    imports._catalogue.cache_clear()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes").mkdir()
    (tmp_path / "data.ttl").write_text(PREFIXES + "ex:x ex:p 1 .\n")
    return tmp_path


def validated(imported: str, *arguments: str) -> Result:
    shape = "ex:S sh:targetNode ex:x ; sh:nodeKind sh:IRI .\n"
    Path("shapes/own.ttl").write_text(PREFIXES + f"<http://example.org/own> owl:imports {imported} .\n{shape}")
    return CliRunner().invoke(main, ["validate", "data.ttl", "--shapes", "shapes/own.ttl", *arguments])


@pytest.mark.parametrize("name", ["<http://example.org/more>", "<http://example.org/more#>", "<any-name.ttl>"])
def test_a_file_beside_the_shapes(folder: Path, name: str) -> None:
    (folder / "shapes" / "any-name.ttl").write_text(PREFIXES + IMPORTED)
    (folder / "shapes" / "no.ttl").write_text("no Turtle")
    result = validated(name)
    assert result.exit_code == 1 and "http://example.org/More" in result.stdout, result.output
    assert "[import]" not in result.stdout


def test_a_catalogue(folder: Path) -> None:
    (folder / "else").mkdir()
    (folder / "else" / "a b.ttl").write_text(
        PREFIXES + IMPORTED.replace("<http://example.org/more> a owl:Ontology .", "")
    )
    entry = '<uri name="http://example.org/more" uri="../else/a%20b.ttl"/>'
    text = f'<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">{entry}</catalog>'
    (folder / "shapes" / imports.CATALOGUE).write_text(text)
    assert validated("<http://example.org/more>").exit_code == 1


def test_a_map(folder: Path) -> None:
    (folder / "m.ttl").write_text(PREFIXES + IMPORTED.replace("example.org/more", "example.org/called/otherwise"))
    result = validated("<http://example.org/more>", "--map", "http://example.org/more=m.ttl")
    assert result.exit_code == 1 and "[import]" not in result.stdout, result.output


def test_imports_of_imports_that_go_round(folder: Path) -> None:
    round_ = "<http://example.org/more> owl:imports <http://example.org/own> , <http://example.org/third> .\n"
    (folder / "shapes" / "more.ttl").write_text(PREFIXES + round_ + IMPORTED.replace("ex:More", "ex:Second"))
    (folder / "shapes" / "third.ttl").write_text(PREFIXES + IMPORTED.replace("/more>", "/third>"))
    result = validated("<http://example.org/more>")
    assert "http://example.org/Second" in result.stdout and "http://example.org/More" in result.stdout, result.output


@pytest.mark.parametrize("imported", ["<http://127.0.0.1:1/x>", "<urn:x>", "<file:///nowhere/x.ttl>"])
def test_what_cannot_be_had_is_said(folder: Path, imported: str) -> None:
    result = validated(imported)
    assert result.exit_code == 0
    assert (
        f"shapes/own.ttl:5:38: warning: http://example.org/own: {imported[1:-1]}, which it imports, is not here"
        in result.stdout
    )
    assert "mend: Put the file beside the shapes" in result.stdout
    assert validated(imported, "--fetch").exit_code == 0, "in vain"


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "file:///etc/passwd")
            self.send_header("Content-Type", "text/turtle")
            self.end_headers()
            self.wfile.write((PREFIXES + IMPORTED).encode() if self.path == "/more" else b"# much\n" * 400_000)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_only_who_allows_it_has_it_fetched(folder: Path, web: tuple[str, list[str]]) -> None:
    base, asked = web
    assert validated(f"<{base}/more>").exit_code == 0 and asked == []
    result = validated(f"<{base}/more>", "--fetch")
    assert result.exit_code == 1 and asked == ["/more"] and "[import]" not in result.stdout, result.output
    for path, words in (("/much", "more than 1 MiB"), ("/away", "cannot be fetched")):
        result = validated(f"<{base}{path}>", "--fetch", "--max-size", "1")
        assert result.exit_code == 0 and words in result.stdout, result.output


def test_a_file_that_is_there_under_another_name(folder: Path) -> None:
    (folder / "shapes" / "more.ttl").write_text(PREFIXES + "ex:More sh:targetNode ex:x ; sh:nodeKind sh:Literal .\n")
    result = validated("<urn:else>", "--map", "urn:else=shapes/more.ttl", "--shapes", "shapes/more.ttl")
    assert result.exit_code == 1 and "[import]" not in result.stdout, result.output


def test_a_map_without_a_file_ends_2(folder: Path) -> None:
    result = validated("<urn:else>", "--map", "urn:else")
    assert result.exit_code == 2 and "--map takes IRI=PATH, not 'urn:else'" in result.stderr


@pytest.mark.parametrize("encoding", ["klingon", "utf-7"])
def test_a_catalogue_that_cannot_be_read_says_nothing(folder: Path, encoding: str) -> None:
    (folder / "shapes" / imports.CATALOGUE).write_text(f'<?xml version="1.0" encoding="{encoding}"?><catalog/>')
    assert "[import]" in validated("<urn:else>").stdout
