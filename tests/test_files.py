"""RDF files as they come from elsewhere: named in any way, compressed, and XML in the encodings that it may have."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyoxigraph import Literal

from interpol_graph.cli.main import main
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess
from interpol_graph.graph.files import Unreadable, given_files

TURTLE = '<urn:a> <urn:p> "é 漢" .'
PACKED = gzip.compress(TURTLE.encode(), mtime=0)
XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="urn:">'
    '<rdf:Description rdf:about="urn:a"><p>VALUE</p></rdf:Description></rdf:RDF>'
)
#: Ten entities that make ten gigabytes of each other.
LAUGHS = (
    "<!DOCTYPE x ["
    + "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "0123456789"}">' for at in range(10))
    + "]>"
    + XML.replace("VALUE", "&e9;")
)


def value(path: Path) -> str:
    """Return the one value of a file."""
    (file,) = given_files([path])
    (quad,) = file.quads()
    assert isinstance(quad.object, Literal)
    return quad.object.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ttl", TURTLE),
        ("a.TTL", TURTLE),
        ("a.Ttl", TURTLE),
        ("a.n3", TURTLE),
        ("a.nt", TURTLE),
        ("a.NQ", TURTLE),
        ("a.trig", TURTLE),
        ("a b.v2.ttl", TURTLE),
        ("a.owl", XML.replace("VALUE", "é 漢")),
        ("a.RDF", XML.replace("VALUE", "é 漢")),
        ("a.JSONLD", '{"@id": "urn:a", "urn:p": "é 漢"}'),
    ],
)
def test_a_file_is_known_by_its_suffix_in_any_case_and_compressed(tmp_path: Path, name: str, content: str) -> None:
    for path, written in (
        (tmp_path / name, content.encode()),
        (tmp_path / f"{name}.gz", gzip.compress(content.encode())),
        (tmp_path / f"{name}.GZ", gzip.compress(b"\xef\xbb\xbf" + content.encode())),
        (tmp_path / f"{name}.gz", gzip.compress(content.encode()[:9]) + gzip.compress(content.encode()[9:])),
    ):
        path.write_bytes(written)
        assert value(path) == "é 漢"
    assert len(given_files([tmp_path])) == 3, "a folder is searched for the same names"
    assert given_files([tmp_path, tmp_path / name, tmp_path / "." / name]) == given_files([tmp_path]), (
        "no file is read twice"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ttl.gz", TURTLE.encode(), "Not a gzipped file"),
        ("a.ttl.gz", PACKED[:-9], "cannot be read: Compressed file ended"),
        ("a.ttl.gz", PACKED[:12] + b"\xff" * 40, "cannot be read: "),
        ("a.ttl.gz", gzip.compress(b"<urn:a> <urn:p> .\n", mtime=0), "a.ttl.gz:1:17: is not well-formed Turtle"),
        ("a.gz", PACKED, "has no suffix of an RDF format; known: .ttl, .n3"),
        ("a.csv.gz", b"", "has no suffix of an RDF format"),
        ("a.srx", b"", "has no suffix of an RDF format"),
        ("a.n3", b"{ <urn:a> <urn:p> 1 } => { <urn:a> <urn:q> 1 } .", "Turtle, as which N3 is read here"),
        ("a.ttl", TURTLE.encode("utf-16"), "is not UTF-8 but UTF-16, which Turtle never is; save it as UTF-8"),
        ("a.rdf", b'<?xml version="1.0" encoding="klingon"?>' + XML.encode(), "the encoding klingon, which cannot be"),
        ("a.rdf", b'<?xml version="1.0" encoding="rot13"?>' + XML.encode(), "the encoding rot13, which cannot be read"),
        ("a.rdf", b'<?xml version="1.0" encoding="US-ASCII"?>\n' + XML.encode()[:-9] + "é".encode(), "a.rdf:2:145: is not ASCII"),
        ("a.rdf", XML.encode()[:-9] + b"\xe9", "a.rdf:1:145: is not UTF-8: byte 0xe9"),
        ("a.rdf", b"\xff\xfe<\0?", "is not UTF-16"),
        # Half a file, two files in one, none: its parser takes each for a whole one.
        ("a.rdf", XML.encode()[:-10], "a.rdf:1:144: is not well-formed RDF/XML: no element found"),
        ("a.rdf", XML.encode()[:-20], "a.rdf:1:126: is not well-formed RDF/XML: unclosed token"),
        ("a.rdf", b"\n" + XML.encode() * 2, "a.rdf:2:154: is not well-formed RDF/XML: junk after document element"),
        ("a.owl.gz", gzip.compress(b"", mtime=0), "a.owl.gz:1:1: is not well-formed RDF/XML: no element found"),
        ("a.rdf", LAUGHS.encode(), "limit on input amplification"),
        ("a.jsonld", b'{"@context": "http://schema.org/", "name": "A"}', "it names a context elsewhere, and nothing is fetched"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        value(tmp_path / name)
    assert words in str(caught.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
@pytest.mark.parametrize("quotation", ['"', "'"])
@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("UTF-8", "utf-8", "é 漢"),
        ("utf-8", "utf-8", "é 漢"),
        ("UTF-16", "utf-16", "é 漢"),
        ("UTF-16", "utf-16-le", "é 漢"),
        ("UTF-16LE", "utf-16-le", "é 漢"),
        ("utf-16", "utf-16-be", "é 漢"),
        ("", "utf-16", "é 漢"),
        ("", "utf-16-be", "é 漢"),
        ("", "utf-8", "é 漢"),
        ("US-ASCII", "ascii", "&#233; &#x6F22;"),
        ("ascii", "ascii", "plain"),
        ("ISO-8859-1", "latin-1", "é"),
        ("iso-8859-15", "iso-8859-15", "€"),
        ("windows-1252", "cp1252", "é – €"),
        ("Shift_JIS", "shift_jis", "漢"),
    ],
)
def test_xml_is_read_in_the_encoding_that_it_names(
    tmp_path: Path, declared: str, codec: str, text: str, quotation: str, mark: str
) -> None:
    if mark and (not codec.startswith("utf") or codec == "utf-16"):  # has none, or has one already
        mark = ""
    head = f"<?xml version='1.0' encoding={quotation}{declared}{quotation} standalone='yes'?>\n"
    path = tmp_path / "a.rdf"
    path.write_bytes((mark + (head if declared else "") + XML.replace("VALUE", text)).encode(codec))
    expected = "é 漢" if "&" in text else text
    assert value(path) == expected


def test_foreign_data_are_served_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "a.ttl.gz").write_bytes(PACKED)
    (tmp_path / "b.OWL").write_bytes(("<?xml version='1.0' encoding='utf-16'?>" + XML).encode("utf-16"))
    with EvaluatorProcess(Settings(data=(str(tmp_path),))) as process:
        rows = process.pool().snapshot().query("SELECT ?o { ?s ?p ?o } ORDER BY ?o").body
    assert [row["o"]["value"] for row in json.loads(rows)["results"]["bindings"]] == ["VALUE", "é 漢"]


def test_a_compressed_file_is_validated_by_its_lines_and_its_size(tmp_path: Path) -> None:
    sh = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
    shape = "<urn:S> a sh:NodeShape ; sh:targetSubjectsOf <urn:p> ; sh:property [ sh:path <urn:q> ; sh:minCount 1 ] ."
    (tmp_path / "shapes.ttl.gz").write_bytes(gzip.compress((sh + shape).encode()))
    (tmp_path / "bad.TTL.gz").write_bytes(gzip.compress(b"# one\n" + TURTLE.encode()))
    (tmp_path / "bomb.ttl.gz").write_bytes(gzip.compress(b"#" * (3 << 20)))
    shapes = ["--shapes", str(tmp_path / "shapes.ttl.gz"), "--max-size", "1"]
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "bad.TTL.gz"), *shapes])
    assert result.exit_code == 1 and "bad.TTL.gz:2:1: error: urn:a" in result.output
    assert "1 | " not in result.output and "\ufffd" not in result.output, "the lines shown are those of the content"
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "bomb.ttl.gz"), *shapes])
    assert result.exit_code == 2 and "files up to 1 MiB" in result.stderr


def test_standard_input_is_turtle(tmp_path: Path) -> None:
    shapes = tmp_path / "shapes.shacl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . <urn:S> sh:targetSubjectsOf <urn:p> ; sh:property [ sh:path <urn:p> ; sh:nodeKind sh:IRI ] ."
    )
    command = [sys.executable, "-m", "interpol_graph", "validate", "-", "--shapes", str(shapes)]
    done = subprocess.run(command, input="<urn:a>\n  <urn:p> 1 .\n", capture_output=True, text=True)
    assert done.returncode == 1 and "-:2:11: error: urn:a" in done.stdout, done.stdout + done.stderr
    done = subprocess.run(command, input="no Turtle", capture_output=True, text=True)
    assert done.returncode == 2 and "-:1:" in done.stderr and "is not well-formed Turtle" in done.stderr
