"""Every fact of the five origin texts is in the graph, and cites the text and the paragraph that hold it."""

from __future__ import annotations

import csv

import pytest
from pyoxigraph import NamedNode, RdfFormat, parse

from conftest import ROOT
from interpol_graph.graph.prefixes import expand, prefixes
from interpol_graph.graph.store import KnowledgeGraph

LINES = (ROOT / "tests" / "seed_facts.tsv").read_text(encoding="utf-8").splitlines()
FACTS = list(csv.DictReader(LINES, delimiter="\t", quoting=csv.QUOTE_NONE))
INTERPOL = prefixes()["interpol"]


def term(token: str) -> object:
    """Return the RDF term of a Turtle token."""
    header = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in prefixes().items())
    return next(iter(parse(f"{header}<urn:s> <urn:p> {token} .".encode(), RdfFormat.TURTLE))).object


def test_no_text_is_forgotten() -> None:
    assert {fact["source"] for fact in FACTS} == {
        "source:ga91-press-text", "source:ga84-closing", "source:ga93-press-text", "source:ga90-press-text", "source:ncb-conference-2024-release",
    }  # fmt: skip
    assert len(FACTS) >= 100


@pytest.mark.parametrize(
    "fact",
    FACTS,
    ids=lambda fact: f"{fact['source']}-{fact['paragraph']}-{fact['subject']}-{fact['property']}",
)
def test_the_fact_stands_with_text_and_paragraph(graph: KnowledgeGraph, fact: dict[str, str]) -> None:
    subject, predicate = NamedNode(expand(fact["subject"])), NamedNode(expand(fact["property"]))
    values = {quad.object for quad in graph.store.quads_for_pattern(subject, predicate, None)}
    assert values, f"nothing is said of {fact['property']}"
    if fact["object"] != "*":
        assert term(fact["object"]) in values
    cited = graph.store.query(
        f"""ASK {{ <{subject.value}> <{INTERPOL}citation> ?citation .
            ?citation <{INTERPOL}source> <{expand(fact["source"])}> ;
                      <{INTERPOL}paragraph> {fact["paragraph"]} ;
                      <{INTERPOL}supports> <{predicate.value}> . }}"""
    )
    assert cited, "the fact does not cite this text and paragraph"
