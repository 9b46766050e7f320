"""The graph for assistants: a session of the protocol's own client over stdio asks, gets documents, and meets the limits."""

from __future__ import annotations

import datetime
import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import anyio
import httpx2
import pytest
from anyio.from_thread import start_blocking_portal
from flask import Flask
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from conftest import free_port, wait
from interpol_graph.cli.tools import Tools
from interpol_graph.graph import questions


class Session:
    """A session with `interpol-graph mcp`; each call gives whether it went well and the text of the answer."""

    def __init__(self, portal: Any, client: Client) -> None:
        self.portal, self.client = portal, client

    def __call__(self, tool: str, **arguments: object) -> tuple[bool, str]:
        result: CallToolResult = self.portal.call(self.client.call_tool, tool, arguments)
        (content,) = result.content
        assert isinstance(content, TextContent)
        return not result.is_error, content.text

    def answer(self, tool: str, **arguments: object) -> Any:
        well, text = self(tool, **arguments)
        assert well, text
        return json.loads(text)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    arguments = ["-m", "interpol_graph", "mcp", "--timeout", "3", "--memory", "256"]
    with start_blocking_portal() as portal:
        client = Client(StdioServerParameters(command=sys.executable, args=arguments), read_timeout_seconds=120)
        with portal.wrap_async_context_manager(client):
            yield Session(portal, client)


def test_the_tools_are_few_and_described_in_few_words(session: Session) -> None:
    tools = session.portal.call(session.client.list_tools).tools
    assert {tool.name for tool in tools} == {"find", "describe", "questions", "ask", "sparql", "schema"}
    words = sum(len(json.dumps([tool.name, tool.description, tool.input_schema]).split()) for tool in tools)
    assert words < 2000
    assert all(tool.description for tool in tools)


@pytest.mark.parametrize("day", ["2015-11-03", str(datetime.date.today())])
def test_who_was_and_is_president(session: Session, day: str) -> None:
    who = "Mireille Ballestrazzi"
    if day != "2015-11-03":
        ongoing = "?m interpol:office interpol:President ; interpol:ongoing true ; interpol:person/rdfs:label ?label"
        query = f"SELECT DISTINCT ?label {{ {ongoing} FILTER(LANG(?label) = 'en') }}"
        who = session.answer("sparql", query=query)["rows"][0]["label"]
    found = session.answer("questions", words="president-on-day")["questions"]
    assert [one["name"] for one in found] == ["president-on-day"] and "day" in found[0]["parameters"]
    told = session.answer("ask", question="president-on-day", values={"day": day})
    assert [(row["personLabel"], row["certainty"]) for row in told["rows"]] == [(who, "certain")]
    assert told["rows"][0]["source"] in {document["document"] for document in told["documents"]}
    assert all(document["title"] and "url" in document for document in told["documents"])


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("الإنتربول", "organisation:interpol"),
        ("notice rouge", "notice:red"),
        ("balestrazzi", "person:mireille-ballestrazzi"),
    ],
)
def test_things_are_found_in_any_language(session: Session, name: str, thing: str) -> None:
    assert thing in [one["thing"] for one in session.answer("find", name=name)["found"][:2]]


def test_which_countries_hosted_most(session: Session) -> None:
    told = session.answer("ask", question="most-frequent-hosts", lang="fr")
    most = {row["countryLabel"]: row["hosted"] for row in told["rows"] if row["hosted"] == told["rows"][0]["hosted"]}
    assert most == {"Allemagne": 4, "Autriche": 4, "France": 4}
    assert told["documents"]
    assert told == session.answer("ask", question="most-frequent-hosts", values={"lang": "fr", "offset": "3"})
    query = "SELECT ?session ?document { ?session interpol:hostCountry ?country ; interpol:citation/interpol:source ?document }"
    told = session.answer("sparql", query=query)
    assert len(told["rows"]) == 50 and "offset=50" in told["more"]
    assert (
        {row["document"] for row in told["rows"]} >= {document["document"] for document in told["documents"]} != set()
    )


def test_what_an_operation_seized_and_what_others_say(session: Session) -> None:
    found = session.answer("find", name="HAECHI IV")
    assert found["found"][0]["thing"] == "operation:haechi-iv"
    told = session.answer("ask", question="operation-results", values={"operation": "operation:haechi-iv"})
    seized = {row["figureLabel"]: row["value"] for row in told["rows"] if row["measure"] == "interpol:AssetsSeized"}
    assert 300_000_000 in seized.values() and len(told["documents"]) > 1
    well, turtle = session("describe", thing="operation:haechi-iv")
    assert well and "interpol:citation" in turtle and "source:" in turtle and "@prefix" not in turtle


