"""Search by name: what people write finds what they mean, for a browser, a program and a search box."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from pyoxigraph import RdfFormat, parse

from interpol_graph.graph import names
from interpol_graph.graph.prefixes import ENTITIES
from interpol_graph.graph.questions import saved

TURTLE = """PREFIX : <http://ex.test/> PREFIX i: <https://w3id.org/interpol-graph/ontology#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
:paper rdfs:label "Lyon and its river" . :city a :City ; rdfs:label "Lyon"@en , "Lyon"@fr . :club rdfs:label "Lyon Chess Club" .
:name a :City ; rdfs:label "Lyonnais" . :jones skos:prefLabel "Anna Lindqvist-Jones" ; skos:altLabel "الإنتربول"@ar .
[] rdfs:label "Lyon" . :match rdfs:label "Olympiad" ; i:place :city ; i:startDate "1999-05" . :quoted rdfs:label 'say "hi" OR NOT *' . """


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "an index ? # of names"
    names.build(parse(TURTLE, RdfFormat.TURTLE), path, ["http://ex.test/City"])
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "lyon",
            ["city", "name", "club", "match", "paper"],
        ),  # the text itself, then what begins so: cities before others
        ("LYÔN", ["city", "name", "club", "match", "paper"]),
        ("river lyon", ["paper"]),
        ("lindqvist jo", ["jones"]),
        ("lindkvist", ["jones"]),  # another letter
        ("lindqvst", ["jones"]),  # one less
        ("linddqvist", ["jones"]),  # one more
        ("lindkwist", ["jones"]),  # what is most like it
        ("lxxxxxxst", []),
        # What tells nothing apart is left out where there is more.
        ("the Interpol of Lyon", ["city", "name", "club", "match", "paper"]),
        ("lyon zürich", []),
        ("olympiad lyon 1999", ["match"]),  # an event by its place and year
        ("zzzz", []),
        ("الانتربول", ["jones"]),
        ('"hi" or not', ["quoted"]),
        ("NEAR( -lyon* ^", []),
        ("…", []),
        ("", []),
    ],
)
def test_names_are_found_by_their_words(index: Path, text: str, found: Sequence[str]) -> None:
    assert [iri.removeprefix("http://ex.test/") for iri, _ in names.search(index, text, 10)] == found


def test_any_of_the_words_will_do_where_that_is_asked(index: Path) -> None:
    found = names.search(index, "lyon zürich", 10, some=True)
    assert [iri for iri, _ in found] == [iri for iri, _ in names.search(index, "lyon", 10)]


def test_a_search_gives_no_more_than_it_is_asked_for(index: Path) -> None:
    assert [name for _, name in names.search(index, "lyon", 2)] == ["Lyon", "Lyonnais"]


def test_a_search_is_stopped_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "names"
    text = "\n".join(
        f'<x:{n}> <http://www.w3.org/2000/01/rdf-schema#label> "name of number {n}" .' for n in range(20_000)
    )
    names.build(parse(text, RdfFormat.N_TRIPLES), path)
    assert len(names.search(path, "name", 3, seconds=60)) == 3
    with pytest.raises(TimeoutError):
        names.search(path, "name", 3, seconds=0)


def test_what_is_no_index_is_an_error_and_no_empty_answer(tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(b"")
    with pytest.raises(sqlite3.OperationalError):
        names.search(tmp_path / "names", "lyon", 3)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Secretaire General", "organ/secretary-general"),
        ("Ballestrazzi", "person/mireille-ballestrazzi"),
        ("balestrazzi", "person/mireille-ballestrazzi"),
        ("الإنتربول", "organisation/interpol"),
        ("HAECHI", "series/haechi"),
        ("marrakech", "place/marrakesh"),
        ("Marrakesh", "place/marrakesh"),
        ("red notice", "notice/red"),
        ("notice rouge", "notice/red"),
        ("STOCK jurgen", "person/jurgen-stock"),
        ("Marrakech 2025", "session/93"),
        ("Maroc 2025", "session/93"),
        ("General Assembly 2015", "session/84"),
        ("ballestrasi", "person/mireille-ballestrazzi"),
        ("Ballestrazzi president", "person/mireille-ballestrazzi"),
    ],
)
def test_what_people_look_for_comes_first_or_second(client: FlaskClient, text: str, key: str) -> None:
    answer = client.get("/search", query_string={"q": text, "format": "json"})
    found = answer.get_json()
    assert ENTITIES + key in [hit["iri"] for hit in found[:2]], found[:4]
    assert all(hit["label"] and hit["kind"] for hit in found), "each with its label and its classes"


def test_a_saved_question_is_found_and_led_to(client: FlaskClient) -> None:
    page = BeautifulSoup(
        client.get("/search?q=qui+présidait&lang=fr", headers={"Accept": "text/html"}).text, "html.parser"
    )
    found = {str(link["href"]).partition("?")[0]: link.text for link in page.select("ol.results a")}
    assert found["/queries/president-on-day"] == saved()["president-on-day"].title["fr"]


def test_another_name_stands_only_where_the_readers_own_does_not_tell(client: FlaskClient) -> None:
    for q, shown in (("haechi v", []), ("marrakech", ["(Marrakech)"]), ("election ballestrazi&lang=fr", [])):
        page = BeautifulSoup(client.get(f"/search?q={q}", headers={"Accept": "text/html"}).text, "html.parser")
        assert [name.text for name in page.select("ol.results li:first-child .quiet")] == shown, q


def test_who_finds_nothing_is_led_on_and_in_french_a_space_stands_before_a_colon(client: FlaskClient) -> None:
    page = BeautifulSoup(client.get("/search?q=zzzzqq&lang=fr", headers={"Accept": "text/html"}).text, "html.parser")
    assert page.title and page.title.text.startswith("Rechercher\u00a0: zzzzqq")
    assert page.select("main a[href='/browse/?lang=fr']") and not page.select("ol.results")
    assert [label.text for label in page.select("main label")] == ["Rechercher par nom"], "said once"


def test_it_is_told_where_no_name_has_all_words(client: FlaskClient) -> None:
    for q, told in (("kigali zanzibar", True), ("kigali", False), ("xqxqxq zzzz", False)):
        page = client.get(f"/search?q={q}", headers={"Accept": "text/html"}).text
        assert ("No name has all of these words" in page) == told, q


def test_a_program_gets_json_and_a_search_box_suggestions(client: FlaskClient) -> None:
    assert client.get("/search?q=kigali").content_type == "application/json"
    answer = client.get("/search?q=balles&format=suggestions")
    asked, told, kinds, addresses = answer.get_json()
    assert answer.content_type == "application/x-suggestions+json"
    assert (asked, told[0], kinds[0]) == ("balles", "Mireille Ballestrazzi", "Person")
    assert addresses[0].endswith("/page/person/mireille-ballestrazzi")
    assert len(told) == len(kinds) == len(addresses) <= 10
    assert client.get("/search?q=x&format=turtle").status_code == 400


@pytest.mark.parametrize("path", ["/opensearch.xml", "/opensearch.xml?lang=fr"])
def test_a_browser_is_told_how_to_search(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.content_type == "application/opensearchdescription+xml"
    assert "Accept-Language" in answer.vary, "it names itself in the reader's language"
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    urls = {url.get("type"): url.get("template", "") for url in ElementTree.fromstring(answer.data).iter(space + "Url")}  # noqa: S314
    for media_type in ("application/json", "application/x-suggestions+json"):
        address = urls[media_type].replace("{searchTerms}", "kigali").removeprefix("http://localhost")
        found = client.get(address)
        assert (found.status_code, found.content_type) == (200, media_type)
