"""Validation: well-formedness, closed namespaces, SHACL shapes, check queries; every finding with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path as FilePath
from typing import Literal

from pyoxigraph import NamedNode, Quad, QuerySolutions, RdfFormat, Store, Triple, parse

from interpol_graph.graph.files import Unreadable
from interpol_graph.graph.prefixes import GRAPHS, shorten
from interpol_graph.graph.store import APART, DERIVED, ask, conclude
from interpol_graph.shacl.data import BadShapes, Index, Path, Term
from interpol_graph.shacl.shapes import Shapes, aimed
from interpol_graph.shacl.validation import Result, Validation
from interpol_graph.validation import rules, vocabulary
from interpol_graph.validation.locator import Reading, locate
from interpol_graph.validation.report import Finding, Report, Terms, shown
from interpol_graph.validation.scope import Scope

ONTOLOGY, SHAPES = GRAPHS + "ontology", GRAPHS + "shapes"
#: Who judges by the shapes: our own engine what is SHACL Core and pySHACL the rest, or pySHACL everything.
Judge = Literal["own", "pyshacl"]


def run(scope: Scope, judge: Judge = "own") -> Report:
    """Validate what a scope reads, and report on what it shows.

    Raises Unreadable when a file cannot be read, or shapes or a query cannot be used.
    """
    if not scope.shown:
        return Report(())
    # The places of shapes are looked up whenever they cannot be used.
    files = [Reading(file, file.path in scope.shown or file.graph == SHAPES) for file in scope.files]
    shapes = [Reading(file) for file in scope.shapes]
    if scope.shapes:
        checks, findings = None, sorted(_by_shapes(files, shapes, (), judge))
    else:
        shapes = [file for file in files if file.graph == SHAPES]
        checks, findings = scope.root / "queries" / "checks", sorted(_by_our_rules(files, scope.root, judge))
    reported = tuple(finding for finding in findings if finding.path in scope.shown)
    others = {file.path for file in files if file.graph not in (ONTOLOGY, SHAPES)} - scope.shown
    table = rules.known(chain.from_iterable(file.quads for file in shapes), checks) if reported else {}
    return Report(reported, tuple(sorted(scope.shown)), table, sum(finding.path in others for finding in findings))


def _by_our_rules(files: Sequence[Reading], root: FilePath, judge: Judge) -> list[Finding]:
    ontology, shapes = ([file for file in files if file.graph == name] for name in (ONTOLOGY, SHAPES))
    data = [*(file for file in files if file.graph not in (ONTOLOGY, SHAPES)), *ontology]
    store, derived = _loaded(files, sorted((root / "ontology" / "rules").glob("*.rq")))
    with ThreadPoolExecutor(1) as pool:  # the queries do not hold the interpreter
        offenders = pool.submit(lambda: list(_offenders(store, root / "queries" / "checks")))
        findings = list(vocabulary.check(files, Index(chain.from_iterable(file.quads for file in ontology))))
        findings += _by_shapes(data, shapes, derived, judge)
    asked = [_of_check(*offender, [*data, *shapes]) for offender in offenders.result()]
    # What the vocabulary check said of a place, a query of the same name need not say again.
    before = {(finding.place, finding.rule) for finding in findings}
    return findings + [finding for finding in asked if (finding.place, finding.rule) not in before]


def _loaded(files: Iterable[Reading], rules: Sequence[FilePath]) -> tuple[Store, list[Quad]]:
    """Return a store of some files, each statement in its graph and in the default graph, and what the rules conclude."""
    store = Store()
    store.bulk_extend(chain.from_iterable(file.quads for file in files))
    apart = ", ".join(map(str, APART))
    store.update(f"INSERT {{ ?s ?p ?o }} WHERE {{ GRAPH ?graph {{ ?s ?p ?o }} FILTER (?graph NOT IN ({apart})) }}")
    concluded = parse(conclude(store, list(rules), stated=False), RdfFormat.N_TRIPLES)
    derived = [Quad(q.subject, q.predicate, q.object, DERIVED) for q in concluded]
    store.bulk_extend(derived)
    return store, derived


def _by_shapes(
    files: Sequence[Reading], shapes: Sequence[Reading], derived: Iterable[Quad], judge: Judge
) -> Iterator[Finding]:
    """Yield a finding for every result of validating files, and what is derived from them, by shapes."""
    statements = Index(chain(derived, _statements(files)))
    rule_book = Index(_statements(shapes))
    if shapes and not aimed(rule_book):
        raise Unreadable(shapes[0].path, "holds no shape with a target, so nothing would be checked by it")
    try:
        results = list(judged(statements, rule_book, judge))
    except BadShapes as error:
        path, line, column = locate(shapes, error.node)
        raise Unreadable(path, f"{shown(error.node)}: {error.reason}", line, column) from error
    return (_finding(result, files) for result in results)


def judged(data: Index, rule_book: Index, judge: Judge = "own") -> Iterator[Result]:
    """Yield the results of validating data by shapes. Raises BadShapes for shapes that cannot be used."""
    others = None
    if judge == "own":
        shapes = Shapes(rule_book)
        core = [shape for shape in shapes.roots if shapes.is_core(shape)]
        yield from Validation(data, shapes, shown).results(core)
        others = {shape.node for shape in shapes.roots} - {shape.node for shape in core}
    if others is None or others:
        from interpol_graph.validation import second_opinion  # takes half a second to import, and few need it

        yield from second_opinion.results(data, rule_book, others)


def _statements(files: Iterable[Reading]) -> Iterator[Quad]:
    for file in files:
        for quad in file.quads:
            if isinstance(quad.object, Triple):
                raise Unreadable(file.path, "holds a triple as a term, which is RDF 1.2; what is validated is RDF 1.1")
            yield quad


def _finding(result: Result, files: Sequence[Reading]) -> Finding:
    predicate = result.path.predicate if result.path else None
    named = result.shape if isinstance(result.shape, NamedNode) else result.component
    about = f" ({shown(predicate)} {shown(result.value)})" if predicate and result.value else ""
    return Finding(
        *locate(files, result.focus, predicate, result.value),
        shorten(named.value),
        shown(result.focus),
        f"{result.message}{about}",
        severity=rules.severity(result.severity),
        terms=Terms(
            result.focus, result.path, result.value, result.component, result.shape, result.severity, result.messages
        ),
    )


def _offenders(store: Store, folder: FilePath) -> Iterator[tuple[str, dict[str, str], dict[str, Term | None]]]:
    """Yield what the check queries return: the name of the check, its header, and one row by the names of its variables."""
    for path in sorted(folder.glob("*.rq")):
        rows = ask(store, path)
        if not isinstance(rows, QuerySolutions):
            raise Unreadable(path, "a check is a SELECT query that returns offenders")
        header, names = rules.header(path), [variable.value for variable in rows.variables]
        if "focus" not in names:
            raise Unreadable(path, "a check names the entity at fault ?focus")
        for row in dict.fromkeys(tuple(row[name] for name in names) for row in rows):
            yield path.stem, header, dict(zip(names, row, strict=True))


def _of_check(rule: str, header: dict[str, str], row: dict[str, Term | None], files: Sequence[Reading]) -> Finding:
    words = {name: shown(term) if term else "" for name, term in row.items()}
    focus, predicate, value = (row.get(name) for name in ("focus", "property", "value"))
    return Finding(
        *locate(files, focus, predicate, value),
        rule,
        words["focus"],
        _filled(header["message"], words),
        _filled(header.get("mend", ""), words),
        header["severity"],
        Terms(focus, Path(predicate) if isinstance(predicate, NamedNode) else None, value),
    )


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
