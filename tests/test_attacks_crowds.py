"""Attacks by numbers: many clients, many connections, many cells and digits; ordinary clients must not notice."""

from __future__ import annotations

import json
import resource
import socket
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from attacked import MEMORY, NEVER_ASKED, Target
from conftest import descendants, sampled
from hostile import CROSS_JOINS
from interpol_graph.engine.limits import LONGEST_QUERY, Settings

pytestmark = pytest.mark.usefixtures("ordinary")

#: A query whose answer is small and has millions of cells.
WIDE = f"SELECT {' '.join(f'?c{number}' for number in range(4000))} {{ ?s ?p ?o }} LIMIT 1000"
#: A query of terms that nobody declares, each of which has a near one to be found.
INVENTED = (
    "PREFIX s: <https://schema.org/> ASK { VALUES ?x { " + " ".join(f"s:sameAs{n:x}" for n in range(18_000)) + " } }"
)
#: A sentence that is taken for one of ours, and can be divided in very many ways.
DIVIDED = "The parameter x" + " is not " * 80 + "; there are " * 54 + ", such as " * 65 + "x"
XSD = "http://www.w3.org/2001/XMLSchema#"


def post(path: str, body: bytes, media_type: str, accept: str = "*/*") -> bytes:
    """Return a request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nAccept: {accept}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def left(attacked: Target, requests: list[bytes], patience: float = 0.2) -> None:
    """Send requests, each on a connection of its own, and go away before they are answered."""
    with ExitStack() as stack:
        for request in requests:
            connection = stack.enter_context(
                socket.create_connection((attacked.host, attacked.port), 10, ("127.0.0.2", 0))
            )
            with suppress(OSError):
                connection.sendall(request)
        time.sleep(patience)


def test_a_page_shows_a_bounded_number_of_cells_and_says_so(attacked: Target) -> None:
    page = attacked.send(
        "/sparql", method="POST", body=WIDE.encode(), Content_Type="application/sparql-query", Accept="text/html"
    ).checked(within=3, statuses={200})
    assert len(page.body) < 2_000_000 and page.text.count("<td") <= 20_000
    assert "100 of 4000 columns" in page.text and "200 of 1000 rows" in page.text and "format=csv" in page.text


def test_what_a_visitor_writes_is_compared_with_ours_within_bounds(attacked: Target) -> None:
    form = urllib.parse.urlencode({"query": INVENTED}).encode()
    kind = "application/x-www-form-urlencoded"
    page = attacked.send("/sparql", method="POST", body=form, Content_Type=kind, Accept="text/html")
    assert page.checked(within=3, statuses={200}).text.count("is no term of its vocabulary") == 5
    path = "/page/?" + urllib.parse.urlencode({"lang": "fr", "iri": DIVIDED})
    assert "Le graphe ne dit rien" in attacked.send(path, Accept="text/html").checked(within=1, statuses={404}).text
    for digits in (5, 17, 4298):
        attacked.send(f"/sitemap-{'9' * digits}.xml").checked(within=1, statuses={404})


@pytest.mark.parametrize("number", sampled([20, 140], [20], "attack"))
def test_clients_that_leave_while_their_pages_are_written(attacked: Target, number: int) -> None:
    queries = [f"{WIDE} # {next(NEVER_ASKED)}" for _ in range(number)]
    left(attacked, [post("/sparql", query.encode(), "application/sparql-query", "text/html") for query in queries])
    for _ in range(5):
        attacked.is_well()
        time.sleep(0.3)


LONG = {
    "past the limit": "SELECT * {} #service i\n" + "{" * (1 << 20),
    "below the limit": "SELECT * {} #service i\n" + "{" * (LONGEST_QUERY - 50),
    "words": "SELECT * {} #service i\n" + "a " * (LONGEST_QUERY // 2 - 50),
    "escapes": "SELECT * {} #service i\n" + "\\u0041" * (LONGEST_QUERY // 6 - 50),
    "FROM": "SELECT * " + "FROM <x:a> " * (LONGEST_QUERY // 11 - 50) + "{}",
}


@pytest.mark.parametrize("name", sampled(LONG, ["below the limit"], "attack"))
def test_many_long_queries_are_read_within_the_limits(attacked: Target, name: str) -> None:
    answers = attacked.elsewhere.at_once([LONG[name][: (1 << 20) - 10] + f"#{next(NEVER_ASKED)}" for _ in range(60)])
    for answer in answers:
        answer.checked(30, statuses={400, 413, 503})
    if name == "past the limit":
        problem = json.loads(answers[0].body)
        assert answers[0].status == 413 and "256 KiB" in problem["detail"]
    assert attacked.peak < attacked.start + 2 * Settings().evaluators * MEMORY


@pytest.mark.parametrize("path", ["/sparql", "/validate"])
def test_a_form_of_very_many_fields_is_refused(attacked: Target, path: str) -> None:
    body = b"a&" * (1 << 19)
    with ThreadPoolExecutor(40) as pool:
        send = attacked.send
        form = "application/x-www-form-urlencoded"
        asked = [pool.submit(send, path, method="POST", body=body[:-2], Content_Type=form) for _ in range(40)]
    for answer in asked:
        answer.result().checked(20, statuses={400, 503})


CONNECTIONS = {
    "silent": b"",
    "a letter": b"G",
    "half a head": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nX-A: ",
    "half a body": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 9000\r\n\r\nASK",
    "much of a body": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 300000\r\n\r\n"
    + b"A" * 200_000,
    "answered": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", sampled(CONNECTIONS, ["half a body"], "attack"))
def test_a_client_that_keeps_very_many_connections_keeps_nobody_waiting(attacked: Target, name: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    opened: list[socket.socket] = []
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            while len(opened) < 1100:
                connection = socket.create_connection((attacked.host, attacked.port), 10, ("127.0.0.2", 0))
                opened.append(connection)
                with suppress(OSError):
                    connection.setblocking(False)
                    connection.send(CONNECTIONS[name])
            attacked.is_well()
            for connection in opened[:100]:
                connection.close()
            del opened[:100]
    finally:
        for connection in opened:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    attacked.is_well()


@pytest.mark.parametrize("name", sampled(["select, counted", "ask", "describe"], ["select, counted"], "attack"))
def test_a_crowd_that_asks_one_long_query_takes_nobody_elses_place(attacked: Target, name: str) -> None:
    crowd = threading.Thread(target=lambda: attacked.elsewhere.at_once([CROSS_JOINS[name]] * 50))
    crowd.start()
    with ThreadPoolExecutor(8) as pool:
        texts = [f"SELECT ({next(NEVER_ASKED)} AS ?n) {{}}" for _ in range(90)]
        for answer in pool.map(attacked.ask, texts):
            answer.checked(5, statuses={200})
    crowd.join()
    attacked.is_well()


VALUES = [
    *(f'"{digits}"^^<{XSD}{kind}>' for kind in ("integer", "decimal", "long", "double") for digits in ("9" * 4301, "-" + "9" * 9999)),
    *(f'"{text}"^^<{XSD}{kind}>' for kind, text in [
        ("gYear", "9" * 5000), ("gYear", "-" + "9" * 5000), ("date", "9" * 5000 + "-02-29"), ("date", "2015-" + "1" * 5000),
        ("dateTime", "9" * 5000 + "-02-29T00:00:00"), ("duration", "P" + "9" * 5000 + "Y"), ("dayTimeDuration", "P" + "9" * 5000 + "D"),
        ("gYearMonth", "9" * 5000 + "-12"), ("integer", "²"), ("date", "2015-²"), ("date", "2015-02-²"), ("integer", "--5"),
        ("integer", "+-5"), ("decimal", "1." + "9" * 9000), ("date", "-"), ("gYearMonth", "2015-0"), ("integer", "٣" * 4),
        ("double", "1E" + "9" * 5000), ("decimal", "." ), ("boolean", "1" * 9000), ("positiveInteger", "0" * 5000),
    ]),
]  # fmt: skip


def test_values_of_very_many_digits_are_shown_as_text(attacked: Target) -> None:
    for value in VALUES:
        page = attacked.get(f"SELECT ?x {{ VALUES ?x {{ {value} }} }}", Accept="text/html").checked(statuses={200})
        assert value.split('"')[1][:4000] in page.text
    for name in ("year", "from", "session", "number", "limit", "min"):
        for path in ("/queries/", "/api/"):
            attacked.send(f"{path}session-by-number?{name}={'9' * 5000}").checked(statuses={400, 404})


@pytest.mark.parametrize("values", sampled([VALUES[:3], VALUES[3:12], VALUES[12:]], [VALUES[3:12]], "attack"))
def test_values_of_very_many_digits_are_findings(attacked: Target, values: list[str]) -> None:
    facts = "".join(
        f"<https://w3id.org/interpol-graph/id/session/x{number}> a interpol:AssemblySession ; interpol:number {value} ; "
        f"interpol:startDate {value} ; interpol:endDate {value} ; dcterms:date {value} ; interpol:order {value} ."
        for number, value in enumerate(values)
    )
    body = facts.encode()
    answer = attacked.send("/validate", method="POST", body=body, Content_Type="text/turtle").checked(30)
    assert answer.status in (200, 400), answer.text[:300]


def test_validations_whose_clients_have_left_are_ended(attacked: Target) -> None:
    country = "<https://w3id.org/interpol-graph/id/country/{0}> a interpol:Country ; rdfs:label 'a' , 'b'@en .\n"
    body = "".join(country.format(number) for number in range(9000)).encode()[: 1 << 20]
    body = body[: body.rfind(b"\n") + 1]
    left(attacked, [post("/validate", body, "text/turtle") for _ in range(14)], 3)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(
        "validation.sandbox" in command for _, _, command in descendants(attacked.process.pid)
    ):
        time.sleep(0.2)
    assert not [command for _, _, command in descendants(attacked.process.pid) if "validation.sandbox" in command]
    attacked.send("/validate", method="POST", body=b"<x:a> <x:b> 1 .", Content_Type="text/turtle").checked(
        15, statuses={200}
    )


@pytest.mark.parametrize("turtle", ["<x:a> <x:b> <<( <x:a> <x:b> 1 )>> .", "<x:a>\n<x:b> 1 {| <x:c> 2 |} .",
    "\ufeff<x:a>\r<x:b> .\r", "\ufeff\r\r<x:a> .", "\r<x:a> <x:b> <x:c>\r<x:d>", "<x:a>\r\n\r\n <x:b> \"x", "\0", "\r", "<x:a> <x:b> 'é\x80"])  # fmt: skip
def test_a_place_in_what_was_posted_begins_at_one(attacked: Target, turtle: str) -> None:
    answer = attacked.send("/validate", method="POST", body=turtle.encode(), Content_Type="text/turtle").checked(
        15, statuses={200, 400}
    )
    if answer.status == 400:
        problem = json.loads(answer.body)
        assert ("line" in problem) == ("column" in problem) and "column 0" not in problem["detail"]
        assert "None" not in problem["detail"] and problem.get("line", 1) > 0 and problem.get("column", 1) > 0


NO_REQUEST = {
    "small method": (b"get /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n\r\n", {400, 405, 501}),
    "mixed method": (b"Post /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", {400, 405, 501}),
    "empty host": (b"GET /sparql HTTP/1.1\r\nHost:\r\n\r\n", {400}),
    "port of letters": (b"GET /sparql HTTP/1.1\r\nHost: x:abc\r\n\r\n", {400}),
    "host with a blank": (b"GET /sparql HTTP/1.1\r\nHost: a b\r\n\r\n", {400}),
    "host with a user": (b"GET /sparql HTTP/1.1\r\nHost: a@b\r\n\r\n", {400}),
    "host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", {400}),
    "host of two": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", {400}),
    "host with a query": (b"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", {400}),
    "half an address": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", {400}),
    "an address": (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {200}),
    "a name": (b"GET / HTTP/1.1\r\nHost: my_host.example:8000\r\n\r\n", {200}),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_REQUEST)
def test_what_is_no_request_is_refused(attacked: Target, name: str) -> None:
    request, statuses = NO_REQUEST[name]
    answer = attacked.raw(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), silence=10)
    assert int(answer[9:12] or 0) in statuses, answer[:500]


def test_a_redirection_stays_here_whatever_host_is_named(attacked: Target) -> None:
    for path in ("/queries", "/dumps", "/browse", "/api/session?x", "/page/session/84/"):
        answer = attacked.raw(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode(), 10)
        assert b"evil.example" not in answer.partition(b"\r\n\r\n")[0], path
    assert b"location: /queries/" in attacked.raw(b"GET /queries HTTP/1.1\r\nHost: evil.example\r\n\r\n").lower()


def test_encoded_addresses_of_redirections_lead_nowhere_else(attacked: Target) -> None:
    for path in (
        "//evil.example/%2e%2e/queries",
        "/%2f%2fevil.example/queries",
        "//evil.example//queries",
        "/\\evil.example/queries",
    ):
        answer = attacked.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), 10)
        head = answer.partition(b"\r\n\r\n")[0].lower()
        place = next((line[9:].strip() for line in head.split(b"\r\n") if line.startswith(b"location:")), b"")
        assert not place.startswith(b"//") and not urllib.parse.urlsplit(place).netloc, (path, place)
