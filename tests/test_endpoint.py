"""The endpoint over real HTTP, asked by the clients that people use."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, TURTLE, XML, SPARQLWrapper

PREFIXES = """
PREFIX interpol: <https://w3id.org/interpol-graph/ontology#>
PREFIX session: <https://w3id.org/interpol-graph/id/session/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
NUMBER = PREFIXES + "SELECT ?number WHERE { session:84 interpol:number ?number }"
KIGALI = "https://w3id.org/interpol-graph/id/place/kigali"


def wrapper(server: str, query: str, form: str) -> SPARQLWrapper:
    client = SPARQLWrapper(f"{server}/sparql")
    client.setQuery(query)
    client.setReturnFormat(form)
    return client


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a GET, errors included."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def asked(server: str, query: str, accept: str, **parameters: str) -> tuple[int, dict[str, str], bytes]:
    return fetch(f"{server}/sparql?{urllib.parse.urlencode({'query': query, **parameters})}", Accept=accept)


def test_curl_gets_csv(server: str) -> None:
    assert shutil.which("curl"), "this test runs the README's command and needs curl"
    command = [
        "curl",
        "-sf",
        "-H",
        "Accept: text/csv",
        "--data-urlencode",
        f"query={NUMBER}",
        f"{server}/sparql",
    ]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"number\r\n84\r\n"


def test_sparqlwrapper_json(server: str) -> None:
    answer = wrapper(server, NUMBER, JSON).queryAndConvert()
    assert answer["results"]["bindings"][0]["number"]["value"] == "84"


def test_sparqlwrapper_xml(server: str) -> None:
    answer = wrapper(server, NUMBER, XML).queryAndConvert()
    assert [node.firstChild.data for node in answer.getElementsByTagName("literal")] == ["84"]


def test_sparqlwrapper_csv(server: str) -> None:
    assert wrapper(server, NUMBER, CSV).queryAndConvert().split() == [b"number", b"84"]


def test_sparqlwrapper_turtle(server: str) -> None:
    query = PREFIXES + "CONSTRUCT { session:84 interpol:place ?place } WHERE { session:84 interpol:place ?place }"
    graph = Graph().parse(data=wrapper(server, query, TURTLE).queryAndConvert(), format="turtle")
    assert [str(place) for place in graph.objects()] == [KIGALI]


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_sparqlstore(server: str, method: str) -> None:
    store = SPARQLStore(f"{server}/sparql", method=method)
    session = URIRef("https://w3id.org/interpol-graph/id/session/84")
    graph = Graph(store)
    assert graph.value(session, URIRef("https://w3id.org/interpol-graph/ontology#number")) == Literal(84)
    assert [str(row.number) for row in graph.query(NUMBER)] == ["84"]


def test_post_direct(server: str) -> None:
    request = urllib.request.Request(
        f"{server}/sparql",
        NUMBER.encode(),
        {"Content-Type": "application/sparql-query", "Accept": "text/tab-separated-values"},
    )
    with urllib.request.urlopen(request) as response:
        assert response.read().split() == [b"?number", b"84"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("application/json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv;q=0.5, application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv;q=0, */*;q=0.1", "application/sparql-results+json"),
        ("text/turtle, text/csv", "text/csv; charset=utf-8"),
        ("text/csv;charset=utf-8", "text/csv; charset=utf-8"),
    ],
)
def test_results_are_negotiated(server: str, accept: str, media_type: str) -> None:
    status, headers, _ = asked(server, NUMBER, accept)
    assert (status, headers["content-type"]) == (200, media_type)
    assert "accept" in headers["vary"].lower()


@pytest.mark.parametrize(
    ("name", "rdflib_name"),
    [("turtle", "turtle"), ("ntriples", "nt"), ("rdfxml", "xml"), ("jsonld", "json-ld")],
)
def test_graphs_are_on_offer_by_format(server: str, name: str, rdflib_name: str) -> None:
    query = PREFIXES + "CONSTRUCT WHERE { session:84 interpol:number ?number }"
    status, headers, body = asked(server, query, "*/*", format=name)
    assert status == 200, body
    assert len(Graph().parse(data=body, format=rdflib_name)) == 1


