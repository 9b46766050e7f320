"""The description of the graph: what it says can be counted, downloaded and asked."""

import hashlib
import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from rdflib import DCAT, DCTERMS, RDF, RDFS, VOID, Graph, Literal, Namespace, URIRef

from interpol_graph.app import create_app
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess

SPDX = Namespace("http://spdx.org/rdf/terms#")
WHOLE = URIRef("https://w3id.org/interpol-graph/dataset")


@pytest.fixture
def described(client: FlaskClient) -> Graph:
    return Graph().parse(data=client.get("/dataset").text, format="turtle")


def count(client: FlaskClient, pattern: str, what: str = "*") -> int:
    query = f"SELECT (COUNT({what}) AS ?n) {{ {pattern} }}"
    rows = client.get("/sparql", query_string={"query": query, "format": "json"}).get_json()["results"]["bindings"]
    return int(rows[0]["n"]["value"])


def test_the_totals_are_those_that_a_query_counts(client: FlaskClient, described: Graph) -> None:
    told = {name: int(described.value(WHOLE, VOID[name], any=False)) for name in (
        "triples", "distinctSubjects", "distinctObjects", "classes", "properties", "entities")}  # fmt: skip
    assert told == {
        "triples": count(client, "?s ?p ?o"),
        "distinctSubjects": count(client, "?s ?p ?o", "DISTINCT ?s"),
        "distinctObjects": count(client, "?s ?p ?o", "DISTINCT ?o"),
        "classes": count(client, "?s a ?c FILTER(isIRI(?c))", "DISTINCT ?c"),
        "properties": count(client, "?s ?p ?o", "DISTINCT ?p"),
        "entities": count(
            client, "?s ?p ?o FILTER(STRSTARTS(STR(?s), STR(<https://w3id.org/interpol-graph/id/>)))", "DISTINCT ?s"
        ),
    }


def test_each_class_property_and_link_is_counted(client: FlaskClient, described: Graph) -> None:
    for part, name, number, pattern in (
        (VOID.classPartition, VOID["class"], VOID.entities, "?s a <@>"),
        (VOID.propertyPartition, VOID.property, VOID.triples, "?s <@> ?o"),
    ):
        parts = list(described.objects(WHOLE, part))
        assert len(parts) > 50
        for node in parts[::20]:
            iri = described.value(node, name, any=False)
            told = int(described.value(node, number, any=False))
            assert told == count(
                client, pattern.replace("@", iri), "DISTINCT ?s" if part == VOID.classPartition else "*"
            ), iri
    links = list(described.subjects(RDF.type, VOID.Linkset))
    assert links
    for link in links:
        predicate = described.value(link, VOID.linkPredicate, any=False)
        target = described.value(described.value(link, VOID.objectsTarget, any=False), VOID.uriSpace, any=False)
        told = int(described.value(link, VOID.triples, any=False))
        assert told == count(client, f'?s <{predicate}> ?o FILTER(STRSTARTS(STR(?o), "{target}"))'), target


def test_each_download_has_its_size_and_checksum(client: FlaskClient, described: Graph) -> None:
    files = list(described.objects(WHOLE, DCAT.distribution))
    assert len(files) == 6
    for file in files:
        with client.get(str(file).removeprefix("http://localhost")) as answer:
            body = answer.data
        assert int(described.value(file, DCAT.byteSize, any=False)) == len(body)
        checksum = described.value(described.value(file, SPDX.checksum, any=False), SPDX.checksumValue, any=False)
        assert str(checksum).lower() == hashlib.sha256(body).hexdigest(), file


def test_what_it_names_is_there(client: FlaskClient, described: Graph) -> None:
    for name in (VOID.sparqlEndpoint, VOID.openSearchDescription):
        address = described.value(WHOLE, name, any=False)
        assert client.get(str(address).removeprefix("http://localhost")).status_code == 200
    for service in described.subjects(DCAT.servesDataset, WHOLE):
        description = described.value(service, DCAT.endpointDescription, any=False)
        assert client.get(str(description).removeprefix("http://localhost")).status_code == 200
    assert {
        literal.language for literal in described.objects(WHOLE, DCTERMS.title) if isinstance(literal, Literal)
    } == {"en", "fr"}


def test_the_service_description_points_at_it(client: FlaskClient) -> None:
    told = Graph().parse(data=client.get("/sparql").text, format="turtle")
    address = next(iter(told.objects(None, RDFS.seeAlso)))
    assert client.get(str(address).removeprefix("http://localhost")).status_code == 200


def test_both_addresses_answer_in_the_format_that_is_wanted(client: FlaskClient) -> None:
    for address in ("/.well-known/void", "/dataset"):
        for fmt in ("text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples"):
            answer = client.get(address, headers={"Accept": fmt})
            assert (answer.status_code, answer.mimetype) == (200, fmt)
        assert client.get(address, query_string={"format": "csv"}).status_code == 406


def test_data_of_others_are_not_described_as_ours(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text('<http://ex.test/a> a <http://ex.test/C> ; <http://ex.test/p/1> "é"@fr .')
    with EvaluatorProcess(Settings(data=(str(tmp_path),))) as process:
        client = create_app(process.pool()).test_client()
        told = client.get("/dataset").text
        assert client.get("/dumps/interpol.rdf").status_code == 406, "RDF/XML has no such property"
    graph = Graph().parse(data=told, format="turtle")
    whole = URIRef("http://localhost/dataset")
    assert int(graph.value(whole, VOID.triples, any=False)) == 2
    files = {str(file).rpartition("/")[2] for file in graph.objects(whole, DCAT.distribution)}
    assert files == {f"interpol.{suffix}" for suffix in ("ttl", "nt", "jsonld", "trig", "nq")}
    assert "creativecommons" not in told and "w3id.org/interpol-graph/dataset" not in told


@pytest.mark.parametrize("path", ["/", "/?lang=fr", "/dumps/"])
def test_pages_tell_dataset_search_engines_the_same(client: FlaskClient, described: Graph, path: str) -> None:
    client.get("/dumps/SHA256SUMS", buffered=True)  # so that the files are there, whatever ran before
    page = BeautifulSoup(client.get(path).text, "html.parser")
    (block,) = page.select('script[type="application/ld+json"]')
    told = json.loads(block.get_text())
    assert told["@type"] == "Dataset" and told["@id"] == str(WHOLE)
    language = "fr" if "fr" in path else "en"
    for key, name in (("name", DCTERMS.title), ("description", DCTERMS.description)):
        assert Literal(told[key], lang=language) in described.objects(WHOLE, name)
    assert 50 <= len(told["description"]) <= 5000, "what dataset search engines take"
    assert told["license"] == str(described.value(WHOLE, DCTERMS.license))
    period = described.value(WHOLE, DCTERMS.temporal, any=False)
    assert told["temporalCoverage"] == "/".join(
        str(described.value(period, DCAT[key])) for key in ("startDate", "endDate")
    )
    assert told["size"] == f"{described.value(WHOLE, VOID.triples)} statements"
    files = {one["contentUrl"]: one["contentSize"] for one in told["distribution"]}
    sizes = {
        str(file): f"{described.value(file, DCAT.byteSize)} B" for file in described.objects(WHOLE, DCAT.distribution)
    }
    assert files == sizes
    parsed = Graph().parse(data=json.dumps(told | {"@context": {"@vocab": "https://schema.org/"}}), format="json-ld")
    assert (WHOLE, RDF.type, URIRef("https://schema.org/Dataset")) in parsed
