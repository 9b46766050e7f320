"""What evaluates queries: the one interface to it, and the engine built in, over a graph in this process's memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from pyoxigraph import NamedNode

from interpol_graph.engine.limits import Settings
from interpol_graph.engine.results import Found
from interpol_graph.graph import paths
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.files import given_files
from interpol_graph.graph.formats import Format
from interpol_graph.graph.prefixes import BASE
from interpol_graph.graph.store import KnowledgeGraph

#: The default graph and the named graphs that a query is asked over, as IRIs.
Graphs = tuple[Sequence[str], Sequence[str]]


class Engine(Protocol):
    """One state of the data, which children of one process ask.

    about: its digest, graphs (IRI → number of statements), default (IRIs of the graphs whose union is the default graph) and
    triples (how many that has); sealed: whether it needs no file and no socket once it is there.
    """

    about: dict[str, Any]
    sealed: bool

    def query(self, text: str, prefixes: dict[str, str], graphs: Graphs | None, limit: int) -> Found:
        """Return the answer to a query that need not declare some prefixes.

        graphs: what takes the place of FROM and FROM NAMED, if anything does; limit: bytes that the answer may have.
        Raises SyntaxError for a query that is none, EngineError, ValueError, OSError and RuntimeError where there is no answer.
        """

    def dump(self, output: IO[bytes], fmt: Format, graph: str | None) -> None:
        """Write one graph, or the whole, literals as in the files; as the graph REIFIERS, which document states which value."""


class Embedded:
    """The files that some settings name, in memory. Raises Unreadable."""

    sealed = True

    def __init__(self, settings: Settings) -> None:
        if settings.data:
            self.graph = KnowledgeGraph(given_files(map(Path, settings.data)), rules=None)
        else:
            root = Path(settings.project or paths.ROOT)
            self.graph = KnowledgeGraph(graph_files(root), rules=root / "ontology" / "rules")
        self.about = self.graph.about

    def query(self, text: str, prefixes: dict[str, str], graphs: Graphs | None, limit: int) -> Found:
        """Return the answer as Engine.query does."""
        return self.graph.store.query(
            text,
            base_iri=BASE,
            prefixes=prefixes,
            default_graph=[NamedNode(iri) for iri in graphs[0]] if graphs else None,
            named_graphs=[NamedNode(iri) for iri in graphs[1]] if graphs else None,
        )

    def dump(self, output: IO[bytes], fmt: Format, graph: str | None) -> None:
        """Write a dump as Engine.dump does."""
        self.graph.dump(output, fmt, NamedNode(graph) if graph else None)
