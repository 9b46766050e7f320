"""The pages' own words: each phrase is there in both languages, takes the same values in both, and is used."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from jinja2 import Environment, nodes

from conftest import ROOT
from interpol_graph.endpoint import problems
from interpol_graph.engine import outcomes
from interpol_graph.graph.prefixes import prefixes
from interpol_graph.graph.questions import TYPES, saved
from interpol_graph.site import phrases
from interpol_graph.site.phrases import PHRASES, in_french

PACKAGE = ROOT / "server" / "interpol_graph"
TEMPLATES = {
    path.name: Environment(autoescape=True).parse(path.read_text()) for path in PACKAGE.glob("templates/*.html")
}
#: Texts that stand alone in quotation marks: in templates, and in the modules of the pages.
QUOTED = {const.value for tree in TEMPLATES.values() for const in tree.find_all(nodes.Const)} | {
    node.value
    for path in PACKAGE.glob("site/*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}
TAGS = {f"tag.{question.tags[0]}" for question in saved().values() if question.tags}


def values(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_a_phrase_speaks_both_languages_and_is_used() -> None:
    assert len(PHRASES) > 100
    for key, both in PHRASES.items():
        assert set(both) == {"en", "fr"} and all(both.values()), key
        assert values(both["en"]) == values(both["fr"]), key
        put_together = key.partition(".")[0] + "." in QUOTED - {"tag."}
        property_of_another_vocabulary = key.partition(":")[0] in prefixes()
        assert key in QUOTED | TAGS or put_together or property_of_another_vocabulary, key


@pytest.mark.parametrize(
    ("write", "value", "english", "french"),
    [
        (phrases.day, "2015-11-02", "2 November 2015", "2 novembre 2015"),
        (phrases.day, "2015-11", "November 2015", "novembre 2015"),
        (phrases.day, "1914", "1914", "1914"),
        (phrases.day, "1914-04-01", "1 April 1914", "1er avril 1914"),
        (phrases.day, "--09-07", "7 September", "7 septembre"),
        (phrases.span, "P4D", "4\u00a0days", "4\u00a0jours"),
        (phrases.span, "P1Y", "1\u00a0year", "1\u00a0an"),
        (phrases.span, "P1Y6M", "1\u00a0year 6\u00a0months", "1\u00a0an 6\u00a0mois"),
        (phrases.share, "0.028", "2.8\u00a0%", "2,8\u00a0%"),
        (phrases.share, "0.5", "50\u00a0%", "50\u00a0%"),
        (phrases.number, 7700, "7,700", "7\u202f700"),
        (phrases.number, "1234567.50", "1,234,567.50", "1\u202f234\u202f567,50"),
        (phrases.number, "-4.00167", "-4.00167", "-4,00167"),
    ],
)
def test_dates_and_numbers_are_written_as_readers_write_them(
    client: FlaskClient, write: Callable[[Any], str], value: str | int, english: str, french: str
) -> None:
    for language, expected in (("en", english), ("fr", french)):
        with client.application.test_request_context(f"/?lang={language}"):
            assert write(value) == expected


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_uses_known_phrases(name: str) -> None:
    """A key that is put together is known by its beginning; one in a variable shows when the page is shown."""
    for call in TEMPLATES[name].find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "w":
            parts = list(nodes.Tuple(call.args, "load").find_all(nodes.Const))
            for text in [const.value for const in parts if isinstance(const.value, str)]:
                assert text in PHRASES or (text.endswith(".") and any(key.startswith(text) for key in PHRASES)), text


def test_every_first_tag_of_a_question_has_its_words() -> None:
    assert not {tag for tag in TAGS if tag not in PHRASES}


#: What a sentence may hold in the place of a value that is put together elsewhere.
PARTS = {
    "_ADVICE": outcomes._ADVICE, "shape": "a graph", "most": "256 KiB, the most that is read here", "hint": ".", "where": "",
    "many": "", "how": "", "place": "", "reason": "is wrong", "error": "did you mean country:FR (France)?",
    "what": "There is nothing called session:841 in the graph", "found.reason": "expected a term",
}  # fmt: skip
RAISED = {*problems.PROBLEMS, "BadQuestion", "NoFormat", "Admission"}


def sentences() -> Iterator[str]:
    """Yield an example of every sentence that the code gives to a problem."""
    for path in [
        path for room in ("graph", "engine", "endpoint", "site", "serving") for path in (PACKAGE / room).glob("*.py")
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RAISED:
                yield from (text for text in map(example, node.args) if text[:1].isupper() and " " in text)


def example(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
    return "".join(
        str(part.value) if isinstance(part, ast.Constant)
        else "" if isinstance(part, ast.IfExp) else PARTS.get(ast.unparse(part), "x")
        for part in parts
    )  # fmt: skip


def test_what_a_problem_says_has_its_french() -> None:
    said = {*sentences(), *(title for _, title in problems.PROBLEMS.values())}
    assert len(said) > 80
    assert [sentence for sentence in said if not in_french(sentence)] == []


@pytest.mark.parametrize("kind", TYPES)
def test_a_wrong_value_is_told_in_french(kind: str) -> None:
    told = in_french(f"The parameter it is {TYPES[kind][0]}, not 'x'.")
    assert told and " is " not in told and "such as" not in told


def test_french_is_printed_as_french_is() -> None:
    words = [both["fr"] for both in PHRASES.values()]
    for question in saved().values():
        words += [
            question.title["fr"],
            question.description["fr"],
            *(titles["fr"] for titles in question.columns.values()),
        ]
    assert not [text for text in words if re.search(r"\w'\w| [;:!?»](\s|$)|« ", text)]
