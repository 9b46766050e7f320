"""The tools of an assistant (Model Context Protocol): clients of the endpoint, in this process or elsewhere."""

import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import httpx2
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from interpol_graph.graph import rows
from interpol_graph.graph.prefixes import ENTITIES, TERMS, expand, shorten
from interpol_graph.graph.questions import saved

#: Rows, documents and characters that an answer has at most: what is longer fills the memory of whoever asks.
ROWS, DOCUMENTS, CHARACTERS = 50, 40, 30_000
_THING = re.compile(re.escape(ENTITIES) + r"[^\s<>\"{}|\\^`]+")
INSTRUCTIONS = """A knowledge graph of INTERPOL (the police organisation) in which every statement cites its document. Work so:
find what a thing is called, then ask a saved question about it (questions, ask) or describe it; only if none fits, read the
schema and write SPARQL. Name the documents in your answer. `certain` and `possible` are meant: a year may stand where a day
is expected. Where documents disagree there is an interpol:ConflictingClaim; tell both. Things are written as prefixed names."""
#: The documents of some things, which are documents themselves or cite them.
_DOCUMENTS = """SELECT ?document ?title ?date ?url (GROUP_CONCAT(DISTINCT ?said ; SEPARATOR = ", ") AS ?supports) WHERE {{
  VALUES ?thing {{ {things} }}
  {{ ?thing a interpol:Source BIND(?thing AS ?document) }} UNION {{
    ?thing interpol:citation ?citation . ?citation interpol:source ?document ; interpol:supports ?property
    BIND(CONCAT(REPLACE(STR(?thing), "^.*/", ""), " ", REPLACE(STR(?property), "^.*[#/]", "")) AS ?said) }}
  ?document rdfs:label ?title OPTIONAL {{ ?document dcterms:date ?date }} OPTIONAL {{ ?document schema:url ?url }}
}} GROUP BY ?document ?title ?date ?url ORDER BY ?document LIMIT {most}"""
_CLASSES = """SELECT ?class (COUNT(?s) AS ?things) ?meaning WHERE { ?s a ?class FILTER(STRSTARTS(STR(?class), STR(interpol:)))
  OPTIONAL { ?class skos:definition ?meaning FILTER(LANG(?meaning) = "en") } } GROUP BY ?class ?meaning ORDER BY ?class"""
_PROPERTIES = """SELECT ?property (COUNT(*) AS ?uses) (SAMPLE(?o) AS ?example) ?meaning WHERE {{ ?s a {of} ; ?property ?o
  OPTIONAL {{ ?property skos:definition ?meaning FILTER(LANG(?meaning) = "en") }} }} GROUP BY ?property ?meaning ORDER BY ?property"""
#: What the tools take, told to the assistant.
Name = Annotated[str, Field(description="words or beginnings of words, in any language")]
Language = Annotated[Literal["en", "fr", "es", "ar"], Field(description="language of labels")]
Thing = Annotated[str, Field(description="prefixed name or IRI, such as operation:haechi-iv")]
Words = Annotated[str, Field(description="only those with this text in name, title or subject")]
Question = Annotated[str, Field(description="name of a saved question")]
Offset = Annotated[int, Field(ge=0, description="rows to skip")]
Values = Annotated[dict[str, str], Field(description='of parameters, such as {"day": "2015-11-03"}; things by name')]
Query = Annotated[str, Field(description="SPARQL 1.1 SELECT, ASK, CONSTRUCT or DESCRIBE; prefixes need no declaration")]
Class = Annotated[str, Field(description="a class, such as Operation; nothing for the classes")]


