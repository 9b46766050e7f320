"""The finger on the line: each `# expect:` of the bad files, and of places that are hard to tell, is found where it stands."""

from __future__ import annotations

import random
import re
from functools import partial
from itertools import product, repeat
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse
from rdflib import RDF, RDFS, SDO, SKOS, Graph, URIRef

from conftest import ROOT
from interpol_graph.graph.files import SourceFile, project_files
from interpol_graph.graph.prefixes import GRAPHS, TERMS
from interpol_graph.shacl.data import Statement
from interpol_graph.validation import run, scope
from interpol_graph.validation.locator import Reading, locate
from interpol_graph.validation.positions import NOWHERE, offsets
from interpol_graph.validation.report import Finding
from interpol_graph.validation.scope import Scope

CASES = sorted((ROOT / "tests" / "shapes").glob("*/bad-*.ttl"))
SHAPES = {*(ROOT / "shapes").glob("*.ttl")}
#: The checks that hold what the ontology says of a property against the data.
OF_PROPERTIES = ("empty-text", "several-values", "unlikely-year", "wrong-kind-of-entity", "wrong-kind-of-value")
OF_TERMS = (RDF.type, SKOS.inScheme, SKOS.example, SDO.domainIncludes, SDO.rangeIncludes)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of little: the rule that gives superclasses, the checks of what the ontology says of a property, and the terms.

    There are so many of these that each folder of cases has those that it names, and all classes.
    """
    ontology, root = Graph(), tmp_path_factory.mktemp("project")
    for path in (ROOT / "ontology").glob("*.ttl"):
        ontology.parse(path)
    for name in ("ontology/rules/05-types.rq", *(f"queries/checks/{check}.rq" for check in OF_PROPERTIES)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    for folder in (ROOT / "tests" / "shapes").iterdir():
        files = [*folder.glob("*.ttl"), *SHAPES & {ROOT / "shapes" / f"{name}.ttl" for name in (folder.name, "common")}]
        named = set(re.findall(r"interpol:(\w+)", "".join(path.read_text(encoding="utf-8") for path in files)))
        asked = Graph()
        for term, predicate in product((URIRef(TERMS + name) for name in named), OF_TERMS):
            asked += ontology.triples((term, predicate, None))
        asked += ontology.triples((None, RDFS.subClassOf, None))
        asked.serialize(root / "ontology" / f"{folder.name}.nt", format="nt", encoding="utf-8")
    return root


def found(case: Path, root: Path) -> list[Finding]:
    """Return what our own engine finds in a file by the shapes of its folder, and the checks by the ontology."""
    shapes = sorted({ROOT / "shapes" / f"{name}.ttl" for name in ("common", case.parent.name)} & SHAPES)
    if case.parent.name == "ontology":
        return list(run.run(scope.foreign([case], shapes)).findings)
    terms = root / "ontology" / f"{case.parent.name}.nt"
    files = [SourceFile(case, GRAPHS + "case"), SourceFile(terms, run.ONTOLOGY)]
    files += [SourceFile(path, run.SHAPES) for path in shapes]
    return list(run.run(Scope(tuple(files), frozenset([case]), root)).findings)


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_bad_file_is_found_bad_at_its_line(case: Path, root: Path) -> None:
    lines = case.read_text(encoding="utf-8").splitlines()
    expected = {
        (number, rule) for number, line in enumerate(lines, 1) for rule in line.partition("# expect: ")[2].split()
    }
    assert expected
    findings = found(case, root)
    assert {(finding.line, finding.rule) for finding in findings} == expected
    for finding in findings:  # the column is where a term begins
        line = lines[finding.line - 1]
        assert re.match(r'[\w"<\[(+-]', line[finding.column - 1]), finding
        assert not line[: finding.column - 1].strip() or line[finding.column - 2] in " ([", finding


@pytest.mark.parametrize(
    "case", sorted((ROOT / "tests" / "shapes").glob("*/good.ttl")), ids=lambda path: path.parent.name
)
def test_a_good_file_is_found_good(case: Path, root: Path) -> None:
    assert found(case, root) == []


TURTLE = """\ufeff@prefix ex: <http://example.org/> .\r
# a comment . ; [\r
ex:a a ex:B ; ex:p "x" , \"\"\"two
lines\"\"\"@en ,
        [ ex:q 1 , 2.5 ; # ] ; .
          ex:r ( ex:i
                 [ ex:k true ] ) ] ;
