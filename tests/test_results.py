"""Answers as bytes: another reader reads what was meant, and what a format cannot say is refused, never sent broken."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat
from xml.parsers.expat import ExpatError

import pytest
from flask.testing import FlaskClient
from pyoxigraph import NamedNode, RdfFormat, parse
from rdflib import RDF, Graph, URIRef

from interpol_graph.app import create_app
from interpol_graph.engine import tokens
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import Unwritable
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess, NotStarted
from interpol_graph.engine.results import Output
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.files import given_files
from interpol_graph.graph.formats import BY_NAME, of_kind
from interpol_graph.graph.statements import Statements

XML, RDF_XML = "application/sparql-results+xml", "application/rdf+xml"

#: Queries with an answer that XML 1.0, or RDF/XML, has no way to say.
UNWRITABLE = {
    r'SELECT ("a\u0001b" AS ?x) {}': XML,
    r'SELECT ("\uFFFE" AS ?x) {}': XML,
    r'SELECT ("\u0000" AS ?x) {}': XML,
    'CONSTRUCT { ?s <urn:isbn:1> "x" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
    'CONSTRUCT { ?s <http://example.org/> "x" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
    r'CONSTRUCT { ?s <http://example.org/p> "\u0008" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
    # Long enough that a reader may put off looking at what comes after.
    f"CONSTRUCT {{ ?s <urn:isbn:1> 'x' }} WHERE {{ BIND (<urn:{'a' * 9000}> AS ?s) }}": RDF_XML,
    # Names that RDF/XML keeps to itself, or had once.
    "CONSTRUCT { <urn:a> rdf:li 'x' } WHERE {}": RDF_XML,
    "CONSTRUCT { <urn:a> rdf:bagID 'x' } WHERE {}": RDF_XML,
    "CONSTRUCT { <urn:a> rdf:aboutEach 'x' } WHERE {}": RDF_XML,
    "CONSTRUCT { <urn:a> rdf:aboutEachPrefix 'x' } WHERE {}": RDF_XML,
    'CONSTRUCT { <urn:a> <urn:p> <<( <urn:a> <urn:p> "y" )>> } WHERE {}': "application/ld+json",
}


@pytest.mark.parametrize(("query", "media_type"), UNWRITABLE.items())
def test_what_xml_cannot_carry_is_refused(client: FlaskClient, query: str, media_type: str) -> None:
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": media_type})
    assert answer.status_code == 406
    problem = answer.get_json()
    assert "cannot be written as" in problem["detail"] and media_type not in problem["offered"]
    for other in problem["offered"]:
        assert client.get("/sparql", query_string={"query": query}, headers={"Accept": other}).status_code == 200


def test_a_document_that_has_no_end_is_none() -> None:
    output = Output(BY_NAME["rdfxml"])
    output.write(b'<?xml version="1.0"?><a><b/>')
    with pytest.raises(Unwritable):
        output.end()


def test_a_reader_without_memory_finds_no_fault() -> None:
    class Poor:
        def Parse(self, data: bytes, last: bool) -> None:  # noqa: N802
            error = ExpatError("out of memory")
            error.code = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
            raise error

    output = Output(BY_NAME["xml"])
    output.reader = Poor()  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        output.write(b"<a/>")


@pytest.mark.parametrize(
    ("accept", "status", "given"),
    [
        (f"{XML}, application/sparql-results+json;q=0.9", 200, "application/sparql-results+json"),
        (f"{XML}, text/csv;q=0.5, */*;q=0.1", 200, "text/csv; charset=utf-8"),
        (f"{XML}, image/png", 406, "application/problem+json"),
        (f"{XML}, application/sparql-results+json;q=0", 406, "application/problem+json"),
    ],
)
def test_a_client_that_takes_another_format_gets_it(client: FlaskClient, accept: str, status: int, given: str) -> None:
    query = r'SELECT ("\u0001" AS ?x) {}'
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, given)
    asked = client.get("/sparql", query_string={"query": query, "format": "xml"}, headers={"Accept": accept})
    assert asked.status_code == 406, "?format= is no wish but a word"


@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        (r'SELECT ("<&>\t\r\n\u007F\u0085é𐀀" AS ?x) {}', XML),
        ('CONSTRUCT { ?s <http://example.org/#1é> "<![CDATA[" } WHERE { BIND (<urn:a> AS ?s) }', RDF_XML),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o . ?s a <urn:none> }", RDF_XML),
        ("SELECT * { ?s ?p ?o } LIMIT 3000", XML),
        ("ASK {}", XML),
    ],
)
def test_what_xml_can_carry_is_sent(client: FlaskClient, query: str, media_type: str) -> None:
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": media_type})
    assert answer.status_code == 200
    ElementTree.fromstring(answer.data)  # noqa: S314  our own answer


#: Strings that a careless writer would change or break.
STRINGS = (
    "",
    " ",
    "a,b",
    '"',
    'a "b", c',
    "a\rb",
    "a\r\nb",
    "\n",
    "\t",
    "}},{",
    '"}},{"',
    "[{}",
    "},{}",
    "<result>",
    "é𐀀",
    "\u2028",
)


def rows_of(body: bytes, name: str) -> list[list[str]]:
    """Return the values of an answer by a reader that is not the engine's."""
    if name == "json":
        bindings = json.loads(body)["results"]["bindings"]
        return [[row[v]["value"] if v in row else "" for v in ("x", "y", "n")] for row in bindings]
    if name == "xml":
        space = "{http://www.w3.org/2005/sparql-results#}"
        found = []
        for row in ElementTree.fromstring(body).iter(f"{space}result"):  # noqa: S314  our own answer
            cells = {cell.get("name"): cell[0].text or "" for cell in row}
            found.append([cells.get(v, "") for v in ("x", "y", "n")])
        return found
    return list(csv.reader(StringIO(body.decode(), newline="")))[1:]


