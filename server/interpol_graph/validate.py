"""Validation: well-formedness, closed namespaces, SHACL shapes, check queries; every finding with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyshacl
import yaml
from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, RdfFormat
from rdflib import SH, Graph, URIRef
from rdflib.term import BNode, Node
from rdflib.term import Literal as RdflibLiteral

from interpol_graph import located, paths, source, vocabulary
from interpol_graph.finding import Finding
from interpol_graph.located import LocatedGraph
from interpol_graph.prefixes import GRAPHS, shorten
from interpol_graph.source import SourceFile, Unreadable
from interpol_graph.store import DERIVED, KnowledgeGraph


def project(root: Path = paths.ROOT) -> list[Finding]:
    """Validate a whole project: the folders ontology/, data/, shapes/ and queries/checks/ below root.

    Raises Unreadable when a file cannot be read.
    """
    return _by_our_rules(source.project(root), root)


def files(names: Iterable[Path]) -> list[Finding]:
    """Validate RDF files by the bundled ontology, shapes and checks.

    A file of the bundled data is checked among all the others, and only its own findings are returned; files from
    elsewhere stand for the data as a whole, a folder's files as the graphs that its paths name.
    """
    chosen = [path.resolve() for path in names]
    own = [path for path in chosen if path.is_relative_to(paths.DATA)]
    if own and len(own) == len(chosen):
        wanted = {file.path for file in source.given(own)}
        return [finding for finding in project() if finding.path in wanted]
    given: list[SourceFile] = []
    for path in chosen:
        found = source.given([path])
        if path.is_dir():
            found = source.data(path)
        given += [
            SourceFile(file.path, file.graph if file.graph.startswith(GRAPHS) else GRAPHS + file.path.stem)
            for file in found
        ]
    frame = [file for file in source.project() if not file.path.is_relative_to(paths.DATA)]
    return _by_our_rules([*frame, *given], paths.ROOT)


def foreign(names: Iterable[Path], shapes: Iterable[Path]) -> list[Finding]:
    """Validate any Turtle files by any SHACL shapes, and by nothing else."""
    return list(
        _shacl(
            [located.read(file) for file in source.given(names)],
            [located.read(file) for file in source.given(shapes)],
        )
    )


def _by_our_rules(everything: list[SourceFile], root: Path) -> list[Finding]:
    graph = KnowledgeGraph(everything, rules=root / "ontology" / "rules")
    read = {file: located.read(file) for file in everything}
    ontology = [read[file] for file in everything if file.graph == GRAPHS + "ontology"]
    shapes = [read[file] for file in everything if file.graph == GRAPHS + "shapes"]
    data = [read[file] for file in everything if file.graph not in (GRAPHS + "ontology", GRAPHS + "shapes")]
    findings = list(vocabulary.check(read.values(), vocabulary.declared(ontology)))
    derived = Graph().parse(data=graph.dump(RdfFormat.N_TRIPLES, DERIVED), format="nt")
    findings += _shacl([*data, *ontology], shapes, derived)
    findings += _checks(graph, _Places([*data, *ontology, *shapes]), root / "queries" / "checks")
    return sorted(set(findings))


def _shacl(data: list[LocatedGraph], shapes: list[LocatedGraph], derived: Graph | None = None) -> Iterator[Finding]:
    union = vocabulary.merged(data)
    for statement in derived or ():
        if not any(isinstance(term, BNode) for term in statement):
            union.add(statement)
    _, report, text = pyshacl.validate(union, shacl_graph=vocabulary.merged(shapes), inference="none")
    if not isinstance(report, Graph):
        raise Unreadable(shapes[0].path, f"the shapes cannot be used: {text}")
    places = _Places(data)
    for result in report.objects(None, SH.result):  # nested results (sh:detail) only repeat
        focus, path, value = (report.value(result, name) for name in (SH.focusNode, SH.resultPath, SH.value))
        shape = report.value(result, SH.sourceShape)
        component = report.value(result, SH.sourceConstraintComponent)
        message = report.value(result, SH.resultMessage)
        severity = str(report.value(result, SH.resultSeverity)).rpartition("#")[2]
        rule = shorten(str(shape if isinstance(shape, URIRef) else component))
        file, line = places.of(focus, path if isinstance(path, URIRef) else None, value)
        about = f" ({_shown(path)} {_shown(value)})" if value is not None and isinstance(path, URIRef) else ""
        yield Finding(
            file,
            line,
            0,
            rule,
            _shown(focus),
            f"{message}{about}",
            severity={"Violation": "error"}.get(severity, severity.lower()),
        )


class _Places:
    """Where the statements of some files stand."""

    def __init__(self, files: Iterable[LocatedGraph]) -> None:
        self.files = list(files)
        self.homes: dict[Node, list[LocatedGraph]] = {}
        for file in self.files:
            for subject in set(file.graph.subjects()):
                self.homes.setdefault(subject, []).append(file)

    def of(self, focus: Node | None, path: Node | None, value: Node | None) -> tuple[Path, int]:
        """Return where to put the finger: on the statement itself, else on its subject, else on a mention, else on a file."""
        for pattern in ((path, value), (path, None), (None, None)):
            for file in self.homes.get(focus, ()) if focus else ():
                if line := file.line(focus, *pattern):
                    return file.path, line
        for file in self.files:
            if focus is not None and (line := file.line(None, None, focus)):
                return file.path, line
        return self.files[0].path, 0


def _shown(node: Node | None) -> str:
    if isinstance(node, URIRef):
        return shorten(str(node))
    return "blank node" if isinstance(node, BNode) else node.n3() if isinstance(node, RdflibLiteral) else str(node)


def _checks(graph: KnowledgeGraph, places: _Places, folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob("*.rq")):
        text = path.read_text(encoding="utf-8")
        header = yaml.safe_load(
            "\n".join(line[2:].removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))
        )
        rows = graph.ask(path)
        if not isinstance(rows, QuerySolutions):
            raise Unreadable(path, "a check is a SELECT query that returns offenders")
        names = [variable.value for variable in rows.variables]
        for row in rows:
            terms = {name: _term(row[name]) for name in names}
            words = {name: _shown(term) for name, term in terms.items()}
            file, line = places.of(terms["focus"], terms.get("property"), terms.get("value"))
            yield Finding(
                file,
                line,
                0,
                path.stem,
                words["focus"],
                _filled(header["message"], words),
                _filled(header.get("mend", ""), words),
                header.get("severity", "error"),
            )


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)


def _term(term: object) -> Node | None:
    if isinstance(term, NamedNode):
        return URIRef(term.value)
    if isinstance(term, BlankNode):
        return BNode(term.value)
    if isinstance(term, Literal):
        if term.language:
            return RdflibLiteral(term.value, lang=term.language)
        plain = term.datatype.value == "http://www.w3.org/2001/XMLSchema#string"
        return RdflibLiteral(term.value, datatype=None if plain else URIRef(term.datatype.value), normalize=False)
    return None