def test_ask_in_every_results_format(server: str) -> None:
    for name, true in (
        ("json", b'"boolean":true'),
        ("xml", b"<boolean>true</boolean>"),
        ("csv", b"true"),
        ("tsv", b"true"),
    ):
        status, _, body = asked(server, "ASK {}", "*/*", format=name)
        assert status == 200 and true in body


def test_named_graphs(server: str) -> None:
    sessions = "https://w3id.org/interpol-graph/graph/sessions"
    query = PREFIXES + "SELECT ?number WHERE { GRAPH ?graph { session:84 interpol:number ?number } }"
    assert b"84" in asked(server, query, "text/csv")[2]
    query = PREFIXES + f"ASK FROM <{sessions}> {{ session:84 interpol:number 84 }}"
    assert b'"boolean":true' in asked(server, query, "*/*")[2]
    status, _, body = asked(
        server, NUMBER, "text/csv", **{"default-graph-uri": "https://w3id.org/interpol-graph/graph/places"}
    )
    assert (status, body) == (200, b"number\r\n")
    shapes = PREFIXES + "PREFIX sh: <http://www.w3.org/ns/shacl#> ASK { ?shape a sh:NodeShape }"
    assert b'"boolean":false' in asked(server, shapes, "*/*")[2], "the shapes stand outside the default graph"


def test_malformed_query_is_400_with_line_and_column(server: str) -> None:
    status, headers, body = asked(server, "SELECT * WHERE {\n  ?s ?p }", "text/csv")
    problem = json.loads(body)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert (problem["status"], problem["line"], problem["column"]) == (400, 2, 9)
    assert "line 2, column 9" in problem["detail"]


def test_unacceptable_is_406_with_the_formats_on_offer(server: str) -> None:
    status, headers, body = asked(server, NUMBER, "image/png")
    assert (status, headers["content-type"]) == (406, "application/problem+json")
    assert "text/csv" in json.loads(body)["offered"]
    status, _, body = asked(server, "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 1", "text/csv")
    assert status == 406 and "text/turtle" in json.loads(body)["offered"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "word"),
    [
        (b"SELECT * {}", "text/plain", 415, "application/sparql-query"),
        (b"update=CLEAR+ALL", "application/x-www-form-urlencoded", 400, "read-only"),
        (b"query=ASK{}&query=ASK{}", "application/x-www-form-urlencoded", 400, "2 times"),
        (b"nothing=here", "application/x-www-form-urlencoded", 400, "no query"),
        (b"\xff\xfe", "application/sparql-query", 400, "UTF-8"),
    ],
)
def test_refusals_say_what_would_be_right(server: str, body: bytes, content_type: str, status: int, word: str) -> None:
    request = urllib.request.Request(f"{server}/sparql", body, {"Content-Type": content_type})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as error:
        assert error.code == status
        assert word in json.loads(error.read())["detail"]


def test_unknown_format_and_method(server: str) -> None:
    status, _, body = asked(server, NUMBER, "*/*", format="excel")
    assert status == 400 and "turtle" in json.loads(body)["known"]
    request = urllib.request.Request(f"{server}/sparql", method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as error:
        assert error.code == 405 and "GET" in error.headers["allow"]


def test_a_request_of_http_1_0_needs_no_host_and_answers_none_of_http_1_1(server: str) -> None:
    at = urllib.parse.urlsplit(server)
    for version, status in (("1.0", b"200"), ("1.1", b"400")):
        with socket.create_connection((str(at.hostname), at.port or 80), 20) as client:
            client.sendall(f"GET /sparql?query=ASK%7B%7D HTTP/{version}\r\nConnection: close\r\n\r\n".encode())
            assert client.makefile("rb").readline().split()[1] == status
