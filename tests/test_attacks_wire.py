"""Hostile HTTP: slow clients, smuggled headers and parameters, broken encodings, paths and names that are none."""

from __future__ import annotations

import re
import socket
import time
import urllib.parse
from contextlib import ExitStack, suppress

import pytest
from flask import Flask

from attacked import ALONE, FAIR, LEAK, Target
from conftest import sampled, slack

pytestmark = pytest.mark.usefixtures("ordinary")

#: Connections of each kind of slow client: more than the server has threads.
SLOW = 80


def connections(attacked: Target, stack: ExitStack, message: bytes) -> list[socket.socket]:
    """Open many connections that each send the beginning of a request and then nothing more."""
    opened = []
    for _ in range(SLOW):
        connection = stack.enter_context(socket.create_connection((attacked.host, attacked.port), 5, ("127.0.0.2", 0)))
        connection.sendall(message)
        opened.append(connection)
    return opened


#: How a request may begin that then comes letter by letter.
BEGINNINGS = {
    "silence": b"",
    "one letter": b"G",
    "header": b"GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "body": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK",
    "form": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900000\r\n\r\nquery=",
    "chunks": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nASK {\r\n",
    "validate": b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: text/turtle\r\nContent-Length: 5000\r\n\r\n<x:",
    "put": b"PUT /graphs?default HTTP/1.1\r\nHost: x\r\nContent-Type: text/turtle\r\nContent-Length: 5000\r\n\r\n<x:",
}


@pytest.mark.parametrize("name", sampled(BEGINNINGS, ["header", "body"], "attack"))
def test_slow_senders_keep_nobody_waiting(attacked: Target, name: str) -> None:
    with ExitStack() as stack:
        opened = connections(attacked, stack, BEGINNINGS[name])
        for _ in range(3):
            attacked.is_well()
            for connection in opened:
                with suppress(OSError):  # a server may have lost its patience
                    connection.sendall(b"x")
    attacked.is_well()


READ = ("/dumps/interpol.nt", "/sparql?query=SELECT*%7B?a?b?c%7DLIMIT%20100000")


@pytest.mark.parametrize("path", sampled(READ, READ[:1], "attack"))
def test_slow_readers_keep_nobody_waiting(attacked: Target, path: str) -> None:
    attacked.send(path, timeout=60, Accept="*/*")  # made once, so that the crowd is served from what is kept
    with ExitStack() as stack:
        for _ in range(SLOW):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(5)
            connection.bind(("127.0.0.2", 0))
            connection.connect((attacked.host, attacked.port))
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n".encode())
        time.sleep(0.5)
        for _ in range(3):
            attacked.is_well()
    attacked.is_well()


ASK = b"ASK {}"
HEAD = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
SMUGGLED = {
    "two lengths": HEAD + b"Content-Length: 6\r\nContent-Length: 60\r\n\r\n" + ASK,
    "two equal lengths": HEAD + b"Content-Length: 6\r\nContent-Length: 6\r\nConnection: close\r\n\r\n" + ASK,
    "a list of lengths": HEAD + b"Content-Length: 6, 60\r\n\r\n" + ASK,
    "length and chunks": HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n",
    "chunked in disguise": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -6\r\n\r\n" + ASK,
    "length with a sign": HEAD + b"Content-Length: +6\r\n\r\n" + ASK,
    "endless length": HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\n" + ASK,
    "length that is no number": HEAD + b"Content-Length: six\r\n\r\n" + ASK,
    "endless chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFF\r\nASK {}\r\n",
    "chunk that is no number": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nASK {}\r\n",
    "trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\nASK {}\r\n0\r\nHost: y\r\n\r\n",
    "folded header": b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n folded: 2\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: x\rX-Injected: 1\r\n\r\n",
    "null in header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
    "null in path": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "null in query": b"GET /sparql?query=\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in path": b"GET /id/session/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in query": b"GET /sparql?query=ASK{}\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in header": b"GET / HTTP/1.1\r\nHost: x\r\nAccept: \xff\xfe\r\nAccept-Language: \xff\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "absolute target": b"GET http://y/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority target": b"CONNECT y:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "version 3": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "noise": bytes(range(256)) * 4,
    "long header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 2_000_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: 1\r\n" * 20_000 + b"\r\n",
    "long target": b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long method": b"A" * 100_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "expectation": HEAD + b"Content-Length: 6\r\nExpect: 100-continue\r\n\r\n" + ASK,
    "odd expectation": HEAD + b"Content-Length: 6\r\nExpect: 900-money\r\n\r\n" + ASK,
    "pipeline": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 200,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", sampled(SMUGGLED, ["two lengths", "length and chunks", "long header", "noise"], "attack")
)
def test_a_smuggled_message_is_refused_or_read_in_one_way(attacked: Target, name: str) -> None:
    answer = attacked.raw(SMUGGLED[name])
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]
    assert set(statuses) <= FAIR | {100}, answer[:500]
    assert not LEAK.search(answer.decode("latin-1")) and b"\nx-injected" not in answer.lower()
    if name == "length and chunks":
        assert len(statuses) <= 1 or statuses[1] in (400, 404), "the second is a request of its own or none"
    if name in ("two lengths", "a list of lengths", "negative length", "length that is no number", "null in header"):
        assert statuses in ([], [400]), "of two readings none is chosen"
    attacked.is_well()


