"""The saved questions in the graph: a generic client finds each and runs it, and the graph says that they are there."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from rdflib import RDF, RDFS, VOID, Graph, Namespace, URIRef

from interpol_graph.graph import questions
from interpol_graph.graph.executables import QUERIES
from interpol_graph.graph.store import KnowledgeGraph

SH = Namespace("http://www.w3.org/ns/shacl#")
SCHEMA = Namespace("https://schema.org/")
#: As SIB's sparql-editor asks an endpoint for its examples: of the default graph.
EXAMPLES = """PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT DISTINCT ?sq ?comment ?query WHERE {
  ?sq a sh:SPARQLExecutable ; rdfs:label|rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?query .
} ORDER BY ?sq"""


def test_a_generic_client_finds_every_question(client: FlaskClient) -> None:
    rows = client.get("/sparql", query_string={"query": EXAMPLES, "format": "json"}).get_json()["results"]["bindings"]
    found = {(row["sq"]["value"].rpartition("/")[2], row["comment"]["xml:lang"]): row for row in rows}
    assert found.keys() == {(name, language) for name in questions.saved() for language in ("en", "fr")}
    for (name, language), row in found.items():
        assert row["comment"]["value"] == questions.saved()[name].title[language]
        assert row["query"]["value"] == questions.saved()[name].filled()


@pytest.mark.parametrize("name", ["president-on-day", "most-frequent-hosts", "classes"])
def test_what_is_found_gives_the_answer(client: FlaskClient, name: str) -> None:
    query = (
        f"SELECT ?text {{ GRAPH <{QUERIES}> {{ <https://w3id.org/interpol-graph/queries/{name}> sh:select ?text }} }}"
    )
    ((row),) = client.get("/sparql", query_string={"query": query, "format": "json"}).get_json()["results"]["bindings"]
    answer = client.get("/sparql", query_string={"query": row["text"]["value"], "format": "csv"})
    assert answer.text == client.get(f"/api/{name}?format=csv&lang=en").text
    assert (
        f'href="/queries/{name}"'
        in client.get("/sparql", query_string={"query": EXAMPLES}, headers={"Accept": "text/html"}).text
    )


def test_the_graph_is_described_and_can_be_downloaded(client: FlaskClient, graph: KnowledgeGraph) -> None:
    with client.get("/dumps/queries.ttl") as answer:
        dump = Graph().parse(data=answer.text, format="turtle")
    for name, question in questions.saved().items():
        iri = URIRef(f"https://w3id.org/interpol-graph/queries/{name}")
        assert {SH.SPARQLExecutable, SH.SPARQLSelectExecutable} == set(dump.objects(iri, RDF.type))
        assert {str(word) for word in dump.objects(iri, SCHEMA.keywords)} == set(question.tags)
        assert dump.value(iri, SH.prefixes) == URIRef("https://w3id.org/interpol-graph/ontology")
        assert len(list(dump.objects(iri, RDFS.comment))) == 2
    with client.get("/dumps/interpol.nq") as answer:
        whole = answer.data
    assert whole.count(f"<{QUERIES}> .\n".encode()) == len(dump)
    described = Graph().parse(data=client.get("/dataset").text, format="turtle")
    (part,) = described.subjects(VOID["class"], SH.SPARQLSelectExecutable)
    assert int(described.value(part, VOID.entities, any=False)) == len(questions.saved())
    (part,) = (
        node
        for node in described.subjects(RDF.type, VOID.Dataset)
        if (node, None, None) in described and QUERIES in map(str, described.objects(node))
    )
    assert int(described.value(part, VOID.triples, any=False)) == len(dump)
    service = Graph().parse(data=client.get("/sparql", headers={"Accept": "text/turtle"}).text, format="turtle")
    assert (None, RDFS.seeAlso, URIRef(QUERIES)) in service
