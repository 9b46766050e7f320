"""The pages' own words: each phrase is there in both languages, takes the same values in both, and is used."""

from __future__ import annotations

import ast
import string

import pytest
from jinja2 import Environment, nodes

from conftest import ROOT
from interpol_graph.graph.prefixes import prefixes
from interpol_graph.graph.questions import saved
from interpol_graph.site.phrases import PHRASES

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


@pytest.mark.parametrize("key", PHRASES)
def test_a_phrase_speaks_both_languages_and_is_used(key: str) -> None:
    phrases = PHRASES[key]
    assert set(phrases) == {"en", "fr"} and all(phrases.values())
    assert values(phrases["en"]) == values(phrases["fr"])
    put_together = key.partition(".")[0] + "." in QUOTED - {"tag."}
    property_of_another_vocabulary = key.partition(":")[0] in prefixes()
    assert key in QUOTED | TAGS or put_together or property_of_another_vocabulary


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
