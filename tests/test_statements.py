"""Statements as text: nothing is lost or renamed, unions say a thing once, order and digest depend on content alone."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
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
    Triple,
    parse,
    serialize,
)

from interpol_graph.graph import statements
from interpol_graph.graph.formats import BY_NAME, Format, of_kind
from interpol_graph.graph.statements import Name, Statements

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


def statements_of(quads: Iterable[Quad]) -> Statements:
    return Statements((quad.graph_name, ntriples(quad.triple)) for quad in quads)


def ntriples(*triples: Triple) -> bytes:
    return serialize(triples, format=RdfFormat.N_TRIPLES)


def canonical(quads: object) -> Dataset:
    dataset = Dataset(quads)  # type: ignore[arg-type]
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def written(fmt: Format, *names: Name) -> bytes:
    file = BytesIO()
    statements_of(QUADS).write(file, fmt, *names)
    return file.getvalue()


@pytest.fixture(params=[1, 200, 1 << 20], autouse=True)
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is handled at a time, nothing changes."""
    monkeypatch.setattr(statements, "_BATCH", request.param)


def test_nothing_is_lost() -> None:
    found = statements_of(iter(QUADS))
    assert set(found) == set(canonical(QUADS)) and len(list(found)) == len(QUADS)
    assert [found.size(name) for name in (FIRST, SECOND, THIRD)] == [8, 6, 0]


def test_the_digest_is_that_of_the_canonical_quads() -> None:
    lines = sorted(str(canonical(QUADS)).splitlines(keepends=True))
    assert statements_of(QUADS).digest == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_order_and_labels_depend_on_content_alone() -> None:
    shuffled = [
        Quad(*(BlankNode("other" + term.value) if isinstance(term, BlankNode) else term for term in quad))
        for quad in (*QUADS, *QUADS)
    ]
    random.Random(1).shuffle(shuffled)  # noqa: S311
    assert statements_of(shuffled).texts == statements_of(QUADS).texts


def united(*names: Name) -> list[Quad]:
    return list(parse(statements_of(QUADS).united(*names), RdfFormat.N_TRIPLES))


def test_a_union_says_a_thing_once() -> None:
    union = [quad.triple for quad in united(FIRST, SECOND, THIRD)]
    assert len(union) == len(set(union)) == 8 + 6 - 1
    assert union == sorted(union, key=lambda triple: tuple(map(str, triple)))


@pytest.mark.parametrize("fmt", of_kind("graph"), ids=lambda fmt: fmt.name)
def test_what_is_written_reads_the_same(fmt: Format) -> None:
    expected = canonical(united(FIRST, SECOND))
    assert canonical(parse(written(fmt, FIRST, SECOND), fmt.rdf)) == expected


@pytest.mark.parametrize("fmt", of_kind("dataset"), ids=lambda fmt: fmt.name)
def test_datasets_keep_the_names_of_graphs(fmt: Format) -> None:
    assert canonical(parse(written(fmt, FIRST), fmt.rdf)) == canonical(QUADS[:8])
    every = list(statements_of(QUADS).texts)
    assert canonical(parse(written(fmt, *every), fmt.rdf)) == canonical(QUADS)


def test_lines_are_those_of_a_serialiser() -> None:
    found = statements_of(QUADS)
    assert written(BY_NAME["ntriples"], FIRST) == serialize(
        [quad.triple for quad in found.quads(FIRST)], format=RdfFormat.N_TRIPLES
    )
    assert written(BY_NAME["nquads"], *found.texts) == serialize(found, format=RdfFormat.N_QUADS)


def test_a_graph_can_grow() -> None:
    found = statements_of(QUADS)
    found.add(FIRST, ntriples(Triple(A, P, Literal("new")), QUADS[0].triple))
    found.add(THIRD, ntriples(Triple(A, P, BlankNode("c14n0"))))
    assert [found.size(name) for name in (FIRST, THIRD)] == [9, 1]
    assert Quad(A, P, BlankNode("c14n0"), THIRD) in set(found), "a label is that of a node which is here already"
    assert list(map(str, found.texts)) == sorted(map(str, found.texts))
    before = found.texts
    found.add(NamedNode("urn:empty"), b"")
    assert found.texts == before, "a graph without statements is none"


def test_without_statements_there_is_nothing() -> None:
    assert not list(statements_of([])) and written(BY_NAME["ntriples"]) == b""
    assert statements_of([]).digest == hashlib.sha256(b"").hexdigest()
