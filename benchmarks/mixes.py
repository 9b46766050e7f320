"""What the servers are asked: the same requests for each, in the same order in every run."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from interpol_graph.graph.questions import saved

SEED = 4
#: Distinct requests of the repeated mix, and how often each comes: 1, 1/2, 1/3, … of the first (Zipf).
DISTINCT, LENGTH = 400, 20_000
#: Replaced by a word that no request had before.
NONCE = "u7z7u"
ROWS, TRIPLES = "application/sparql-results+json", "application/n-triples,text/turtle;q=0.9"

HEADER = """PREFIX interpol: <https://w3id.org/interpol-graph/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""

#: Questions about one thing, asked with its IRI or its label in place of @.
LOOKUPS = (
    "SELECT ?property ?value WHERE { <@> ?property ?value }",
    'SELECT ?label WHERE { <@> rdfs:label ?label . FILTER (LANG(?label) = "en") }',
    "SELECT ?thing ?property WHERE { ?thing ?property <@> } LIMIT 100",
    "SELECT ?source ?paragraph WHERE { <@> interpol:citation ?c . ?c interpol:source ?source . OPTIONAL { ?c interpol:paragraph ?paragraph } }",
    "SELECT ?type (COUNT(?thing) AS ?things) WHERE { ?thing ?p <@> . ?thing a ?type } GROUP BY ?type",
    "ASK { <@> interpol:citation ?citation }",
    "CONSTRUCT { <@> ?property ?value } WHERE { <@> ?property ?value }",
    "DESCRIBE <@>",
)

#: One or two patterns about one entity: what they take is what the server itself costs.
LIGHTEST = (
    "SELECT ?label WHERE { <@> rdfs:label ?label }",
    "SELECT ?type WHERE { <@> a ?type }",
    "SELECT ?type ?label WHERE { <@> a ?type ; rdfs:label ?label }",
    "ASK { <@> interpol:citation ?citation }",
)

#: Queries that read much of the graph and answer with little.
AGGREGATES = (
    "SELECT ?p (COUNT(*) AS ?n) WHERE { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n)",
    "SELECT ?class (COUNT(DISTINCT ?s) AS ?n) WHERE { ?s a ?class } GROUP BY ?class ORDER BY DESC(?n)",
    "SELECT (COUNT(DISTINCT ?o) AS ?objects) (COUNT(DISTINCT ?s) AS ?subjects) WHERE { ?s ?p ?o }",
    "SELECT ?source (COUNT(?s) AS ?n) (COUNT(DISTINCT ?property) AS ?properties) WHERE { ?s interpol:citation ?c . ?c interpol:source ?source ; interpol:supports ?property } GROUP BY ?source ORDER BY DESC(?n) LIMIT 50",
    "SELECT ?measure (AVG(?value) AS ?mean) (MIN(?value) AS ?least) (MAX(?value) AS ?most) WHERE { ?f interpol:measure ?measure ; interpol:value ?value } GROUP BY ?measure",
    'SELECT ?class (GROUP_CONCAT(?label; SEPARATOR="|") AS ?labels) WHERE { ?s a ?class ; rdfs:label ?label . FILTER (LANG(?label) = "en") } GROUP BY ?class',
    "SELECT (COUNT(*) AS ?pairs) WHERE { ?a interpol:measure ?m ; interpol:about ?x . ?b interpol:measure ?m ; interpol:about ?x . FILTER (?a != ?b) }",
    "SELECT (SUM(STRLEN(STR(?o))) AS ?characters) WHERE { ?s ?p ?o . FILTER (isLiteral(?o)) }",
)


@dataclass(frozen=True)
class Request:
    """One query and what it may be answered with."""

    query: str
    accept: str


def typical(entities: Sequence[str]) -> list[Request]:
    """Return the distinct requests, the most frequent first: the saved questions among look-ups of single things.

    Questions with GRAPH are left out: the others were given the default graph alone.
    """
    draw = random.Random(SEED)  # noqa: S311  the same for every server
    questions = [question.filled() for question in saved().values() if not re.search(r"\bGRAPH\b", question.body)]
    lookups = [
        HEADER + LOOKUPS[index % len(LOOKUPS)].replace("@", draw.choice(entities))
        for index in range(DISTINCT - len(questions))
    ]
    texts = [*questions, *lookups]
    draw.shuffle(texts)
    return [_request(text) for text in texts]


def lightest(entities: Sequence[str]) -> list[Request]:
    """Return the distinct lightest look-ups, the most frequent first."""
    draw = random.Random(SEED)  # noqa: S311
    return [
        _request(HEADER + LIGHTEST[index % len(LIGHTEST)].replace("@", draw.choice(entities)))
        for index in range(DISTINCT)
    ]


def aggregates() -> list[Request]:
    """Return the heavy aggregates, each to be made new."""
    return [renewed(_request(HEADER + text), index) for index, text in enumerate(AGGREGATES)]


def renewed(request: Request, index: int) -> Request:
    """Return the request with a place for a word that makes it new: in a literal, a variable or a comment."""
    query = request.query
    body = re.search(r"(?:WHERE|ASK)\s*\{", query)
    if body is None or index % 3 == 2:
        return Request(f"# {NONCE}\n{query}", request.accept)
    condition = f'FILTER ("{NONCE}" != "")' if index % 3 == 0 else f"FILTER (!BOUND(?{NONCE}))"
    return Request(f"{query[: body.end()]} {condition} {query[body.end() :]}", request.accept)


def zipf(count: int) -> list[int]:
    """Return a sequence of indices below count in which the k-th comes 1/k as often as the first."""
    draw = random.Random(SEED)  # noqa: S311
    weights = list(accumulate(1 / rank for rank in range(1, count + 1)))
    return draw.choices(range(count), cum_weights=weights, k=LENGTH)


def _request(query: str) -> Request:
    form = re.search(r"\b(SELECT|ASK|CONSTRUCT|DESCRIBE)\b", query)
    return Request(query, TRIPLES if form and form[1] in ("CONSTRUCT", "DESCRIBE") else ROWS)
