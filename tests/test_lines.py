"""The finger on the line: each `# expect:` of the bad files, and of places that are hard to tell, is found where it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rdflib import RDF, RDFS, SKOS, Graph

from conftest import ROOT
from interpol_graph.graph.files import SourceFile
from interpol_graph.validation import positions, run, scope
from interpol_graph.validation.finding import Finding
from interpol_graph.validation.positions import NOWHERE
from interpol_graph.validation.scope import Scope

CASES = sorted((ROOT / "tests" / "shapes").glob("*/bad-*.ttl"))


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> SourceFile:
    """What shapes ask of the ontology, as one file: the kind of each term, the class above it, the scheme it is in."""
    ontology, asked = Graph(), Graph()
    for path in (ROOT / "ontology").glob("*.ttl"):
        ontology.parse(path)
    for predicate in (RDF.type, RDFS.subClassOf, SKOS.inScheme):
        asked += ontology.triples((None, predicate, None))
    file = tmp_path_factory.mktemp("terms") / "terms.nt"
    asked.serialize(file, format="nt", encoding="utf-8")
    return SourceFile(file, "urn:terms")


def found(case: Path, terms: SourceFile) -> list[Finding]:
    """Return what our own engine finds in a file by the shapes of its folder."""
    shapes = {ROOT / "shapes" / f"{name}.ttl" for name in ("common", case.parent.name)}
    given = scope.foreign([case], sorted(shapes))
    frame = () if case.parent.name == "ontology" else (terms,)
    return list(run.run(Scope((*given.files, *frame), given.shown, given.root, given.shapes)).findings)


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_bad_file_is_found_bad_at_its_line(case: Path, terms: SourceFile) -> None:
    lines = case.read_text(encoding="utf-8").splitlines()
    expected = {
        (number, rule) for number, line in enumerate(lines, 1) for rule in re.findall(r"# expect: (shape:\S+)", line)
    }
    assert expected
    findings = found(case, terms)
    assert {(finding.line, finding.rule) for finding in findings} == expected
    for finding in findings:  # the column is where a term begins
        line = lines[finding.line - 1]
        assert re.match(r'[\w"<\[(+-]', line[finding.column - 1]), finding
        assert not line[: finding.column - 1].strip() or line[finding.column - 2] in " ([", finding


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
    read = positions.read(SourceFile(file, "urn:places"))
    names = [word if word is None or not word.isalpha() or word == "true" else f"ex:{word}" for word in words]
    written = " ".join(name or "ex:any" for name in names)
    (pattern,) = Graph().parse(data=f"@prefix ex: <http://example.org/> . {written} .", format="turtle")
    wanted = [term if name else None for term, name in zip(pattern, names, strict=True)]
    if wanted[2] is not None:  # literals are kept as they are written
        same = [o for o in read.graph.objects() if o.n3() == wanted[2].n3()]
        wanted[2] = same[0]
    assert read.place(*wanted) == place


def test_a_statement_without_places_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "quads.trig"
    file.write_text(
        '<http://example.org/g> { <http://example.org/a> <http://example.org/b> "01"^^<http://www.w3.org/2001/XMLSchema#integer> }'
    )
    read = positions.read(SourceFile(file, "urn:quads"))
    assert len(read.graph) == 1 and read.place(next(read.graph.subjects())) == NOWHERE