def test_the_schema_fits_a_prompt(session: Session) -> None:
    well, classes = session("schema")
    assert well and "interpol:AssemblySession" in classes and len(classes) < 20_000
    well, properties = session("schema", of="Mandate")
    assert well and "interpol:earliestStart" in properties and len(properties) < 10_000


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask", {"question": "presidents-on-day"}, "did you mean president-on-day"),
        ("ask", {"question": "../sparql"}, "nothing called"),
        ("ask", {"question": "president-on-day", "values": {"day": "soon"}}, "a day such as 2015-11-05"),
        ("ask", {"question": "president-on-day", "values": {"dya": "2015-11-05"}}, "it has day"),
        ("ask", {"question": "president-on-day", "values": {"self": "2015-11-05"}}, "it has day"),
        ("describe", {"thing": "session:999"}, "nothing called session:999"),
        ("describe", {"thing": "session:../../metrics"}, "nothing called"),
        ("describe", {"thing": "Kigali"}, "`find` gives"),
        ("describe", {"thing": "http://169.254.169.254/"}, "is not of this graph"),
        ("schema", {"of": "Nothing"}, "names the classes"),
        ("schema", {"of": "Mandate } INSERT"}, "is no class"),
        ("find", {"name": "x" * 300}, "at most 200"),
        ("sparql", {"query": "SELECT * { ?s ?p"}, "unexpected end"),
        ("sparql", {"query": "DELETE WHERE { ?s ?p ?o }"}, "read"),
        ("sparql", {"query": "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"}, "SERVICE is not allowed"),
        ("sparql", {"query": "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }"}, "file:///etc/passwd"),
        ("sparql", {"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"}, "second"),
        ("sparql", {"query": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?f ?i"}, "limit"),
        ("sparql", {"query": "SELECT * {" + "{" * 20_000 + "}" * 20_000 + "}"}, "deep"),
        ("sparql", {"query": "#" * 300_000}, "256 KiB"),
    ],
)
def test_what_is_wrong_or_hostile_is_told(session: Session, tool: str, arguments: dict[str, object], said: str) -> None:
    well, text = session(tool, **arguments)
    assert not well and said in text and len(text) < 2500, text
    assert session.answer("ask", question="president-on-day")["rows"], "the next question is answered"


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture
def address(server: str) -> Iterator[str]:
    """The address of the protocol over HTTP, which asks a server."""
    port = free_port()
    command = [sys.executable, "-m", "interpol_graph", "mcp", "--endpoint", f"{server}/sparql", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait(lambda: listens(port))
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def test_it_asks_a_server_and_answers_over_http(address: str) -> None:
    async def ask() -> CallToolResult:
        async with Client(address) as client:
            return await client.call_tool("ask", {"question": "president-on-day", "values": {"day": "2015-11-03"}})

    (content,) = anyio.run(ask).content
    assert isinstance(content, TextContent) and "Mireille Ballestrazzi" in content.text


@pytest.mark.parametrize("status", [200, 308, 502])
def test_an_address_of_something_else_is_told(status: int) -> None:
    elsewhere = httpx2.MockTransport(lambda _: httpx2.Response(status, html="<p>Welcome"))
    with httpx2.Client(transport=elsewhere, base_url="http://localhost") as client:
        for tool in (
            Tools(client).schema,
            partial(Tools(client).find, "Lyon"),
            partial(Tools(client).describe, "session:84"),
        ):
            with pytest.raises(ToolError, match=f"answers {status} with text/html"):
                tool()


def test_it_says_how_to_install_what_is_missing() -> None:
    code = "import sys; sys.modules['mcp'] = None; from interpol_graph.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "mcp"], capture_output=True, text=True)
    assert done.returncode == 2 and "pip install 'interpol-graph[mcp]'" in done.stderr
    listed = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True)
    assert listed.returncode == 0 and "mcp" in listed.stdout


@pytest.mark.parametrize(
    ("name", "language"), list(zip(questions.saved(), itertools.cycle(("en", "fr")), strict=False))
)
def test_every_question_passes_this_door(app: Flask, name: str, language: Literal["en", "fr"]) -> None:
    with httpx2.Client(transport=httpx2.WSGITransport(app), base_url="http://localhost") as client:
        told = json.loads(Tools(client).ask(name, {}, language))
    expected = app.test_client().get(f"/api/{name}?lang={language}&limit=50").json or []
    assert len(told["rows"]) == len(expected) or f"offset={len(told['rows'])}" in told["more"]
    for row, same in zip(told["rows"], expected, strict=False):
        labels = {column: value for column, value in same.items() if column.endswith("Label") and value is not None}
        assert {column: value for column, value in row.items() if column.endswith("Label")} == labels
    assert told["documents"] or not any("/id/" in str(value) for row in expected for value in row.values())