\tex:z <http://example.org/#a.;> .
[ ex:m ex:n ] ex:o ex:p . [] a ex:C .
_:b ex:é "ü" , ex:last.
"""


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("a", None, None), (3, 1)),
        (("a", "p", None), (3, 15)),
        (("a", "p", '"x"'), (3, 20)),
        (("a", "p", '"two\\nlines"@en'), (3, 26)),
        (("a", "z", None), (8, 2)),
        (("a", "z", "<http://example.org/#a.;>"), (8, 7)),
        ((None, None, "2.5"), (5, 20)),
        ((None, "q", None), (5, 11)),
        ((None, "k", "true"), (7, 25)),
        ((None, None, "i"), (6, 18)),
        ((None, "m", None), (9, 3)),
        ((None, "o", "p"), (9, 20)),
        ((None, None, "C"), (9, 32)),
        ((None, "é", '"ü"'), (10, 10)),
        ((None, "é", "last"), (10, 16)),
        (("nowhere", None, None), NOWHERE),
    ],
)
def test_every_term_knows_its_place(
    tmp_path: Path, words: tuple[str | None, str | None, str | None], place: tuple[int, int]
) -> None:
    file = tmp_path / "places.ttl"
    file.write_text(TURTLE, encoding="utf-8", newline="")
    read = Reading(SourceFile(file, "urn:places"))
    names = [word if word is None or not word.isalpha() or word == "true" else f"ex:{word}" for word in words]
    written = " ".join(name or "ex:any" for name in names)
    (pattern,) = parse(f"@prefix ex: <http://example.org/> . {written} .", RdfFormat.TURTLE)
    wanted = [term if name else None for term, name in zip(pattern.triple, names, strict=True)]
    part = max((number for number, term in enumerate(wanted) if term), default=0)
    found = [
        read.place(number, part)
        for number, quad in enumerate(read.quads)
        if all(term in (None, own) for term, own in zip(wanted, quad[:3], strict=True))
    ]
    assert min(found, default=NOWHERE) == place


@pytest.mark.parametrize(
    ("said", "predicate"),
    [
        (" , ".join(f'"{number}"' for number in range(400)), "http://example.org/p"),
        (f"( {' '.join(map(str, range(400)))} )", ""),
        (f"{' '.join(f'[ ex:n {number} ; ex:p' for number in range(400))} true {']' * 400}", ""),
    ],
    ids=["values", "list", "nested"],
)
def test_a_finding_is_placed_as_quickly_among_many(tmp_path: Path, said: str, predicate: str) -> None:
    file, looked = tmp_path / "many.ttl", []

    class Looked(list[Statement]):
        def __getitem__(self, number: Any) -> Any:
            looked.append(number)
            return super().__getitem__(number)

    file.write_text(f"@prefix ex: <http://example.org/> .\nex:a ex:p {said} .\n", encoding="utf-8")
    read = Reading(SourceFile(file, "urn:many"))
    read.quads = Looked(read.quads)
    wanted = NamedNode(predicate) if predicate else None
    values = [quad.object for quad in read.quads if isinstance(quad.object, Literal)]
    places = {locate([read], NamedNode("http://example.org/a"), wanted, value) for value in values}
    assert len(places) == len(values) >= 400 and len(looked) < 4 * len(read.quads) + 4 * len(values)


def test_a_format_without_places_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "quads.trig"
    file.write_text(
        '<http://example.org/g> { <http://example.org/a> <http://example.org/b> "01"^^<http://www.w3.org/2001/XMLSchema#integer> }'
    )
    read = Reading(SourceFile(file, "urn:quads"))
    assert len(read.quads) == 1 and read.place(0, 0) == NOWHERE


def test_every_statement_of_every_file_has_a_place() -> None:
    """The tokens and the parser's statements fit each other, in the order in which this release of the parser has them."""
    files = [*project_files(), *(SourceFile(path, "urn:case") for path in CASES)]
    readings = [reading for file in files if (reading := Reading(file)).quads]
    assert len(readings) > 400
    assert [
        reading.path for reading in readings if NOWHERE in map(reading.place, range(len(reading.quads)), repeat(2))
    ] == []


