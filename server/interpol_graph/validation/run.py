"""Validation: well-formedness, closed namespaces, SHACL shapes, check queries; every finding with its file and line."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path as FilePath

from pyoxigraph import DefaultGraph, Literal, NamedNode, QuerySolutions, RdfFormat, Store, parse

from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import ask, conclude
from interpol_graph.shacl.data import BadShapes, Index, Path, Term
from interpol_graph.shacl.validation import Result
from interpol_graph.validation import imports, rules
from interpol_graph.validation.judgement import USUAL, Manner, by_shapes, remark, statements
from interpol_graph.validation.locator import Reading, locate
from interpol_graph.validation.report import Finding, Report, brief, gathered, known_by, merged, unread
from interpol_graph.validation.scope import Named, Scope, check_size

ONTOLOGY, SHAPES = GRAPHS + "ontology", GRAPHS + "shapes"
#: In a check, a line that is no part of the query; and a graph that need not be that of the file which is judged.
_COMMENT = re.compile(r"^\s*#.*", re.MULTILINE)
_OTHERS = re.compile(r"(?<![?$\w:])GRAPH\s+(?!\?graph\b)", re.IGNORECASE)


def every(scopes: Iterable[Scope], manner: Manner = USUAL) -> Report:
    """Run some validations, and return one report on all of them. Raises Unreadable."""
    return merged([run(each, manner) for each in scopes])


def earlier(named: Named, manner: Manner, top: FilePath, rules: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Return what findings by some rules in an earlier tree of files with this top are known by; none if nobody can say."""
    there = Named(*(tuple(filter(FilePath.exists, each)) for each in named))
    if named.data and not there.data:
        return Counter()
    try:
        found = every(there.scopes(), replace(manner, most=None, rules=frozenset(rules), progress=iter)).findings
    except Unreadable:  # it was no better then, and nobody knows how much worse
        found = ()
    return Counter(known_by(finding, top) for finding in found)


def run(scope: Scope, manner: Manner = USUAL) -> Report:
    """Validate what a scope reads, and report on what it shows.

    Raises Unreadable when a file cannot be read, or shapes or a query cannot be used.
    """
    if not scope.files:
        return Report((), fail_on=manner.fail_on)
    broken: list[Unreadable] = []
    # The places of shapes are looked up whenever they cannot be used.
    placed = {file.path for file in scope.files if file.graph == SHAPES} | scope.shown | scope.beyond
    placed |= {file.path for file in scope.shapes}
    files, shapes = (_read(each, placed, manner.max_size, broken) for each in (scope.files, scope.shapes))
    if broken and (not manner.keep_going or any(file.path == error.path for file in scope.shapes for error in broken)):
        broken[0].others = tuple(broken[1:])
        raise broken[0]
    if scope.shapes:
        checks = None
        missing = _with_imports(shapes, manner)
        data = Index(statements(files))
        found, remarks = by_shapes(data, files, shapes, manner, None)
        remarks = [*missing, *remarks]
    else:
        shapes = [file for file in files if file.graph == SHAPES]
        checks = scope.root / "queries" / "checks"
        judged = files if scope.beyond else [file for file in files if file.path in scope.shown]
        found, remarks = _by_our_rules(files, judged, scope.root, manner)
    elsewhere: list[Finding] = []

    def shown() -> Iterator[Finding]:
        for finding in chain(map(unread, broken), found):
            if not manner.focus or finding.terms.focus in manner.focus:
                if finding.path in scope.shown:
                    yield finding
                elif finding.path in scope.beyond:
                    elsewhere.append(finding)

    findings, more = gathered(shown(), manner.most)
    table = rules.known(chain.from_iterable(file.quads for file in shapes), checks) if findings or elsewhere else {}
    checked, others = tuple(sorted(scope.shown)), tuple(sorted(elsewhere))
    return Report(tuple(findings), checked, table, others, tuple(remarks), more, manner.fail_on)


def _read(files: Iterable[SourceFile], placed: Container[FilePath], most: int, bad: list[Unreadable]) -> list[Reading]:
    """Return the files as they are read, and note those that cannot be."""
    readings = []
    for file in files:
        try:
            check_size(file, most)
            readings.append(Reading(file, file.path in placed))
        except Unreadable as error:
            bad.append(error)
    return readings


def _with_imports(shapes: list[Reading], manner: Manner) -> list[Finding]:
    """Add the files that shapes import to them, and return remarks on those that cannot be had."""
    missing: dict[str, Finding | None] = {}
    while more := [each for each in imports.wanted(shapes) if each[2].value not in missing]:
        file, node, iri = more[0]
        try:
            source = imports.found(iri.value, file.path.parent, manner.maps, manner.fetch, manner.max_size)
            if source is None:
                raise Unreadable(file.path, "is not here, and is not fetched")
            missing[iri.value] = None  # it may call itself by another name
            if source.path not in {each.path for each in shapes}:
                check_size(source, manner.max_size)
                shapes.append(Reading(source))
        except Unreadable as error:
            fault = BadShapes(node, f"{iri.value}, which it imports, {error.reason}", imports.IMPORTS, iri)
            missing[iri.value] = remark(fault, shapes, "import")
    return [each for each in missing.values() if each]