HEADERS = {
    "accept": [
        "text/html;q=" + "0" * 5000, "a/b," * 20_000, ";" * 5000, "*/*;q=nan", "*/*;q=-1", "*/*;q=1e309", "text/csv;q=0.5;q=2",
        "/", "text/", "/csv", "*/csv", '"', 'text/csv;x="', 'a/b;c="' + "\\" * 9999, ",", "text/html;level=" + "9" * 9999, "é",
    ],
    "accept-encoding": ["gzip;q=" + "1" * 999, "br," * 9999, "*;q=0, identity;q=0", "\t", "zstd;q=x", "gzip;;;;", "é"],
    "accept-language": ["fr-" * 9999, "*;q=0", "en;q=é", "x" * 9999, "../../etc/passwd", "{{7*7}}"],
    "if-none-match": ['"' * 9999, 'W/"x",' * 9999, "*", '"' + "x" * 9999, "é", '""'],
    "if-modified-since": ["never", "Thu, 99 Foo 0000 00:00:00 GMT", "9" * 999],
    "range": ["bytes=" + "0-," * 9999, "bytes=-", "bytes=9-1", "bytes=0-99999999999999999999", "bytes=a-b", "lines=1-2", "bytes=-0"],
    "if-range": ['"', "W/" * 999, "é"],
    "content-type": ["", "/", "application/sparql-query;charset=" + "x" * 999, "application/sparql-query; charset=rot13", "é", "multipart/form-data", "multipart/form-data; boundary=" + "-" * 999, "application/sparql-query;charset=utf-7"],
    "content-encoding": ["gzip", "br", "gzip, gzip, gzip", "identity", "x" * 999],
    "host": ['"><script>alert(1)</script>', "x:99999", "[::1", "a" * 999, "x y", "@", "é", "x/../y", "127.0.0.1:0@y"],
    "x-forwarded-host": ['"><script>alert(1)</script>', "evil.example"],
    "x-forwarded-proto": ["javascript", "x" * 9999],
    "x-forwarded-for": ["1," * 9999],
    "x-forwarded-prefix": ["//evil.example", "/" * 999],
    "forwarded": ["for=" * 999, 'host="evil.example"'],
    "origin": ["null", "é", "x" * 9999],
    "cookie": ["x=" * 9999, "é"],
    "authorization": ["Basic " + "x" * 999, "Negotiate"],
    "transfer-encoding": ["gzip", "identity"],
    "x-http-method-override": ["DELETE"],
    "x-original-url": ["/etc/passwd"],
}  # fmt: skip


REACHED = ("/sparql?query=ASK%7B%7D", "/", "/id/session/84", "/dumps/sessions.ttl", "/none", "POST")


@pytest.mark.parametrize("name", sampled(HEADERS, ["accept", "host"], "attack"))
@pytest.mark.parametrize("path", sampled(REACHED, REACHED[:1], "attack"))
def test_a_hostile_header_field_breaks_nothing(attacked: Target, name: str, path: str) -> None:
    for value in HEADERS[name]:
        fields = {"Host": "x", "Connection": "close", "Accept": "*/*", name.title(): value}
        body = b""
        if path == "POST":
            fields, body = {"Content-Type": "application/sparql-query", **fields, "Content-Length": "6"}, ASK
        lines = "".join(f"{key}: {content}\r\n" for key, content in fields.items())
        start = f"GET {path}" if path != "POST" else "POST /sparql"
        answer = attacked.raw(f"{start} HTTP/1.1\r\n{lines}\r\n".encode() + body, silence=10)
        status = int((re.match(rb"HTTP/1\.1 (\d{3}) ", answer) or [b"", b"0"])[1])
        assert status in FAIR | {0}, f"{name}: {value[:80]!r}: {answer[:400]!r}"
        assert b"<script>alert" not in markup(answer) and not LEAK.search(answer[:100_000].decode("latin-1"))
        assert name not in ("host", "x-forwarded-host") or b"location: http://evil" not in answer.lower()
    attacked.is_well()


