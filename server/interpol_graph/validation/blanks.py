"""Blank nodes of two readings of the same files, told apart by what is said about them, and matched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

Term = NamedNode | BlankNode | Literal | Triple
Statement = tuple[Term, NamedNode, Term]


def matched(here: Iterable[Statement], there: Iterable[Statement]) -> dict[BlankNode, BlankNode]:
    """Return each blank node of one reading with its like in the other.

    Nodes that nothing tells apart are matched in any order: whatever is found of one is found of the others.

    >>> p, q = NamedNode("http://example.org/p"), NamedNode("http://example.org/q")
    >>> a, b, c, d = (BlankNode(name) for name in "abcd")
    >>> here = [(a, p, b), (b, q, Literal("x")), (b, q, Literal("y"))]
    >>> there = [(d, q, Literal("y")), (d, q, Literal("x")), (c, p, d)]
    >>> matched(here, there) == {a: c, b: d}
    True
    """
    likes: dict[int, list[BlankNode]] = defaultdict(list)
    for node, colour in _colours(there).items():
        likes[colour].append(node)
    return {node: likes[colour].pop(0) for node, colour in _colours(here).items() if likes.get(colour)}


def _colours(statements: Iterable[Statement]) -> dict[BlankNode, int]:
    """Return blank node → a number that stands for everything around it, refined until no more nodes part."""
    around: dict[BlankNode, list[tuple[int, Term]]] = defaultdict(list)
    for subject, predicate, value in statements:
        if isinstance(subject, BlankNode):
            around[subject].append((hash(("out", predicate)), value))
        if isinstance(value, BlankNode):
            around[value].append((hash(("in", predicate)), subject))
    colours: dict[BlankNode, int] = dict.fromkeys(around, 0)
    kinds = 0
    while len(set(colours.values())) > kinds:
        kinds = len(set(colours.values()))
        colours = {
            node: hash(
                tuple(
                    sorted(
                        hash((edge, colours[other] if isinstance(other, BlankNode) else hash(other)))
                        for edge, other in edges
                    )
                )
            )
            for node, edges in around.items()
        }
    return colours
