"""Judgement by shapes: who judges, what of it, what the results are as findings, and what there is to say of the shapes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pyoxigraph import NamedNode

from interpol_graph.graph.files import Unreadable
from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import BadShapes, Index, Statement, Term
from interpol_graph.shacl.shapes import Shapes, aimed
from interpol_graph.shacl.validation import Result, Validation
from interpol_graph.validation import rules
from interpol_graph.validation.locator import Reading, locate
from interpol_graph.validation.report import Finding, brief, shown

#: Who judges by the shapes: our own engine what is SHACL Core and pySHACL the rest, or pySHACL everything.
Judge = Literal["own", "pyshacl"]
#: What a list of things is drawn through while they are worked on.
Progress = Callable[[Sequence[Any]], Iterable[Any]]
#: Mebibytes that one file may have: past that, memory is what a validation would run out of first.
MAX_SIZE = 32


@dataclass(frozen=True)
class Manner:
    """How a validation is done.

    judge: who judges by shapes; strict: whether shapes with faults are refused; keep_going: whether files that cannot be read
    are findings; only, focus, rules: the shapes, nodes and rules that alone are judged, or judged by, all if empty; maps: imported IRI → the file
    that it is, fetch: whether others may be fetched; fail_on: the slightest severity that fails; most: findings that are kept
    of a rule; max_size: mebibytes that one file may have; progress: what shapes are drawn through while data is judged by them.
    """

    judge: Judge = "own"
    strict: bool = False
    keep_going: bool = False
    only: frozenset[Term] = frozenset()
    focus: frozenset[Term] = frozenset()
    rules: frozenset[str] = frozenset()
    maps: dict[str, Path] = field(default_factory=dict)
    fetch: bool = False
    fail_on: str = "error"
    most: int | None = None
    max_size: int = MAX_SIZE
    progress: Progress = iter


USUAL = Manner()


def by_shapes(
    data: Index, files: Sequence[Reading], shapes: Sequence[Reading], manner: Manner, nodes: Collection[Term] | None
) -> tuple[Iterator[Finding], list[Finding]]:
    """Return a finding for every result of validating data by shapes, placed in files; and remarks on the shapes.

    nodes: those that alone are judged, None for all that the manner says.
    Raises Unreadable for shapes that cannot be used.
    """
    if manner.focus:
        nodes = manner.focus if nodes is None else manner.focus.intersection(nodes)
    rule_book = Index(statements(shapes))
    if shapes and not aimed(rule_book):
        raise Unreadable(shapes[0].path, "holds no shape with a target, so nothing would be checked by it")
    read = Shapes(rule_book)
    if read.faults and manner.strict:
        refused = [_unusable(fault, shapes) for fault in read.faults]
        refused[0].others = tuple(refused[1:])
        raise refused[0]
    for name in (node.value for node in manner.only - read.all.keys() if isinstance(node, NamedNode)):
        near = get_close_matches(name, [node.value for node in read.all if isinstance(node, NamedNode)], n=1)
        raise Unreadable(shapes[0].path, f"holds no shape {name}" + (f"; did you mean {near[0]}?" if near else ""))
    validation = Validation(data, read, shown, nodes)
    remarks = [remark(fault, shapes, "shapes-fault") for fault in read.faults]
    judging = (each for each in read.roots if each.usable and not each.is_true("deactivated"))
    idle = [each.node for each in judging if not validation.targets(each)]
    why = "the shape has a target, and nothing in the data is one"
    remarks += [remark(BadShapes(node, why), shapes, "idle-shape") for node in idle]

    def findings() -> Iterator[Finding]:
        try:
            for result in judged(validation, manner.judge, manner.only, manner.progress):
                yield _finding(result, files)
        except BadShapes as error:
            raise _unusable(error, shapes) from error

    return findings(), sorted(set(remarks))


def judged(
    validation: Validation, judge: Judge = "own", wanted: Collection[Term] = (), progress: Progress = iter
) -> Iterator[Result]:
    """Yield the results of a validation; wanted: the nodes of the shapes whose results are, all if there are none.

    Raises BadShapes for shapes that cannot be used.
    """
    shapes = validation.shapes
    roots = [shape for shape in shapes.roots if not wanted or not set(shapes.within(shape)).isdisjoint(wanted)]
    own = [root for root in roots if judge == "own" and all(shapes.of(each).core for each in shapes.within(root))]

    def found() -> Iterator[tuple[Term, Result]]:
        for shape in progress(own):
            for result in validation.results([shape]):
                yield shape.node, result
        if others := {shape.node for shape in roots if shape.usable} - {shape.node for shape in own}:
            from interpol_graph.validation import second_opinion  # takes half a second to import, and few need it

            for node, result in second_opinion.results(validation.data, shapes.usable(), others):
                if validation.only is None or result.focus in validation.only:
                    yield node, result

    for root, result in found():
        if not wanted or root in wanted or result.shape in wanted:
            yield result


def remark(fault: BadShapes, shapes: Sequence[Reading], rule: str) -> Finding:
    spot, broken = locate(shapes, fault.node, fault.predicate, fault.value), rules.BY_NAME[rule]
    return Finding(*spot, rule, shown(fault.node), fault.reason, broken.mend, broken.severity)


def _unusable(fault: BadShapes, shapes: Sequence[Reading]) -> Unreadable:
    path, line, column = locate(shapes, fault.node, fault.predicate, fault.value)
    return Unreadable(path, f"{shown(fault.node)}: {fault.reason}", line, column)


def statements(files: Iterable[Reading]) -> Iterator[Statement]:
    """Yield what files say."""
    return (statement for file in files for statement in file.quads)


def _finding(result: Result, files: Sequence[Reading]) -> Finding:
    predicate = result.path.predicate if result.path else None
    named = result.shape if isinstance(result.shape, NamedNode) else result.component
    assert named
    about = f" ({shown(predicate)} {brief(result.value)})" if predicate and result.value else ""
    focus, words, severity = brief(result.focus), f"{result.message}{about}", rules.severity(result.severity)
    spot = locate(files, result.focus, predicate, result.value)
    return Finding(*spot, shorten(named.value), focus, words, severity=severity, terms=result)
