"""The SPARQL page: its form without script, the answer and the error beside the query, and the words that its editor completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from pyoxigraph import Store

from conftest import ROOT
from interpol_graph.endpoint import sparql
from interpol_graph.graph.prefixes import BASE, prefixes
from interpol_graph.graph.questions import saved
from test_pages import page, text

SESSIONS = "?s a interpol:AssemblySession ; interpol:startDate ?start ; interpol:place ?place"


def asked(client: FlaskClient, query: str, status: int = 200, more: str = "") -> BeautifulSoup:
    """Return the page with a query."""
    return page(client, f"/sparql?query={quote(query)}{more}", status)


def cells(soup: BeautifulSoup) -> list[list[str]]:
    return [[text(cell) for cell in row.select("td")] for row in soup.select("table.answer tbody tr")]


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT (YEAR(?start) AS ?y) ?place {{ {SESSIONS} FILTER(?s = session:84) }}",
        f"SELECT (YEAR(MIN(?start)) AS ?y) ?place {{ {SESSIONS} FILTER(?s = session:84) }} GROUP BY ?place",
        f"SELECT ?year ?place {{ {SESSIONS} ; interpol:year ?year FILTER(?s = session:84) }}",
    ],
)
def test_years_are_years_and_things_bear_their_labels(client: FlaskClient, query: str) -> None:
    assert cells(asked(client, query)) == [["2015", "Kigali"]]
    (french,) = cells(
        asked(
            client,
            query.replace("?place {", "?c {")
            .replace("interpol:place ?place", "interpol:hostCountry ?c")
            .replace("BY ?place", "BY ?c"),
            more="&lang=fr",
        )
    )
    assert french == ["2015", "Rwanda"]


def test_a_number_is_no_year(client: FlaskClient) -> None:
    assert cells(asked(client, "SELECT (2015 AS ?n) {}")) == [["2,015"]]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ASK { ?s interpol:hostCountri ?c }", "interpol:hostCountri is no term of its vocabulary. Perhaps you meant interpol:hostCountry"),
        ("PREFIX i: <https://w3id.org/interpol-graph/ontology#> ASK { ?s i:hostCountri ?c }", "interpol:hostCountri is no term"),
        ("ASK { ?s rdfs:lable ?c }", "rdfs:lable is no term of its vocabulary. Perhaps you meant rdfs:label"),
    ],
)  # fmt: skip
def test_an_unknown_term_is_warned_of(client: FlaskClient, query: str, said: str) -> None:
    soup = asked(client, query)
    (warning,) = soup.select("form .dispute")
    assert said in text(warning) and soup.select_one(".truth")
    if link := warning.a:
        assert client.get(str(link["href"])).status_code == 200 or "://" in str(link["href"])


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ {SESSIONS} }} LIMIT 2",
        "ASK { 'interpol:nothing' ?p <http://elsewhere.example/x> } # interpol:none",
    ],
)
def test_known_terms_are_not_warned_of(client: FlaskClient, query: str) -> None:
    assert not asked(client, query).select(".dispute")


def test_no_saved_question_names_an_unknown_term(client: FlaskClient) -> None:
    with client.application.test_request_context():
        assert {
            name: found for name, question in saved().items() if (found := sparql.strangers(question.filled()))
        } == {}
        assert sparql.strangers("ASK { ?s interpol:hostCountri ?c }")


def test_a_format_that_cannot_be_keeps_query_and_choice(client: FlaskClient) -> None:
    soup = asked(client, "SELECT * { ?s ?p ?o } LIMIT 1", 406, "&format=turtle")
    assert text(soup.textarea) == "SELECT * { ?s ?p ?o } LIMIT 1"
    assert text(soup.select_one("option[selected]")) == "Turtle"
    assert "text/csv" in text(soup.select_one("form #problem"))


def test_programs_are_told_in_their_own_way(client: FlaskClient) -> None:
    answer = client.get("/sparql?query=SELECT * {}&format=turtle", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")


def test_what_is_wrong_says_the_same_as_for_programs(client: FlaskClient) -> None:
    query = "SELECT * FROM graph:session { ?s ?p ?o }"
    told = client.get("/sparql", query_string={"query": query}, headers={"Accept": "application/json"}).json
    assert told and told["similar"]
    links = [text(link) for link in asked(client, query, 400).select("form #problem li")]
    assert links == told["similar"]


def test_code_in_an_error_is_code(client: FlaskClient) -> None:
    problem = asked(client, "SELECT * { ?s ?p ?o FILTER(?x > }", 400).select_one("#problem")
    assert problem and "`" not in text(problem)
    assert [text(code) for code in problem.select("p code")] == ["}", "SELECT * { ?s ?p ?o FILTER(?x >"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * { ?s ?p ?o FILTER(?x > }", "colonne 33 : }  inattendu, après SELECT * { ?s ?p ?o FILTER(?x > ."),
        ("SELECT * { ?s ?p ?o", "colonne 20 : attendu . ou ; ou { ou } ou ~ , après SELECT * { ?s ?p ?o ."),
        ("SELECT ?a ?b { ?a ?p ?b } GROUP BY ?a", "?b est choisie sans être groupée ni comptée"),
    ],
)
def test_what_is_wrong_is_told_in_french(client: FlaskClient, query: str, said: str) -> None:
    told = text(asked(client, query, 400, "&lang=fr").select_one("#problem p"))
    assert " ".join(said.split()) in told.replace("\u202f", " ").replace("\xa0", " ")


def test_a_graph_shows_the_prefixes_that_it_uses(client: FlaskClient) -> None:
    soup = asked(client, f"CONSTRUCT {{ ?s interpol:place ?place }} WHERE {{ {SESSIONS} FILTER(?s = session:84) }}")
    lines = soup.select_one(".outcome pre").get_text().splitlines()  # type: ignore[union-attr]
    assert lines[-1] == "session:84 interpol:place place:kigali ."
    assert {line.split()[1] for line in lines[:-1]} == {"interpol:", "place:", "session:"}


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT ?c (COUNT(?s) AS ?n) { ?s interpol:hostCountry ?c } GROUP BY ?c ORDER BY DESC(?n) LIMIT 5", "bar"),
        (f"SELECT (YEAR(?start) AS ?y) (COUNT(?s) AS ?n) {{ {SESSIONS} }} GROUP BY ?start", "line"),
        ("SELECT ?s ?start ?end { ?s a interpol:AssemblySession ; interpol:startDate ?start ; interpol:endDate ?end }", "timeline"),
        (f"SELECT ?place ?lat ?long {{ {SESSIONS} . ?place interpol:latitude ?lat ; interpol:longitude ?long }}", "map"),
        (f"SELECT ?s ?place {{ {SESSIONS} }}", ""),
        ("SELECT (1 AS ?n) (2 AS ?m) {}", ""),
        ("SELECT * { ?s ?p ?o } LIMIT 0", ""),
    ],
)  # fmt: skip
def test_an_answer_is_drawn_where_its_columns_ask_for_it(client: FlaskClient, query: str, kind: str) -> None:
    drawn = asked(client, query).select(".outcome svg.picture")
    assert [picture["class"] for picture in drawn] == ([["picture", kind]] if kind else [])


def test_the_editor_completes_what_the_graph_uses_by_its_label(client: FlaskClient) -> None:
    told = client.get("/sparql/terms.json").json
    assert told and told["prefixes"] == prefixes()
    assert told["terms"]["interpol:AssemblySession"] == "General Assembly session" and "rdfs:label" in told["terms"]
    assert "interpol:chair" not in told["terms"], "it is deprecated"
    french = client.get("/sparql/terms.json?lang=fr")
    assert french.json and french.json["terms"].keys() == told["terms"].keys() and french.json != told
    assert "Accept-Language" in french.headers["Vary"] and french.headers["ETag"]


@pytest.mark.parametrize("name", saved())
def test_a_question_loads_as_a_query_that_runs(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/sparql/{name}.rq?lang=fr")
    assert answer.mimetype == "application/sparql-query" and "?_" not in answer.text
    Store().query(answer.text, base_iri=BASE, prefixes=prefixes())


def test_a_question_loads_with_the_values_of_the_request(client: FlaskClient) -> None:
    assert "1946-06-07" in client.get("/sparql/president-on-day.rq?day=1946-06-07").text
    assert client.get("/sparql/nothing.rq").status_code == 404


def test_the_grammar_of_the_editor_knows_our_queries() -> None:
    """In its colours no saved question, check or rule has an error."""
    script = """
      import { SparqlLanguage } from "codemirror-lang-sparql";
      import { readFileSync } from "node:fs";
      const wrong = (text) => { let found = false; SparqlLanguage.parser.parse(text).iterate({ enter: (node) => { found ||= node.type.isError } }); return found };
      const [queries] = process.argv.slice(-1);
      console.log(JSON.stringify(JSON.parse(queries).filter((path) => wrong(readFileSync(path, "utf8")))));
    """
    files = [str(path) for folder in ("queries", "ontology") for path in (ROOT / folder).rglob("*.rq")]
    assert len(files) > 100
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script, json.dumps(files)],
        cwd=ROOT / "server" / "web",
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},  # where make puts a node
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []


def test_the_licences_of_what_is_bundled_are_shipped() -> None:
    vendor = ROOT / "server" / "interpol_graph" / "static" / "vendor"
    told = (vendor / "LICENSES.txt").read_text(encoding="utf-8")
    lock = json.loads((ROOT / "server" / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    named = {path.removeprefix("node_modules/") for path in lock if path} - {"esbuild"}
    assert {
        name
        for name in named
        if f"{name} {lock[f'node_modules/{name}']['version']} (" not in told and not name.startswith("@esbuild/")
    } == set()
    assert told.count("Permission is hereby granted") >= 10
