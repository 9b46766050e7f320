"""Three copies behind nginx: one answer for all, repeats from its cache, and a copy that is killed is not noticed."""

from __future__ import annotations

import os
import signal
import threading
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from conftest import descendants
from copies import Copies, copies

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def three() -> Iterator[Copies]:
    with copies() as found:
        yield found


def ask(url: str, query: str, post: bool = False) -> tuple[int, str, bytes]:
    """Return status, tag and body of the answer to a query."""
    form = urllib.parse.urlencode({"query": query, "format": "json"})
    request = urllib.request.Request(f"{url}/sparql", form.encode()) if post else f"{url}/sparql?{form}"
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.headers.get("ETag", ""), answer.read()


def test_every_copy_gives_the_same_answer_with_the_same_tag(three: Copies) -> None:
    host = urllib.parse.urlsplit(three.url).netloc
    found = set()
    for server in three.servers:
        port = server.args[server.args.index("--port") + 1]  # type: ignore[union-attr, index]
        request = urllib.request.Request(f"http://127.0.0.1:{port}/page/session/84", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found.add((answer.headers["ETag"], answer.read()))
    assert len(found) == 1 and "W/" in min(found)[0]


def test_a_long_query_has_its_answer(three: Copies) -> None:
    query = f"SELECT ?n {{ session:84 interpol:number ?n }} # {'x' * 30_000}"
    assert [ask(three.url, query)[0] for _ in range(2)] == [200, 200]


def test_a_repeat_asks_no_copy(three: Copies) -> None:
    query = "SELECT ?n { session:84 interpol:number ?n }"
    first = ask(three.url, query)
    for server in three.servers:
        os.kill(server.pid, signal.SIGSTOP)
        for pid, _, _ in descendants(server.pid):
            os.kill(pid, signal.SIGSTOP)
    try:
        assert ask(three.url, query) == first
    finally:
        for server in three.servers:
            for pid in (server.pid, *(pid for pid, _, _ in descendants(server.pid))):
                os.kill(pid, signal.SIGCONT)


def test_a_copy_killed_under_load_costs_no_request(three: Copies) -> None:
    outcomes, over = Counter[str](), threading.Event()

    def work(thread: int) -> None:
        count = 0
        while not over.is_set():
            count += 1
            query = f"SELECT ?n {{ session:84 interpol:number ?n }} # {thread} {count}"
            try:
                status, _, body = ask(three.url, query, post=count % 2 == 0)
                outcomes["right" if status == 200 and b'"84"' in body else f"{status}"] += 1
            except OSError as error:
                outcomes[str(error)] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        over.wait(3)
        before = outcomes["right"]
        victims = [three.servers[0].pid, *(pid for pid, _, _ in descendants(three.servers[0].pid))]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        over.wait(5)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert before > 20 and outcomes["right"] > before + 20, outcomes
    assert set(outcomes) == {"right"}, outcomes