#: Values for whatever a route takes: each has broken some server.
HOSTILE = (
    "%00", "%ff%fe", "%c0%af", "..%2f..%2f..%2fetc%2fpasswd", "....//....//etc/passwd", "%2e%2e/%2e%2e/pyproject.toml",
    "%0d%0aX-Injected:%201", "%E2%80%AE", "%ED%A0%80", "%3Cscript%3Ealert(1)%3C/script%3E", "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "javascript:alert(1)", "%7B%7B7*7%7D%7D", "%24%7B7*7%7D", "%27%22%3E%20%7D%20%23", "x" * 4000, "%F0%9D%84%9E", "-1", "1e999", "9" * 400,
    "http:%2f%2fevil.example", "//evil.example", "file:///etc/passwd", "%5C..%5C..%5Cetc", "con", "%", "%zz", "a%20b", "%3E", "%7C", "%5E%60", ".", "..",
)  # fmt: skip


def routes(app: Flask) -> list[str]:
    """Return each route with {} for what it takes."""
    return sorted({re.sub(r"<[^>]+>", "{}", rule.rule) for rule in app.url_map.iter_rules()})


@pytest.mark.parametrize("values", sampled([HOSTILE[:2], HOSTILE[2:]], [HOSTILE[:2]], "attack"), ids=["few", "all"])
def test_hostile_names_and_parameters_on_every_route(attacked: Target, app: Flask, values: tuple[str, ...]) -> None:
    # Queries come through `query`; these are all the other ways in.
    names = ("q", "page", "format", "lang", "day", "class", "graph", "default-graph-uri", "x", "limit")
    for rule in routes(app):
        for value in values:
            paths = [rule.replace("{}", value)] if "{}" in rule else []
            query = "&".join(f"{name}={value}" for name in names)
            paths.append(f"{rule.replace('{}', 'session')}?{query}")
            for path in paths:
                for accept in ("text/html", "application/json"):
                    line = f"GET {path} HTTP/1.1\r\nHost: {attacked.host}:{attacked.port}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
                    begun = time.monotonic()
                    answer = attacked.raw(line.encode(), silence=10)
                    status = int((re.match(rb"HTTP/1\.1 (\d{3}) ", answer) or [b"", b"0"])[1])
                    told = f"{path[:200]} ({accept}): {answer[:600]!r}"
                    assert status in FAIR, told
                    assert time.monotonic() - begun < ALONE or time.monotonic() - begun < ALONE * slack(), told
                    head, _, body = answer.partition(b"\r\n\r\n")
                    assert b"\nx-injected" not in head.lower() and b"evil.example" not in (location(head)), told
                    assert b"<script>alert" not in markup(answer), told
                    assert b"root:x:0" not in body and b"[build-system]" not in body, told
                    assert status < 400 or not LEAK.search(body.decode("utf-8", "replace")), told
    attacked.is_well()


def markup(answer: bytes) -> bytes:
    """Return the body of an answer if browsers read it as a page."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if b"nosniff" not in head.lower() or b"text/html" in head.lower() else b""


def location(head: bytes) -> bytes:
    """Return the host that an answer sends its reader to."""
    found = re.search(rb"(?im)^location: (\S+)", head)
    return urllib.parse.urlsplit(found[1]).netloc if found else b""


NO_UTF_8 = (
    b"\xff", b"ASK {} # \xff\xfe", b"\xef\xbb\xbfASK {}", b"A\0S\0K\0 \0{\0}\0", b"\xed\xa0\x80", b"\xc0\x80", b"", b" ", b"\0",
    b"\xf4\x90\x80\x80",
)  # fmt: skip


@pytest.mark.parametrize("body", sampled(NO_UTF_8, NO_UTF_8[:2], "attack"))
def test_bodies_and_parameters_that_are_no_utf_8(attacked: Target, body: bytes) -> None:
    attacked.ask(body).checked(statuses={200, 400})
    quoted = urllib.parse.quote_from_bytes(body, safe="")
    for name in ("query", "default-graph-uri", "format", "x", quoted or "y"):
        attacked.send(f"/sparql?query=ASK%7B%7D&{name}={quoted}").checked(statuses={200, 400, 404, 406})
        attacked.send(
            "/sparql",
            method="POST",
            body=f"query=ASK%7B%7D&{name}=".encode() + body,
            Content_Type="application/x-www-form-urlencoded",
        ).checked(statuses={200, 400, 404, 406})
    attacked.is_well()


def test_script_in_a_query_is_shown_as_text(attacked: Target) -> None:
    script = "<script>alert(1)</script>"
    for query in (
        f'SELECT ("{script}" AS ?x) {{}}',
        f"SELECT * {{ {script}",
        f'SELECT (IRI("javascript:alert(1)") AS ?x) (IRI("x:{script}") AS ?y) ("</textarea>{script}" AS ?z) {{}}',
        f'CONSTRUCT {{ <x:a> <x:b> "{script}" }} {{}}',
    ):
        answer = attacked.get(query, Accept="text/html").checked(statuses={200, 400})
        assert script not in answer.text and 'href="javascript:' not in answer.text
        policy = dict(answer.headers).get("content-security-policy", "")
        assert "default-src 'self'" in policy and "unsafe-inline" not in policy
