"""The pages and lists of each kind of thing (kinds.toml): what opens them, their sections, facets and values for people."""

from __future__ import annotations

import csv
import json

import html5rdf
import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from conftest import ROOT
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import ENTITIES, TERMS
from interpol_graph.graph.questions import saved
from interpol_graph.site.kinds import KINDS
from interpol_graph.site.phrases import PHRASES
from test_pages import BROWSER, fact, page, text

#: A page of each kind that has wishes of its own, and of what falls back.
EXAMPLES = (
    "session/87", "person/mireille-ballestrazzi", "country/FR", "operation/haechi-v", "series/haechi", "system/icse", "notice/red",
    "election/president-2018", "claim/candidacy-president-2018-kim-jong-yang-votes-98", "source/ga84-closing", "ontology/Cybercrime",
    "organ/executive-committee", "organ/general-assembly", "mandate/president-lourenco-1956", "ontology/AssemblySession",
)  # fmt: skip


def section(soup: BeautifulSoup, heading: str) -> list[list[str]]:
    """Return the rows of a section as texts, the column of documents left out."""
    [found] = [one for one in soup.select("section") if one.h2 and text(one.h2).startswith(heading)]
    return [[text(cell) for cell in row.select("td")] for row in found.select("tbody tr")]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_page_of_each_kind_asks_few_queries_and_is_valid_html_without_raw_values(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, name: str, language: str
) -> None:
    page(client, "/page/ontology/Cybercrime")  # the first page of a term counts what all have
    asked: list[int] = []
    query = Snapshot.query
    monkeypatch.setattr(Snapshot, "query", lambda *args, **kwargs: asked.append(1) or query(*args, **kwargs))
    answer = client.get(f"/page/{name}?lang={language}", headers={"Accept": BROWSER}, buffered=True)
    assert answer.status_code == 200 and len(asked) <= 4
    parser = html5rdf.HTMLParser()
    parser.parse(answer.text)
    assert not parser.errors
    soup = BeautifulSoup(answer.text, "html.parser")
    assert soup.h1 and not text(soup.h1).startswith(name.partition("/")[0] + ":"), "a label, no code"
    assert all(row.select("td") for row in soup.select("section tbody tr"))
    for table in soup.select("section table.answer"):
        columns = list(
            zip(*[[text(cell) for cell in row.select("td")] for row in table.select("tbody tr")], strict=True)
        )
        assert columns and all(any(column) for column in columns), "no empty column"


