"""Statements as text: nothing is lost or renamed, unions say a thing once, order and digest depend on content alone."""

from __future__ import annotations

import hashlib
import random
from io import BytesIO

import pytest
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    parse,
    serialize,
)

from interpol_graph import statements
from interpol_graph.statements import Statements

FIRST, SECOND, THIRD = (NamedNode(f"https://example.org/graph/{name}") for name in "abc")
A, P = NamedNode("https://example.org/a"), NamedNode("https://example.org/p")
QUADS = [
    *(Quad(NamedNode(f"https://example.org/{n}"), P, Literal(str(n)), FIRST) for n in range(7)),
    Quad(A, P, Literal("01", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer")), FIRST),
    Quad(A, P, Literal('a "quotation",\na line, a tab\t and \\ and é', language="en"), SECOND),
    Quad(A, P, Literal("no blank node: _:x"), SECOND),
    Quad(A, P, BlankNode("x"), SECOND),
    Quad(BlankNode("x"), P, BlankNode("y"), SECOND),
    Quad(A, P, Literal("0"), SECOND),
    Quad(NamedNode("https://example.org/0"), P, Literal("0"), SECOND),
    Quad(A, P, Literal("within a graph without a name"), BlankNode("g")),
]


def canonical(quads: object) -> Dataset:
    dataset = Dataset(quads)  # type: ignore[arg-type]
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def written(fmt: RdfFormat, *names: NamedNode) -> bytes:
    file = BytesIO()
    Statements(QUADS).write(file, fmt, *names)
    return file.getvalue()


@pytest.fixture(params=[1, 2, 10_000], autouse=True)
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lines are handled at a time, nothing changes."""
    monkeypatch.setattr(statements, "_BATCH", request.param)


def test_nothing_is_lost() -> None:
    found = Statements(iter(QUADS))
    assert set(found) == set(canonical(QUADS)) and len(found) == len(QUADS)
    assert [found.size(name) for name in (FIRST, SECOND, THIRD)] == [8, 6, 0]


def test_the_digest_is_that_of_the_canonical_quads() -> None:
    lines = sorted(str(canonical(QUADS)).splitlines(keepends=True))
    assert Statements(QUADS).digest == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_order_and_labels_depend_on_content_alone() -> None:
    shuffled = [
        Quad(*(BlankNode("other" + term.value) if isinstance(term, BlankNode) else term for term in quad))
        for quad in (*QUADS, *QUADS)
    ]
    random.Random(1).shuffle(shuffled)  # noqa: S311
    assert Statements(shuffled).texts == Statements(QUADS).texts


def test_a_union_says_a_thing_once() -> None:
    union = list(Statements(QUADS).triples(FIRST, SECOND, THIRD))
    assert len(union) == len(set(union)) == 8 + 6 - 1
    assert union == sorted(union, key=lambda triple: tuple(map(str, triple)))


@pytest.mark.parametrize("fmt", [RdfFormat.N_TRIPLES, RdfFormat.TURTLE, RdfFormat.RDF_XML, RdfFormat.JSON_LD])
def test_what_is_written_reads_the_same(fmt: RdfFormat) -> None:
    expected = canonical(Quad(*triple) for triple in Statements(QUADS).triples(FIRST, SECOND))
    assert canonical(parse(written(fmt, FIRST, SECOND), fmt)) == expected


@pytest.mark.parametrize("fmt", statements.DATASETS)
def test_datasets_keep_the_names_of_graphs(fmt: RdfFormat) -> None:
    assert canonical(parse(written(fmt, FIRST), fmt)) == canonical(QUADS[:8])
    every = list(Statements(QUADS).texts)
    assert canonical(parse(written(fmt, *every), fmt)) == canonical(QUADS)


def test_lines_are_those_of_a_serialiser() -> None:
    assert written(RdfFormat.N_TRIPLES, FIRST) == serialize(
        Statements(QUADS).triples(FIRST), format=RdfFormat.N_TRIPLES
    )


def test_a_graph_can_be_replaced_and_ends_without_statements() -> None:
    found = Statements(QUADS)
    found.replace(THIRD, [Quad(A, P, Literal("new"), THIRD)])
    assert found.size(THIRD) == 1 and list(map(str, found.texts)) == sorted(map(str, found.texts))
    found.replace(THIRD, [])
    assert found.texts == Statements(QUADS).texts


def test_without_statements_there_is_nothing() -> None:
    assert not list(Statements([])) and written(RdfFormat.N_TRIPLES) == b""
    assert Statements([]).digest == hashlib.sha256(b"").hexdigest()
