"""The SPARQL 1.1 Protocol, Service Description and Graph Store Protocol, rule by rule."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import NamedNode, RdfFormat, Store
from rdflib import RDF, SKOS, VOID, XSD, Graph, Literal, Namespace, URIRef
from werkzeug.test import EnvironBuilder, TestResponse

from interpol_graph.app import create_app
from interpol_graph.endpoint import current, negotiation, problems, sparql
from interpol_graph.engine import tokens
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.pool import EvaluatorPool, EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.formats import FORMATS, of_kind
from interpol_graph.graph.prefixes import BASE, ENTITIES, GRAPHS
from interpol_graph.graph.store import KnowledgeGraph

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
FORM, QUERY, UPDATE = (
    "application/x-www-form-urlencoded",
    "application/sparql-query",
    "application/sparql-update",
)
SESSIONS, PERSONS, PLACES = (GRAPHS + name for name in ("sessions", "persons", "places"))
SESSION, PERSON, PLACE = (
    f"<{ENTITIES}{name}>" for name in ("session/84", "person/mireille-ballestrazzi", "place/kigali")
)
IN_BOTH = f"ASK {{ GRAPH ?g1 {{ {SESSION} a ?type }} GRAPH ?g2 {{ {PERSON} a ?type2 }} }}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def dataset(default: tuple[str, ...] = (), named: tuple[str, ...] = ()) -> str:
    """Return protocol parameters as they stand in a query string."""
    pairs = [("default-graph-uri", iri) for iri in default] + [("named-graph-uri", iri) for iri in named]
    return "&".join(f"{name}={quote(iri, safe='')}" for name, iri in pairs)


class Case(NamedTuple):
    """One request and what the answer must be: a truth, a kind of format, or a refusal (its status)."""

    name: str
    method: str
    query_string: str
    content_type: str | None
    body: str | bytes | None
    expected: bool | str | int


ASK = quote("ASK {}")

#: The 34 tests of the W3C's protocol test suite, over graphs of ours; an update is refused here, whatever its form.
W3C = [
    Case("query_post_form", "POST", dataset((SESSIONS,)), FORM, f"query={ASK}", True),
    Case("query_dataset_default_graphs_get", "GET",
         f"query={quote(f'ASK {{ {SESSION} a ?type . {PERSON} a ?other }}')}&{dataset((SESSIONS, PERSONS))}", None, None, True),
    Case("query_dataset_default_graphs_post", "POST", dataset((SESSIONS, PERSONS)), QUERY,
         f"ASK {{ {SESSION} a ?type . {PERSON} a ?other }}", True),
    Case("query_dataset_named_graphs_post", "POST", dataset((), (SESSIONS, PERSONS)), QUERY, IN_BOTH, True),
    Case("query_dataset_named_graphs_get", "GET", f"query={quote(IN_BOTH)}&{dataset((), (SESSIONS, PERSONS))}", None, None, True),
    Case("query_dataset_full", "POST", dataset((PLACES,), (SESSIONS, PERSONS)), QUERY,
         f"ASK {{ {PLACE} a ?type GRAPH ?g1 {{ {SESSION} a ?one }} GRAPH ?g2 {{ {PERSON} a ?two }} }}", True),
    Case("query_multiple_dataset", "POST", dataset((), (SESSIONS, PERSONS)), QUERY,
         IN_BOTH.replace("ASK", f"ASK FROM <{PLACES}>"), True),
    Case("query_get", "GET", f"query={ASK}&{dataset((SESSIONS,))}", None, None, True),
    Case("query_content_type_select", "POST", dataset((SESSIONS,)), QUERY, "SELECT (1 AS ?value) {}", "results"),
    Case("query_content_type_ask", "POST", dataset((SESSIONS,)), QUERY, "ASK {}", "results"),
    Case("query_content_type_describe", "POST", dataset((SESSIONS,)), QUERY, "DESCRIBE <http://example.org/>", "graph"),
    Case("query_content_type_construct", "POST", dataset((SESSIONS,)), QUERY, "CONSTRUCT { <s> <p> 1 } WHERE {}", "graph"),
    Case("update_dataset_default_graph", "POST", f"using-graph-uri={quote(SESSIONS)}", UPDATE, "CLEAR ALL", 400),
    Case("update_dataset_default_graphs", "POST", f"using-graph-uri={quote(SESSIONS)}&using-graph-uri={quote(PLACES)}",
         UPDATE, "CLEAR ALL", 400),
    Case("update_dataset_named_graphs", "POST", f"using-named-graph-uri={quote(SESSIONS)}", UPDATE, "CLEAR ALL", 400),
    Case("update_dataset_full", "POST", f"using-graph-uri={quote(PLACES)}&using-named-graph-uri={quote(SESSIONS)}",
         UPDATE, "CLEAR ALL", 400),
    Case("update_post_form", "POST", "", FORM, "update=CLEAR%20ALL", 400),
    Case("update_post_direct", "POST", "", UPDATE, "CLEAR ALL", 400),
    Case("update_base_uri", "POST", "", FORM, "update=INSERT+DATA+%7B%3Cs%3E+%3Cp%3E+1%7D", 400),
    Case("query_post_direct", "POST", "", QUERY, "ASK {}", True),
    Case("bad_query_method", "PUT", f"query={ASK}&{dataset((SESSIONS,))}", FORM, "", 405),
    Case("bad_multiple_queries", "GET", f"query={ASK}&query={quote('SELECT * {}')}", None, None, 400),
    Case("bad_query_wrong_media_type", "POST", "", "text/plain", "ASK {}", 415),
    Case("bad_query_missing_form_type", "POST", "", None, f"query={ASK}", 415),
    Case("bad_query_missing_direct_type", "POST", "", None, "ASK {}", 415),
    Case("bad_query_non_utf8", "POST", "", f"{QUERY}; charset=UTF-16", "ASK {}".encode("utf-16"), 415),
    Case("bad_query_syntax", "GET", f"query={quote('ASK {')}", None, None, 400),
    Case("bad_update_get", "GET", "update=CLEAR%20ALL", None, None, 400),
    Case("bad_multiple_updates", "POST", "", FORM, "update=CLEAR%20NAMED&update=CLEAR%20DEFAULT", 400),
    Case("bad_update_wrong_media_type", "POST", "", "text/plain", "CLEAR NAMED", 415),
    Case("bad_update_missing_form_type", "POST", "", None, "update=CLEAR%20NAMED", 415),
    Case("bad_update_non_utf8", "POST", "", f"{UPDATE}; charset=UTF-16", "CLEAR NAMED".encode("utf-16"), 415),
    Case("bad_update_syntax", "POST", "", FORM, "update=CLEAR+XYZ", 400),
    Case("bad_update_dataset_conflict", "POST", f"using-named-graph-uri={quote(SESSIONS)}", FORM, "update=CLEAR%20ALL", 400),
]  # fmt: skip

#: Rules of the text that the suite does not try.
RULES = [
    Case("parameters of a form stand in its body", "POST", "", FORM, f"query={quote(IN_BOTH)}&{dataset((), (SESSIONS, PERSONS))}", True),
    Case("a form with a charset", "POST", "", f"{FORM}; charset=UTF-8", f"query={ASK}", True),
    Case("a query with a charset", "POST", "", f'{QUERY}; charset="utf-8"', "ASK {}", True),
    Case("media types know no case", "POST", "", "Application/SPARQL-Query", "ASK {}", True),
    Case("another charset of a form", "POST", "", f"{FORM}; charset=iso-8859-1", f"query={ASK}", 415),
    Case("plus is a space", "GET", "query=ASK+%7B%7D", None, None, True),
    Case("percent-encoded names", "GET", f"%71uery={ASK}", None, None, True),
    Case("characters beyond ASCII", "GET", "query=" + quote("ASK { FILTER(STRLEN('é漢') = 2) }"), None, None, True),
    Case("a query that is no UTF-8", "GET", "query=ASK%20%7B%7D%FF", None, None, 400),
    Case("a form that is no UTF-8", "POST", "", FORM, b"query=ASK%20%7B%7D\xff", 400),
    Case("a body that is no UTF-8", "POST", "", QUERY, b"ASK { } # \xff", 400),
    Case("the query as body and parameter", "POST", f"query={ASK}", QUERY, "ASK {}", 400),
    Case("the query in address and form", "POST", f"query={ASK}", FORM, f"query={ASK}", 400),
    Case("a form without a query", "POST", "", FORM, "nothing=here", 400),
    Case("a dataset without a query", "GET", dataset((SESSIONS,)), None, None, 400),
    Case("an empty query", "GET", "query=", None, None, 400),
    Case("an update sent as a query", "GET", f"query={quote('CLEAR ALL')}", None, None, 400),
    Case("an update sent as a query body", "POST", "", QUERY, "PREFIX x: <x:> INSERT DATA { x:a x:b x:c }", 400),
    Case("update beside query", "GET", f"query={ASK}&update=CLEAR%20ALL", None, None, 400),
    Case("other parameters are left alone", "GET", f"query={ASK}&timeout=5&_=1&%FF=%FF", None, None, True),
    Case("DELETE", "DELETE", "", None, None, 405),
    Case("PATCH", "PATCH", "", None, None, 405),
    Case("a default graph that is not here", "GET", f"query={ASK}&default-graph-uri=http%3A%2F%2Fexample.org%2F", None, None, 400),
    Case("a named graph that is not here", "GET", f"query={ASK}&named-graph-uri=x", None, None, 400),
    Case("FROM a graph that is not here", "GET", f"query={quote('ASK FROM <http://example.org/> {}')}", None, None, 400),
    Case("FROM NAMED a graph that is not here", "POST", "", QUERY, "ASK FROM NAMED<graph/sesions>{}", 400),
    Case("FROM with a prefix", "POST", "", QUERY, f"PREFIX g: <{GRAPHS}> ASK FROM g:sessions {{ {SESSION} a ?type }}", True),
    Case("FROM with a prefix of the table", "POST", "", QUERY, f"ASK FROM graph:places {{ {SESSION} a ?type }}", False),
    Case("FROM relative to the base", "POST", "", QUERY, f"ASK FROM <graph/sessions> {{ {SESSION} a ?type }}", True),
    Case("FROM in a comment", "POST", "", QUERY, "ASK # FROM <http://example.org/>\n {}", True),
    Case("FROM in a string and an IRI", "POST", "", QUERY,
         "ASK { FILTER('FROM <http://example.org/>' != STR(<http://example.org/FROM>)) }", True),
    Case("the request's dataset wins over an unknown FROM", "POST", dataset((SESSIONS,)), QUERY,
         f"ASK FROM <http://example.org/> {{ {SESSION} a ?type }}", True),
    Case("a dataset that was left empty", "POST", dataset(("",), ("",)), FORM, f"query={ASK}&default-graph-uri=", True),
    Case("relative IRIs have a base", "POST", "", QUERY, "ASK { <id/session/84> a ?type }", True),
    Case("a slash at the end is no other place", "GET", f"query={ASK}&", None, None, True),
]  # fmt: skip


def sent(client: FlaskClient, case: Case, path: str = "/sparql", **headers: str) -> TestResponse:
    body = case.body.encode() if isinstance(case.body, str) else case.body
    builder = EnvironBuilder(
        path=path, method=case.method, query_string=case.query_string, data=body, content_type=case.content_type,
        headers=headers,
    )  # fmt: skip
    return client.open(builder)


def test_all_34_cases_of_the_suite_are_here() -> None:
    assert len(W3C) == len({case.name for case in W3C}) == 34


@pytest.mark.parametrize("case", [*W3C, *RULES], ids=lambda case: case.name)
def test_protocol(client: FlaskClient, case: Case) -> None:
    answer = sent(client, case)
    if isinstance(case.expected, bool):
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["boolean"] is case.expected
    elif isinstance(case.expected, str):
        assert answer.status_code == 200, answer.text
        assert answer.mimetype in {t for fmt in FORMATS if fmt.kind == case.expected for t in fmt.media_types}
    else:
        problem = answer.get_json()
        assert (answer.status_code, answer.mimetype) == (case.expected, "application/problem+json")
        assert problem["status"] == case.expected and len(problem["detail"]) > 20
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("case", [case for case in RULES if case.method != "DELETE"], ids=lambda case: case.name)
def test_a_page_and_data_agree(client: FlaskClient, case: Case) -> None:
    """What is refused to a program is refused to a browser too, with the same status."""
    data, page = sent(client, case), sent(client, case, Accept=BROWSER)
    if case.name != "a dataset without a query" and "empty" not in case.name and "without" not in case.name:
        assert page.status_code == data.status_code
    assert page.mimetype == "text/html"


def test_trailing_slash(client: FlaskClient) -> None:
    assert client.get("/sparql/?query=ASK%7B%7D").get_json()["boolean"] is True


def test_what_is_wrong_is_said(client: FlaskClient) -> None:
    for case, word in {
        "another charset of a form": "iso-8859-1",
        "a query that is no UTF-8": "byte 6",
        "an update sent as a query": "CLEAR",
        "the query in address and form": "2 times",
        "DELETE": "by GET, HEAD, OPTIONS, POST",
    }.items():
        answer = sent(client, next(c for c in RULES if c.name == case))
        assert word in answer.get_json()["detail"]
    unknown = sent(client, next(c for c in RULES if c.name.startswith("FROM NAMED a graph"))).get_json()
    assert unknown["graph"] == f"{GRAPHS}sesions" and unknown["similar"][0] == SESSIONS and "known" not in unknown


def subclasses(of: type[EngineError]) -> Iterator[type[EngineError]]:
    for error in of.__subclasses__():
        yield error
        yield from subclasses(error)


def test_every_error_is_a_row_of_the_table_and_every_row_an_error() -> None:
    raised = {problems.name(error("")) for error in subclasses(EngineError)}
    assert raised == set(problems.PROBLEMS)


def test_405_names_what_is_allowed(client: FlaskClient) -> None:
    for path, allowed in (
        ("/sparql", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/graphs?default", {"GET", "HEAD", "OPTIONS"}),
    ):
        for method in ("PUT", "DELETE", "PATCH"):
            answer = client.open(path, method=method)
            assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == allowed
            assert answer.mimetype == "application/problem+json"


def test_a_body_that_is_compressed_is_refused_by_name(client: FlaskClient) -> None:
    answer = client.post("/sparql", data=b"\x1f\x8b", content_type=QUERY, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415 and "gzip" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "path", ["/sparql?query=ASK%7B%7D", "/sparql", "/", "/api/agreements-by-year", "/graphs?default", "/nothing"]
)
def test_head_is_get_without_its_body(client: FlaskClient, path: str) -> None:
    full, head = client.get(path, buffered=True), client.head(path, buffered=True)
    assert head.status_code == full.status_code and head.data == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Vary", "Cache-Control"):
        assert head.headers.get(name) == full.headers.get(name), name


# Browser applications


@pytest.mark.parametrize(
    "path", ["/sparql", "/graphs?default", "/api/agreements-by-year", "/dumps/sessions.ttl", "/nothing"]
)
@pytest.mark.parametrize(
    "fields", ["queryid", "traceparent, tracestate", "cache-control,x-requested-with", "Content-Type"]
)
def test_a_browser_application_may_send_any_header(client: FlaskClient, path: str, fields: str) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    answer = client.options(path, headers=asked | {"Access-Control-Request-Headers": fields})
    assert answer.headers["Access-Control-Allow-Headers"] == fields
    assert (
        answer.headers["Access-Control-Allow-Origin"] == "*"
        and "Access-Control-Allow-Credentials" not in answer.headers
    )


def test_preflight(client: FlaskClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    for path in ("/sparql", "/graphs", "/api/agreements-by-year"):
        answer = client.options(path, headers=asked)
        assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()
        assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("query", ["ASK {}", "ASK {", "SELECT (RAND() AS ?x) {}"])
def test_every_answer_is_open_to_browser_applications(client: FlaskClient, query: str) -> None:
    for _ in range(2):  # evaluated, then from memory
        answer = client.get("/sparql", query_string={"query": query})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_pages_run_no_foreign_script_and_stand_in_no_frame(client: FlaskClient) -> None:
    for path in ("/", "/sparql?query=ASK%7B%7D", "/nothing", "/sparql?query=%3Cscript%3E"):
        answer = client.get(path, headers={"Accept": BROWSER}, buffered=True)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Referrer-Policy"]
        assert b"<script>" not in answer.data


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "path",
    [
        f"/sparql?query={quote(HOSTILE)}",
        f"/sparql?query={quote('ASK FROM <http://x/' + quote(HOSTILE) + '> {}')}",
        f"/sparql?query=ASK%7B%7D&default-graph-uri={quote(HOSTILE)}",
        f"/sparql?query=ASK%7B%7D&query={quote(HOSTILE)}",
        f"/sparql?update={quote(HOSTILE)}",
        f"/graphs?graph={quote(HOSTILE)}",
        f"/graphs?default&graph={quote(HOSTILE)}",
        f"/graphs?default&format={quote(HOSTILE)}",
        f"/api/{quote(HOSTILE, safe='')}",
        f"/{quote(HOSTILE)}",
    ],
)
def test_nothing_echoed_becomes_markup(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": BROWSER, "Host": "localhost"}, buffered=True)
    if answer.mimetype == "text/html":
        assert b"<script>alert" not in answer.data and b"<img src=x" not in answer.data
    else:
        assert answer.mimetype == "application/problem+json" and answer.headers["X-Content-Type-Options"] == "nosniff"


# Service Description


def described(client: FlaskClient, accept: str = "text/turtle", **headers: str) -> Graph:
    answer = client.get("/sparql", headers={"Accept": accept, **headers})
    assert answer.status_code == 200 and answer.mimetype == accept, answer.text
    return Graph().parse(data=answer.data, format=accept)


@pytest.mark.parametrize("fmt", of_kind("graph"), ids=lambda fmt: fmt.name)
def test_the_service_describes_itself_in_every_format(client: FlaskClient, fmt: Any) -> None:
    graph = described(client, fmt.media_types[0])
    service = graph.value(predicate=RDF.type, object=SD.Service)
    assert graph.value(service, SD.endpoint) == URIRef("http://localhost/sparql")
    assert graph.value(service, SD.supportedLanguage) == SD.SPARQL11Query
    assert SD.BasicFederatedQuery not in set(graph.objects(service, SD.feature))
    offered = {str(iri) for iri in graph.objects(service, SD.resultFormat)}
    assert offered == {fmt.engine.iri for fmt in FORMATS if fmt.kind != "dataset"}


def test_known_deviations_are_described(client: FlaskClient) -> None:
    notes = {str(note) for note in described(client).objects(None, SKOS.note)}
    rows = sparql.DEVIATIONS["deviations"]
    assert len(notes) == len(rows) > 0
    assert all(any(row["name"] in note and row["instead"] in note for note in notes) for row in rows)


@pytest.mark.parametrize("row", sparql.DEVIATIONS["deviations"], ids=lambda row: row["name"])
def test_a_deviation_is_one_as_long_as_the_engine_has_it(row: dict[str, Any]) -> None:
    """When this fails the engine may have been mended: the row of the table falls then."""
    store = Store()
    store.load(sparql.DEVIATIONS["data"].encode(), format=RdfFormat.TURTLE)

    def answer(query: str) -> list[str]:
        rows = store.query(query, prefixes={"": "http://example.org/", "xsd": str(XSD)})
        return sorted(str(solution[0] or "") for solution in rows)  # type: ignore[union-attr]

    assert answer(row["query"]) == row["got"] != row["expected"]
    assert answer(row["instead"]) == row["expected"]


def test_described_sizes_are_counted(client: FlaskClient, snapshot: Snapshot) -> None:
    graph = described(client)
    data = graph.value(predicate=RDF.type, object=SD.Dataset)
    sizes = {
        str(graph.value(node, SD.name)): graph.value(graph.value(node, SD.graph), VOID.triples)
        for node in graph.objects(data, SD.namedGraph)
    }
    assert set(sizes) == set(snapshot.graphs)
    query = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    counted = json.loads(snapshot.query(query).body)["results"]["bindings"]
    assert {row["g"]["value"]: Literal(int(row["n"]["value"])) for row in counted} == sizes
    union = json.loads(snapshot.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").body)["results"]["bindings"][0]["n"]
    assert graph.value(graph.value(data, SD.defaultGraph), VOID.triples) == Literal(int(union["value"]))


def test_the_endpoint_is_described_as_the_client_reached_it(client: FlaskClient) -> None:
    graph = described(client, Host="graph.example:8080")
    assert set(graph.objects(None, SD.endpoint)) == {URIRef("http://graph.example:8080/sparql")}
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert set(described(client, **forwarded).objects(None, SD.endpoint)) == {URIRef("http://localhost/sparql")}


def test_a_proxy_is_believed_only_if_a_setting_says_so(process: EvaluatorProcess) -> None:
    forwarded = {"X-Forwarded-Host": "graph.example", "X-Forwarded-Proto": "https"}
    with closing(EvaluatorPool(process.address, replace(process.settings, proxies=1), process.about)) as behind:
        graph = described(create_app(behind).test_client(), **forwarded)
    assert set(graph.objects(None, SD.endpoint)) == {URIRef("https://graph.example/sparql")}


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_proxy_that_is_not_believed_is_told_of_once(
    process: EvaluatorProcess, proxies: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(EvaluatorPool(process.address, replace(process.settings, proxies=proxies), process.about)) as behind:
        client = create_app(behind).test_client()
        for address in ("192.0.2.1", "192.0.2.2"):
            assert client.get("/sparql?query=ASK{}", headers={"X-Forwarded-For": address}).status_code == 200
    told = capfd.readouterr().err
    assert told.count("proxy not believed") == told.count("--proxies 1") == 1 - proxies and "192.0.2" not in told


def test_a_description_on_no_offer_is_406(client: FlaskClient) -> None:
    answer = client.get("/sparql", headers={"Accept": "image/png"})
    assert answer.status_code == 406 and "text/turtle" in answer.get_json()["offered"]


# Graph Store Protocol


def dumped(graph: KnowledgeGraph, fmt: Any, *names: NamedNode) -> bytes:
    file = BytesIO()
    graph.dump(file, fmt, *names)
    return file.getvalue()


@pytest.mark.parametrize("fmt", of_kind("graph"), ids=lambda fmt: fmt.name)
def test_a_named_graph_in_every_format(client: FlaskClient, graph: KnowledgeGraph, fmt: Any) -> None:
    answer = client.get(
        "/graphs", query_string={"graph": PLACES}, headers={"Accept": fmt.media_types[0]}, buffered=True
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, fmt.content_type)
    name = next(name for name in graph.graphs if name.value == PLACES)
    assert answer.data == dumped(graph, fmt, name)
    assert client.get("/graphs", query_string={"graph": PLACES, "format": fmt.name}, buffered=True).data == answer.data
    assert "Accept" in answer.headers["Vary"] and answer.headers["ETag"]


def test_the_default_graph(client: FlaskClient, graph: KnowledgeGraph) -> None:
    fmt = next(fmt for fmt in FORMATS if fmt.name == "ntriples")
    answer = client.get("/graphs?default", headers={"Accept": "application/n-triples"}, buffered=True)
    assert answer.data == dumped(graph, fmt)


def test_a_graph_can_be_resumed_and_asked_again(client: FlaskClient) -> None:
    path = f"/graphs?graph={quote(PLACES)}"
    whole = client.get(path, buffered=True)
    part = client.get(path, headers={"Range": "bytes=10-", "If-Range": whole.headers["ETag"]}, buffered=True)
    assert part.status_code == 206 and part.data == whole.data[10:]
    assert client.get(path, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True).status_code == 304


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("graph=http%3A%2F%2Fexample.org%2F", 404),
        (f"graph={quote(GRAPHS)}sesions", 404),
        ("", 400),
        (f"default&graph={quote(PLACES)}", 400),
        (f"graph={quote(PLACES)}&graph={quote(SESSIONS)}", 400),
        ("default&format=csv", 406),
        ("default&format=excel", 400),
    ],
)
def test_graphs_that_cannot_be_given(client: FlaskClient, query: str, status: int) -> None:
    answer = client.get(f"/graphs?{query}", buffered=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json()
    assert problem.get("similar") or problem.get("offered") or problem.get("known") or "/dumps/" in problem["detail"]
    assert len(answer.data) < 1000, "a sentence, not the list of all graphs"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/graphs", {"graph": GRAPHS + "sesions"}),
        ("/sparql", {"query": "ASK {}", "default-graph-uri": GRAPHS + "sesions"}),
        ("/sparql", {"query": f"ASK FROM NAMED <{GRAPHS}sesions> {{}}"}),
        ("/dumps/sesions.ttl", {}),
        ("/graph/sesions", {}),
    ],
)
def test_a_graph_that_is_not_here_is_answered_by_the_three_most_similar(
    client: FlaskClient, path: str, query: dict[str, str]
) -> None:
    problem = client.get(path, query_string=query).get_json()
    assert "known" not in problem and len(problem["similar"]) <= 3
    assert "sessions" in problem["similar"][0] and "sesions" in problem["detail"]


def test_a_browser_without_a_graph_is_led_to_the_list(client: FlaskClient) -> None:
    answer = client.get("/graphs", headers={"Accept": BROWSER}, buffered=True)
    assert answer.status_code == 303 and answer.headers["Location"].endswith("/dumps/")


# Negotiation


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("text/*", "csv"),
        ("text/csv;q=0.2, text/tab-separated-values;q=0.3", "tsv"),
        ("application/sparql-results+xml, */*;q=0.1", "xml"),
        ("application/sparql-results+json;q=0, application/sparql-results+xml;q=0.1, */*;q=0.05", "xml"),
        ("application/sparql-results+json;q=0.000, application/json;q=0, */*", "xml"),
        ("TEXT/CSV", "csv"),
        ("application/xml", "xml"),
        ("text/xml", "xml"),
        ("text/json", "json"),
        ("text/csv;q=.2, image/gif;q=1", "csv"),
        ("image/gif, image/jpeg, *; q=.2, */*; q=.2", "json"),
        ("text/csv; q = .2, text/tab-separated-values;q=.3", "tsv"),
        ("text/turtle", None),
        ("text/csv, text/html;q=0.5", "csv"),
        ("text/tab-separated-values, text/html;q=0.1", "tsv"),
        ("text/html;q=0.1, application/sparql-results+xml;q=0.2", "xml"),
        ("text/csv;q=0", None),
        ("garbage", None),
    ],
)
def test_results_by_accept(client: FlaskClient, accept: str, name: str | None) -> None:
    answer = client.get("/sparql?query=SELECT(1%20AS%20%3Fx)%7B%7D", headers={"Accept": accept})
    if name is None:
        assert answer.status_code == 406
    else:
        fmt = next(fmt for fmt in FORMATS if fmt.name == name)
        assert answer.headers["Content-Type"] == fmt.content_type


GRAPH_QUERY, ROW_QUERY = "CONSTRUCT { <x:s> <x:p> 1 } {}", "SELECT (1 AS ?x) {}"
#: What clients call formats → what they mean of rows (None: nothing), and of a graph.
CALLED = {
    "xml json csv tsv XML JSON Csv": (
        "xml json csv tsv xml json csv",
        "rdfxml jsonld turtle turtle rdfxml jsonld turtle",
    ),
    "application/xml APPLICATION/JSON text/csv;charset=utf-8": ("xml json csv", "rdfxml jsonld turtle"),
    "application/sparql-results+json srj sparql-results+xml": ("json json xml", "turtle turtle turtle"),
    "turtle ttl TTL n3 N3 text/n3 text/turtle;charset=utf-8": ("", "turtle turtle turtle turtle turtle turtle turtle"),
    "RDFXML rdf+xml rdf-xml RDF/XML rdf owl application/rdf+xml": (
        "",
        "rdfxml rdfxml rdfxml rdfxml rdfxml rdfxml rdfxml",
    ),
    "JSONLD json-ld JSON-LD application/ld+json ld+json": ("", "jsonld jsonld jsonld jsonld jsonld"),
    "excel html rdf+json": ("- - -", "- - -"),
    "nt ntriples N-Triples .nt application/n-triples": ("", "ntriples ntriples ntriples ntriples ntriples"),
}
NAMES = [
    (name, *((meant.split()[number : number + 1] or [None])[0] for meant in both))
    for names, both in CALLED.items()
    for number, name in enumerate(names.split())
]


@pytest.mark.parametrize(("name", "rows", "graph"), NAMES, ids=lambda value: str(value))
def test_formats_by_the_names_that_clients_give(
    client: FlaskClient, name: str, rows: str | None, graph: str | None
) -> None:
    for query, meant in ((ROW_QUERY, rows), (GRAPH_QUERY, graph)):
        answers = [
            client.get("/sparql", query_string={"query": query, "format": name}, headers={"Accept": "*/*"}),
            client.post("/sparql", data={"query": query, "format": name}),
        ]
        for answer in answers:
            if meant == "-":
                assert answer.status_code == 400 and "turtle" in answer.get_json()["known"]
            elif meant is None:
                assert answer.status_code == 406
            else:
                expected = next(fmt for fmt in FORMATS if fmt.name == meant)
                assert (answer.status_code, answer.headers["Content-Type"]) == (200, expected.content_type)
                assert answer.data


def test_no_name_stands_for_two_formats_of_one_kind() -> None:
    for fmt in FORMATS:
        for name in fmt.names:
            meant = negotiation.called(name, FORMATS)
            assert [other for other in meant if other.kind == fmt.kind] == [fmt], name


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("text/n3", "text/turtle"),
        ("application/n3, text/rdf+n3", "text/turtle"),
        ("application/turtle", "text/turtle"),
        ("text/xml", "application/rdf+xml"),
        ("text/html;q=.1, image/gif, */*; q=.2", "text/turtle"),
        ("application/n-triples;q=.4, text/turtle;q=.3", "application/n-triples"),
    ],
)
def test_graphs_by_accept(client: FlaskClient, accept: str, given: str) -> None:
    for address in ("/graphs?default", "/data/session/84", f"/sparql?query={quote(GRAPH_QUERY)}"):
        assert client.get(address, headers={"Accept": accept}, buffered=True).mimetype == given


@pytest.mark.parametrize("accept", ["text/html;charset=utf-8, text/turtle;q=0.5", "text/html;q=.9, text/turtle;q=.5"])
def test_a_page_is_told_from_data_however_a_wish_is_written(client: FlaskClient, accept: str) -> None:
    assert client.get("/dataset", headers={"Accept": accept}).mimetype == "text/turtle"
    assert client.get("/sparql", headers={"Accept": accept}).mimetype == "text/html"


# What is told from the words of a query


@pytest.mark.parametrize(
    ("query", "volatile"),
    [
        ("SELECT (RAND() AS ?x) {}", True),
        ("SELECT (nOw() AS ?x) {}", True),
        ("SELECT (UUID() AS ?x) {}", True),
        ("SELECT (STRUUID() AS ?x) {}", True),
        ("SELECT (BNODE() AS ?x) {}", True),
        ("SELECT (BNODE('a') AS ?x) {}", True),
        ("SELECT (R\\u0041ND() AS ?x) {}", True),
        ("SELECT (1+1NOW() AS ?x) {}", True),
        ("SELECT * { ?s ?a ?c FILTER(?a<RAND()&&?c>0) }", True),
        ("SELECT * { ?s ?a ?c FILTER(?a<<x:f>(uuid())&&?c>0) }", True),
        ("CONSTRUCT { [] ?p ?o } { ?s ?p ?o }", True),
        ("CONSTRUCT { _:b ?p ?o } { ?s ?p ?o }", True),
        ("CONSTRUCT { ?s ?p (1 2) } { ?s ?p ?o }", True),
        ("CONSTRUCT { ?s ?p ?o . ?o ?p [ ?p ?s ] } { ?s ?p ?o }", True),
        ("CONSTRUCT WHERE { [] ?p ?o }", True),
        ("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o . [] ?p _:b FILTER(?o IN (1)) }", False),
        ("CONSTRUCT WHERE { ?s ?p ?o }", False),
        ("DESCRIBE ?s { ?s ?p [] }", False),
        ("SELECT ?now ?rand { ?now ?p 'RAND()' . ?x <http://x/NOW()> 1 } # UUID()", False),
        ("PREFIX now: <http://x/> SELECT * { now:RAND ?p 'x'@now }", False),
        ("SELECT * { ?s ?p '''it's NOW() \\''' RAND()''' }", False),
    ],
)
def test_what_never_repeats(query: str, volatile: bool) -> None:
    assert tokens.read(query).volatile is volatile


@pytest.mark.parametrize(
    ("query", "graphs"),
    [
        ("SELECT * FROM <http://a/> FROM NAMED <http://b/> {}", ["http://a/", "http://b/"]),
        ("BASE <http://a/b/> SELECT * FROM<c> {}", ["http://a/b/c"]),
        ("SELECT * FROM <c> {}", [BASE + "c"]),
        ("SELECT * FROM <http://a/b#> FROM NAMED <http://a/b?> {}", ["http://a/b#", "http://a/b?"]),
        ("BASE <http://a/b/> SELECT * FROM <../c?d#> FROM NAMED <#> {}", ["http://a/c?d#", "http://a/b/#"]),
        ("BASE <urn:x:> SELECT * FROM <urn:g> FROM NAMED <a b> {}", ["urn:g"]),
        ("PREFIX : <http://a/> ASK from named :x {}", ["http://a/x"]),
        ("PREFIX from: <http://a/> ASK { ?from from:from 'FROM <x>' }", []),
        ("SELECT * FR\\u004fM <http://a/> {}", ["http://a/"]),
        ("ASK { FILTER(?a<?b && ?c>?d) }", []),
        ("ASK FROM unknown:x {}", []),
        ("ASK FROM", []),
    ],
)
def test_the_graphs_that_a_query_names(query: str, graphs: list[str]) -> None:
    assert list(tokens.read(query).graphs) == graphs


#: What is no keyword, wherever a word can stand that is none: a name, a label, a variable, a text, an escape, a remark.
NO_KEYWORDS = [
    "SELECT * { _:webservice ?p ?o }",
    "SELECT * { _:service.service-service ?p _:a.service. _:1service ?p ?o }",
    "SELECT * { _:datafrom <p> ?x }",
    "SELECT * { _:from <http://a/> ?x . _:mybnode <p> (1 2) . _:bnode <p> (1) }",
    "SELECT * { ?s <p> _:bnode . (1) <p> _:now . _:rand <p> _:uuid }",
    "SELECT * { <urn:x:bnode(1)> <urn:service(2)> <urn:now()> }",
    r"SELECT * { <http://x/SERVICE> <http://x/\u0053ERVICE> <http://x/\U00000046ROM> }",
    "SELECT * { ?s ?p 'SERVICE' , \"FROM <http://x/>\" , '''BNODE(1)''' , \"\"\"' SERVICE <x> {} \"\"\" }",
    r"SELECT * { ?s ?p '\'SERVICE <x> {}' , 'a'@service , '1'^^<x:service> }",
    "SELECT * { ?s ?p ?o } # SERVICE <x> { } FROM <http://x/> BNODE(1)\n",
    "SELECT * # SERVICE <x> {\r { ?s ?p ?o } #FROM <http://x/>",
    "SELECT * { ?service ?from ?bnode . ?e\u0301service ?a\u00b7from <p> }",
    "PREFIX ex: <x:> SELECT * { ex:e\u0301service ex:a\u203ffrom <http://a/> }",
    "PREFIX ex: <x:> SELECT * { ex:ser\\-service ex:a.service ex:a%20service , ex:service. ex:insert a ex:bnode }",
    "PREFIX service: <x:> PREFIX from: <x:> PREFIX bnode: <x:> SELECT * { service:from from:service bnode:bnode }",
    "PREFIX ex: <x:> SELECT * FROM <known> { ?s ex:datafrom <urn:x> ; ex:base <urn:y> ; ex:prefix ex:from, <urn:z> }",
    r"SELECT * { ?\u0053ERVICE _:\u0053ERVICE ?FR\u004fM, <http://x/> }",
    "SELECT * { ?s ?p 'b'@en--from }",
]


@pytest.mark.parametrize("query", NO_KEYWORDS)
def test_no_word_is_taken_for_a_keyword_that_is_none(query: str) -> None:
    known = (BASE + "known",) if "known" in query else ()
    assert tokens.read(query) == tokens.Reading(graphs=known)


@pytest.mark.parametrize("query", NO_KEYWORDS[2:15])
def test_what_holds_no_keyword_is_evaluated(client: FlaskClient, query: str) -> None:
    answer = client.get("/sparql", query_string={"query": query})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("query", "service", "labelled"),
    [
        ("SELECT * { SERVICE <x> {} }", True, False),
        ("SELECT * { _:a <p> 1.SERVICE <x> {} }", True, False),
        ("SELECT * { _:a. SERVICE <x> {} }", True, False),
        ("SELECT * { ?s ?p _:a.\nservice silent <x> {} }", True, False),
        ("SELECT * { ?s ?p ex:a. SERVICE<x> {} }", True, False),
        ("SELECT * { ?s ?p 'a'@en. SERVICE<x> {} }", True, False),
        (r"SELECT * { ?s ?p <x\u003e. SERVICE<x> {} }", True, False),
        (r"SELECT * { _:a\u002e SERVICE<x> {} }", True, False),
        ("SELECT (BNODE('a') AS ?x) {}", False, True),
        ("SELECT * { FILTER(?a<bnode(1)&&?c>0) }", False, True),
        ("SELECT * { FILTER(?a<bnode(1))FILTER(?c>0) }", False, True),
        ("SELECT * { FILTER(?a IN(?a<bnode(1),?c>0)) }", False, True),
    ],
)
def test_no_keyword_hides(query: str, service: bool, labelled: bool) -> None:
    assert (tokens.read(query).service, tokens.read(query).labelled) == (service, labelled)


@pytest.mark.parametrize(
    "piece", ["'\\", "'''\\", "a-", "<a", "\"'", "'", "a.", "ex:a\\", "''' ", "now{", "1.e", ":", "_:", "FROM "]
)
def test_reading_takes_a_time_that_grows_with_the_query_only(piece: str) -> None:
    """A hundred thousand of anything are read at once: no pattern starts over."""
    began = time.process_time()
    tokens.read("CONSTRUCT {" + piece * 100_000)
    assert time.process_time() - began < 5


def test_a_host_that_is_none_is_refused(client: FlaskClient) -> None:
    answer = client.get("/sparql", headers={"Accept": "text/turtle"}, environ_overrides={"HTTP_HOST": 'x"><script>'})
    assert answer.status_code == 400 and "Host" in answer.get_json()["detail"]


def test_a_surrogate_written_as_an_escape_is_no_graph(client: FlaskClient) -> None:
    answer = client.get("/sparql", query_string={"query": "SELECT * FROM <http://x/\\uD800> {}"})
    assert answer.status_code == 400 and answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("PUT", "/sparql", 405, "by GET, HEAD, OPTIONS, POST"),
        ("GET", "/no/such/way", 404, "nothing at /no/such/way"),
    ],
)
def test_errors_of_the_framework_say_what_would_be_right(
    client: FlaskClient, method: str, path: str, status: int, words: str
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status and words in answer.get_json()["detail"]


def test_a_body_that_is_too_large_is_told_the_limit(client: FlaskClient) -> None:
    answer = client.post("/sparql", data=b"#" * (2 << 20), content_type="application/sparql-query")
    assert answer.status_code == 413 and "1024 KiB" in answer.get_json()["detail"]


def test_a_link_with_a_bare_plus_is_understood(client: FlaskClient) -> None:
    answer = client.get("/sparql?query=ASK%7B%7D&format=application/sparql-results+xml")
    assert answer.mimetype == "application/sparql-results+xml"


def test_the_description_is_the_same_bytes_each_time(client: FlaskClient) -> None:
    asked = [client.get("/sparql", headers={"Accept": "text/turtle", "X-N": str(n)}) for n in range(3)]
    ranged = [client.get("/sparql", headers={"Accept": "text/turtle", "Range": "bytes=0-"}) for _ in range(2)]
    assert len({answer.data for answer in (*asked, *ranged)}) == 1


def test_a_large_answer_is_offered_not_shown(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "LARGEST", 1000)
    page = client.get("/sparql", query_string={"query": "SELECT * { ?s ?p ?o } LIMIT 100"}, headers={"Accept": BROWSER})
    assert "too large to be shown" in page.text and "format=csv" in page.text and "<table" not in page.text


def test_an_error_of_our_own_is_one_line_of_the_log(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(app.view_functions, "entities.identifier", lambda **_: [][0])
    answer = app.test_client().get('/id/session/%0A{"event":"forged"}')
    assert answer.status_code == 500 and answer.get_json()["status"] == 500
    told = json.loads(capfd.readouterr().err)
    assert told["at"] == 'GET /id/session/\n{"event":"forged"}' and "IndexError" in told["why"]
