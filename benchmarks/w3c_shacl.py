"""The W3C SHACL test suite through the engines of `interpol-graph validate`: how many tests pass, section by section.

Usage: python benchmarks/w3c_shacl.py FOLDER [--judge pyshacl]
FOLDER holds the tests of https://github.com/w3c/data-shapes (data-shapes-test-suite/tests); they are not part of this project.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

from pyoxigraph import BlankNode, NamedNode

from interpol_graph.graph.files import SourceFile
from interpol_graph.shacl.data import BadShapes, Index, Term, read_path, sh
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Validation
from interpol_graph.validation import judgement

MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
TESTS = "http://www.w3.org/ns/shacl-test#"
FAILURE = NamedNode(TESTS + "Failure")
#: The parts of a result that a report must have; which text a message has is left to the processor.
PARTS = ("focusNode", "value", "sourceShape", "sourceConstraintComponent", "resultSeverity")


def main() -> None:
    """Run the suite and print the score."""
    parser = argparse.ArgumentParser(description="Run the W3C SHACL test suite.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--judge", choices=get_args(judgement.Judge), default="own")
    arguments = parser.parse_args()
    passed: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    for path, graph, test in entries(arguments.folder):
        section = path.relative_to(arguments.folder).parent.as_posix()
        difference = judged(graph, test, arguments.judge)
        ran[section] += 1
        passed[section] += not difference
        if difference:
            print(f"failed: {path.relative_to(arguments.folder)}\n  {difference}")
    print("| section | tests | passed |\n| --- | ---: | ---: |")
    for section in sorted(ran):
        print(f"| {section} | {ran[section]} | {passed[section]} |")
    for whole in ("core", "sparql"):
        of = [section for section in ran if section.startswith(whole)]
        print(f"| **{whole}** | {sum(ran[s] for s in of)} | {sum(passed[s] for s in of)} |")
    sys.exit(ran != passed)


def entries(folder: Path) -> Iterator[tuple[Path, Index, Term]]:
    """Yield the file, its graph and the node of every test, those that the manifests forget included."""
    for path in sorted(folder.rglob("*.ttl")):
        graph = Index(SourceFile(path, "urn:x-test").quads())
        for heads in graph.column(NamedNode(MANIFEST + "entries")).values():
            for test in graph.items(heads[0]) or ():
                yield path, graph, test


def judged(graph: Index, test: Term, judge: judgement.Judge) -> str:
    """Run a test and return how its outcome differs from the expected one; nothing when it does not."""
    action = graph.objects(test, NamedNode(MANIFEST + "action"))[0]
    data, shapes = (
        SourceFile(path_of(graph.objects(action, NamedNode(TESTS + name))[0]), "urn:x-test")
        for name in ("dataGraph", "shapesGraph")
    )
    wanted, read = graph.objects(test, NamedNode(MANIFEST + "result"))[0], Shapes(Index(shapes.quads()))
    if wanted == FAILURE and read.faults:  # such shapes are told of, and the rest is judged, unless --strict refuses
        return ""
    try:
        found = Counter(
            (
                *(plain(term) for term in (r.focus, r.value, r.shape, r.component, r.severity)),
                str(r.path or ""),
            )
            for r in judgement.judged(Validation(Index(data.quads()), read), judge)
        )
    except BadShapes as error:
        return "" if wanted == FAILURE else f"refused: {error}"
    if wanted == FAILURE:
        return "accepted, and a failure was expected"
    expected = Counter(parts(graph, node) for node in graph.objects(wanted, sh("result")))
    lines = [
        f"{word} {item}"
        for word, items in (("missing", expected - found), ("excess", found - expected))
        for item in items
    ]
    return "\n  ".join(lines)


def parts(graph: Index, result: Term) -> tuple[str, ...]:
    """Return the parts of an expected result, written for comparison."""
    path = next(iter(graph.objects(result, sh("resultPath"))), None)
    terms = (next(iter(graph.objects(result, sh(name))), None) for name in PARTS)
    return (*(plain(term) for term in terms), str(read_path(graph, path)) if path else "")


def plain(term: Term | None) -> str:
    """Return a term as text; blank nodes have no name that two readings would share."""
    return "" if term is None else "blank" if isinstance(term, BlankNode) else str(term)


def path_of(iri: Term) -> Path:
    """Return the file that a file IRI names."""
    assert isinstance(iri, NamedNode)
    return Path(unquote(urlsplit(iri.value).path))


if __name__ == "__main__":
    main()
