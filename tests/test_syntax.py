"""What is wrong with a query, said so that its author can mend it."""

from __future__ import annotations

import pytest
from pyoxigraph import Store

from interpol_graph.graph.faults import fault

COMMENT = "unexpected end: a comment takes the rest of this one line (curl keeps line ends with --data-binary)"

UNGROUPED = "selected, but neither grouped nor counted: name it in GROUP BY, or take SAMPLE, COUNT or the like of it"


@pytest.mark.parametrize(
    ("query", "line", "column", "reason"),
    [
        ("SELECT * WHERE ?s ?p ?o", 1, 16, "expected `{`, after `SELECT * WHERE`"),
        ("SELECT (COUNT(*) AS ?n { }", 1, 24, "expected `)`, after `SELECT (COUNT(*) AS ?n`"),
        ("SELECT *\n{ ?s ?p ?o } LIMIT x", 2, 20, "unexpected `x`, after `{ ?s ?p ?o } LIMIT`"),
        ("SELECT * {\n ?s ?p }\n", 2, 8, "unexpected `}`, after `?s ?p`"),
        # The parser looks farther than the word that it stumbles over.
        ("SELECT * { ?s ?p ?o FILTER(?x > }", 1, 33, "unexpected `}`, after `SELECT * { ?s ?p ?o FILTER(?x >`"),
        ("SELECT * { FILTER(?x>}", 1, 22, "unexpected `}`, after `SELECT * { FILTER(?x>`"),
        ("SELECT * {\n ?s ?p ?o # all }\n FILTER(?o = )\n}", 3, 14, "unexpected `)`, after `FILTER(?o =`"),
        ("SELEC ?x {}", 1, 1, "unexpected `SELEC`"),
        ("SELECT ?s WHER { ?s ?p 'a b' }", 1, 11, "unexpected `WHER`, after `SELECT ?s`"),
        ("SELECT * { ?s ?p 'abc }", 1, 24, "expected `'`, after `SELECT * { ?s ?p 'abc }`"),
        (
            "SELECT ?a ?b { ?a ?p ?b } GROUP BY ?a",
            1,
            38,
            f"`?b` is {UNGROUPED}, after `SELECT ?a ?b {{ ?a ?p ?b }} GROUP BY ?a`",
        ),
        (
            "SELECT ?x (COUNT(?y) AS ?n) { ?x ?p ?y }",
            1,
            41,
            f"`?x` is {UNGROUPED}, after `SELECT ?x (COUNT(?y) AS ?n) {{ ?x ?p ?y }}`",
        ),
        (
            "SELECT ?x (GROUP_CONCAT(?y) AS ?n) { ?x ?p ?y }",
            1,
            48,
            f"`?x` is {UNGROUPED}, after `?x (GROUP_CONCAT(?y) AS ?n) {{ ?x ?p ?y }}`",
        ),
        (
            "ASK { ?x foo:bar ?y }",
            1,
            17,
            "the prefix is not declared; add a PREFIX line for it, after `ASK { ?x foo:bar`",
        ),
        ("SELECT ?x ?x {}", 1, 16, "Duplicated variable name in SELECT, after `SELECT ?x ?x {}`"),
        (" \n", 2, 1, "the query is empty"),
        (
            "SELECT * { ?s <x:#y> ?o",
            1,
            24,
            "expected `.` or `;` or `{` or `}` or `~`, after `SELECT * { ?s <x:#y> ?o`",
        ),
        # As `curl --data @file` sends a file: without its line ends.
        ("# allSELECT * {}", 1, 17, f"{COMMENT}, after `# allSELECT * {{}}`"),
        ("ASK { # is there?s ?p ?o }", 1, 27, f"{COMMENT}, after `ASK {{ # is there?s ?p ?o }}`"),
    ],
)
def test_a_fault_has_a_place_and_words(query: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        Store().query(query)
    found = fault(str(caught.value.msg), query)
    assert (found.line, found.column, found.reason) == (line, column, reason)


@pytest.mark.parametrize(
    "query", ["SELECT ?x { ?x a }", "ASK { ?x a ?y . . }", "SELECT ?x {} ORDER", "ASK { FILTER(?x > ) }"]
)
def test_keywords_that_the_parser_tried_by_the_way_are_not_offered(query: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        Store().query(query)
    words = fault(str(caught.value.msg), query).reason.partition(", after")[0]
    assert not any(word.isupper() for word in words.split())


def test_a_message_of_another_kind_is_passed_on() -> None:
    assert fault("no idea", "ASK {}").reason == "no idea"
