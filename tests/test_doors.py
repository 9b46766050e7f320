"""One saved question, every door: page, API, command and Python give the same answer, in English and French."""

from __future__ import annotations

import json
import sys
from email.message import Message
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from flask.testing import FlaskClient
from SPARQLWrapper import SPARQLWrapper

import interpol_graph
from conftest import sampled
from interpol_graph.cli.main import main
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph import questions, rows
from interpol_graph.graph.typography import french

CASES = [(name, language) for name in sorted(questions.saved()) for language in ("en", "fr")]


# In `make test` one in thirteen, which alternates between the languages.
@pytest.mark.parametrize("case", sampled(CASES, CASES[::13], "slow"), ids="-".join)
def test_every_door_gives_the_same_answer(client: FlaskClient, case: tuple[str, str]) -> None:
    name, language = case
    question = questions.saved()[name]
    found = interpol_graph.query(name, lang=language)
    assert found and found.question == question
    assert client.get(f"/api/{name}?lang={language}").json == found

    done = CliRunner().invoke(main, ["query", name, "--lang", language, "--format", "json"])
    assert done.exit_code == 0, done.output
    assert rows.read(done.stdout_bytes) == found

    page = client.get(f"/queries/{name}?lang={language}", headers={"Accept": "text/html"})
    soup = BeautifulSoup(page.text, "html.parser")
    printed = french if language == "fr" else str
    assert soup.h1 and soup.h1.get_text() == printed(question.title[language])
    titles = {printed(title[language]): column for column, title in question.columns.items()}
    told = [titles[title.get_text()] for title in soup.select("table.answer th")]
    assert told and told == [column for column in question.columns if column in told]
    lines = [[french(cell.get_text()) for cell in row.select("td")] for row in soup.select("table.answer tbody tr")]
    # Rows that differ in their documents alone are one line; a French title is printed as such in any language.
    assert 0 < len(lines) <= min(len(found), 1000)
    cells = dict(zip(told, map(set, zip(*lines, strict=True)), strict=True))
    for row in found[:1000]:
        for column in told:
            if label := row.get(f"{column}Label"):
                assert any(french(label) in cell for cell in cells[column]), (column, label)


@pytest.mark.parametrize(
    "named", ["RW", "rwanda", "Ruanda", "country:RW", "https://w3id.org/interpol-graph/id/country/RW"]
)
def test_every_door_takes_a_name(client: FlaskClient, named: str) -> None:
    expected = interpol_graph.query("membership-history", country="country:RW")
    assert expected == interpol_graph.query("membership-history", country=named)
    assert expected == client.get("/api/membership-history", query_string={"country": named}).json
    done = CliRunner().invoke(main, ["query", "membership-history", "-p", f"country={named}", "--format", "json"])
    assert expected == rows.read(done.stdout_bytes)
    page = client.get("/queries/membership-history", query_string={"country": named})
    field = BeautifulSoup(page.text, "html.parser").select_one("input[name=country]")
    assert field and field["value"] == "Rwanda"


def test_every_door_says_what_may_be_meant(client: FlaskClient) -> None:
    words = "The parameter country is not 'Rwnda'; did you mean RW (Rwanda)?"
    with pytest.raises(questions.BadQuestion) as told:
        interpol_graph.query("membership-history", country="Rwnda")
    assert str(told.value) == words
    assert client.get("/api/membership-history?country=Rwnda").json["detail"] == words
    assert words in CliRunner().invoke(main, ["query", "membership-history", "-p", "country=Rwnda"]).output
    page = BeautifulSoup(client.get("/queries/membership-history?country=Rwnda").text, "html.parser")
    assert page.select_one("[role=alert] p").get_text() == words
    assert page.select_one("input[name=country]")["value"] == "Rwnda"


def test_an_endpoint_gives_the_same_rows(server: str) -> None:
    asked = {"session": "84", "lang": "fr"}
    there = interpol_graph.query("session-decisions", endpoint=f"{server}/sparql", **asked)
    assert there == interpol_graph.query("session-decisions", **asked) and there
    with pytest.raises(EngineError, match="cannot be reached"):
        interpol_graph.query("classes", endpoint="http://127.0.0.1:1/sparql")


def test_what_is_no_endpoint_gives_no_answer(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="refused it"):
        interpol_graph.query("classes", endpoint=f"{server}/")
    shown = CliRunner().invoke(main, ["query", "classes", "--endpoint", f"{server}/validate/rules"])
    assert shown.exit_code == 2 and "refused it" in shown.output
    page = SimpleNamespace(response=SimpleNamespace(headers=Message(), read=lambda: b"<p>Welcome"))
    page.response.headers["Content-Type"] = "text/html; charset=utf-8"
    monkeypatch.setattr(SPARQLWrapper, "query", lambda _: page)
    shown = CliRunner().invoke(main, ["query", "classes", "--endpoint", server])
    assert shown.exit_code == 2 and "answers with text/html, not CSV: <p>Welcome" in shown.output


def test_values_are_typed() -> None:
    row = interpol_graph.query("ncb-directory")[0]
    assert isinstance(row["latitude"], float) and isinstance(row["ncbLabel"], str)
    assert isinstance(interpol_graph.query("operations-by-year")[0]["operations"], int)
    assert {row["elected"] for row in interpol_graph.query("election-candidates")} == {True, False}


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ({"type": "literal", "value": "1e400", "datatype": "http://www.w3.org/2001/XMLSchema#double"}, "1e400"),
        ({"type": "literal", "value": "1.50", "datatype": "http://www.w3.org/2001/XMLSchema#decimal"}, 1.5),
        ({"type": "literal", "value": "x", "datatype": "http://www.w3.org/2001/XMLSchema#integer"}, "x"),
        ({"type": "literal", "value": "9" * 9999, "datatype": "http://www.w3.org/2001/XMLSchema#integer"}, "9" * 9999),
        ({"type": "literal", "value": "2015", "datatype": "http://www.w3.org/2001/XMLSchema#gYear"}, "2015"),
        ({"type": "literal", "value": "oui", "xml:lang": "fr"}, "oui"),
        ({"type": "bnode", "value": "b"}, "_:b"),
    ],
)
def test_any_term_has_a_plain_value(term: dict[str, str], value: object) -> None:
    body = json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": [{"x": term}]}}).encode()
    assert rows.read(body) == [{"x": value}]
    assert json.loads(rows.write(rows.read(body))) == [{"x": value}]


def test_the_truth_is_a_row() -> None:
    assert rows.read(b'{"head":{},"boolean":true}') == [{"boolean": True}]


def test_a_frame_has_the_columns_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether pandas is there or not: one stands in for it."""
    frame = SimpleNamespace(DataFrame=lambda data, columns: (data, columns))
    monkeypatch.setitem(sys.modules, "pandas", frame)
    found = interpol_graph.query("president-on-day", day="1900-01-01")
    assert found.to_dataframe() == ([], list(questions.saved()["president-on-day"].variables))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError):
        found.to_dataframe()