@pytest.mark.parametrize("name", ["json", "xml", "csv"])
def test_every_reader_reads_what_was_meant(snapshot: Snapshot, name: str) -> None:
    values = [f'"{"".join(f"{chr(92)}u{ord(c):04X}" if ord(c) < 0x10000 else c for c in text)}"' for text in STRINGS]
    terms = [*values, "UNDEF", "<urn:a,b>", "<http://example.org/a;b,c>"]
    rows = " ".join(f"({term} {other} {n})" for n, (term, other) in enumerate(zip(terms, terms[::-1], strict=True)))
    answer = snapshot.query(f"SELECT ?x ?y ?n {{ VALUES (?x ?y ?n) {{ {rows} }} }}", results=BY_NAME[name])
    plain = [*STRINGS, "", "urn:a,b", "http://example.org/a;b,c"]
    expected = [[text, other, str(n)] for n, (text, other) in enumerate(zip(plain, plain[::-1], strict=True))]
    assert rows_of(answer.body, name) == expected
    assert answer.rows == len(terms)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("ASK {}", None),
        ("CONSTRUCT { <x:> <y:> ?o } { VALUES ?o { 1 2 3 } }", 3),
        ("CONSTRUCT { <x:> <y:> 1 } { VALUES ?o { 1 2 3 } }", 1),
        ("SELECT ?s { ?s ?p ?o } LIMIT 400", 400),
        ('SELECT ?x { ?s ?p ?o BIND("}},{" AS ?x) } LIMIT 40', 40),
        ("SELECT * {}", 1),
        ("SELECT * { VALUES ?x {} }", 0),
        ("SELECT ?x { VALUES ?y { 1 2 3 } }", 3),
        ("SELECT ?x { VALUES ?x { UNDEF 1 } }", 2),
        (r'SELECT ?x { VALUES ?x { "[{}" "},{}" "a}},{\"b\":{" "<result>" "\r\n" "\"\r\n\"" } }', 6),
        (
            r"""SELECT ?a ?b { VALUES (?a ?b) { (1 UNDEF) (UNDEF UNDEF) (UNDEF "}},{") ("}},{" "}},{")
            ("l\r\nm \" ,<result>" <x:>) ('"}},{"a":{"' "[") } }""",
            6,
        ),
        ('SELECT ?x { VALUES ?x { <<( <urn:a> <urn:p> "1,2\\n3" )>> UNDEF } }', 2),
    ],
)
def test_rows_are_counted(snapshot: Snapshot, query: str, rows: int | None) -> None:
    for fmt in of_kind("results"):
        assert snapshot.query(query, results=fmt).rows == rows, fmt.name


