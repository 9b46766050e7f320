"""Damage to the graph, told as statements taken out and put in, and the ground on which it is done."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from interpol_graph.graph.prefixes import GRAPHS, TERMS, shorten

TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
IN_SCHEME = NamedNode("http://www.w3.org/2004/02/skos/core#inScheme")
APART = {GRAPHS + name for name in ("ontology", "shapes", "derived")}

#: Statements taken out and put in, or None when the dice fell on a place where this kind cannot be done.
Damage = tuple[list[Quad], list[Quad]] | None
Kind = Callable[["Ground", random.Random], Damage]


@dataclass(frozen=True)
class Mutant:
    """One damaged graph, told as the difference from the whole one."""

    kind: str
    removed: tuple[Quad, ...]
    added: tuple[Quad, ...]

    def __str__(self) -> str:
        one = next(iter(self.removed or self.added))
        lost, new = (", ".join(_shown(quad.object) for quad in quads[:2]) for quads in (self.removed, self.added))
        more = f" and {len(self.removed) - 2} more" if len(self.removed) > 2 else ""
        return f"{_shown(one.subject)} {_shown(one.predicate)}: {lost or 'nothing'}{more} → {new or 'nothing'}"


def _shown(node: object) -> str:
    return shorten(node.value) if isinstance(node, NamedNode) else str(node)


class Ground:
    """The undamaged data, indexed by what the kinds of damage ask of it."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self.of: dict[object, list[Quad]] = defaultdict(list)
        self.by: dict[str, list[Quad]] = defaultdict(list)
        self.pointing: dict[object, list[Quad]] = defaultdict(list)
        self.scheme: dict[object, object] = {}
        self.facts: list[Quad] = []
        for quad in sorted(quads, key=str):
            if quad.graph_name.value in APART:
                if quad.predicate == IN_SCHEME:
                    self.scheme[quad.subject] = quad.object
                continue
            self.of[quad.subject].append(quad)
            self.by[named(quad)].append(quad)
            self.pointing[quad.object].append(quad)
            if quad.predicate != TYPE and not isinstance(quad.object, BlankNode):
                self.facts.append(quad)
        #: The facts of entities, without those of their citations and inferences.
        self.own = [quad for quad in self.facts if isinstance(quad.subject, NamedNode)]
        self.literals = [quad for quad in self.facts if isinstance(quad.object, Literal)]
        self.links = [quad for quad in self.facts if isinstance(quad.object, NamedNode)]
        self.kind = {quad.subject: quad.object for quad in self.by[TYPE.value]}
        self.entities = [node for node in self.kind if isinstance(node, NamedNode)]
        #: Class and property of which at least twenty entities have one value, and none has two.
        self.functional: set[tuple[object, object]] = set()
        counts: dict[tuple[object, object], list[int]] = defaultdict(list)
        for entity in self.entities:
            predicates = [quad.predicate for quad in self.of[entity]]
            for predicate in set(predicates):
                counts[self.kind[entity], predicate].append(predicates.count(predicate))
        self.functional = {pair for pair, found in counts.items() if len(found) >= 20 and max(found) == 1}

    def value(self, subject: object, name: str) -> Quad | None:
        """Return the first statement of a subject with that property of ours."""
        return next((quad for quad in self.of[subject] if named(quad) == name), None)


def named(quad: Quad) -> str:
    """Return the property of a statement: its short name in our namespace, else its IRI."""
    return quad.predicate.value.removeprefix(TERMS)


def term(name: str) -> NamedNode:
    """Return a term of our namespace."""
    return NamedNode(TERMS + name)


def to(quad: Quad, value: NamedNode | Literal | BlankNode | str) -> Quad:
    """Return the statement with another value; a string stands for a literal of the same datatype or language."""
    if isinstance(value, str):
        old = quad.object
        assert isinstance(old, Literal)
        value = Literal(value, language=old.language) if old.language else Literal(value, datatype=old.datatype)
    return Quad(quad.subject, quad.predicate, value, quad.graph_name)


def mutants(ground: Ground, kinds: Mapping[str, Kind], count: int, seed: int) -> Iterator[Mutant]:
    """Yield `count` mutants, the same for the same seed, spread evenly over the kinds.

    No mutant comes twice unless a kind has no further place to damage.
    """
    dice = {name: random.Random(f"{seed} {name}") for name in kinds}  # noqa: S311 - a lottery, not a secret
    seen: set[Mutant] = set()
    for number in range(count):
        name = list(kinds)[number % len(kinds)]
        for attempt in range(2000):
            damage = kinds[name](ground, dice[name])
            if damage and set(damage[0]) != set(damage[1]):
                mutant = Mutant(name, tuple(damage[0]), tuple(damage[1]))
                if mutant not in seen or attempt > 200:
                    seen.add(mutant)
                    yield mutant
                    break
        else:
            raise LookupError(f"no place for {name}")
