"""One kind of request from a crowd, ever another of its kind so that no answer is kept, and clients of bad manners."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from attacked import Target, request
from conftest import sampled
from hostile import CROSS_JOINS

pytestmark = pytest.mark.usefixtures("ordinary")

#: Seconds of an attack: in which so many ordinary questions are asked that one in twenty has a meaning.
SECONDS = 3.0
SELECT = "/sparql?query=SELECT*%7B?a?b?c%7DLIMIT%20"
JOIN = CROSS_JOINS["select, counted"]
FORM = "application/x-www-form-urlencoded"

#: Kind → how many at once, and the n-th request.
CROWDS: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "descriptions of the service": (300, lambda n: request(f"/sparql?x={n}", "text/turtle")),
    "descriptions in RDF/XML for ever other hosts": (100, lambda n: request("/sparql", "application/rdf+xml", f"Host: h{n}")),
    "descriptions of the API for ever other hosts": (200, lambda n: request("/openapi.json", "*/*", f"Host: h{n}")),
    "one long query": (50, lambda _: request("/sparql", body=JOIN, media_type="application/sparql-query")),
    "ever other long queries": (100, lambda n: request("/sparql", body=f"{JOIN} #{n}", media_type="application/sparql-query")),
    "pages of an entity": (200, lambda n: request(f"/page/session/84?x={n}", "text/html")),
    "the page with most on it": (100, lambda n: request(f"/page/organisation/interpol?x={n}", "text/html")),
    "the page of the ontology": (100, lambda n: request(f"/ontology?x={n}", "text/html")),
    "tables of a thousand rows": (100, lambda n: request(f"{SELECT}{1000 + n}", "text/html")),
    "metrics": (300, lambda _: request("/metrics")),
    "looks at the health": (300, lambda _: request("/healthz")),
    "answers to be compressed": (50, lambda n: request(f"{SELECT}{5000 + n}", "text/csv", "Accept-Encoding: br")),
    "answers of megabytes to be kept": (50, lambda n: request(f"{SELECT}{9000 + n}", "application/json")),
    "heads of large answers": (20, lambda n: request(f"{SELECT}{2000 + n}", "text/csv", method="HEAD")),
    "ever other fields of negotiation": (100, lambda n: request("/", f"text/html, x/{n}", f"Accept-Language: x-{n}")),
    "tags by the hundred": (200, lambda n: request("/ontology", "*/*", "If-None-Match: " + f'W/"{n}", ' * 400 + '"x"')),
    "ranges of a file": (100, lambda n: request("/dumps/interpol.nt.gz", "*/*", f"Range: bytes={n}-{n + 99}")),
    "graphs in formats in turn": (100, lambda n: request(f"/graphs?default&x={n}", ("text/turtle", "application/rdf+xml", "application/ld+json")[n % 3])),
    "small validations": (60, lambda n: request("/validate", body=f"<x:a> <x:b> {n} .", media_type="text/turtle")),
    "validations of forms, for people": (40, lambda n: request("/validate", "text/html", body=f"turtle=%3Cx:a%3E+%3Cx:b%3E+{n}+.", media_type=FORM)),
    "datasets of many graphs": (100, lambda n: request("/sparql", body=f"query=ASK+%7B%7D&x={n}" + "&default-graph-uri=urn:x" * 900, media_type=FORM)),
    "preflights that ask for much": (200, lambda n: request("/sparql", "*/*", "Origin: http://x", "Access-Control-Request-Headers: " + f"x-{n}, " * 900 + "x", method="OPTIONS")),
    "what is not here": (200, lambda n: request(f"/{'a/' * 1500}{n}", "text/html")),
    "questions asked wrongly": (100, lambda n: request(f"/api/president-on-day?day={'9' * 99}{n}&" + "&".join(f"x{at}=1" for at in range(300)))),
}  # fmt: skip
#: What fits: an answer, unchanged, part of a file, a refusal that says why.
FITTING = {200, 206, 304, 400, 404, 503}


@pytest.mark.parametrize("name", sampled(CROWDS, ["descriptions of the service", "one long query"], "attack"))
def test_a_crowd_of_one_kind_keeps_nobody_waiting(attacked: Target, name: str) -> None:
    at_once, kind = CROWDS[name]
    answers = attacked.elsewhere.crowd(map(kind, itertools.count()), at_once, SECONDS)
    assert set(answers) <= FITTING, answers
    assert set(answers) - {503} or "long" in name, answers
    attacked.is_well()


def resets(connection: socket.socket) -> None:
    """Ask, and cut the connection off as a machine does that has lost its memory."""
    connection.sendall(request(f"/sparql?query=ASK%7B%7D%23{next(NUMBER)}"))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_closes(connection: socket.socket) -> None:
    """Ask, say that nothing more comes, and wait for the answer."""
    connection.sendall(request(f"/sparql?query=ASK%7B%7D%23{next(NUMBER)}"))
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1000)


def crumbles(connection: socket.socket) -> None:
    """Send a query in chunks of one byte each."""
    head = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"".join(b"1\r\n%c\r\n" % letter for letter in b"ASK {}" + b" " * 20_000) + b"0\r\n\r\n")
    assert connection.recv(1000)[9:12] in (b"200", b"503")


def pipes(connection: socket.socket) -> None:
    """Ask for a hundred pages in one breath, and read nothing."""
    connection.sendall(request("/page/session/84") * 100)
    time.sleep(0.2)


def vanishes(connection: socket.socket) -> None:
    """Say nothing at all."""


def changes(connection: socket.socket) -> None:
    """Go on in another protocol after the first answer."""
    connection.sendall(request("/healthz") + b"\x16\x03\x01" + bytes(range(256)) * 8)
    connection.recv(1000)


def promises(connection: socket.socket) -> None:
    """Promise a body of gigabytes, wait to be told to go on, and begin."""
    head = b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: text/turtle\r\nExpect: 100-continue\r\n"
    connection.sendall(head + b"Content-Length: 9000000000\r\n\r\n" + b"<x:a> " * 9000)
    time.sleep(0.1)


NUMBER = itertools.count()
MANNERS = (resets, half_closes, crumbles, pipes, vanishes, changes, promises)


@pytest.mark.parametrize("manner", sampled(MANNERS, [resets, crumbles], "attack"))
def test_clients_of_bad_manners_keep_nobody_waiting(attacked: Target, manner: Callable[[socket.socket], None]) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((attacked.host, attacked.port), 10, ("127.0.0.2", 0)) as one:
            manner(one)
    attacked.is_well()
