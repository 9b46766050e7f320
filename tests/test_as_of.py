"""What held on a day, a month or a year: the questions give what plain Python works out from the records of data/."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from rdflib import RDF, SKOS, Graph, Namespace, URIRef

import interpol_graph
from conftest import ROOT
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import questions

INTERPOL = Namespace("https://w3id.org/interpol-graph/ontology#")
ORGAN = Namespace("https://w3id.org/interpol-graph/id/organ/")
COMMITTEE = (INTERPOL.President, INTERPOL.VicePresident, INTERPOL.Delegate, INTERPOL.ExecutiveCommitteeMember)
NAMES = (INTERPOL.OfficialName, INTERPOL.Symbol, INTERPOL.OfficialLanguage)

_RANDOM = random.Random(15)  # noqa: S311
DAYS = [
    date(1923, 1, 1) + timedelta(_RANDOM.randrange((date(2026, 12, 31) - date(1923, 1, 1)).days)) for _ in range(12)
]
TIMES = [text[:length] for text in map(str, sorted(DAYS)) for length in (10, 7, 4)]


class Span(NamedTuple):
    """A state: the days on which it can have begun and ended, None where nobody tells."""

    iri: URIRef
    begun: tuple[date, date] | None
    ended: tuple[date, date] | None
    ongoing: bool
    seen: list[tuple[date, date]]
    limit: date | None

    def judged(self, first: date, last: date, over: date | None) -> str:
        """Say of days whether the state held; over: the last day on which it can have, where only others tell."""
        starts, ends = self.begun, self.ended
        stop = ends[1] if ends else self.limit or over
        if not starts or last < starts[0] or (stop and first > stop and not self.ongoing):
            return ""
        sure = starts[1] <= first and (self.ongoing or last <= max([d for d, _ in self.seen], default=date.min))
        sure = sure if not ends else starts[1] <= first and last <= ends[0]
        return "certain" if sure else "possible"


def days(text: str) -> tuple[date, date]:
    """Return the first and the last day of a day, a month or a year."""
    if len(text) == 10:
        return date.fromisoformat(text), date.fromisoformat(text)
    year, month = int(text[:4]), int(text[5:7] or 0)
    after = date(year + 1, 1, 1) if month in (0, 12) else date(year, month + 1, 1)
    return date(year, month or 1, 1), after - timedelta(1)


@cache
def records() -> Graph:
    graph = Graph()
    of = " a interpol:(Mandate|CountryMembership|Premises|OfficialName|Symbol|OfficialLanguage|Office) "
    for path in [*ROOT.glob("data/**/*.ttl"), *ROOT.glob("ontology/*.ttl")]:
        if re.search(of, path.read_text(encoding="utf-8")):
            graph.parse(path)
    return graph


@cache
def spans(kind: URIRef, start: str = "startDate", end: str = "endDate") -> list[Span]:
    graph, all_of_them = records(), []
    for iri in graph.subjects(RDF.type, kind):
        assert isinstance(iri, URIRef)
        found = {
            name: [days(str(d)) for d in graph.objects(iri, INTERPOL[name])]
            for name in (start, end, "attestedOn", "endNotAfter")
        }
        assert len(found[start]) < 2 and len(found[end]) < 2
        ongoing = any(str(truth) == "true" for truth in graph.objects(iri, INTERPOL.ongoing))
        limit = min((last for _, last in found["endNotAfter"]), default=None)
        all_of_them.append(
            Span(iri, *((found[name] or [None])[0] for name in (start, end)), ongoing, found["attestedOn"], limit)
        )
    return all_of_them


def family(office: object) -> set[object]:
    """Return an office and those above it."""
    return {office, *records().objects(office, SKOS.broader)}


@cache
def mandates(of: URIRef) -> list[Span]:
    return [span for span in spans(INTERPOL.Mandate) if of in family(records().value(span.iri, INTERPOL.office))]


def held(of: URIRef, text: str) -> set[tuple[str, str]]:
    """Return the mandates of an office that only one holds, each until the next one."""
    found, (first, last) = mandates(of), days(text)
    answer = set()
    for span in found:
        later = [o.begun[1] for o in found if o.begun and span.begun and o.begun[0] > span.begun[1]]
        answer.add((str(span.iri), span.judged(first, last, min(later, default=None))))
    return {row for row in answer if row[1]}


def seated(text: str) -> set[tuple[str, str]]:
    """Return the mandates of the Executive Committee."""
    graph, (first, last) = records(), days(text)
    answer = dict[str, str]()
    for office in COMMITTEE:
        for span in mandates(office):
            if (span.iri, INTERPOL.body, ORGAN["executive-committee"]) not in graph:
                continue
            if office == INTERPOL.President:
                answer |= {iri: how for iri, how in held(office, text) if iri == str(span.iri)}
            elif span.begun:
                planned = graph.value(span.iri, INTERPOL.scheduledEnd)
                year = int(str(planned)[:4]) if planned else span.begun[0].year + 4
                answer[str(span.iri)] = span.judged(first, last, date(year, 12, 31))
            else:  # known by a mention, an end, or both
                ends = span.ended or (max((d for d, _ in span.seen), default=None), span.limit)
                begins = max((d for d, _ in span.seen), default=None) or (
                    date(ends[0].year - 4, 1, 1) if ends[0] else None
                )
                shut = ends[1] or min((d for _, d in span.seen), default=None)
                mention = min((d for _, d in span.seen), default=None)
                if mention and span.ended:
                    begins = span.ended[0]
                if begins and shut and begins <= last and (first <= shut or span.ongoing):
                    sure = mention and mention <= first and ends[0] and last <= ends[0]
                    answer[str(span.iri)] = "certain" if sure else "possible"
    return {(iri, how) for iri, how in answer.items() if how}


def simply(kinds: Iterable[URIRef], text: str) -> set[tuple[str, str]]:
    found = {(str(span.iri), span.judged(*days(text), None)) for kind in kinds for span in spans(kind)}
    return {row for row in found if row[1]}


def open_premises(text: str) -> set[tuple[str, str]]:
    """Return the seats and offices: one whose closing nobody tells may be open, a seat until the next one."""
    graph, (first, last) = records(), days(text)
    every = spans(INTERPOL.Premises, "opened", "closed")
    seats = [s for s in every if (s.iri, INTERPOL.premisesKind, INTERPOL.Headquarters) in graph and s.begun]
    answer = set()
    for span in every:
        followed = span in seats and not span.ended and not span.ongoing
        next_starts = [o.begun[1] for o in seats if o.begun and span.begun and o.begun[1] > span.begun[1]]
        if not (followed and any(start <= first for start in next_starts)):
            answer.add((str(span.iri), span.judged(first, last, None)))
    return {row for row in answer if row[1]}


def answered(snapshot: Snapshot, name: str, column: str, text: str, **values: str) -> set[tuple[str, str]]:
    query = questions.saved()[name].filled({"day": text, **values})
    rows = json.loads(snapshot.query(query).body)["results"]["bindings"]
    return {(row[column]["value"], row["certainty"]["value"]) for row in rows}


@pytest.mark.parametrize("text", TIMES)
def test_an_answer_is_what_the_records_say(snapshot: Snapshot, text: str) -> None:
    assert answered(snapshot, "president-on-day", "mandate", text) == held(INTERPOL.President, text)
    assert answered(snapshot, "secretary-general-on-day", "mandate", text) == held(
        INTERPOL.SecretaryGeneral, text
    ) | held(INTERPOL.Secretary, text)
    assert answered(snapshot, "members-on-day", "membership", text) == simply([INTERPOL.CountryMembership], text)
    assert answered(snapshot, "names-on-day", "thing", text) == simply(NAMES, text)
    assert answered(snapshot, "premises-on-day", "premises", text) == open_premises(text)
    assert answered(snapshot, "executive-committee-on-day", "mandate", text) == seated(text)


@pytest.mark.parametrize("text", TIMES[::7])
def test_the_states_of_a_thing_are_those_of_the_whole(snapshot: Snapshot, text: str) -> None:
    graph, memberships = records(), simply([INTERPOL.CountryMembership], text)
    for span in spans(INTERPOL.CountryMembership)[::40]:
        country = str(graph.value(span.iri, INTERPOL.member))
        found = answered(snapshot, "states-on-day", "state", text, entity=country)
        assert {row for row in found if "/membership/" in row[0]} == {
            row for row in memberships if str(graph.value(URIRef(row[0]), INTERPOL.member)) == country
        }
    for mandate, how in held(INTERPOL.President, text):
        person = graph.value(URIRef(mandate), INTERPOL.person)
        assert person is None or (mandate, how) in answered(snapshot, "states-on-day", "state", text, entity=person)


def test_every_door_calls_it_as_of(client: FlaskClient) -> None:
    asked = questions.saved()["president-on-day"]
    expected = client.get("/api/president-on-day?day=2012").json
    assert {row["certainty"] for row in expected or ()} == {"possible"} and len(expected or ()) == 2
    assert client.get("/api/president-on-day?asOf=2012").json == expected
    assert interpol_graph.query("president-on-day", asOf="2012") == expected
    page = BeautifulSoup(client.get("/queries/president-on-day?asOf=2012").text, "html.parser")
    assert len(page.select("table.answer tbody tr")) == 2
    document = client.get("/openapi.json").json or {}
    dated = {
        path
        for path, item in document["paths"].items()
        if {"$ref": "#/components/parameters/asOf"} in item["get"]["parameters"]
    }
    assert dated == {f"/api/{name}" for name, question in questions.saved().items() if question.days}
    assert asked.days == "day" and len(dated) == 9
    assert "has no parameter 'asOf'" in client.get("/api/most-frequent-hosts?asOf=2012").text
    assert "a year such as 2015" in client.get("/api/president-on-day?asOf=2012-13").text
    assert client.get("/api/president-on-day?asOf=2012&day=2012").json == expected
    both = client.get("/api/president-on-day?day=2015&asOf=2012")
    assert both.status_code == 400 and "The parameter day is given 2 times" in both.text


@pytest.mark.parametrize("thing", ["organ/executive-committee", "country/FR", "person/mireille-ballestrazzi"])
def test_a_page_says_what_held(client: FlaskClient, thing: str) -> None:
    page = BeautifulSoup(client.get(f"/page/{thing}?asOf=2015-11-05&lang=fr").text, "html.parser")
    section = page.select_one("#as-of")
    assert section and section.select_one("input[name=asOf]")["value"] == "2015-11-05"  # type: ignore[index]
    rows = [row.get_text(" ") for row in section.select("tbody tr")]
    assert any("Ballestrazzi" in row and "certain" in row for row in rows)
    download = section.select_one("a[href^='/api/states-on-day']")
    assert download and len(client.get(str(download["href"])).json or ()) == len(rows)


def test_a_page_without_a_day_asks_for_one_and_one_without_states_for_none(client: FlaskClient) -> None:
    page = BeautifulSoup(client.get("/page/country/FR").text, "html.parser")
    assert page.select_one("#as-of input") and not page.select_one("#as-of table")
    assert 'id="as-of"' not in client.get("/page/session/84").text
    wrong = client.get("/page/country/FR?asOf=soon")
    assert wrong.status_code == 400 and "a year such as 2015" in wrong.text
