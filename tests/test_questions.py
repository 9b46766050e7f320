"""The saved questions: each is a page, an API and a description, and the three agree."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from rdflib import Graph, Variable
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue

from interpol_graph.endpoint.current import DOCUMENT
from interpol_graph.graph import paths, questions
from interpol_graph.graph.formats import of_kind

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NAMES = sorted(path.stem for path in paths.QUERIES.glob("*.rq"))

QUESTION = """#+ title: Which sessions began in or after a year?
#+ title.fr: Quelles sessions ont commencé à partir d’une année ?
#+ description: Sessions and their places.
#+ description.fr: Les sessions et leurs lieux.
#+ tags: [tried]
#+ parameters:
#+   since:
#+     type: date
#+     default: 2020-01-01
#+     description: The first day
#+     description.fr: Le premier jour
#+   place:
#+     type: iri
#+     default: place:istanbul
#+     description: The place
#+     description.fr: Le lieu
SELECT ?session ?sessionLabel ?place (COUNT(*) AS ?n) WHERE {
  ?session a interpol:AssemblySession ; interpol:place ?place ; rdfs:label ?sessionLabel ; interpol:startDate ?start .
  FILTER(LANG(?sessionLabel) = ?_lang && ?place = ?_place && ?start >= ?_since)
} GROUP BY ?session ?sessionLabel ?place
"""
CONSTRUCTED = """#+ title: A graph?
#+ title.fr: Un graphe ?
#+ description: One statement.
#+ description.fr: Un énoncé.
#+ tags: [tried]
CONSTRUCT { session:84 interpol:number ?n } WHERE { session:84 interpol:number ?n }
"""


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: FlaskClient) -> Iterator[FlaskClient]:
    """A client of a site with two saved questions, `tried` and `constructed`."""
    (tmp_path / "tried.rq").write_text(QUESTION, encoding="utf-8")
    (tmp_path / "constructed.rq").write_text(CONSTRUCTED, encoding="utf-8")
    monkeypatch.setattr(paths, "QUERIES", tmp_path)
    questions.saved.cache_clear()
    yield client
    questions.saved.cache_clear()


def page(client: FlaskClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_question_is_page_and_api(client: FlaskClient, name: str) -> None:
    soup = page(client, f"/queries/{name}")
    question = questions.saved()[name]
    assert soup.h1 and soup.h1.get_text() == question.title["en"]
    fields = {field["name"] for field in soup.select("form.parameters [name]")}
    assert fields == {parameter.name for parameter in question.parameters}
    answer = client.get(f"/api/{name}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    said = [tuple(str(row[name]) for name in row if name not in DOCUMENT) for row in answer.json or ()]
    count = len(set(said) if "source" in question.variables[1:] else said)
    rows = soup.select("table.answer tbody tr")
    assert len(rows) == min(count, 1000), "a row for all documents that say the same"
    for column in zip(*(row.select("td") for row in rows), strict=True):
        assert any(cell.get_text().strip() for cell in column), "no column is empty"
    assert client.get(f"/queries/{name}.rq").data == (paths.QUERIES / f"{name}.rq").read_bytes()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_list_has_every_question(client: FlaskClient, language: str) -> None:
    soup = page(client, f"/queries/?lang={language}")
    titles = {link.get_text() for link in soup.select("ul.questions a")}
    assert titles == {question.title[language] for question in questions.saved().values()}


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("q=most+hosts", "most-frequent-hosts"),
        ("q=HÔTES&lang=fr", "most-frequent-hosts"),
        ("tag=places", "most-frequent-hosts"),
        ("tag=figures&q=colour", "notices-by-colour"),
        ("q=fingerprints+unicorns", ""),
        ("q=%3Cscript%3E", ""),
    ],
)
def test_the_list_is_narrowed(client: FlaskClient, asked: str, first: str) -> None:
    found = [str(link["href"]) for link in page(client, f"/queries/?{asked}").select("ul.questions a")]
    assert len(found) < 20
    assert any(f"/queries/{first}" in address for address in found) if first else not found
    for tag in page(client, "/queries/").select("ul.tags a[href*=tag]"):
        assert page(client, str(tag["href"])).select("ul.questions a")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_page_names_columns_and_offers_things_by_their_names(client: FlaskClient, language: str) -> None:
    soup = page(client, f"/queries/operations-by-crime-area?area=Phishing&lang={language}")
    titles = [title[language] for title in questions.saved()["operations-by-crime-area"].columns.values()]
    assert [cell.get_text() for cell in soup.select("table.answer th")] == titles
    field = soup.select_one("input[name=area]")
    assert field and field["value"] == {"en": "phishing", "fr": "hameçonnage"}[language]
    offers = [option["value"] for option in soup.select(f"datalist#{field['list']} option")]
    assert field["value"] in offers and len(offers) == 69 and not any(":" in offer for offer in offers)
    assert page(client, f"/queries/operations-by-crime-area?area={field['value']}")
    assert (
        f"/api/operations-by-crime-area?area=Phishing{'&lang=fr' * (language == 'fr')}'"
        in soup.select("pre code")[1].text
    )


def test_a_page_without_room_for_all_offers_takes_any_name(client: FlaskClient) -> None:
    soup = page(client, "/queries/entity-timeline?entity=Kigali")
    field = soup.select_one("input[name=entity]")
    assert field and field["value"] == "Kigali" and not soup.select("datalist")


def test_a_row_has_all_its_documents_the_best_first(client: FlaskClient) -> None:
    soup = page(client, "/queries/president-on-day?day=1938-06-01")
    rows = soup.select("table.answer tbody tr")
    cited = [[cite.get_text() for cite in row.select("cite")] for row in rows]
    assert cited[1] == [
        "When the Nazis Ran Interpol (JTA, 2012)",
        "Otto Steinhäusl (knowledger.de (translation of Wikipedia))",
    ]
    assert len(client.get("/api/president-on-day?day=1938-06-01").json or ()) == len(rows) == 2, (
        "a program has a row, too"
    )
    paragraphs = page(client, "/queries/session-attendance").select("table.answer td")
    assert any("paragraph 1" in cell.get_text() for cell in paragraphs)


def bound(pattern: CompValue, loose: set[str]) -> tuple[set[str], set[str]]:
    """Return the variables that a pattern binds always, and those that it binds at all.

    loose: gets those that an OPTIONAL in it looks up by, though what stands before does not always bind them.
    """
    parts = [bound(pattern[name], loose) for name in ("p1", "p2", "p") if isinstance(pattern.get(name), CompValue)]
    always, ever = [part[0] for part in parts], set[str]().union(*(part[1] for part in parts))
    if pattern.name == "LeftJoin":
        loose |= (parts[0][1] - always[0]) & always[1]
        return always[0], ever
    if pattern.name in ("Union", "Minus"):
        return (always[0] & always[1], ever) if pattern.name == "Union" else parts[0]
    if pattern.name == "BGP":
        own = {str(term) for triple in pattern.triples or () for term in triple if isinstance(term, Variable)}
    elif pattern.name == "values":
        own = {str(name) for row in pattern.res for name in row}
    else:  # what Extend and Graph name
        own = {str(name) for name in (pattern.get("var"), pattern.get("term")) if isinstance(name, Variable)}
    seen = set(map(str, pattern["PV"])) if pattern.name == "Project" and pattern["PV"] else own | ever
    return own.union(*always) & seen, (own | ever) & seen


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_document_is_not_given_all_of_them(name: str) -> None:
    """A label is looked up of what is bound: else whatever has a label would answer."""
    loose = set[str]()
    bound(prepareQuery(questions.saved()[name].filled()).algebra, loose)
    assert loose == set()


def test_a_column_says_something(client: FlaskClient) -> None:
    soup = page(client, "/queries/notices-by-colour")
    heads = soup.select("table.answer th")
    titles = [head.get_text() for head in heads]
    assert titles == ["Notice", "Way of counting", "From", "Until", "Number", "Unit", "Document"]
    assert [head.get_text() for head in heads if head.get("class") == ["number"]] == ["Number"]
    cells = [cell.get_text().strip() for cell in soup.select("table.answer td.number")]
    assert "about 58,000" in cells and "26,000" in cells
    assert soup.select("table.answer td.number a[href^='/page/figure/']")


def test_a_question_page(tried: FlaskClient) -> None:
    soup = page(tried, "/queries/tried?since=2021-01-01")
    assert {field["name"]: field["type"] for field in soup.select("form.parameters input")} == {
        "since": "date",
        "place": "text",
    }
    assert [cell.get_text() for cell in soup.select("table.answer th")] == ["session", "place", "n"]
    link = soup.select_one("table.answer a[href='/page/session/89']")
    assert link and "89" in link.get_text(), "a link by its label"
    place = soup.select_one("table.answer a[href='/page/place/istanbul']")
    assert place and place.get_text() == "Istanbul", "a label though the query has none"
    editor = soup.select_one("a.button")
    assert editor and "2021-01-01" in str(editor["href"])
    downloads = soup.select("main p a[href^='/api/tried']")
    assert downloads
    for download in downloads:
        assert tried.get(str(download["href"])).status_code == 200
    assert "/api/tried?since=2021-01-01" in soup.select("pre code")[1].get_text()


def test_a_value_that_looks_like_a_parameter_stays_a_value(tmp_path: Path) -> None:
    (tmp_path / "tried.rq").write_text(QUESTION.replace("type: date", "type: string"), encoding="utf-8")
    text = questions.read(tmp_path / "tried.rq").filled({"since": "?_place ) } #"})
    assert '?start >= "?_place ) } #")' in text and text.count("id/place/istanbul>") == 1


def test_a_wrong_value_is_told_beside_the_form(tried: FlaskClient) -> None:
    soup = page(tried, "/queries/tried?since=yesterday&place=place:rome", 400)
    problem = soup.select_one("[role=alert]")
    assert problem and "yesterday" in problem.get_text()
    kept = soup.select_one("input[name=place]")
    assert kept and kept["value"] == "place:rome"


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", "", "application/json"),
        ("", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "application/sparql-results+json, application/json;q=0.5", "application/sparql-results+json"),
        ("?format=sparql-json", "", "application/sparql-results+json"),
        ("?format=srj", "", "application/sparql-results+json"),
        ("", "text/csv", "text/csv"),
        ("", "application/sparql-results+xml", "application/sparql-results+xml"),
        ("", BROWSER, "application/sparql-results+xml"),
        ("?format=tsv", "text/csv", "text/tab-separated-values"),
        ("?format=json&lang=fr", "text/csv", "application/json"),
    ],
)
def test_the_api_in_every_format(tried: FlaskClient, query: str, accept: str, media_type: str) -> None:
    answer = tried.get(f"/api/tried{query}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.mimetype == media_type
    assert b"session/89" in answer.data
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("query", "header", "office"),
    [
        ("", "", "President"),
        ("", "fr-CH, fr;q=0.9, en;q=0.5", "Président"),
        ("?lang=fr", "en", "Président"),
        ("?lang=es", "fr", "Presidente"),
        ("?lang=", "fr", "Président"),
    ],
)
def test_labels_are_in_the_language_of_the_reader(client: FlaskClient, query: str, header: str, office: str) -> None:
    headers = {"Accept": "text/csv", "Accept-Language": header}
    answer = client.get(f"/api/president-on-day{query}", headers=headers)
    assert f",{office}," in answer.text
    assert {"Accept", "Accept-Language"} <= set(answer.vary)
    shown = client.get(f"/queries/president-on-day{query}", headers=headers | {"Accept": BROWSER})
    cells = [cell.get_text() for cell in BeautifulSoup(shown.text, "html.parser").select("table.answer td")]
    assert office in cells


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_text_is_told_once_in_the_language_of_the_reader(client: FlaskClient, language: str) -> None:
    rows = client.get(f"/api/document-says?format=sparql-json&lang={language}").json["results"]["bindings"]  # type: ignore[index]
    spoken = defaultdict[tuple[str, str], set[str]](set)
    for row in rows:
        if "xml:lang" in row["value"]:
            spoken[row["subject"]["value"], row["property"]["value"]].add(row["value"]["xml:lang"])
    assert len(spoken) > 10 and all(len(languages) == 1 for languages in spoken.values())
    assert sum({language} == languages for languages in spoken.values()) > len(spoken) / 2


def test_rows_are_plain(client: FlaskClient) -> None:
    answer = client.get("/api/election-candidates?election=president-2018").json
    assert answer
    assert answer[0] | {"candidacy": ..., "source": ..., "sourceLabel": ...} == {
        "candidacy": ..., "person": "https://w3id.org/interpol-graph/id/person/kim-jong-yang", "personLabel": "Kim Jong Yang",
        "country": "https://w3id.org/interpol-graph/id/country/KR", "countryLabel": "South Korea", "elected": True, "round": None,
        "standing": "stated", "votes": 101, "voteShare": 62.3, "source": ..., "sourceLabel": ...,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["citation-coverage", "disagreements", "members-on-day", "session-agenda"])
def test_pages_put_together_are_the_whole(client: FlaskClient, name: str) -> None:
    whole = client.get(f"/api/{name}").data.splitlines()[1:-1]
    size = max(-(-len(whole) // 2), 1)
    address, pages = f"/api/{name}?limit={size}", []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        pages.append(answer.data.removeprefix(b"[\n").removesuffix(b"\n]\n"))
        link = answer.headers.get("Link")
        address = link.partition(">")[0].removeprefix("<") if link else ""
        assert not link or link.endswith('; rel="next"')
    assert b",\n".join(pages).splitlines() == whole
    assert len(pages) == -(-len(whole) // size), "no empty page at the end"


@pytest.mark.parametrize("fmt", ["json", "sparql-json", "xml", "csv", "tsv"])
def test_a_page_in_every_format(client: FlaskClient, fmt: str) -> None:
    # 48 countries.
    addresses = [f"/api/most-frequent-hosts?format={fmt}&limit=24&lang=fr&offset={offset}" for offset in (0, 24, 48)]
    first, second, third = map(client.get, addresses)
    assert first.headers["Link"] == f'<{addresses[1]}>; rel="next"'
    assert "Link" not in second.headers and "Link" not in third.headers
    assert first.status_code == second.status_code == third.status_code == 200
    assert all(answer.data.count(b"/country/") == rows for answer, rows in [(first, 24), (second, 24), (third, 0)])


def test_who_asks_for_no_question_is_led_to_those_that_there_are(client: FlaskClient) -> None:
    addresses = {link["href"] for link in page(client, "/queries/nope?lang=fr", 404).select("main li a")}
    assert addresses == {f"/queries/{name}?lang=fr" for name in NAMES}


def test_a_constructing_question_answers_with_a_graph(tried: FlaskClient) -> None:
    for fmt in of_kind("graph"):
        answer = tried.get(f"/api/constructed?format={fmt.name}")
        assert answer.mimetype == fmt.media_types[0]
        assert len(Graph().parse(data=answer.data, format=fmt.media_types[0])) == 1
    assert "84" in page(tried, "/queries/constructed").select("pre")[0].get_text()
    assert tried.get("/api/constructed?format=XML").mimetype == "application/rdf+xml"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/tried?until=2020-01-01", 400, "since"),
        ("/api/tried?since=2020-13-01", 400, "2020-13-01"),
        ("/api/tried?since=2020-01-01&since=2021-01-01", 400, "2 times"),
        ("/api/tried?place=nowhere:x", 400, "nowhere"),
        ('/api/tried?place=place:x>}%20%23"', 400, "place"),
        ("/api/tried?format=yaml", 400, "yaml"),
        ("/api/tried?lang=de", 400, "en, fr, es, ar"),
        ("/api/tried?format=turtle", 406, "json"),
        ("/api/nothing", 404, "nothing"),
        ("/api/tried?limit=0", 400, "a whole number from 1"),
        ("/api/tried?limit=many", 400, "many"),
        ("/api/tried?offset=-1", 400, "a whole number from 0"),
        ("/api/constructed?limit=1", 400, "no parameter 'limit'"),
        ("/api/constructed?format=csv", 406, "turtle"),
        ("/api/trid", 404, "did you mean tried?"),
        ("/queries/nothing", 404, "nothing"),
        ("/queries/nothing.rq", 404, "nothing"),
    ],
)
def test_what_is_wrong_is_said(tried: FlaskClient, path: str, status: int, said: str) -> None:
    answer = tried.get(path)
    assert answer.status_code == status
    if answer.mimetype == "application/problem+json":
        assert answer.json is not None and said in json.dumps(answer.json)
    else:
        assert said in answer.text


def test_openapi_describes_every_question(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document is not None
    assert document["openapi"].startswith("3.1.")
    assert {path.removeprefix("/api/") for path in document["paths"]} == set(questions.saved())
    for path, item in document["paths"].items():
        operation = item["get"]
        examples = {p["name"]: p["example"] for p in operation["parameters"] if "example" in p}
        shared = [
            document["components"]["parameters"][p["$ref"].rpartition("/")[2]]
            for p in operation["parameters"]
            if "$ref" in p
        ]
        examples |= {p["name"]: p["example"] for p in shared if "example" in p}
        answer = client.get(path, query_string=examples)
        assert answer.status_code == 200, path
        assert answer.json == operation["responses"]["200"]["content"]["application/json"]["example"], "a real answer"
        for row in answer.json:
            jsonschema.validate(row, operation["responses"]["200"]["content"]["application/json"]["schema"]["items"])
        for parameter in operation["parameters"]:
            if "$ref" in parameter:
                continue
            schema = parameter["schema"]
            assert not {"enum", "default"} <= schema.keys() or schema["default"] in schema["enum"]
        for status in ("400", "406", "503"):
            assert "application/problem+json" in operation["responses"][status]["content"]


def test_openapi_says_what_a_parameter_may_be(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document is not None

    def schema(name: str) -> dict[str, object]:
        parameter = document["paths"][f"/api/{name}"]["get"]["parameters"][0]
        return {key: parameter["schema"].get(key) for key in ("default", "enum", "examples")}

    regions = ["AfricaRegion", "AmericasRegion", "AsiaRegion", "EuropeRegion"]
    assert schema("delegates-and-vice-presidents-by-region") == {
        "default": "AfricaRegion", "enum": regions, "examples": None,
    }  # fmt: skip
    assert schema("operations-by-country") == {"default": "FR", "enum": None, "examples": ["AD", "AE", "AF"]}
    assert schema("president-on-day") == {"default": "2015-11-05", "enum": None, "examples": None}


def test_no_question_uses_a_reserved_name() -> None:
    names = {parameter.name for question in questions.saved().values() for parameter in question.parameters}
    assert not names & {"format", "lang", "limit", "offset", "asOf"}