class Tools:
    """What an assistant can do, each by a request to the endpoint, whose limits thus hold and whose errors are told."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def find(self, name: Name, lang: Language = "en") -> str:
        """Find things (persons, sessions, countries, operations, offices …) by name, acronym or part of one; accents, case and one slip a word do not matter. Gives the prefixed names that the other tools take, the best first."""
        found = json.loads(self._get({"q": name, "lang": lang, "format": "json"}, "search"))[:20]
        things = [{"thing": one["iri"], **{key: one[key] for key in ("label", "name", "kind")}} for one in found]
        return _told({"found": things})

    def describe(self, thing: Thing) -> str:
        """Everything that the graph states about one thing, in Turtle: properties, each citation with the properties that it supports, the documents with title and address, and what other documents claim instead."""
        try:
            iri = expand(thing)
        except ValueError as error:
            raise ToolError(f"{error}; `find` gives the name of a thing") from error
        if not iri.startswith((ENTITIES, TERMS)):
            raise ToolError(f"{thing} is not of this graph; `find` gives names of things, such as operation:haechi-iv")
        kind, _, key = iri.replace(TERMS, "ontology/").removeprefix(ENTITIES).partition("/")
        turtle = self._get({"format": "turtle"}, "data", kind, key).decode()
        return _turtle(turtle, shorten(iri))

    def questions(self, words: Words = "") -> str:
        """The saved questions: name, title, subjects, and parameters with their defaults. They are checked against the documents; prefer them to SPARQL of your own. Those whose name ends in -on-day say who or what held on a day, month or year."""
        return _told({"questions": [
            {"name": one.name, "title": one.title["en"], "subjects": one.tags,
             "parameters": {each.name: f"{each.description['en']} e.g. {each.default}" for each in one.parameters}}
            for one in saved().values() if words.lower() in f"{one.name} {one.title['en']} {one.tags}".lower()
        ]})  # fmt: skip

    def ask(self, question: Question, values: Values = {}, lang: Language = "en", offset: Offset = 0) -> str:  # noqa: B006
        """Answer a saved question: up to 50 rows, and the documents that they rest on. For today, give today's date as the day."""
        page = {"format": "json", "limit": str(ROWS + 1), "offset": str(offset)}
        # A language is taken from among the values, too.
        return self._answer(json.loads(self._get({"lang": lang} | values | page, "api", question)), offset)

    def sparql(self, query: Query) -> str:
        """Run a query within the limits of the endpoint (10 seconds, no SERVICE, no updates): up to 50 rows, or Turtle. Select the things, and documents by interpol:citation/interpol:source, so that the answer can name its documents."""
        accepted = {"Accept": "application/sparql-results+json, text/turtle;q=0.9"}
        response = self._sent("POST", "/sparql", data={"query": query}, headers=accepted)
        if "json" in response.headers["Content-Type"]:
            return self._answer(rows.read(response.content))
        return _turtle(response.text)

    def schema(self, of: Class = "") -> str:
        """What there is to query: the classes with the number of their things, or the properties of one class with number, an example and meaning. Labels are rdfs:label in en and fr. Dates are as precise as their document; compare by interpol:earliestStart, latestStart, earliestEnd, latestEnd. Conclusions stand in the graph graph:derived, too."""
        if of and not of.removeprefix("interpol:").isalnum():
            raise ToolError(f"{of!r} is no class; `schema` without a class names them")
        found = self._rows(_PROPERTIES.format(of=f"interpol:{of.removeprefix('interpol:')}") if of else _CLASSES)
        if not found:
            raise ToolError(f"Nothing is a {of}; `schema` without a class names the classes")
        lines = [" · ".join(shorten(str(value))[:120] for value in row.values() if value is not None) for row in found]
        return _cut("\n".join(lines))

    def _answer(self, found: list[rows.Row], offset: int = 0, most: int = ROWS) -> str:
        """Return the rows that there is room for, and the documents that they name, or else those that what they name rests on."""
        shown = found[:most]
        things = dict.fromkeys(value for row in shown for value in row.values() if _THING.fullmatch(str(value)))
        named = {thing: None for thing in things if "/id/source/" in thing}
        values = " ".join(f"<{iri}>" for iri in named or things)
        answer: dict[str, Any] = {
            "rows": [{name: value for name, value in row.items() if value is not None} for row in shown],
            "documents": self._rows(_DOCUMENTS.format(things=values, most=DOCUMENTS)) if values else [],
        }
        if not named:
            answer["note"] = (
                "The rows name no documents; these support what is stated of things in them. Describe what is counted."
            )
        if len(found) > most:
            answer["more"] = f"there are more rows: offset={offset + most}, or OFFSET"
        told = _told(answer)
        return told if len(told) <= CHARACTERS or most == 1 else self._answer(found, offset, most // 2)

    def _rows(self, query: str) -> list[rows.Row]:
        return rows.read(self._sent("POST", "/sparql", data={"query": query, "format": "json"}).content)

    def _get(self, values: dict[str, str], *steps: str) -> bytes:
        for step in steps:
            if not re.fullmatch(r"[\w.~-]*[\w~-]", step):  # a path elsewhere
                raise ToolError(f"There is nothing called {step!r}; `find` names things, `questions` the questions.")
        return self._sent("GET", "/" + "/".join(steps), params=values).content

    def _sent(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Return the answer to a request. Raises ToolError with what was wrong and what would be right."""
        try:
            response = self.client.request(method, path, **request)
        except httpx2.HTTPError as error:
            raise ToolError(f"{self.client.base_url} cannot be reached: {error}") from error
        given = response.headers.get("Content-Type", "")
        if response.is_success and "html" not in given:
            return response
        if "problem+json" not in given:
            raise ToolError(f"{self.client.base_url} answers {response.status_code} with {given or 'nothing'}")
        problem = response.json()
        more = {key: value for key, value in problem.items() if key in ("known", "similar", "line", "column") and value}
        raise ToolError(f"{problem.get('detail')} {json.dumps(more) if more else ''}".strip()[:2000])


def server_of(tools: Tools) -> MCPServer:
    """Return the server of the protocol for some tools."""
    from interpol_graph import __version__

    server: MCPServer = MCPServer("interpol-graph", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR")
    for tool in (tools.find, tools.describe, tools.questions, tools.ask, tools.sparql, tools.schema):
        server.add_tool(tool, structured_output=False)
    return server


def _told(answer: dict[str, Any]) -> str:
    """Return an answer as JSON, its IRIs as prefixed names."""
    return json.dumps(_short(answer), ensure_ascii=False)


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, str):
        return shorten(value)
    return [_short(each) for each in value] if isinstance(value, Iterable) else value


def _turtle(text: str, first: str = "") -> str:
    """Return Turtle without its prefixes, what is said of one thing first."""
    blocks = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("@prefix")).split(" .\n")
    return _cut(" .\n".join(sorted(blocks, key=lambda block: not block.startswith(f"{first} "))))


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}\n… cut: {len(text):,} characters; ask for less"
