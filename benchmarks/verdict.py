"""What validation says of a damaged graph, found without validating all of it again.

The undamaged graph is loaded once. A mutant lives in a forked process, where only what the damage can reach is judged
anew: the vocabulary of the statements put in, the shapes on the nodes touched, then the check queries. Before a mutant
passes as harmless, the rules run again and everything is asked once more, so that no finding is missed.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copytree

from pyoxigraph import Dataset, DefaultGraph, NamedNode, Quad, QuerySolutions, RdfFormat, parse, serialize

from damage import TYPE, Mutant
from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable, project_files
from interpol_graph.graph.prefixes import GRAPHS, prefixes, shorten
from interpol_graph.graph.store import DERIVED, KnowledgeGraph, ask, conclude
from interpol_graph.shacl.data import Index
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Validation
from interpol_graph.validation import run, scope, vocabulary

ONTOLOGY, SHAPES = NamedNode(GRAPHS + "ontology"), NamedNode(GRAPHS + "shapes")
IN_SCHEME = NamedNode(prefixes()["skos"] + "inScheme")
#: Findings that rest on what the rules conclude: they count only after the rules have run again.
CONCLUDED = re.compile(r"overlapping-|circular-|shape:Bound-")


class Judge:
    """Knows the undamaged graph, and says of a mutant by which rule validation catches it."""

    def __init__(self) -> None:
        self.graph = KnowledgeGraph(project_files())
        self.exact = Dataset(self.graph.exact)
        self.terms = vocabulary.declared(Index(self.exact.quads_for_graph_name(ONTOLOGY)))
        self.shapes = Shapes(Index(self.exact.quads_for_graph_name(SHAPES)))
        self.known: dict[Path, set[str]] = {}
        seconds: dict[Path, float] = {}
        for path in sorted(paths.CHECKS.glob("*.rq")):
            if "#+ severity: error" in path.read_text(encoding="utf-8"):
                clock = time.perf_counter()
                self.known[path] = set(self._rows(path))
                seconds[path] = time.perf_counter() - clock
        self.checks = sorted(seconds, key=lambda path: seconds[path])
        self.caught: dict[str, set[str]] = {}

    def rule(self, mutant: Mutant) -> str:
        """Return the rule that catches a mutant, or "" when none does; the undamaged graph stays as it is."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(writing, next(self._rules(mutant), "").encode())
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            answer = pipe.read()
        if os.waitpid(child, 0)[1]:
            raise RuntimeError(f"no verdict on {mutant.kind}: {mutant}")
        self.caught.setdefault(mutant.kind, set()).add(answer)
        return answer

    def _rules(self, mutant: Mutant) -> Iterator[str]:
        for quad in mutant.added:
            found = (vocabulary.verdict(node, self.terms) for node in (quad.subject, quad.predicate, quad.object))
            yield from (verdict[0] for verdict in found if verdict)
        changed = {*mutant.removed, *mutant.added}
        self._change(mutant.removed, mutant.added)
        for quad in mutant.removed:
            if quad.predicate == TYPE:  # what was concluded of the entity may have stood on its class
                self._change(list(self.exact.quads_for_subject(quad.subject)), (), only=DERIVED)
        yield from (rule for rule in self._shaped(changed) if not CONCLUDED.match(rule))
        # First the checks that caught this kind before; none now if the rules must run again for this kind.
        known = self.caught.get(mutant.kind, set()) - {""}
        checks = sorted(self.checks, key=lambda check: check.stem not in known)
        early = [check for check in checks if not CONCLUDED.match(check.stem)]
        if known and all(map(CONCLUDED.match, known)):
            early = []
        yield from (check.stem for check in early if self._offends(check))
        before = self._derived()
        for quad in before:
            self.graph.store.remove(quad)
            self.graph.store.remove(Quad(quad.subject, quad.predicate, quad.object))
        concluded = conclude(self.graph.store, sorted(paths.RULES.glob("*.rq")), stated=False)
        self.graph.store.bulk_extend(Quad(*quad.triple, DERIVED) for quad in parse(concluded, RdfFormat.N_TRIPLES))
        after = self._derived()
        yield from self._shaped(changed | (before ^ after))
        asked = early if before == after else ()
        yield from (check.stem for check in checks if check not in asked and self._offends(check))

    def _derived(self) -> set[Quad]:
        return set(self.graph.store.quads_for_pattern(None, None, None, DERIVED))

    def _change(self, removed: Iterable[Quad], added: Iterable[Quad], only: NamedNode | None = None) -> None:
        store, exact = self.graph.store, self.exact
        for quad in removed:
            if only and quad.graph_name != only:
                continue
            store.remove(quad)
            exact.discard(quad)
            kept = store.quads_for_pattern(quad.subject, quad.predicate, quad.object, None)
            if all(isinstance(other.graph_name, DefaultGraph) for other in kept):
                store.remove(Quad(quad.subject, quad.predicate, quad.object))
        for quad in added:
            store.extend([quad, Quad(quad.subject, quad.predicate, quad.object)])
            exact.add(quad)

    def _rows(self, check: Path) -> Iterator[str]:
        rows = ask(self.graph.store, check)
        assert isinstance(rows, QuerySolutions)
        return map(str, rows)

    def _offends(self, check: Path) -> bool:
        """Tell whether a check finds more than in the undamaged graph."""
        return any(row not in self.known[check] for row in self._rows(check))

    def _shaped(self, changed: set[Quad]) -> Iterator[str]:
        """Yield the shapes that a node touched by the change violates."""
        nodes = {node for quad in changed for node in (quad.subject, quad.object)}
        for quad in changed:
            if quad.predicate in (TYPE, IN_SCHEME):
                stated = self.graph.store.quads_for_pattern(None, None, quad.subject, DefaultGraph())
                nodes.update(each.subject for each in stated)
        said = Index(self.graph.store.quads_for_pattern(None, None, None, DefaultGraph()))
        validation = Validation(said, self.shapes, only=nodes)
        for result in validation.results(self.shapes.roots):
            yield shorten(getattr(result.shape, "value", ""))


class Whole:
    """The whole validation of a damaged copy of the project, to compare with."""

    def __init__(self, judge: Judge) -> None:
        self.exact = judge.exact
        self.known = self._errors(paths.ROOT)

    def catches(self, mutant: Mutant) -> bool:
        """Tell whether `interpol-graph validate` reports an error that it does not report of the undamaged project."""
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for folder in ("ontology", "data", "shapes", "queries"):
                copytree(paths.ROOT / folder, root / folder)
            for graph in {quad.graph_name for quad in (*mutant.removed, *mutant.added)}:
                quads = set(self.exact.quads_for_graph_name(graph)) - set(mutant.removed)
                triples = {quad.triple for quad in (*quads, *mutant.added) if quad.graph_name == graph}
                text = serialize(triples, format=RdfFormat.TURTLE, prefixes=prefixes())
                (root / "data" / f"{graph.value.removeprefix(GRAPHS)}.ttl").write_bytes(text or b"")
            try:
                return bool(self._errors(root) - self.known)
            except Unreadable:
                return True

    @staticmethod
    def _errors(root: Path) -> Counter[tuple[str, str, str]]:
        findings = run.run(scope.project(root)).findings
        return Counter((f.rule, f.focus, f.message) for f in findings if f.severity == "error")
