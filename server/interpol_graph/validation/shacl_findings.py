"""What shapes have to say of some files, each result with its place. Lines are looked for once there is something to find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from pyoxigraph import NamedNode, Quad, Triple

from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import BadShapes, Index
from interpol_graph.shacl.result import Result, shown
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Validation
from interpol_graph.validation import rules, second_opinion
from interpol_graph.validation.finding import Finding, Terms
from interpol_graph.validation.locator import Finder, Shelf
from interpol_graph.validation.second_opinion import Difference


def check(
    data: Sequence[SourceFile],
    shapes: Sequence[SourceFile],
    derived: Iterable[Quad | Triple] = (),
    shelf: Shelf | None = None,
    cross_check: bool = False,
) -> list[Finding]:
    """Return a finding for every result of validating files by shapes.

    derived: further statements, which stand in no file; shelf: files that were read with their places already;
    cross_check: whether other engines run as well, and what they find differently is a finding too.
    Raises Unreadable when a file cannot be read or the shapes cannot be used, NotInstalled without the other engines.
    """
    statements = Index(chain(derived, _statements(data)))
    rule_book = Index(_statements(shapes))
    try:
        read = Shapes(rule_book)
        if shapes and not read.roots:
            raise Unreadable(shapes[0].path, "holds no shape with a target, so nothing would be checked by it")
        results = list(Validation(statements, read).results())
    except BadShapes as error:
        path, line, column = Finder(rule_book, shapes, [error.node], Shelf()).place(error.node)
        raise Unreadable(path, f"{shown(error.node)}: {error.reason}", line, column) from error
    differences = second_opinion.compare(statements, rule_book, results) if cross_check else []
    nodes = [*(result.focus for result in results), *(d.mark.focus for d in differences if d.mark and d.mark.focus)]
    finder = Finder(statements, data, nodes, shelf or Shelf())
    return [
        *(_finding(result, finder) for result in results),
        *(_disagreement(difference, finder) for difference in differences),
    ]


def _statements(files: Iterable[SourceFile]) -> Iterator[Quad]:
    for file in files:
        for quad in file.quads():
            if isinstance(quad.object, Triple):
                raise Unreadable(file.path, "holds a triple as a term, which is RDF 1.2; what is validated is RDF 1.1")
            yield quad


def _finding(result: Result, finder: Finder) -> Finding:
    predicate = result.path.predicate if result.path else None
    path, line, column = finder.place(result.focus, predicate, result.value)
    named = result.shape if isinstance(result.shape, NamedNode) else result.component
    about = f" ({shown(predicate)} {shown(result.value)})" if predicate and result.value else ""
    return Finding(
        path,
        line,
        column,
        shorten(named.value),
        shown(result.focus),
        f"{result.message}{about}",
        severity=rules.severity(result.severity.value),
        terms=Terms(
            str(result.focus), str(predicate or ""), str(result.value or ""), str(result.component), str(result.shape)
        ),
    )


def _disagreement(difference: Difference, finder: Finder) -> Finding:
    mark = difference.mark
    focus = mark.focus if mark else None
    path, line, column = finder.place(focus)
    mend = "Find out which engine is right before you trust either."
    return Finding(path, line, column, "engines-disagree", shown(focus) if focus else "", difference.said, mend)
