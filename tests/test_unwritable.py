"""Not every answer can be written in every format; what cannot is refused with a word, never sent broken."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from interpol_graph.app import create_app
from interpol_graph.engine import Engine, Nursery, Settings
from interpol_graph.formats import BY_NAME

XML, RDF_XML = "application/sparql-results+xml", "application/rdf+xml"

#: Queries with an answer that XML 1.0, or RDF/XML, has no way to say.
UNWRITABLE = {
    r'SELECT ("a\u0001b" AS ?x) {}': XML,
    r'SELECT ("\uFFFE" AS ?x) {}': XML,
    r'SELECT ("\u0000" AS ?x) {}': XML,
    'CONSTRUCT { ?s <urn:isbn:1> "x" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
    'CONSTRUCT { ?s <http://example.org/> "x" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
    r'CONSTRUCT { ?s <http://example.org/p> "\u0008" } WHERE { BIND (<urn:a> AS ?s) }': RDF_XML,
}


@pytest.mark.parametrize(("query", "media_type"), UNWRITABLE.items())
def test_what_xml_cannot_carry_is_refused(client: FlaskClient, query: str, media_type: str) -> None:
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": media_type})
    assert answer.status_code == 406
    problem = answer.get_json()
    assert "cannot be written as" in problem["detail"] and media_type not in problem["offered"]
    for other in problem["offered"]:
        assert client.get("/sparql", query_string={"query": query}, headers={"Accept": other}).status_code == 200


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


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over statements that neither RDF/XML nor JSON-LD can carry."""
    data: Path = tmp_path_factory.mktemp("foreign") / "data.nt"
    data.write_text('<urn:a> <urn:isbn:1> "x" .\n<urn:a> <urn:p> <<( <urn:a> <urn:p> "y" )>> .\n')
    with Nursery(Settings(data=(str(data),))) as nursery:
        yield nursery.engine()


@pytest.mark.parametrize("name", ["rdfxml", "jsonld"])
def test_a_dump_that_cannot_be_written_is_refused(foreign: Engine, name: str) -> None:
    answer = create_app(foreign).test_client().get(f"/dumps/interpol{BY_NAME[name].suffix}", buffered=True)
    assert answer.status_code == 406
    assert BY_NAME[name].label in answer.get_json()["detail"]


def test_other_dumps_can(foreign: Engine) -> None:
    file = BytesIO()
    foreign.dump(file, BY_NAME["turtle"])
    assert b'<urn:isbn:1> "x"' in file.getvalue()
