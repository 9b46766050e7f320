"""Every saved question is in order, answers quickly enough, and gives the answer that was worked out from the records."""

from __future__ import annotations

import csv
import io
import json
from functools import cache, partial
from pathlib import Path

import pytest

from conftest import ROOT
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph import questions
from interpol_graph.graph.choices import Choices, asking
from interpol_graph.graph.formats import BY_NAME

ANSWERS = ROOT / "tests" / "answers"
QUESTIONS = list(questions.saved().values())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@cache
def bindings(snapshot: Snapshot, query: str) -> list[dict[str, dict[str, str]]]:
    """Return the rows of an answer; each query is evaluated once."""
    return list(json.loads(snapshot.query(query).body)["results"]["bindings"])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_gives_the_expected_answer(snapshot: Snapshot, question: questions.Question) -> None:
    whole, part = (ANSWERS / f"{question.name}{suffix}" for suffix in (".csv", ".contains.csv"))
    assert whole.exists() or part.exists(), f"work out tests/answers/{question.name}.csv from the documents"
    asked = ANSWERS / f"{question.name}.json"
    values = json.loads(asked.read_text(encoding="utf-8")) if asked.exists() else {}
    answer = rows(snapshot.query(question.filled(values), results=BY_NAME["csv"]).body.decode())
    if whole.exists():
        assert answer == rows(whole.read_text(encoding="utf-8"))
    else:
        expected = rows(part.read_text(encoding="utf-8"))
        assert expected, f"{part.name} has no row"
        for row in expected:
            assert any(row.items() <= found.items() for found in answer), f"{row} is not in the answer"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_says_the_same_in_every_language(snapshot: Snapshot, question: questions.Question) -> None:
    things = {}
    # Spanish and Arabic, which have some names alone, take turns.
    for language in ("en", "fr", ("es", "ar")[QUESTIONS.index(question) % 2]):
        answer = bindings(snapshot, question.filled({"lang": language}))
        assert answer, "with its defaults, an example shows something"
        said = {term.get("xml:lang") for row in answer for name, term in row.items() if name.endswith("Label")}
        # What has no name in Spanish or Arabic has its English one; titles of documents are of no language.
        assert said <= ({language, None} if language in ("en", "fr") else {language, "en", None})
        things[language] = sorted(
            sorted((name, term["value"]) for name, term in row.items() if term["type"] == "uri") for row in answer
        )
    assert all(found == things["en"] for found in things.values())


def test_labels_are_in_the_language_that_is_wanted(snapshot: Snapshot) -> None:
    hosts = questions.saved()["most-frequent-hosts"]
    named = []
    for language in questions.LANGUAGES:
        answer = rows(snapshot.query(hosts.filled({"lang": language}), results=BY_NAME["csv"]).body.decode())
        named += [row["countryLabel"] for row in answer if row["country"].endswith("/AT")]
    assert named == ["Austria", "Autriche", "Austria", "النمسا"]
    with pytest.raises(questions.BadQuestion, match="is one of en, fr, es, ar, not 'de'"):
        hosts.filled({"lang": "de"})


def test_every_answer_belongs_to_a_question() -> None:
    assert {path.name.split(".")[0] for path in ANSWERS.iterdir()} <= set(questions.saved())


