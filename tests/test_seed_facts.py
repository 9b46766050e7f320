"""Every fact of the five origin texts is in the graph and cites text and paragraph; nothing cites them for more."""

from __future__ import annotations

import csv

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from conftest import ROOT
from interpol_graph.graph.prefixes import expand, prefixes
from interpol_graph.graph.store import KnowledgeGraph

INTERPOL = prefixes()["interpol"]
DATES_IN_PART = {NamedNode(prefixes()["xsd"] + name) for name in ("gYear", "gYearMonth")}


def rows(name: str) -> list[dict[str, str]]:
    lines = (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


FACTS = rows("seed_facts.tsv")
NOT_SAID = rows("seed_not_said.tsv")


def term(token: str) -> NamedNode | Literal:
    """Return the RDF term of a Turtle token."""
    header = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in prefixes().items())
    found = next(iter(parse(f"{header}<urn:s> <urn:p> {token} .".encode(), RdfFormat.TURTLE))).object
    assert isinstance(found, NamedNode | Literal)
    return found


def asserted(graph: KnowledgeGraph, fact: dict[str, str]) -> bool:
    """Whether the entity has the value, or, for a year or month, a date within it."""
    subject, predicate, value = (
        NamedNode(expand(fact["subject"])),
        NamedNode(expand(fact["property"])),
        term(fact["object"]),
    )
    found = [quad.object for quad in graph.store.quads_for_pattern(subject, predicate, None)]
    within = isinstance(value, Literal) and value.datatype in DATES_IN_PART
    return value in found or (within and any(str(one.value).startswith(f"{value.value}-") for one in found))


def cited(graph: KnowledgeGraph, fact: dict[str, str]) -> bool:
    """Whether a citation of the entity gives the paragraph of the text for this value."""
    return bool(
        graph.store.query(
            f"""ASK {{
            <{expand(fact["subject"])}> <{INTERPOL}citation> ?citation .
            ?citation <{INTERPOL}source> <{expand(fact["source"])}> ;
                      <{INTERPOL}paragraph> {fact["paragraph"]} ;
                      <{INTERPOL}supports> <{expand(fact["property"])}> .
            FILTER (NOT EXISTS {{ ?citation <{INTERPOL}statedValue> ?any }}
                    || EXISTS {{ ?citation <{INTERPOL}statedValue> {term(fact["object"])} }})
            }}"""
        )
    )


def name(fact: dict[str, str]) -> str:
    return f"{fact['source']}-{fact['paragraph']}-{fact['subject']}-{fact['property']}"


def test_no_text_is_forgotten() -> None:
    assert {fact["source"] for fact in FACTS} == {
        "source:ga91-press-text", "source:ga84-closing", "source:ga93-press-text", "source:ga90-press-text", "source:ncb-conference-2024-release",
    }  # fmt: skip
    assert len(FACTS) >= 500


def test_every_fact_stands_with_text_and_paragraph(graph: KnowledgeGraph) -> None:
    assert [name(fact) for fact in FACTS if not asserted(graph, fact)] == [], "the graph does not say it"
    assert [name(fact) for fact in FACTS if not cited(graph, fact)] == [], "it does not cite this text and paragraph"


def test_what_a_paragraph_does_not_say_does_not_cite_it(graph: KnowledgeGraph) -> None:
    assert len(NOT_SAID) > 20
    assert [fact for fact in NOT_SAID if asserted(graph, fact) and cited(graph, fact)] == []