def statement(dice: random.Random) -> str:
    """Return a statement of Turtle, of everything that is hard to place."""
    gap = partial(dice.choice, [" ", "\n", "\t", "\r\n ", " # c . ; [\n"])
    leaf = partial(
        dice.choice,
        [":a", "<x>", "_:b", "1", "-2.5", "+1e3", ".5", "true", '"s"', "'t. ; ['", "'x'@en", "'''l\n.'''", "'5'^^<d>", "'5'^^ # c\n :dt",
         ":x.y", ":p\\~q", '"\\""', ":é", "[]", "()"],
    )  # fmt: skip

    def value(depth: int) -> str:
        kind = dice.random() if depth < 4 else 1
        if kind < 0.2:
            return f"[{gap()}{properties(depth + 1)}{gap()}]"
        if kind < 0.45:
            return f"({gap().join(['', *(value(depth + 1) for _ in range(dice.randrange(4))), ''])})"
        return leaf()

    def properties(depth: int) -> str:
        lists = ((f"{gap()},{gap()}").join(value(depth) for _ in range(dice.randrange(1, 3))) for _ in range(2))
        return f"{gap()};{gap()}".join(dice.choice(["a", ":p", "<q>"]) + gap() + each for each in lists)

    first = dice.choice([":s", "<s>", "_:s", "[]", f"[ {properties(1)} ]", f"( {value(1)} {value(1)} )", "()"])
    return f"{first}{gap()}{properties(0)} .\n"


def test_random_turtle_is_placed() -> None:
    dice = random.Random(7)  # noqa: S311 - Turtle, not secrets
    for _ in range(2000):
        text = "@prefix : <http://example.org/> .\nBASE <http://example.org/>\n" + statement(dice) + statement(dice)
        statements = list(parse(text, RdfFormat.TURTLE))
        assert len(offsets(text, statements)) == 3 * len(statements) > 0, text


@pytest.mark.parametrize(
    "text", ["<a> <b> <c> ; <d> <<( <a> <b> <c> )>> .", "<a> <b> <c> {| <d> 1 |} .", "( . ] ;", "'"]
)
def test_what_the_tokens_do_not_fit_has_no_place(text: str) -> None:
    statements = [Quad(*[NamedNode("urn:x")] * 3)]
    assert not offsets(text, statements)


PREFIX = "@prefix : <http://example.org/> ."


@pytest.mark.parametrize(
    "text",
    [
        f"{PREFIX}\r:a :p 1 ;\r  :q §'x' .\r",
        f"{PREFIX}\r\n# all\r:a :p 1 ; # three\r :q\n  §'x' .",
        f"# only a comment\r{PREFIX}# and one more ' \r:a :q §'x' .",
        f"{PREFIX}\n:a :p 'y'@ar--rtl ;\n :q §'x'@ar--rtl .",
        f"VERSION \"1.2\"\n{PREFIX}\n:a :q §'x' .",
        f"@version '1.1' .\n{PREFIX}\n:a :q §'x' .",
        *(f"{PREFIX}\n:a :p 1 ;\n :q §{number} ." for number in (".5", "+5", "-5", "05", "-.5e1", "+0.5", "5.e0")),
    ],
)
def test_what_is_turtle_has_its_place(tmp_path: Path, text: str) -> None:
    """The place of the last value, marked here by §; that it is Turtle the parser says, and nobody else."""
    file = tmp_path / "a.ttl"
    file.write_text(text.replace("§", ""), encoding="utf-8", newline="")
    before = text[: text.index("§")].replace("\r\n", "\n").replace("\r", "\n")
    reading = Reading(SourceFile(file, "urn:x"))
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert reading.find(*reading.quads[-1][:3]) == place