def answers(name: str) -> list[dict[str, str]]:
    """Return what the records say, as it stands in the expected answer of a question."""
    return list(csv.DictReader((ROOT / "tests" / "answers" / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


def test_a_session_says_who_led_it_and_what_came_before(client: FlaskClient) -> None:
    led = [row for row in answers("session-presided-by") if row["presidentLabel"] and row["secretaryGeneralLabel"]]
    assert len(led) > 5
    for row in led[:3]:
        soup = page(client, f"/page/{row['session'].removeprefix(ENTITIES)}")
        assert fact(soup, "presided by") == f"{row['presidentLabel']} derived by rule"
        assert fact(soup, "Secretary General at the time") == f"{row['secretaryGeneralLabel']} derived by rule"
        number = int(row["number"])
        assert soup.select_one(f"dl.essentials a[href='/page/session/{number - 1}']")
        assert soup.select_one(f"dl.essentials a[href='/page/session/{number + 1}']")


@pytest.mark.parametrize(("language", "names"), [("en", ("language", "French")), ("fr", ("langue", "français"))])
def test_a_document_says_its_language_in_a_word(client: FlaskClient, language: str, names: tuple[str, str]) -> None:
    soup = page(client, f"/page/source/ga84-closing?lang={language}")
    assert fact(soup, names[0]) == names[1]


def test_a_session_shows_attendance_beside_its_neighbours(client: FlaskClient) -> None:
    soup = page(client, "/page/session/84")
    [here] = list(soup.select("tr.here"))
    assert "145" in text(here) and "about 640" in text(here)
    assert len(section(soup, "Attendance")) > 5
    assert soup.select_one("a[href*='/queries/attendance-over-time?from=2010&until=2020']")


def test_an_election_shows_candidates_with_what_others_claim(client: FlaskClient) -> None:
    rows = section(page(client, "/page/election/president-2018"), "Candidates")
    expected = answers("election-candidates")
    assert len(rows) == len(expected)
    for row, told in zip(rows, expected, strict=True):
        assert told["personLabel"] in row[0] and told["countryLabel"] in row and told["votes"] in row


def test_a_person_shows_mandates(client: FlaskClient) -> None:
    rows = section(page(client, "/page/person/mireille-ballestrazzi"), "Offices")
    assert [row[0] for row in rows] == [told["mandateLabel"] for told in answers("mandates-of-person")]


@pytest.mark.parametrize(("language", "unit"), [("en", "persons"), ("fr", "personnes")])
def test_a_number_is_of_several(client: FlaskClient, language: str, unit: str) -> None:
    """It may stand right before its unit, as on a phone."""
    units = [text(cell) for cell in page(client, f"/page/operation/haechi-v?lang={language}").select(".figures .unit")]
    assert unit in units


def test_bounds_of_time_stand_in_order(client: FlaskClient) -> None:
    names = [text(row.th) for row in page(client, "/page/resolution/1914-twelve-wishes").select(".facts tbody tr")]
    assert names[:4] == ["earliest start", "latest start", "earliest end", "latest end"]


def test_a_class_without_a_name_is_no_badge(client: FlaskClient) -> None:
    badges = [text(badge) for badge in page(client, "/page/ontology/President?lang=fr").select(".badge")]
    assert badges == ["Charge", "concept"]


def test_an_operation_without_a_first_day_shows_when_it_was_announced(client: FlaskClient) -> None:
    rows = section(page(client, "/page/ontology/Cybercrime"), "Operations")
    assert len(rows) > 20 and all(row[1] or row[2] for row in rows)


def test_a_claim_against_what_was_concluded_cites_what_claims_it_alone(client: FlaskClient) -> None:
    soup = page(client, "/page/claim/operation-opson-iii-start-date-2014-12")
    assert [bool(row.select(".mark")) for row in soup.select(".stack tbody tr")] == [False, True]
    assert len(soup.select(".documents li")) == 1


def test_a_claim_shows_both_sides(client: FlaskClient) -> None:
    soup = page(client, "/page/claim/candidacy-president-2018-kim-jong-yang-votes-98")
    assert text(soup.h1) == "Kim Jong Yang: election of the President, 2018 – votes – 98"
    assert {value for row in section(soup, "Both sides") for value in row} >= {"101", "98"}
    assert soup.select_one("ol.documents a[href='/page/source/thenational-ae']")
    assert soup.select_one("ol.documents a[href^='/page/source/financial-express-bbc-2018']")


def test_a_series_shows_its_editions_in_the_order_of_time(client: FlaskClient) -> None:
    rows = section(page(client, "/page/series/haechi"), "Editions")
    arrests = [row[3] for row in rows if row[0] == "arrests"]
    assert arrests[:5] == ["585", "1,003", "975", "nearly 3,500", "more than 5,500"]


@pytest.mark.parametrize("path", ["/page/operation/haechi-v", "/browse/Operation?series=series:haechi"])
def test_a_number_that_is_not_exact_says_so(client: FlaskClient, path: str) -> None:
    """Of HAECHI V documents say more than 5,500 arrests; of HAECHI-II there were 1,003."""
    text = page(client, path).get_text(" ", strip=True)
    assert "≈ 5,500" in text and "≈ 1,003" not in text and "1,003" in text


def test_a_date_that_is_only_more_precise_is_no_disagreement(client: FlaskClient, snapshot: Snapshot) -> None:
    found = snapshot.query(
        "SELECT ?about { ?claim a interpol:ConflictingClaim ; interpol:about ?about ; interpol:property ?p ; interpol:claimedValue ?told ."
        " ?about ?p ?stated FILTER(?p IN (interpol:startDate, interpol:endDate) && STRSTARTS(STR(?told), CONCAT(STR(?stated), '-')))"
        " FILTER NOT EXISTS { ?other interpol:about ?about FILTER(?other != ?claim) } } ORDER BY ?about"
    )
    abouts = [row["about"]["value"] for row in json.loads(found.body)["results"]["bindings"]]
    assert abouts
    soup = page(client, f"/page/{abouts[0].removeprefix(ENTITIES)}")
    assert not soup.select(".dispute") and "More precisely" in text(soup.main)


def test_what_stands_alone_is_not_another_source(client: FlaskClient) -> None:
    for name in ("system/icse", "person/mireille-ballestrazzi", "mandate/vp-americas-tuma-1991"):
        words = text(page(client, f"/page/{name}").main)
        assert "one source says" in words and "Another source" not in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("organ/general-assembly", "4 days"), ("organ/general-assembly?lang=fr", "4 jours"),
        ("figure/red-notices-and-diffusions-refused-share-2017?lang=fr", "2,8 %"), ("notice/red", "cumulative total"),
    ],
)  # fmt: skip
def test_values_are_for_people(client: FlaskClient, name: str, value: str) -> None:
    words = text(page(client, f"/page/{name}").main)
    assert value.replace(" ", "\u00a0") in words or value in words
    assert "P4D" not in words and "cumulative) cumulative" not in words


@pytest.mark.parametrize(("name", "similar"), [("nobody", None), ("balestrazi", "Mireille Ballestrazzi")])
def test_what_is_not_there_suggests_by_name(client: FlaskClient, name: str, similar: str | None) -> None:
    links = [text(link) for link in page(client, f"/page/person/{name}", 404).select("main li a")]
    assert (similar in links) if similar else not links


def test_every_kind_is_a_class_and_its_words_are_known(snapshot: Snapshot) -> None:
    known = {
        row["c"]["value"]
        for row in json.loads(snapshot.query("SELECT DISTINCT ?c { ?x a ?c }").body)["results"]["bindings"]
    }
    used = json.loads(snapshot.query("SELECT DISTINCT ?p { ?x ?p ?y }").body)["results"]["bindings"]
    properties = {row["p"]["value"] for row in used}
    for name, kind in KINDS.items():
        assert name in known
        wished = {
            *kind.essentials,
            *kind.facets.values(),
            *(c for part in kind.sections if part.items for c in part.columns),
        }
        assert wished | set(kind.columns) <= properties, name
        for part in kind.sections:
            assert part.heading in PHRASES
            assert not part.question or set(part.columns) <= set(saved()[part.question].variables)


@pytest.mark.parametrize("name", [name.removeprefix(TERMS) for name in KINDS if name.startswith(TERMS)])
def test_a_list_has_full_columns_and_a_total(client: FlaskClient, snapshot: Snapshot, name: str) -> None:
    soup = page(client, f"/browse/{name}")
    rows = soup.select("table.answer tbody tr")
    assert rows and all(
        any(text(cell) for cell in column) for column in zip(*[row.select("td") for row in rows], strict=True)
    )
    [count] = json.loads(snapshot.query(f"SELECT (COUNT(*) AS ?n) {{ ?s a interpol:{name} FILTER(isIRI(?s)) }}").body)[
        "results"
    ]["bindings"]
    assert f"{int(count['n']['value']):,} in all" in text(soup.main)
    csv_link = soup.select_one("main a[href*='format=csv']")
    assert csv_link
    things = {row["item"] for row in csv.DictReader(client.get(str(csv_link["href"])).text.splitlines())}
    assert len(things) == int(count["n"]["value"])


@pytest.mark.parametrize(
    ("kind", "facet", "property"),
    [("Operation", "crimeArea", "crimeArea"), ("Country", "memberRegion", "memberRegion"), ("Mandate", "year", "year")],
)
def test_facets_count_what_a_query_counts(
    client: FlaskClient, snapshot: Snapshot, kind: str, facet: str, property: str
) -> None:
    asked = f"SELECT ?v (COUNT(DISTINCT ?s) AS ?n) {{ ?s a interpol:{kind} ; interpol:{property} ?v }} GROUP BY ?v"
    counts = {
        row["v"]["value"]: int(row["n"]["value"])
        for row in json.loads(snapshot.query(asked).body)["results"]["bindings"]
    }
    links = [
        link for link in page(client, f"/browse/{kind}").select("nav.facets a") if f"{facet}=" in str(link["href"])
    ]
    told = {str(link["href"]): int(text(link.find_next_sibling("span")).replace(",", "")) for link in links}
    assert len(counts) > 3 and sorted(told.values()) == sorted(counts.values())
    for address in list(told)[:2]:
        narrowed = page(client, address)
        assert f"{told[address]:,} in all" in text(narrowed.main)
        assert narrowed.select_one(f"nav.facets a.badge[href='/browse/{kind}']"), "it can be taken back"


def test_lists_are_in_the_alphabet_of_the_reader_or_newest_first(client: FlaskClient) -> None:
    names = [text(link) for link in page(client, "/browse/Country?lang=fr").select("table.answer td:first-child a")]
    assert names[0] == "Afghanistan" and names.index("Égypte") < names.index("Équateur") < names.index("Espagne")
    dates = [str(time["datetime"]) for time in page(client, "/browse/AssemblySession").select("table.answer time")]
    assert dates == sorted(dates, reverse=True) and len(dates) > 90


def test_a_list_of_nothing_is_not_found(client: FlaskClient) -> None:
    soup = page(client, "/browse/Country?memberRegion=interpol:Nowhere", 404)
    assert "memberRegion interpol:Nowhere" in text(soup.main)


def test_every_class_has_a_list_that_leads_to_pages(client: FlaskClient) -> None:
    addresses = [str(link["href"]) for link in page(client, "/browse/").select("main tbody a")]
    assert len(addresses) > 40
    for address in addresses:
        soup = page(client, address)
        thing = soup.select_one("table.answer td:first-child a")
        assert thing or "Nothing with an address of its own" in text(soup.main), address
        if thing:
            assert text(page(client, str(thing["href"])).h1) == text(thing), address
