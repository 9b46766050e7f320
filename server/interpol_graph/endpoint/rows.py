"""Rows of an answer as Python values, for what reads the graph by SPARQL."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyoxigraph import NamedNode

from interpol_graph.endpoint.current import query as ask_engine


class Term(NamedTuple):
    """One RDF term of an answer; kind is uri, bnode or literal (triple for a quoted one, nothing for an unbound one)."""

    kind: str = ""
    value: str = ""
    language: str = ""
    datatype: str = ""


UNBOUND = Term()
Row = dict[str, Term]
#: What is said of one subject: property → values.
Parts = Mapping[str, list[Term]]


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


def select(query: str) -> list[Row]:
    """Evaluate a SELECT query and return its rows."""
    return table(ask_engine(query).body).rows


def ask(query: str) -> bool:
    """Evaluate an ASK query and return the truth."""
    return bool(table(ask_engine(query).body).truth)


def described(rows: Iterable[Row], called: Callable[[str], str] = str) -> dict[str, dict[str, list[Term]]]:
    """Return subject → property → values of rows of ?s ?p ?o; `called` says how an IRI of a property is written."""
    found: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["s"].value][called(row["p"].value)].append(row["o"])
    return found


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
