"""What the ontology says that is used on what: of every property, and in accord with every statement, those of the rules included."""

from __future__ import annotations

import pytest
from pyoxigraph import QuerySolutions

from conftest import ROOT
from interpol_graph.graph.store import KnowledgeGraph

PROPERTIES = """
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
SELECT DISTINCT ?property WHERE {
  ?property rdfs:isDefinedBy <https://w3id.org/interpol-graph/ontology> ; a ?kind
  FILTER (?kind IN (owl:AnnotationProperty, owl:DatatypeProperty, owl:ObjectProperty))
  # MORE
}
"""


def rows(graph: KnowledgeGraph, query: str) -> list[str]:
    found = graph.store.query(query)
    assert isinstance(found, QuerySolutions)
    return list(map(str, found))


def test_every_property_says_what_is_used_on_what(graph: KnowledgeGraph) -> None:
    telling = PROPERTIES.replace("# MORE", "?property schema:domainIncludes ?domain ; schema:rangeIncludes ?range")
    assert len(rows(graph, PROPERTIES)) > 200
    assert sorted(rows(graph, telling)) == sorted(rows(graph, PROPERTIES))


@pytest.mark.parametrize("check", ["several-values", "wrong-kind-of-entity", "wrong-kind-of-value"])
def test_no_statement_contradicts(graph: KnowledgeGraph, check: str) -> None:
    query = (ROOT / "queries" / "checks" / f"{check}.rq").read_text(encoding="utf-8")
    assert ", graph:derived" in query
    query = query.replace(", graph:derived", "")
    assert rows(graph, query) == []
