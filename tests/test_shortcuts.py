"""What is asked most is answered in one or two patterns, and rightly; each of the five traps, too, and the SPARQL page shows them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from pyoxigraph import QuerySolutions
from rdflib.namespace import RDFS
from rdflib.paths import SequencePath
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue

from conftest import ROOT
from interpol_graph.endpoint.sparql import TRAPS
from interpol_graph.graph.prefixes import prefixes, shorten
from interpol_graph.graph.store import KnowledgeGraph

README = (ROOT / "queries" / "README.md").read_text(encoding="utf-8")
SHORT = re.findall(r"```sparql\n# (.*)\n(.*)\n```", README.partition("## In one or two patterns")[2])

#: The answers, from the records: all of them, or how many there are and some of them.
ANSWERS: dict[str, set[str] | tuple[int, set[str]]] = {
    "Who presided in a year?": {"President of the ICPC: Florent Louwage (1946–1956)"},
    "Who presided over a session": {"person:mireille-ballestrazzi person:jurgen-stock"},
    "Which session came next": {"session:85"},
    "How many attended": {"640 145"},
    "Which offices did a person hold": {"interpol:Delegate", "interpol:VicePresident", "interpol:President"},
    "How many arrests did an operation": {"83"},
    "How many arrests did the operations of 2023": (1, set()),
    "Which operations were against cybercrime": (29, {"operation:africa-cyber-surge-ii", "operation:synergia-i"}),
    "Since when": {"1974-09-19"},
    "Which sessions did a country host": {"session:16", "session:43", "session:52", "session:56"},
    "Which is the bureau": {"ncb:RW"},
    "Which documents say": {
        "84th INTERPOL General Assembly (INTERPOL, 2015)",
        "INTERPOL press release (fr) on the close of the 84th General Assembly session (INTERPOL)",
    },
    "What was counted of Red Notices": {
        "Notices or diffusions, Red Notice, October 2022 (in circulation)",
    },
    "What is there about session 84": (27, {"decision:84-interpol-2020", "figure:ga-84-participants"}),
    "Who sits on the Executive Committee": (13, {"President of INTERPOL: Lucas Philippe (since 2025)"}),
}
TRAPPED: list[tuple[set[str], set[str] | int]] = [
    (set(), {"mandate:president-louwage-1946"}),
    (set(), {"mandate:acting-president-herrera-2008"}),
    (set(), 29),
    ({"166"}, {"83"}),
    (set(), {"source:ga84-closing", "source:interpol-2015-84th-interpol-general-assembly"}),
]


def asked(graph: KnowledgeGraph, query: str) -> set[str]:
    """The rows of a query, names shortened; labels in English alone."""
    found = graph.store.query(query, prefixes=prefixes())
    assert isinstance(found, QuerySolutions)
    rows = [[term for term in row if term is not None] for row in found]
    english = [row for row in rows if all(getattr(term, "language", None) in (None, "en") for term in row)]
    return {" ".join(shorten(term.value) for term in row) for row in english}


def patterns(query: str) -> int:
    """How many triple patterns a query has beside labels."""
    found = 0
    todo = [prepareQuery(query, initNs=prefixes()).algebra]
    while todo:
        part = todo.pop()
        for _, predicate, _ in part["triples"] if part.name == "BGP" else ():
            found += (predicate.args[-1] if isinstance(predicate, SequencePath) else predicate) != RDFS.label
        todo.extend(value for value in part.values() if isinstance(value, CompValue))
    return found


def test_every_question_has_its_answer() -> None:
    assert len(SHORT) == 15 == len(ANSWERS) and len(TRAPS) == 5 == len(TRAPPED)


@pytest.mark.parametrize(("title", "query"), SHORT, ids=[title for title, _ in SHORT])
def test_what_is_asked_most_takes_two_patterns(graph: KnowledgeGraph, title: str, query: str) -> None:
    assert 1 <= patterns(query) <= 2
    expected = next(answer for key, answer in ANSWERS.items() if title.startswith(key))
    found = asked(graph, query)
    if isinstance(expected, set):
        assert found == expected
    else:
        assert (len(found), expected[1] - found) == (expected[0], set())


@pytest.mark.parametrize("number", range(5))
def test_a_trap_and_the_way_round(graph: KnowledgeGraph, number: int) -> None:
    wrong, right = TRAPPED[number]
    caught, found = (asked(graph, TRAPS[number][kind]) for kind in ("falls", "instead"))
    assert caught != found
    assert caught == wrong or number == 4 and caught > found
    assert found == right if isinstance(right, set) else len(found) == right


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_editor_shows_the_traps(client: FlaskClient, language: str) -> None:
    page = BeautifulSoup(client.get(f"/sparql?lang={language}", headers={"Accept": "text/html"}).text, "html.parser")
    shown = page.select("main section details")
    assert [trap["title"][language] for trap in TRAPS] == [one.summary.text for one in shown if one.summary]
    for trap, one in zip(TRAPS, shown, strict=True):
        assert trap["text"][language].replace("`", "") in one.text
        linked = [parse_qs(urlsplit(str(link["href"])).query)["query"] for link in one.select("a")]
        assert linked == [[trap["falls"]], [trap["instead"]]] == [[pre.text] for pre in one.select("pre")]


#: A day of each decade, and the presidents whom the records do not exclude on it.
PRESIDENTS = {
    "1925-05-01": {"schober"},
    "1935-05-01": {"seydel", "skubl"},
    "1947-05-01": {"louwage"},
    "1955-05-01": {"louwage"},
    "1965-05-01": {"jarva"},
    "1975-05-01": {"higgitt"},
    "1985-05-01": {"simpson"},
    "1995-05-01": {"eriksson"},
    "2008-05-01": {"herrera"},
    "2018-11-01": {"kim"},
    "2025-12-25": {"philippe"},
}


@pytest.mark.parametrize("day", PRESIDENTS)
def test_the_president_on_a_day_of_each_decade(graph: KnowledgeGraph, day: str) -> None:
    query = TRAPS[0]["instead"].replace("1950-01-01", day)
    assert {name.split("-")[-2] for name in asked(graph, query)} == PRESIDENTS[day]
    year = SHORT[0][1].replace("1947", day[:4]).replace("?label {", "?mandate {")
    assert {name.split("-")[-2] for name in asked(graph, year)} >= PRESIDENTS[day]


@pytest.mark.parametrize(("day", "members"), [("2020-01-01", 194), ("2025-12-01", 196)])
def test_the_members_on_a_day(graph: KnowledgeGraph, day: str, members: int) -> None:
    query = f"""SELECT ?membership {{ ?membership a interpol:CountryMembership ; interpol:earliestStart ?from ; interpol:latestEnd ?until
        FILTER(?from <= "{day}"^^xsd:date && "{day}"^^xsd:date <= ?until) }}"""
    assert len(asked(graph, query)) == members


def test_citations_and_inferences_have_their_class(graph: KnowledgeGraph) -> None:
    for link, kind in (("citation", "Citation"), ("inference", "Inference")):
        linked, typed = (
            asked(graph, f"SELECT (COUNT(*) AS ?n) {{ {pattern} }}")
            for pattern in (f"?entity interpol:{link} ?node", f"?node a interpol:{kind}")
        )
        assert linked == typed != {"0"}
