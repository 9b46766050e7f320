"""The graph in memory: exact terms for dumps, an indexed store for queries, rules run to their end, words for a query that is none."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from pyoxigraph import NamedNode, QueryBoolean, QuerySolutions, QueryTriples, RdfFormat, Store, parse

from interpol_graph.graph import paths
from interpol_graph.graph.faults import fault
from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.formats import Format
from interpol_graph.graph.prefixes import GRAPHS, RDF
from interpol_graph.graph.reifiers import REIFIERS, reified
from interpol_graph.graph.statements import Statements, serialized

DERIVED = NamedNode(GRAPHS + "derived")
#: Graphs that can be asked for by name but stand outside the default graph.
APART = frozenset({NamedNode(GRAPHS + "shapes")})
#: In N-Triples, what a rule may ask for in a statement: of a type the class, of anything else the property.
_NEW = re.compile(rf"^\S+ (?:<{RDF}type> )?<(.*?)>".encode(), re.MULTILINE)
#: What a rule calls a property or a class that may be any.
_ANY = {"?property", "?class"}


class KnowledgeGraph:
    """All statements of some files, and what the rules conclude from them.

    files: what to read; rules: the folder whose *.rq conclude the graph `derived`, or None for no conclusions;
    named: whether the store holds named graphs, too, beside the default graph.
    Raises files.Unreadable when a file cannot be read.
    """

    def __init__(self, files: Iterable[SourceFile], rules: Path | None = paths.RULES, named: bool = True) -> None:
        self.exact = Statements(named_text for file in files for named_text in file.texts().items())
        self.store = Store()
        # The union is stored, not computed: a pattern over forty graphs would be asked forty times.
        for name, text in self.exact.texts.items():
            if name not in APART:
                self.store.bulk_extend(parse(text, RdfFormat.N_TRIPLES, lenient=True))
        if rules:
            self.exact.add(DERIVED, conclude(self.store, sorted(rules.glob("*.rq")), stated=False))
        #: How many statements the default graph has.
        self.triples = len(self.store)
        if named:  # last: the rules, which ask the default graph, need not pass by these
            self.store.bulk_extend(self.exact)

    @property
    def graphs(self) -> list[NamedNode]:
        """Every named graph, in order of name."""
        return [name for name in self.exact.texts if isinstance(name, NamedNode)]

    @property
    def default_graphs(self) -> list[NamedNode]:
        """The graphs whose union is the default graph."""
        return [name for name in self.graphs if name not in APART]

    @property
    def about(self) -> dict[str, Any]:
        """What is told of this state: its digest, its graphs and their sizes, those of the default graph and its size."""
        sizes = {name.value: self.exact.size(name) for name in self.graphs}
        default = [name.value for name in self.default_graphs]
        return {"digest": self.exact.digest, "graphs": sizes, "default": default, "triples": self.triples}

    def dump(self, output: IO[bytes], fmt: Format, graph: NamedNode | None = None) -> None:
        """Write one graph, all, or as REIFIERS which document states which value; equal content gives equal bytes.

        Triples formats of the whole carry the default graph, quads formats every named graph.
        """
        if graph == REIFIERS:
            stated = (self.exact.quads(name) for name in self.default_graphs if name != DERIVED)
            serialized(reified(stated), output, fmt)
            return
        whole = self.exact.texts if fmt.kind == "dataset" else [name for name in self.exact.texts if name not in APART]
        self.exact.write(output, fmt, *([graph] if graph else whole))


def default_graph(files: Iterable[SourceFile]) -> Store:
    """Return a store of the default graph alone, what the rules conclude included; its blank nodes have labels of the moment.

    files: of triples alone, such as Turtle. It takes half the time of a KnowledgeGraph, for one query that names no graph.
    Raises Unreadable.
    """
    store = Store()
    for file in files:
        if NamedNode(file.graph) not in APART:
            file.read(store.bulk_extend)
    conclude(store, sorted(paths.RULES.glob("*.rq")))
    return store


def ask(store: Store, path: Path, **graphs: Any) -> QuerySolutions | QueryBoolean | QueryTriples:
    """Evaluate the query in a file of the project; graphs: as the store takes them. Raises Unreadable with the position when it is not SPARQL."""
    query = path.read_text(encoding="utf-8")
    try:
        return store.query(query, **graphs)
    except SyntaxError as error:
        found = fault(error.msg, query)
        raise Unreadable(path, f"is not SPARQL 1.1: {found.reason}", found.line, found.column) from error


def conclude(store: Store, rules: list[Path], stated: bool = True) -> bytes:
    """Run every rule, in the order given, until none adds a statement to the default graph; return these as N-Triples.

    A rule runs again when something new is of a property or a class that its condition names.
    stated: whether to return, too, what the graph stated already. Raises Unreadable for a rule that is none.
    """
    concluded: dict[bytes, None] = {}
    asked = {rule: _asked(rule.read_text(encoding="utf-8")) for rule in rules}
    due = set(rules)
    while due:
        for rule in filter(due.__contains__, rules):
            due.remove(rule)
            answer = ask(store, rule)
            if not isinstance(answer, QueryTriples):
                raise Unreadable(rule, "a rule is a CONSTRUCT query")
            # As text: objects of Python would cost more than the evaluation.
            text = answer.serialize(format=RdfFormat.N_TRIPLES) or b""
            fresh = [line for line in text.splitlines(keepends=True) if line not in concluded]
            quads = list(parse(b"".join(fresh), RdfFormat.N_TRIPLES, lenient=True))
            if not stated:
                fresh = [line for line, quad in zip(fresh, quads, strict=True) if quad not in store]
            store.extend(quads)
            concluded |= dict.fromkeys(fresh)
            if new := {iri.decode() for iri in set(_NEW.findall(b"".join(fresh)))}:
                due.update(other for other in rules if not asked[other].isdisjoint(new | _ANY))
    return b"".join(concluded)


def _asked(rule: str) -> set[str]:
    """Return what the condition of a rule asks for: IRIs, and what may be any."""
    spaces = dict(re.findall(r"PREFIX\s+(\w*):\s*<(.*?)>", rule))
    condition = rule.partition("}")[2].strip() or rule
    named = {spaces.get(prefix, "") + name for prefix, name in re.findall(r"(\w*):([\w-]+)", condition)}
    return named.union(re.findall(r"<([^<>\s]*)>", condition), _ANY.intersection(re.findall(r"\?\w+", condition)))