def test_a_triple_term_is_one_cell(snapshot: Snapshot) -> None:
    query = 'SELECT (<<( <urn:a> <urn:p> "1,2" )>> AS ?x) (2 AS ?y) {}'
    body = snapshot.query(query, results=BY_NAME["csv"]).body.decode()
    assert list(csv.reader(StringIO(body))) == [["x", "y"], ['<<( <urn:a> <urn:p> "1,2" )>>', "2"]]


@pytest.mark.parametrize(
    "kind",
    [
        "http://ex.test/9", "urn:x:5", "http://ex.test/", "http://ex.test#", "http://ex.test/obo/0000240", "http://ex.test/A%20",
        "http://ex.test/é", "http://ex.test/1é", "http://ex.test/a.5-", "http://ex.test/A", "urn:x", "http://ex.test/GO_0000240",
        "http://ex.test/?a=1&b=2", "http://ex.test/a'b", "http://ex.test/.",
        *(f"http://www.w3.org/1999/02/22-rdf-syntax-ns#{name}" for name in ("bagID", "aboutEach", "li", "Description", "RDF", "Bag")),
    ],
)  # fmt: skip
def test_a_class_of_any_iri_is_written_as_rdf_xml(client: FlaskClient, kind: str) -> None:
    types = f"<urn:s> a <{kind}>, <http://ex.test/Other> . <urn:t> a <{kind}> ; <urn:p> <urn:s> . _:b a <{kind}>"
    query = f"CONSTRUCT {{ {types} }} {{}}"
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": RDF_XML})
    assert answer.status_code == 200, answer.text
    found = Graph().parse(data=answer.data, format="xml")
    assert sorted(map(str, found.objects(predicate=RDF.type))) == sorted([kind] * 3 + ["http://ex.test/Other"])
    assert len(found) == 5 and list(found.subjects(URIRef("urn:p"), URIRef("urn:s")))


def test_the_stand_in_for_types_is_found_at_any_place_of_a_dump() -> None:
    texts = [f"<urn:{'s' * (number % 50)}{number}> <{RDF.type}> <urn:x:{number}> .\n" for number in range(2_000)]
    found = Statements([(NamedNode("urn:g"), "".join(texts).encode())])
    file = BytesIO()
    found.write(file, BY_NAME["rdfxml"], NamedNode("urn:g"))
    assert {quad.triple for quad in parse(file.getvalue(), RdfFormat.RDF_XML)} == {quad.triple for quad in found}


def test_carriage_returns_survive_rdf_xml(snapshot: Snapshot) -> None:
    query = r'CONSTRUCT { <urn:a> <http://example.org/p> "a\rb\r\nc" } WHERE {}'
    body = snapshot.query(query, graph=BY_NAME["rdfxml"]).body
    (value,) = Graph().parse(data=body, format="xml").objects()
    assert str(value) == "a\rb\r\nc"


@pytest.mark.parametrize(
    "call", ["BNODE('a')", "bnode (?x)", "BNODE# \n(?x)", "B\\u004EODE('a')", "BNODE((1))", "?x<BNODE(?x)&&?c>?x"]
)
def test_bnode_with_an_argument_is_refused(client: FlaskClient, call: str) -> None:
    answer = client.get("/sparql", query_string={"query": f"SELECT ({call} AS ?b) {{ VALUES ?x {{ 'a' 'b' }} }}"})
    assert answer.status_code == 400 and "BNODE with an argument" in answer.get_json()["detail"]


