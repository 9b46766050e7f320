"""The reifiers: a document is said to state a value where that is certain, and only there."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, parse

from interpol_graph.cli.main import main
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import RDF, TERMS, prefixes, shorten
from interpol_graph.graph.questions import saved
from interpol_graph.graph.reifiers import reified
from interpol_graph.graph.store import DERIVED, KnowledgeGraph

PREFIXES = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in prefixes().items())
SUPPORTS = "interpol:citation [ interpol:source source:{} ; interpol:supports interpol:{} {}]"


def stated(turtle: str) -> set[str]:
    """Return document, value and paragraphs of every reifier of what `turtle` says of one entity."""
    found: dict[BlankNode, list[str]] = {}
    triples = list(reified([parse(PREFIXES + turtle, RdfFormat.TURTLE)]))
    for reifier, predicate, value in triples:
        name = shorten(predicate.value)
        text = value.object.value if isinstance(value, Triple) else value.value
        found.setdefault(reifier, []).append(text.rpartition("/")[2] if name != "rdf:reifies" else text)
    return {" ".join(texts) for texts in found.values()}


@pytest.mark.parametrize(
    ("facts", "citations", "expected"),
    [
        ("interpol:number 84", [("a", "number", "; interpol:paragraph 2 , 1 ")], {"84 a 1 2"}),
        ("interpol:number 84", [("a", "number", ""), ("b", "number", "")], {"84 a", "84 b"}),
        ("interpol:number 84 , 85", [("a", "number", "")], {"84 a", "85 a"}),
        ("interpol:number 84 , 85", [("a", "number", ""), ("b", "number", "")], set()),
        (
            "interpol:number 84 , 85",
            [("a", "number", "; interpol:statedValue 84 "), ("b", "number", "")],
            {"84 a", "84 b", "85 b"},
        ),
        ('interpol:topic "x"@en , "y"@fr', [("a", "topic", ""), ("b", "topic", "")], {"x a", "x b", "y a", "y b"}),
        ('interpol:topic "x"@en , "z"@en', [("a", "topic", ""), ("b", "topic", "")], set()),
        ("interpol:number 84", [("a", "number", "; interpol:pooled true "), ("b", "number", "")], {"84 b"}),
        ("interpol:number 84", [("a", "year", "")], set()),
        (
            "interpol:number 84 ; interpol:citation [ interpol:supports interpol:number ]",
            [("a", "number", "")],
            {"84 a"},
        ),
    ],
)
def test_a_document_states_what_is_certain(
    facts: str, citations: list[tuple[str, str, str]], expected: set[str]
) -> None:
    cited = " ; ".join(SUPPORTS.format(*citation) for citation in citations)
    assert stated(f"session:84 {facts} ; {cited} .") == expected


def test_every_reified_statement_stands_in_the_graph(client: FlaskClient, graph: KnowledgeGraph) -> None:
    answer = client.get("/dumps/reifiers.ttl", buffered=True)
    assert answer.headers["Content-Type"] == "text/turtle; version=1.2; charset=utf-8"
    reifiers = [t.object for t in parse(answer.data, RdfFormat.TURTLE) if t.predicate.value == RDF + "reifies"]
    asserted = {quad.triple for name in graph.graphs if name != DERIVED for quad in graph.exact.quads(name)}
    assert len(reifiers) > 20_000
    # Of a day a document may state the year alone.
    assert {t.object.datatype.value.rpartition("#")[2] for t in set(reifiers) - asserted} <= {"gYear", "gYearMonth"}
    assert NamedNode(RDF + "reifies") not in {quad.predicate for quad in graph.store}


def test_what_is_not_certain_is_what_the_report_counts(snapshot: Snapshot, graph: KnowledgeGraph) -> None:
    rows = json.loads(snapshot.query(saved()["coverage"].filled()).body)["results"]["bindings"]
    ambiguous, pooled = (sum(int(row[name]["value"]) for row in rows) for name in ("ambiguous", "pooledOnly"))
    cited: set[tuple[object, ...]] = set()
    certain: set[tuple[object, ...]] = set()
    for name in graph.default_graphs:
        if name != DERIVED:
            quads = list(graph.exact.quads(name))
            entities = {quad.object: quad.subject for quad in quads if quad.predicate.value == TERMS + "citation"}
            cited |= {(entities.get(q.subject), q.object) for q in quads if q.predicate.value == TERMS + "supports"}
            certain |= {tuple(t.object)[:2] for t in reified([quads]) if isinstance(t.object, Triple)}
    uncertain = {pair for pair in cited - certain if pair[0]}  # an inference supports something, too
    assert 0 < ambiguous < pooled <= len(uncertain) <= pooled + ambiguous < 100, "a pair may be both"


def test_a_format_without_triple_terms_is_refused() -> None:
    result = CliRunner().invoke(main, ["dump", "--graph", "reifiers", "--format", "jsonld"])
    assert result.exit_code == 2 and "the format cannot say this" in result.output