HEADER = """#+ title: A title
#+ title.fr: Un titre
#+ description: What it says.
#+ description.fr: Ce qu'elle dit.
"""
PARAMETER = """#+ parameters:
#+   day: {type: date, default: 2015-11-05, description: The day., description.fr: Le jour.}
"""
COLUMNS = """#+ columns:
#+   s: [Subject, Sujet]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * {}", "needs title and title.fr"),
        (HEADER.replace("#+ title.fr: Un titre\n", "") + "SELECT * {}", "needs title and title.fr"),
        (HEADER + "#+ tags: [unclosed\nSELECT * {}", "is not YAML"),
        (HEADER + PARAMETER + "SELECT * {}", "does not use the parameter day"),
        (HEADER + "SELECT * { ?s ?p ?_o }", "does not declare"),
        (HEADER + PARAMETER.replace("date,", "moment,") + "SELECT (?_day AS ?d) {}", "known are date"),
        (HEADER + PARAMETER.replace("2015-11-05", "tomorrow") + "SELECT (?_day AS ?d) {}", "a day such as"),
        (HEADER + "#+ columns:\n#+   s: [Subject]\nSELECT ?s { ?s ?p ?o }", "columns are like country"),
        (HEADER + "#+ columns:\n#+   s: [Subject, Sujet]\nSELECT ?s ?p { ?s ?p ?o }", "differ in p"),
        (HEADER + COLUMNS + "#+ picture: bar\nSELECT ?s { ?s ?p ?o }", "a picture like"),
        (HEADER + COLUMNS + "#+ picture: {pie: [s]}\nSELECT ?s { ?s ?p ?o }", "one of line, bar, timeline, map"),
        (
            HEADER + COLUMNS + "#+ picture: {bar: [s, n]}\nSELECT ?s { ?s ?p ?o }",
            "it shows two columns of the answer or more",
        ),
        (HEADER + COLUMNS + "SELECT ?s { ?s ?p }", "is not SPARQL 1.1"),
        (HEADER + "#+ parameters:\n#+   day: {type: date}\nSELECT (?_day AS ?d) {}", "needs type, default"),
    ],
)
def test_a_file_that_is_not_in_order_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "question.rq"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(questions.BadQuestion, match=words):
        questions.read(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"day": "5 November"}, "is a day such as 2015-11-05"),
        ({"dya": "2015-11-05"}, "has no parameter 'dya'; it has day, lang"),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, values: dict[str, str], words: str) -> None:
    path = tmp_path / "question.rq"
    path.write_text(HEADER + PARAMETER + "SELECT (?_day AS ?d) {}", encoding="utf-8")
    with pytest.raises(questions.BadQuestion, match=words):
        questions.read(path).filled(values)


def test_a_value_cannot_leave_its_place(tmp_path: Path) -> None:
    path = tmp_path / "question.rq"
    path.write_text(
        HEADER + PARAMETER.replace("day", "word").replace("date", "string") + "SELECT ?s { ?s ?p ?_word }",
        encoding="utf-8",
    )
    filled = questions.read(path).filled({"word": '" } . ?x ?y ?z . { ?a ?b "\\'})
    assert filled.count("?x") == 1 and '\\" } . ?x' in filled
    iri = PARAMETER.replace("day", "thing").replace("date", "iri").replace("2015-11-05", "session:84")
    path.write_text(HEADER + iri + "SELECT ?s { ?s ?p ?_thing }", encoding="utf-8")
    for value in ("http://x/> ?p ?o . <http://y/", "nowhere:thing", "plain words"):
        with pytest.raises(questions.BadQuestion):
            questions.read(path).filled({"thing": value})


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_column_has_its_titles_and_every_thing_its_choices(
    snapshot: Snapshot, question: questions.Question
) -> None:
    assert list(question.columns) == questions.shown(question.variables), "in the order of the query"
    for parameter in question.parameters:
        assert bool(parameter.choices) == (parameter.type == "iri" or question.name == "places-map")
        if parameter.choices:
            choices = choices_of(snapshot, parameter.choices)
            assert parameter.default == "all" or choices.find(parameter.default)


@pytest.mark.parametrize(
    "question", [question for question in QUESTIONS if question.picture], ids=lambda question: question.name
)
def test_a_picture_shows_numbers_along_dates_places_or_names(snapshot: Snapshot, question: questions.Question) -> None:
    ((picture, columns),) = question.picture.items()
    answer = bindings(snapshot, question.filled())
    kinds = [
        {row[name].get("datatype", "").rpartition("#")[2] or row[name]["type"] for row in answer if name in row}
        for name in columns
    ]
    numbers, dates = {"integer", "decimal", "double"}, {"date", "gYear", "gYearMonth"}
    if picture == "timeline":
        assert all(kind <= dates for kind in kinds[1:3]) and kinds[1]
    elif picture == "map":
        assert kinds[1] == kinds[2] == {"decimal"}
    else:
        assert any(kind <= numbers for kind in kinds[1:])
        assert picture == "bar" or kinds[0] <= dates


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_order_of_an_answer_is_total(snapshot: Snapshot, question: questions.Question) -> None:
    """Else pages of it, which are evaluated each for itself, might not be parts of one whole."""
    text = question.filled().rstrip()
    assert "?_" not in text
    modifiers = text.rpartition("}")[2]
    assert "LIMIT" not in modifiers, "it belongs into a subquery: pages have their own"
    if question.name == "citation-coverage":  # it has one row
        return
    assert "ORDER BY" in modifiers
    ties = [" ".join(f"{direction}(?{name})" for name in question.variables) for direction in ("ASC", "DESC")]
    forwards, backwards = (snapshot.query(f"{text} {tie}\n", results=BY_NAME["tsv"]).body for tie in ties)
    assert forwards == backwards


def choices_of(snapshot: Snapshot, pattern: str) -> Choices:
    return Choices(rows(snapshot.query(asking(pattern), results=BY_NAME["csv"]).body.decode()))


@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("operations-by-country", "FR", "/country/FR"),
        ("operations-by-country", "fr", "/country/FR"),
        ("operations-by-country", "Francia", "/country/FR"),
        ("operations-by-country", "فرنسا", "/country/FR"),
        ("operations-by-country", "country:FR", "/country/FR"),
        ("operations-by-country", "<https://w3id.org/interpol-graph/id/country/FR>", "/country/FR"),
        ("operations-by-country", "country:XX", "there are 220, such as AD, AE, AF"),
        ("operations-by-country", "person:mireille-ballestrazzi", "there are 220"),
        ("mandates-of-person", "mireille-ballestrazzi", "/person/mireille-ballestrazzi"),
        ("mandates-of-person", "Mireille Balestrazzi", "did you mean mireille-ballestrazzi .Mireille Ballestrazzi"),
        ("operations-by-crime-area", "Phishing", "ontology#Phishing"),
        ("operations-by-crime-area", "hameçonnage", "ontology#Phishing"),
        ("operation-results", "HAECHI IV", "/operation/haechi-iv"),
        ("session-decisions", "84", "/session/84"),
        ("participants-of-event", "84", "/session/84"),
        ("mandate-succession", "Delegate", "there are 2, such as President, SecretaryGeneral"),
        ("entity-timeline", "FR", "did you mean country:FR .* or membership:FR"),
        ("places-map", "france", '"FR"'),
        ("places-map", "all", '"all"'),
    ],
)
def test_nobody_needs_to_know_an_iri(snapshot: Snapshot, name: str, value: str, term: str) -> None:
    question = questions.saved()[name]
    parameter = next(parameter for parameter in question.parameters if parameter.choices)

    def filled() -> str:
        find = partial(choices_of, snapshot)
        return question.filled(question.chosen({parameter.name: value}, find))

    if term.startswith(("/", "ontology", '"')):
        assert f"{term}>" in filled() or term in filled()
    else:
        with pytest.raises(questions.BadQuestion, match=term):
            filled()


def test_a_wrong_name_is_told_with_what_was_meant() -> None:
    with pytest.raises(questions.BadQuestion, match="did you mean president-on-day or"):
        questions.named("presidents-on-day")
    with pytest.raises(questions.BadQuestion, match="question 'x'[.]"):
        questions.named("x")