@pytest.mark.parametrize("call", ["BNODE()", "BNODE ( )", "STR('BNODE(1)')", "?bnode", "BNODE#(1)\n()"])
def test_bnode_without_is_not(call: str) -> None:
    assert not tokens.read(f"SELECT ({call} AS ?b) {{}}").labelled


@pytest.mark.parametrize("name", ["langString", "dirLangString"])
def test_a_file_with_a_literal_that_is_none_is_refused_by_name(tmp_path: Path, name: str) -> None:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    data = tmp_path / "data.jsonld"
    data.write_text(json.dumps({"@id": "urn:a", "urn:p": {"@value": "x", "@type": rdf + name}}))
    with (
        pytest.raises(NotStarted, match=r"data\.jsonld: holds the literal .*, which"),
        EvaluatorProcess(Settings(data=(str(data),))),
    ):
        pass


def test_lines_of_rdf_xml_end_as_xml_says(tmp_path: Path) -> None:
    data = tmp_path / "data.rdf"
    data.write_bytes(
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="urn:x:">\r\n<rdf:Description '
        b'rdf:about="urn:a"><p>a\r\nb\rc&#13;d</p></rdf:Description></rdf:RDF>'
    )
    (quad,) = next(iter(given_files([data]))).quads()
    assert quad.object.value == "a\nb\nc\rd"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluatorPool]:
    """Evaluators of statements that neither RDF/XML nor JSON-LD can carry."""
    data: Path = tmp_path_factory.mktemp("foreign") / "data.nt"
    data.write_text('<urn:a> <urn:isbn:1> "x" .\n<urn:a> <urn:p> <<( <urn:a> <urn:p> "y" )>> .\n')
    with EvaluatorProcess(Settings(data=(str(data),))) as process:
        yield process.pool()


@pytest.mark.parametrize("name", ["rdfxml", "jsonld"])
def test_a_dump_that_cannot_be_written_is_refused(foreign: EvaluatorPool, name: str) -> None:
    answer = create_app(foreign).test_client().get(f"/dumps/interpol{BY_NAME[name].suffix}", buffered=True)
    assert answer.status_code == 406
    assert BY_NAME[name].label in answer.get_json()["detail"]


def test_a_refusal_is_known_and_takes_no_ones_place(foreign: EvaluatorPool, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(foreign).test_client()
    first = client.get("/dumps/interpol.rdf", buffered=True)
    monkeypatch.setattr(Snapshot, "dump", None)
    again = client.get("/dumps/interpol.rdf", buffered=True)
    assert again.status_code == 406 and again.data == first.data


def test_checksums_are_of_the_files_that_there_are(foreign: EvaluatorPool) -> None:
    client = create_app(foreign).test_client()
    sums = client.get("/dumps/SHA256SUMS", buffered=True).text
    assert {line.split("  ")[1] for line in sums.splitlines()} == {
        f"interpol.{end}" for end in ("nq", "nt", "trig", "ttl")
    }


def test_long_statements_take_no_more_room_than_they_have(tmp_path: Path) -> None:
    data = tmp_path / "data.nt"
    data.write_text("".join(f'<urn:{n}> <urn:p> "{"x" * 30_000}" .\n' for n in range(3_000)))
    with EvaluatorProcess(Settings(data=(str(data),), memory=64)) as process:
        for name in ("nquads", "turtle", "rdfxml", "jsonld"):
            file = BytesIO()
            process.pool().snapshot().dump(file, BY_NAME[name])
            assert file.tell() > 90_000_000


def test_other_dumps_can(foreign: EvaluatorPool) -> None:
    file = BytesIO()
    foreign.snapshot().dump(file, BY_NAME["turtle"])
    assert b'<urn:isbn:1> "x"' in file.getvalue()
