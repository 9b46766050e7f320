"""Validation: well-formedness, closed namespaces, SHACL shapes, check queries; every finding with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from pyoxigraph import QuerySolutions

from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import DERIVED, KnowledgeGraph
from interpol_graph.shacl.data import Index, Term
from interpol_graph.shacl.result import shown
from interpol_graph.validation import rules, scope, shacl_findings, vocabulary
from interpol_graph.validation.finding import Finding, Terms
from interpol_graph.validation.locator import Finder, Shelf
from interpol_graph.validation.report import Report
from interpol_graph.validation.scope import Scope

ONTOLOGY, SHAPES = GRAPHS + "ontology", GRAPHS + "shapes"


def run(scope: Scope, cross_check: bool = False) -> Report:
    """Validate what a scope reads, and report on what it shows. cross_check: by other SHACL engines as well.

    Raises Unreadable when a file cannot be read, crosscheck.NotInstalled without the other engines.
    """
    if not scope.shown:
        return Report(())
    findings = _by_shapes(scope, cross_check) if scope.shapes else _by_our_rules(scope, cross_check)
    shown = tuple(finding for finding in findings if finding.path in scope.shown)
    others = {file.path for file in scope.files if file.graph not in (ONTOLOGY, SHAPES)} - scope.shown
    elsewhere = sum(finding.path in others for finding in findings)
    return Report(shown, tuple(sorted(scope.shown)), lambda: _table(scope), elsewhere)


def project(root: Path = paths.ROOT) -> list[Finding]:
    """Validate a whole project: the folders ontology/, data/, shapes/ and queries/checks/ below root."""
    return list(run(scope.project(root)).findings)


def files(names: Iterable[Path]) -> list[Finding]:
    """Validate RDF files by the ontology, shapes and checks of their checkout, else by the bundled ones."""
    return sorted(finding for chosen in scope.chosen(names) for finding in run(chosen).findings)


def foreign(names: Iterable[Path], shapes: Iterable[Path]) -> list[Finding]:
    """Validate any RDF files by any SHACL shapes, and by nothing else."""
    return list(run(scope.foreign(names, shapes)).findings)


def _table(scope: Scope) -> dict[str, rules.Rule]:
    """Return the rules that a scope applies."""
    if scope.shapes:
        return rules.known(scope.shapes)
    shapes = [file for file in scope.files if file.graph == SHAPES]
    return rules.known(shapes, scope.root / "queries" / "checks")


def _by_shapes(scope: Scope, cross_check: bool) -> list[Finding]:
    found = shacl_findings.check(scope.files, scope.shapes, (), Shelf(scope.shown), cross_check)
    return sorted(set(found))


def _by_our_rules(scope: Scope, cross_check: bool) -> list[Finding]:
    everything, root = scope.files, scope.root
    graph = KnowledgeGraph(everything, rules=root / "ontology" / "rules")
    ontology, shapes = ([file for file in everything if file.graph == name] for name in (ONTOLOGY, SHAPES))
    data = [file for file in everything if file.graph not in (ONTOLOGY, SHAPES)]
    shelf = Shelf(scope.shown)
    terms = Index(chain.from_iterable(file.quads() for file in ontology))
    findings = list(vocabulary.check(everything, terms, shelf))
    derived = graph.exact.triples(DERIVED)
    findings += shacl_findings.check([*data, *ontology], shapes, derived, shelf, cross_check)
    told = {(finding.place, finding.rule) for finding in findings}
    # What the vocabulary check said of a place, a query of the same name need not say again.
    asked = _checks(graph, [*data, *ontology, *shapes], root / "queries" / "checks", shelf)
    findings += (finding for finding in asked if (finding.place, finding.rule) not in told)
    return sorted(set(findings))


def _checks(graph: KnowledgeGraph, files: list[SourceFile], folder: Path, shelf: Shelf) -> Iterator[Finding]:
    offenders: list[tuple[str, dict[str, str], dict[str, Term | None]]] = []
    for path in sorted(folder.glob("*.rq")):
        rows = graph.ask(path)
        if not isinstance(rows, QuerySolutions):
            raise Unreadable(path, "a check is a SELECT query that returns offenders")
        header, names = rules.header(path), [variable.value for variable in rows.variables]
        if "focus" not in names:
            raise Unreadable(path, "a check names the entity at fault ?focus")
        offenders += ((path.stem, header, {name: row[name] for name in names}) for row in rows)
    if not offenders:
        return
    # What was derived of a blank node stands in no file: it would make the node look like another.
    stated = Index(quad for quad in graph.exact if quad.graph_name != DERIVED)
    finder = Finder(stated, files, [term for _, _, row in offenders if (term := row["focus"])], shelf)
    for rule, header, row in offenders:
        words = {name: shown(term) if term else "" for name, term in row.items()}
        about = [row.get(name) for name in ("focus", "property", "value")]
        file, line, column = finder.place(*about)
        node, predicate, value = (str(term) if term else "" for term in about)
        yield Finding(
            file,
            line,
            column,
            rule,
            words["focus"],
            _filled(header["message"], words),
            _filled(header.get("mend", ""), words),
            header["severity"],
            Terms(node, predicate, value),
        )


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
