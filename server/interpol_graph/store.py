"""The graph in memory: exact terms for dumps, an indexed store for queries, rules run to their end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from pyoxigraph import (
    CanonicalizationAlgorithm,
    Dataset,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from interpol_graph import paths
from interpol_graph.prefixes import GRAPHS, prefixes
from interpol_graph.source import SourceFile, Unreadable
from interpol_graph.syntax import fault

DERIVED = NamedNode(GRAPHS + "derived")
#: Graphs that can be asked for by name but stand outside the default graph.
APART = frozenset({NamedNode(GRAPHS + "shapes")})


_UNION = (
    f"""INSERT {{ ?s ?p ?o }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g NOT IN ({", ".join(map(str, APART))})) }}"""
)


class KnowledgeGraph:
    """All statements of some files, and what the rules conclude from them.

    files: what to read; rules: the folder whose *.rq conclude the graph `derived`, or None for no conclusions.
    Raises source.Unreadable when a file cannot be read.
    """

    def __init__(self, files: Iterable[SourceFile], rules: Path | None = paths.RULES) -> None:
        exact = Dataset(quad for file in files for quad in file.quads())
        # Canonical labels give blank nodes the same name in every process and every run.
        exact.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        self.exact = exact
        self.store = Store()
        self.store.bulk_extend(exact)
        # The union is stored, not computed: a pattern over forty graphs would be asked forty times.
        self.store.update(_UNION)
        if rules:
            self.derive(sorted(rules.glob("*.rq")))

    def ask(self, path: Path) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Evaluate the query in a file of the project. Raises Unreadable with the position when it is not SPARQL."""
        query = path.read_text(encoding="utf-8")
        try:
            return self.store.query(query)
        except SyntaxError as error:
            found = fault(error.msg, query)
            raise Unreadable(path, f"is not SPARQL 1.1: {found.reason}", found.line, found.column) from error

    def derive(self, rules: list[Path]) -> None:
        """Run every rule, in file-name order, until none adds a statement."""
        grown = True
        while grown:
            grown = False
            for rule in rules:
                answer = self.ask(rule)
                if not isinstance(answer, QueryTriples):
                    raise Unreadable(rule, "a rule is a CONSTRUCT query")
                fresh = [triple for triple in answer if _in_union(triple) not in self.store]
                named = [Quad(triple.subject, triple.predicate, triple.object, DERIVED) for triple in fresh]
                self.store.extend([*map(_in_union, fresh), *named])
                for quad in named:
                    self.exact.add(quad)
                grown = grown or bool(fresh)

    @cached_property
    def graphs(self) -> list[NamedNode]:
        """Every named graph, in order of name."""
        return sorted(
            (name for name in self.store.named_graphs() if isinstance(name, NamedNode)),
            key=lambda name: name.value,
        )

    @property
    def default_graphs(self) -> list[NamedNode]:
        """The graphs whose union is the default graph."""
        return [name for name in self.graphs if name not in APART]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical N-Quads (RDFC-1.0), in hexadecimal: one name for this state of the graph."""
        lines = sorted(str(self.exact).splitlines(keepends=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def dump(self, fmt: RdfFormat, graph: NamedNode | None = None) -> bytes:
        """Return one graph, or all, as bytes; equal content gives equal bytes.

        Triples formats of the whole carry the default graph, quads formats every named graph.
        """
        if fmt.supports_datasets and fmt != RdfFormat.JSON_LD and graph is None:
            return serialize(sorted(self.exact, key=_order), format=fmt, prefixes=prefixes()) or b""
        names = self.default_graphs if graph is None else [graph]
        triples = {quad.triple for name in names for quad in self.exact.quads_for_graph_name(name)}
        return serialize(sorted(triples, key=_order), format=fmt, prefixes=prefixes()) or b""


def _in_union(statement: Quad | Triple) -> Quad:
    """Return a statement as it stands in the store's default graph."""
    return Quad(statement.subject, statement.predicate, statement.object)


def _order(statement: Quad | Triple) -> tuple[str, ...]:
    graph = str(statement.graph_name) if isinstance(statement, Quad) else ""
    return graph, str(statement.subject), str(statement.predicate), str(statement.object)
