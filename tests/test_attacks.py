"""Hostile queries over HTTP against a real server with small limits: it stays well, and tells nothing it should not."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from attacked import ALONE, CROWDED, MEMORY, TIMEOUT, Target
from conftest import sampled
from hostile import CROSS_JOINS, GREEDY, LONG, PATHS, REGEX_BOMBS, nested
from interpol_graph.engine.limits import Settings
from test_limits import listener as listener  # the server that must never be reached

pytestmark = pytest.mark.usefixtures("ordinary")

X = "PREFIX interpol: <https://w3id.org/interpol-graph/ontology#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "


@pytest.mark.parametrize(
    "name", sampled([*CROSS_JOINS, *PATHS, *GREEDY], ["select, counted", "star of everything", "order by"], "attack")
)
def test_a_hostile_query_is_answered_in_time_and_harms_nobody(attacked: Target, name: str) -> None:
    query = (CROSS_JOINS | PATHS | GREEDY)[name]
    answer = attacked.ask(query).checked(statuses={200, 400, 503})
    if answer.status != 200:
        assert json.loads(answer.body)["detail"].endswith(".")
    attacked.is_well()


def test_cross_joins_in_every_form_say_which_limit_they_met(attacked: Target) -> None:
    for name in ("select, counted", "ask", "construct", "describe"):
        problem = json.loads(attacked.ask(CROSS_JOINS[name]).checked(statuses={503}).body)
        assert problem["title"] in ("Time limit reached", "Memory limit reached", "Answer too large"), (name, problem)
        assert any(word in problem["detail"] for word in (f"{TIMEOUT} second", f"{MEMORY} MiB", "MiB")), problem


@pytest.mark.parametrize("pattern", sampled(REGEX_BOMBS, REGEX_BOMBS[:1], "attack"), ids=range(len(REGEX_BOMBS)))
@pytest.mark.parametrize(
    "call", ['REGEX("{0}", "{1}")', 'REGEX(STR(?o), "{1}", "i")', 'REPLACE("{0}", "{1}", "$0$0") = ""']
)
def test_a_regular_expression_is_no_bomb(attacked: Target, pattern: str, call: str) -> None:
    condition = call.format("a" * 3000 + "!", pattern)
    attacked.ask(f"SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER ({condition}) }}").checked(statuses={200, 400, 503})


@pytest.mark.parametrize("depth", sampled([300, 3_000, 60_000], [60_000], "attack"))
def test_deep_nesting_does_not_break_the_stack(attacked: Target, depth: int) -> None:
    for name, query in nested(depth).items():
        answer = attacked.ask(query[: 1 << 20])
        assert answer.status in (200, 400, 413, 503), f"{name}: {answer.status} {answer.text[:300]}"
        answer.checked()
    attacked.is_well()


@pytest.mark.parametrize("name", sampled(LONG, ["mixed quotes", "newlines then a fault"], "attack"))
def test_a_long_query_is_read_in_time(attacked: Target, name: str) -> None:
    answer = attacked.ask(LONG[name]).checked(statuses={200, 400, 413, 503})
    if answer.status != 200:
        assert len(answer.body) < 10_000, "a problem does not send the query back"


def test_a_body_over_the_limit_is_refused(attacked: Target) -> None:
    answer = attacked.ask("#" * (40 << 20) + "\nASK {}").checked(statuses={413})
    assert json.loads(answer.body)["status"] == 413
    attacked.is_well()


def test_while_twenty_hostile_queries_run_ordinary_ones_are_answered(attacked: Target) -> None:
    hostile = [*CROSS_JOINS.values(), *PATHS.values(), *GREEDY.values()][:20]
    answers: list[object] = []
    crowd = threading.Thread(target=lambda: answers.extend(attacked.at_once(hostile)))
    crowd.start()
    for number in range(20):
        attacked.get(f"SELECT ({number} AS ?n) {{}}").checked(statuses={200})
    crowd.join()
    for answer in answers:
        answer.checked(CROWDED, statuses={200, 400, 503})  # type: ignore[attr-defined]
    attacked.is_well()


def test_clients_that_leave_take_their_queries_with_them(attacked: Target) -> None:
    body = CROSS_JOINS["select, counted"].encode()
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(40):
        with socket.create_connection((attacked.host, attacked.port)) as connection:
            connection.sendall(head.encode() + body)
    attacked.is_well()


@pytest.mark.parametrize(
    "clause",
    [
        "{{ SERVICE <{0}> {{ ?s ?p ?o }} }}",
        "{{ SERVICE SILENT <{0}> {{ ?s ?p ?o }} }}",
        "{{ BIND(<{0}> AS ?where) SERVICE ?where {{ ?s ?p ?o }} }}",
        "{{ VALUES ?where {{ <{0}> }} SERVICE\t#x\n?where {{ ?s ?p ?o }} }}",
        "{{ {{ SELECT * {{ OPTIONAL {{ s\\u0065rvice <{0}> {{ ?s ?p ?o }} }} }} }} }}",
        "FROM <{0}> {{ ?s ?p ?o }}",
        "FROM NAMED <{0}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        "FR\\u004fM <{0}> {{ ?s ?p ?o }}",
        "{{ GRAPH <{0}> {{ ?s ?p ?o }} }}",
    ],
)
def test_nothing_is_fetched_and_no_file_is_read(
    attacked: Target, listener: tuple[str, list[object]], clause: str
) -> None:
    url, seen = listener
    for place in (
        url,
        "file:///etc/passwd",
        "file:/etc/passwd",
        "/etc/passwd",
        "data:text/turtle,<x:a>%20<x:b>%20<x:c>.",
    ):
        for base in ("", "BASE <file:///etc/> ", f"BASE <{url}> "):
            answer = attacked.ask(f"{base}SELECT * {clause.format(place)}", "text/csv").checked(statuses={200, 400})
            assert answer.status == 400 or answer.body.count(b"\n") == 1, "a header and no rows: there is no such graph"
    assert seen == []


@pytest.mark.parametrize(
    "update",
    [
        "LOAD <{0}>", "LOAD SILENT <{0}> INTO GRAPH <x:g>", "CLEAR ALL", "DROP ALL", "CREATE GRAPH <x:g>",
        "INSERT DATA {{ <x:a> <x:b> <x:c> }}", "DELETE WHERE {{ ?s ?p ?o }}", "COPY DEFAULT TO <x:g>",
        "DELETE {{ ?s ?p ?o }} INSERT {{ ?s ?p 1 }} USING <{0}> WHERE {{ ?s ?p ?o }}", "ASK {{}} ; CLEAR ALL",
    ],
)  # fmt: skip
def test_nothing_is_written(attacked: Target, listener: tuple[str, list[object]], update: str) -> None:
    url, seen = listener
    text = update.format(url).encode()
    for media_type, body in (
        ("application/sparql-query", text),
        ("application/sparql-update", text),
        ("application/x-www-form-urlencoded", b"update=" + text),
        ("application/x-www-form-urlencoded", b"query=ASK%20%7B%7D&update=" + text),
    ):
        attacked.send("/sparql", method="POST", body=body, Content_Type=media_type).checked(statuses={400, 403, 415})
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "X" * 300):
        answer = attacked.send("/graphs?default", method=method, body=text, Content_Type="text/turtle").checked()
        assert answer.status >= 400
    assert seen == []
    attacked.is_well()


def test_memory_stayed_bounded(attacked: Target) -> None:
    """The last test of the module: what was used at most, and what is still used now."""
    attacked.is_well()
    # Two workers, each with so many evaluators, none of them beyond its allowance.
    assert attacked.peak < attacked.start + 2 * Settings().evaluators * MEMORY
    attacked.is_slim()
    assert attacked.ask("ASK {}").checked(ALONE).status == 200
