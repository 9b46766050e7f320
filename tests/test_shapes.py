"""Each good.ttl conforms; each bad-*.ttl is stopped by the shapes that its `# expect:` comment names; test_lines.py asks of the rest."""

import re
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse
from pyshacl import validate
from rdflib import RDF, RDFS, SH, SKOS, Graph
from rdflib.term import Node

from conftest import ROOT, sampled
from interpol_graph.graph.store import APART, KnowledgeGraph
from interpol_graph.shacl.data import Index
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Validation
from interpol_graph.validation.judgement import judged

CASES = ROOT / "tests" / "shapes"
TERMS = "https://w3id.org/interpol-graph/ontology#"
SHAPES = "https://w3id.org/interpol-graph/shapes#"


@cache
def turtle(*paths: Path) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path)
    return graph


@cache
def shapes(basename: str) -> Graph:
    paths = (ROOT / f"shapes/{name}.ttl" for name in {"common", basename})
    return turtle(*filter(Path.exists, paths))


@cache
def terms() -> list[tuple[Node, Node, Node]]:
    """What shapes ask of the ontology: the kind of each term, the class above it, the scheme it is in."""
    ontology = turtle(*sorted((ROOT / "ontology").glob("*.ttl")))
    return [t for p in (RDF.type, RDFS.subClassOf, SKOS.inScheme) for t in ontology.triples((None, p, None))]


def found(case: Path) -> set[str]:
    """The names of the shapes that a file violates."""
    data = Graph().parse(case)
    if case.parent.name != "ontology":
        for term in terms():
            data.add(term)
    report = validate(data, shacl_graph=shapes(case.parent.name), inplace=True)[1]
    return {
        str(report.value(result, SH.sourceShape)).removeprefix(SHAPES) for result in report.objects(None, SH.result)
    }


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("case", sorted(CASES.glob("*/good.ttl")), ids=name)
def test_good_conforms(case: Path) -> None:
    assert found(case) == set()


def expected(case: Path) -> set[str]:
    """The names of the shapes that a file says it violates."""
    said = re.findall(r"# expect: (.+)", case.read_text(encoding="utf-8"))
    return set(re.findall(r"shape:(\S+)", " ".join(said)))


BAD = [case for case in sorted(CASES.glob("*/bad-*.ttl")) if expected(case)]
#: Of each shape file one; test_lines.py has every one judged by our own engine.
STAY = {case.parent: case for case in BAD}.values()


@pytest.mark.parametrize("case", sampled(BAD, STAY, "slow"), ids=[name(case) for case in BAD])
def test_bad_is_stopped(case: Path) -> None:
    assert found(case) == expected(case)


@cache
def shapes_of_properties() -> Graph:
    """What any SHACL engine can have of the ontology."""
    shapes = turtle(*sorted((ROOT / "ontology").glob("*.ttl"))).query(
        (ROOT / "shapes" / "properties.rq").read_text("utf-8")
    )
    assert shapes.graph is not None and len(shapes.graph) > 2000
    return shapes.graph


@pytest.mark.parametrize(
    ("case", "wrong"),
    [
        ("persons/good", ""),
        ("persons/bad-nationality-wrong-class", "value-nationality"),
        ("persons/bad-place-with-birth-date", "subject-birthDate"),
        ("common/bad-status-wrong-scheme", "value-status"),
        ("common/bad-start-date-untyped", "value-startDate"),
        ("common/bad-at-date-doubled", "value-atDate"),
    ],
)
def test_another_engine_finds_what_the_checks_find(case: str, wrong: str) -> None:
    data = turtle(CASES / f"{case}.ttl") + Graph()
    for term in terms():
        data.add(term)
    report = validate(data, shacl_graph=shapes_of_properties(), inplace=True)[1]
    assert {str(shape) for shape in report.objects(None, SH.sourceShape)} == ({SHAPES + wrong} if wrong else set())


def test_the_whole_graph_fits_what_another_engine_has(graph: KnowledgeGraph) -> None:
    of_properties = Index(parse(shapes_of_properties().serialize(format="nt"), RdfFormat.N_TRIPLES))
    whole = Index(quad for quad in graph.exact if quad.graph_name not in APART)
    assert list(judged(Validation(whole, Shapes(of_properties)))) == []


@pytest.mark.parametrize("path", sorted((ROOT / "shapes").glob("*.ttl")), ids=lambda path: path.stem)
def test_every_shape_file_has_cases(path: Path) -> None:
    assert (CASES / path.stem / "good.ttl").exists()
    assert list((CASES / path.stem).glob("bad-*.ttl"))


def test_every_data_file_has_cases() -> None:
    data = {path.stem for path in (ROOT / "data").iterdir() if path.suffix == ".ttl" or path.is_dir()}
    assert len(data) > 20
    assert data <= {path.parent.name for path in CASES.glob("*/good.ttl")}


def test_every_message_is_a_sentence() -> None:
    messages = [str(m) for p in (ROOT / "shapes").glob("*.ttl") for m in turtle(p).objects(None, SH.message)]
    assert messages
    assert [message for message in messages if not message.endswith((".", "/ontology>."))] == []


def test_every_message_has_a_case() -> None:
    graphs = [turtle(path) for path in (ROOT / "shapes").glob("*.ttl")]
    named = {str(s).removeprefix(SHAPES) for graph in graphs for s in graph.subjects(SH.message)}
    assert len(named) > 90
    assert named - set().union(*map(expected, BAD)) == set()


def test_every_term_in_a_shape_is_declared() -> None:
    ontology = turtle(*sorted((ROOT / "ontology").glob("*.ttl")))
    graphs = [turtle(path) for path in (ROOT / "shapes").glob("*.ttl")]
    used = {o for graph in graphs for o in graph.objects() if str(o).startswith(TERMS)}
    assert len(used) > 90
    assert {str(term) for term in used if (term, RDFS.isDefinedBy, None) not in ontology} == set()