def with_imports(scope: Scope, manner: Manner) -> Scope:
    """Return a scope of which a change of what its shapes import is a change of the rules. Raises Unreadable."""
    shapes = [Reading(file) for file in scope.shapes]
    _with_imports(shapes, manner)
    return replace(scope, judges=(*scope.judges, *(file.path for file in shapes)))


def _by_our_rules(
    files: Sequence[Reading], judged: Sequence[Reading], root: FilePath, manner: Manner
) -> tuple[Iterator[Finding], list[Finding]]:
    """Return findings in those of some files that are judged, and remarks on the shapes."""
    from interpol_graph.validation import vocabulary  # rdflib knows the terms, and takes a tenth of a second to import

    shapes = [file for file in files if file.graph == SHAPES]
    store = Store()
    for file in files:
        file.load(store)
    concluded = conclude(store, sorted((root / "ontology" / "rules").glob("*.rq")), stated=False)
    # Where a thing is looked for: in the data first.
    places = sorted(judged, key=lambda file: (file.graph == SHAPES, file.graph == ONTOLOGY))
    graphs = [NamedNode(file.graph) for file in judged] if len(judged) < len(files) else None
    checks = {path.stem: path for path in sorted((root / "queries" / "checks").glob("*.rq"))}
    asked_for = [path for name, path in checks.items() if not manner.rules or name in manner.rules]
    with ThreadPoolExecutor(2) as pool:  # the queries do not hold the interpreter
        answers = pool.map(partial(_offenders, store, graphs), asked_for)
        # Not from the store, which writes literals in its own way.
        stated = statements(file for file in files if file.graph != SHAPES)
        data = Index(chain(parse(concluded, RdfFormat.N_TRIPLES, lenient=True), stated))
        nodes = None if graphs is None else _nodes(judged, data)
        findings = list(vocabulary.check(judged, Index(store.quads_for_pattern(None, None, None, NamedNode(ONTOLOGY)))))
        found, remarks = by_shapes(data, places, shapes, manner, nodes)
        if not manner.rules or manner.rules - checks.keys():
            findings += found
    offenders = (each for found in answers for each in found if nodes is None or each[2]["focus"] in nodes)
    asked = [_of_check(*each, places) for each in offenders]
    # What the vocabulary check said of a place, a query of the same name need not say again.
    before = {(finding.place, finding.rule) for finding in findings}
    asked = [finding for finding in asked if (finding.place, finding.rule) not in before]
    # Shapes of ours may be there before what they are for.
    return chain(findings, asked), [each for each in remarks if each.rule != "idle-shape"]


def _nodes(files: Sequence[Reading], data: Index) -> frozenset[Term]:
    """Return the nodes that files say something of, and what they mention and no file says anything of."""
    said = [*statements(files)]
    about = {statement.subject for statement in said}
    others = {statement.object for statement in said} - about
    return frozenset(about).union(node for node in others if isinstance(node, Literal) or not data.about(node))


def _offenders(
    store: Store, graphs: Sequence[NamedNode] | None, path: FilePath
) -> list[tuple[str, dict[str, str], dict[str, Term | None]]]:
    """Return what a check query answers: the name of the check, its header, and a row by the names of its variables, for each.

    graphs: those that are judged, if not all are: `GRAPH ?graph` is one of them, unless the check names others, too.
    """
    if graphs is None or _OTHERS.search(_COMMENT.sub("", path.read_text(encoding="utf-8"))):
        rows = ask(store, path)
    else:
        rows = ask(store, path, default_graph=DefaultGraph(), named_graphs=graphs)
    if not isinstance(rows, QuerySolutions):
        raise Unreadable(path, "a check is a SELECT query that returns offenders")
    header, names = rules.header(path), [variable.value for variable in rows.variables]
    if "focus" not in names:
        raise Unreadable(path, "a check names the entity at fault ?focus")
    found = dict.fromkeys(tuple(row[name] for name in names) for row in rows)
    return [(path.stem, header, dict(zip(names, row, strict=True))) for row in found]


def _of_check(rule: str, header: dict[str, str], row: dict[str, Term | None], files: Sequence[Reading]) -> Finding:
    focus, predicate, value = (row.get(name) for name in ("focus", "property", "value"))
    # A text of another name is the check's own words.
    own = {name: term.value for name, term in row.items() if name != "value" and isinstance(term, Literal)}
    words = {name: brief(own.get(name, term)) if term else "" for name, term in row.items()}
    spot = locate(files, focus, predicate, value)
    message, mend = (_filled(header.get(name, ""), words) for name in ("message", "mend"))
    about = Result(focus, Path(predicate) if isinstance(predicate, NamedNode) else None, value)
    return Finding(*spot, rule, words["focus"], message, mend, header["severity"], about)


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)
