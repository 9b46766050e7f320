"""Rows of an answer as Python values, for pages that read the graph by SPARQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyoxigraph import NamedNode

from interpol_graph.endpoint import record
from interpol_graph.engine.snapshot import Answer, Snapshot
from interpol_graph.graph.formats import BY_NAME, Format
from interpol_graph.serving import visitor


class Term(NamedTuple):
    """One RDF term of an answer; kind is uri, bnode or literal (triple for a quoted one)."""

    kind: str
    value: str
    language: str = ""
    datatype: str = ""


Row = dict[str, Term]


@dataclass(frozen=True)
class Table:
    """What a SELECT or ASK answers: columns and rows, or one truth."""

    columns: list[str]
    rows: list[Row]
    truth: bool | None = None


def table(body: bytes) -> Table:
    """Read SPARQL results JSON."""
    answer = json.loads(body)
    if "boolean" in answer:
        return Table([], [], answer["boolean"])
    rows = [{name: _term(binding) for name, binding in row.items()} for row in answer["results"]["bindings"]]
    return Table(answer["head"]["vars"], rows)


def select(snapshot: Snapshot, query: str) -> list[Row]:
    """Evaluate a SELECT query and return its rows."""
    return table(ask(snapshot, query).body).rows


def ask(
    snapshot: Snapshot,
    query: str,
    results: Format | None = BY_NAME["json"],
    graph: Format | None = BY_NAME["turtle"],
) -> Answer:
    """Evaluate a query for the client at hand, and note what became of it. Raises EngineError."""
    answer = snapshot.query(query, results=results, graph=graph, gone=visitor.is_gone)
    record.note(**answer.facts)
    return answer


def iri(text: str) -> str | None:
    """Return an IRI as SPARQL writes it, in angle brackets, or None if the text cannot be an IRI."""
    try:
        return str(NamedNode(text))
    except ValueError:
        return None


def values(iris: Iterable[str]) -> str:
    """Return IRIs as the inside of a VALUES block; what is not an IRI is left out."""
    return " ".join(filter(None, map(iri, iris)))


def _term(binding: Mapping[str, Any]) -> Term:
    if binding["type"] == "triple":
        parts = (_term(binding["value"][part]).value for part in ("subject", "predicate", "object"))
        return Term("triple", "<< " + " ".join(parts) + " >>")
    return Term(binding["type"], binding["value"], binding.get("xml:lang", ""), binding.get("datatype", ""))
