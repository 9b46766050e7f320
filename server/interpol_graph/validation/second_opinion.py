"""Second opinions: other people's SHACL engines over the same statements, and how their results differ from ours."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import rdflib
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, parse, serialize

from interpol_graph.shacl import paths
from interpol_graph.shacl.data import Index, Term, sh
from interpol_graph.shacl.result import Result, shown
from interpol_graph.validation.terms import to_rdflib


class NotInstalled(Exception):
    """Another engine is missing; the message says how to install it."""


@dataclass(frozen=True)
class Mark:
    """What a result says, without names of blank nodes, which two engines do not share."""

    focus: Term | None
    path: str
    value: Term | None
    shape: Term | None
    component: Term | None
    severity: Term | None


@dataclass(frozen=True)
class Difference:
    """A result that one engine has and we have not, or the other way round; without a mark, its failure as a whole."""

    engine: str
    mark: Mark | None
    said: str


def compare(data: Index, shapes: Index, results: Iterable[Result]) -> list[Difference]:
    """Return how the results of every other engine differ from ours. Raises NotInstalled."""
    ours = Counter(_own(result) for result in results)
    found: list[Difference] = []
    for engine, run in ENGINES.items():
        try:
            theirs = _reported(run(data, shapes))
        except ImportError as error:
            raise NotInstalled(
                f"--cross-check needs {engine}; install it with: pip install 'interpol-graph[cross-check]'"
            ) from error
        except Exception as error:  # whatever another engine trips over is a disagreement with it
            found.append(Difference(engine, None, f"{engine} fails where interpol-graph does not: {error}"))
            continue
        for mark, words in [
            *((mark, f"interpol-graph has a result that {engine} has not") for mark in (ours - theirs).elements()),
            *((mark, f"{engine} has a result that interpol-graph has not") for mark in (theirs - ours).elements()),
        ]:
            component = shown(mark.component) if mark.component else "a constraint"
            shape = shown(mark.shape) if mark.shape else "a shape without a name"
            about = "".join(f" {part}" for part in (mark.path, mark.value) if part)
            found.append(Difference(engine, mark, f"{words}: {component} of {shape}{about}"))
    return found


def _own(result: Result) -> Mark:
    terms = (result.value, result.shape, result.component, result.severity)
    return Mark(_named(result.focus), str(result.path or ""), *(_named(term) for term in terms))


def _reported(report: Index) -> Counter[Mark]:
    """Return the results of a validation report, those within others left out."""
    marks: Counter[Mark] = Counter()
    for results in report.column(sh("result")).values():
        for result in results:
            focus, path, value, shape, component, severity = (
                next(iter(report.objects(result, sh(name))), None)
                for name in (
                    "focusNode",
                    "resultPath",
                    "value",
                    "sourceShape",
                    "sourceConstraintComponent",
                    "resultSeverity",
                )
            )
            written = str(paths.read(report, path)) if path else ""
            marks[Mark(_named(focus), written, *(_named(term) for term in (value, shape, component, severity)))] += 1
    return marks


def _named(term: Term | None) -> Term | None:
    return None if isinstance(term, BlankNode) else term


def _pyshacl(data: Index, shapes: Index) -> Index:
    import pyshacl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, report, text = pyshacl.validate(_as_rdflib(data), shacl_graph=_as_rdflib(shapes), inference="none")
    if not isinstance(report, rdflib.Graph):
        raise ValueError(text)
    return Index(parse(report.serialize(format="nt", encoding="utf-8"), RdfFormat.N_TRIPLES))


def _shacl(data: Index, shapes: Index) -> Index:
    import shacl

    report = shacl.Shapes.from_text(_as_text(shapes), "ntriples").validate_text(_as_text(data), "ntriples")
    return Index(parse(report.serialize("ntriples").encode(), RdfFormat.N_TRIPLES))


#: Name of an engine, as PyPI has it → its run over data and shapes, which returns its report.
ENGINES: dict[str, Callable[[Index, Index], Index]] = {"pyshacl": _pyshacl, "shacl": _shacl}


def _as_rdflib(index: Index) -> rdflib.Graph:
    graph = rdflib.Graph()
    for statement in index.statements():
        subject, predicate, value = (to_rdflib(term) for term in statement)
        graph.add((subject, predicate, value))
    return graph


def _as_text(index: Index) -> str:
    triples = (Triple(s, p, o) for s, p, o in index.statements() if isinstance(s, NamedNode | BlankNode))
    return (serialize(triples, format=RdfFormat.N_TRIPLES) or b"").decode()
