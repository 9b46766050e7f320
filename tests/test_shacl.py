"""The SHACL engine: each constraint component on a small graph, exact literals, bad shapes, and other engines' opinion."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse
from rdflib.plugins import sparql
from rdflib.plugins.sparql.parserutils import Expr

from conftest import ROOT
from interpol_graph.cli.main import main
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import APART, KnowledgeGraph
from interpol_graph.shacl import constraints, literals
from interpol_graph.shacl.data import SHACL, BadShapes, Index
from interpol_graph.shacl.shapes import Shapes
from interpol_graph.shacl.validation import Result, Validation
from interpol_graph.validation import judgement
from interpol_graph.validation.report import shown

PREFIXES = """
@prefix : <http://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
XSD = "http://www.w3.org/2001/XMLSchema#"

#: Component → what the property shape of :p asks, what the node :x has, and how many results that makes.
PROPERTIES = {
    "Class": ("sh:class :Cat", ":p :tom, :rex . :tom a :Kitten . :Kitten rdfs:subClassOf :Cat . :rex a :Dog", 1),
    "Datatype": ("sh:datatype xsd:integer", ':p 1, 007, "1", "1.0"^^xsd:integer, "7"^^xsd:nonNegativeInteger', 3),
    "NodeKind": ("sh:nodeKind sh:BlankNodeOrIRI", ":p :a, [], 'a'", 1),
    "MinCount": ("sh:minCount 2", ":p 1", 1),
    "MaxCount": ("sh:maxCount 1", ":p 1, 2, 3", 1),
    "MinExclusive": ("sh:minExclusive 2", ":p 2, 2.5, '3'", 2),
    "MinInclusive": (
        "sh:minInclusive '2015-11'^^xsd:gYearMonth",
        ":p '2015-10'^^xsd:gYearMonth, '2015-12'^^xsd:gYearMonth",
        1,
    ),
    "MaxExclusive": ("sh:maxExclusive 2", ":p 2, 1.9, '-INF'^^xsd:double", 1),
    "MaxInclusive": ("sh:maxInclusive '2015-11-05'^^xsd:date", ":p '2015-11-05'^^xsd:date, '2015-11-06'^^xsd:date", 1),
    "MinLength": ("sh:minLength 3", ":p 'ab', 'abc', 12, []", 3),
    "MaxLength": ("sh:maxLength 3", ":p 'abc', 'abcd', 'ééé'", 1),
    "Pattern": ("sh:pattern '^a.c$' ; sh:flags 'i'", r":p 'ABC', 'abcd', 'abc\n'", 2),
    "LanguageIn": ("sh:languageIn ('en' 'fr')", ":p 'a'@en, 'b'@fr-CA, 'c'@de, 'd'", 2),
    "UniqueLang": ("sh:uniqueLang true", ":p 'a'@en, 'b'@EN, 'c'@fr, 'd', 'e'", 1),
    "Equals": ("sh:equals :q", ":p 1, 2 ; :q 2, 3", 2),
    "Disjoint": ("sh:disjoint :q", ":p 1, 2 ; :q 2, 3", 1),
    "LessThan": ("sh:lessThan :q", ":p 1, 2 ; :q 2", 1),
    "LessThanOrEquals": ("sh:lessThanOrEquals :q", ":p 2, 3, 'a' ; :q 2", 2),
    "Not": ("sh:not [ sh:datatype xsd:integer ]", ":p 1, 'a'", 1),
    "And": ("sh:and ([ sh:minInclusive 1 ] [ sh:maxInclusive 3 ])", ":p 0, 2, 4", 2),
    "Or": ("sh:or ([ sh:datatype xsd:date ] [ sh:datatype xsd:gYear ])", ":p '2015'^^xsd:gYear, '2015'", 1),
    "Xone": ("sh:xone ([ sh:minInclusive 1 ] [ sh:maxInclusive 3 ])", ":p 0, 2, 4", 1),
    "Node": ("sh:node [ sh:property [ sh:path :n ; sh:minCount 1 ] ]", ":p [ :n 1 ], []", 1),
    "QualifiedMinCount": ("sh:qualifiedValueShape [ sh:class :Cat ] ; sh:qualifiedMinCount 1", ":p [ a :Dog ]", 1),
    "QualifiedMaxCount": ("sh:qualifiedValueShape [ sh:class :Cat ] ; sh:qualifiedMaxCount 0", ":p [ a :Cat ]", 1),
    "HasValue": ("sh:hasValue 1", ":p 01, 2", 1),
    "SPARQL": (
        'sh:sparql [ sh:select "SELECT $this ?value { $this $PATH ?value BIND (1 AS ?minus) FILTER (?value > ?minus) }" ]',
        ":p 1, 2, 3",
        2,
    ),
    "In": ("sh:in (1 :a 'b'@en)", ":p 1, 01, :a, 'b'@en, 'b'", 2),
}
#: Path → the values of node :x at its end.
PATHS = {
    ":p": {"a", "b"},
    "[ sh:inversePath :q ]": {"a"},
    "( :p :p )": {"b", "c"},
    "[ sh:alternativePath ( :p :q ) ]": {"a", "b", "z"},
    "[ sh:zeroOrMorePath :p ]": {"x", "a", "b", "c"},
    "[ sh:oneOrMorePath :p ]": {"a", "b", "c"},
    "[ sh:zeroOrOnePath :p ]": {"x", "a", "b"},
    "[ sh:inversePath ( :q :p ) ]": {"z"},
}
#: What is wrong with a shape → its text, and a word of the sentence that says so.
BAD = {
    "a misspelt property": ("sh:property [ sh:path :p ; sh:minCout 1 ]", "did you mean sh:minCount"),
    "a property shape without a path": ("sh:property [ sh:minCount 1 ]", "a property shape needs sh:path"),
    "two paths": ("sh:property [ sh:path :p, :q ]", "stands 2 times"),
    "a literal as path": ("sh:property [ sh:path 'p' ]", "sh:path takes"),
    "a path of one step in a list": ("sh:property [ sh:path (:p) ]", "at least two members"),
    "a count that is text": ("sh:property [ sh:path :p ; sh:minCount '1' ]", "an integer from 0"),
    "a count in other digits": ("sh:property [ sh:path :p ; sh:minCount '²'^^xsd:integer ]", "an integer from 0"),
    "a count on a node": ("sh:minCount 1", "for property shapes"),
    "two datatypes": ("sh:datatype xsd:date, xsd:gYear", "stands 2 times"),
    "an unknown kind of node": ("sh:nodeKind sh:Iri", "did you mean sh:IRI"),
    "a broken list": ("sh:in [ rdf:first 1 ]", "a well-formed list"),
    "a pattern that is none": ("sh:pattern '('", "not a regular expression"),
    "an unknown flag": ("sh:pattern 'a' ; sh:flags 'g'", "the flags 'g'"),
    "a shape that is not there": ("sh:node :Nowhere", "a shape of the shapes graph"),
    "a qualified shape without a count": (
        "sh:property [ sh:path :p ; sh:qualifiedValueShape [] ]",
        "qualifiedMinCount",
    ),
    "a target of the advanced features": ("sh:target [ sh:select 'SELECT ?this {}' ]", "sh:target is not supported"),
    "a script": ("sh:js [ ]", "sh:js is not supported"),
    "an entailment": (
        ". :graph sh:entailment <http://www.w3.org/ns/entailment/RDFS>",
        "sh:entailment is not supported",
    ),
    "recursion over a cycle": ("sh:property [ sh:path :loop ; sh:node :S ]", "recursion"),
    "a property shape within itself": (". :S sh:property :P . :P sh:path :loop ; sh:property :P", "recursion"),
    "a query that is none": ("sh:sparql [ sh:select 'SELECT $this { ?x' ]", "Expected SelectQuery"),
    "MINUS in a query": (
        "sh:sparql [ sh:select 'SELECT $this { $this ?p 1 MINUS { ?a ?b 1 } }' ]",
        "must not contain a MINUS",
    ),
    "SERVICE in a query": (
        "sh:sparql [ sh:select 'SELECT $this { SERVICE <http://a.example/> { $this ?p 1 } }' ]",
        "must not contain a federated query",
    ),
    "FROM in a query": ("sh:sparql [ sh:select 'SELECT $this FROM <http://a.example/> { }' ]", "FROM is not allowed"),
    "a query within that hides the node": (
        "sh:sparql [ sh:select 'SELECT $this { $this ?p ?o { SELECT ?o { ?o ?p 1 } } }' ]",
        "must be selected from a nested SELECT",
    ),
    "a query without a query": ("sh:sparql [ ]", "sh:select"),
}


def turtle(text: str) -> Iterable[Quad]:
    return list(parse(PREFIXES + text, format=RdfFormat.TURTLE))


def results(data: str, shapes: str, judge: judgement.Judge = "own") -> list[Result]:
    return judged(Index(turtle(data)), Index(turtle(shapes)), judge)


def judged(data: Index, rules: Index, judge: judgement.Judge = "own") -> list[Result]:
    """What strict judgement has to say."""
    shapes = Shapes(rules)
    for fault in shapes.faults:
        raise fault
    return list(judgement.judged(Validation(data, shapes, shown), judge))


def marks(found: Iterable[Result]) -> Counter[tuple[object, ...]]:
    """What two engines must agree on, without the names of blank nodes, which they do not share."""
    return Counter(
        (str(r.path), *(isinstance(t, BlankNode) or t for t in (r.focus, r.value, r.shape, r.component, r.severity)))
        for r in found
    )


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_constraint(name: str) -> None:
    asked, data, number = PROPERTIES[name]
    found = results(
        f":x {data} .", f":S sh:targetNode :x ; sh:property [ sh:path :p ; {asked} ; sh:severity sh:Info ] ."
    )
    component = "SPARQLConstraintComponent" if name == "SPARQL" else f"{name}ConstraintComponent"
    assert [result.component.value for result in found] == [SHACL + component] * number
    for result in found:
        assert str(result.focus) == "<http://example.org/x>"
        assert str(result.path) == "<http://example.org/p>"
        assert result.severity.value == SHACL + "Info"
        assert result.message


@pytest.mark.parametrize("judge", ["own", "pyshacl"])
def test_no_result_is_lost_or_merged(tmp_path: Path, judge: str) -> None:
    """Results that differ in their path, value, component or shape alone, or in nothing at all: one of each in every format."""
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    data.write_text(PREFIXES + ":x :r 'a'@en , 'b'@en , 'c'@fr , 'd'@fr ; :s 1 , 2 .\n")
    shapes.write_text(
        PREFIXES
        + """:S sh:targetNode :x ; sh:message "No." ; sh:closed true ; sh:ignoredProperties (:r) ; sh:property
        [ sh:path :p ; sh:minCount 1 ; sh:message "No." ] , [ sh:path :q ; sh:minCount 1 ; sh:message "No." ] ,
        [ sh:path :p ; sh:minCount 1 ; sh:message "No." ] , [ sh:path :r ; sh:uniqueLang true ; sh:message "No." ] ,
        [ sh:path :p ; sh:hasValue 1 , 2 ; sh:message "No." ] ."""
    )
    arguments = ["validate", str(data), "--shapes", str(shapes), "--judge", judge, "--format"]
    found = json.loads(CliRunner().invoke(main, [*arguments, "json"]).stdout)["findings"]
    kinds = Counter(
        (item["component"].removesuffix("ConstraintComponent"), item["path"].rpartition("/")[2]) for item in found
    )
    assert kinds == {
        ("sh:MinCount", "p"): 2, ("sh:MinCount", "q"): 1, ("sh:UniqueLang", "r"): 2, ("sh:HasValue", "p"): 2, ("sh:Closed", "s"): 2,
    }  # fmt: skip
    assert {item["value"] for item in found if item["component"].startswith("sh:Closed")} == {
        '"1"^^xsd:integer',
        '"2"^^xsd:integer',
    }
    report = CliRunner().invoke(main, [*arguments, "turtle"]).stdout
    assert report.count("a sh:ValidationResult") == len(found) == 9


def test_rdflib_is_afterwards_as_it_was() -> None:
    """Whoever imports the package may use rdflib for something else."""

    def settings() -> tuple[object, ...]:
        return Expr.eval, sparql.SPARQL_LOAD_GRAPHS, logging.getLogger("rdflib.term").level

    before = settings()
    assert results(":x :p 1 .", ":S sh:targetNode :x ; sh:nodeKind sh:Literal .", "pyshacl")
    with pytest.raises(BadShapes):
        results(":x :p 1 .", ":S sh:targetNode :x ; sh:sparql [ sh:select 'SELECT $this FROM <x:y> {}' ] .", "pyshacl")
    assert settings() == before


def test_a_message_of_ours_names_the_path() -> None:
    shapes = (
        ":S sh:targetNode :x ; sh:property [ sh:path ( rdf:type [ sh:inversePath rdfs:label ] ) ; sh:minCount 2 ] ."
    )
    (result,) = results("", shapes)
    assert result.message == "There are fewer than 2 values of (rdf:type/(^rdfs:label))."


def test_every_component_has_its_case() -> None:
    tried = {name.lower() for name in PROPERTIES}
    assert {name.lower() for name in constraints.COMPONENTS} <= tried


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    data = ":x :p :a, :b ; :q :z . :a :p :b, :c ; :q :x . :b :p :c . :z :p :y . :y :q :x ."
    data = data.replace(":y :q :x", ":y :r :x") + " :z :q :w . :w :p :x ."
    found = results(data, f":S sh:targetNode :x ; sh:property [ sh:path {path} ; sh:in () ] .")
    assert {str(result.value).rpartition("/")[2].rstrip(">") for result in found} == PATHS[path]
    assert {result.path for result in found} == {found[0].path}


def test_the_targets() -> None:
    data = ":a a :Kitten . :Kitten rdfs:subClassOf :Cat . :b :p :c . :d a :Shape . :e a :Class ."
    asked = "sh:nodeKind sh:Literal"
    shapes = (
        f":S1 sh:targetNode :n, 'text' ; {asked} . :S2 sh:targetClass :Cat ; {asked} . :S3 sh:targetSubjectsOf :p ; {asked} ."
        f":S4 sh:targetObjectsOf :p ; {asked} . :Shape a sh:NodeShape, rdfs:Class ; {asked} ."
        f":Class a sh:NodeShape, <http://www.w3.org/2002/07/owl#Class> ; {asked} ."
        f":Off sh:targetClass :Cat ; sh:deactivated true ; {asked} ."
    )
    found = {(str(r.focus)[-2:-1], str(r.shape).rpartition("/")[2][:-1]) for r in results(data, shapes)}
    assert found == {("n", "S1"), ("a", "S2"), ("b", "S3"), ("c", "S4"), ("d", "Shape"), ("e", "Class")}


def test_a_closed_shape() -> None:
    shapes = ":S sh:targetNode :x ; sh:closed true ; sh:ignoredProperties (rdf:type) ; sh:property [ sh:path :p ] ."
    (result,) = results(":x a :Cat ; :p 1 ; :q 2 .", shapes)
    assert (str(result.path), str(result.component)) == (
        "<http://example.org/q>",
        f"<{SHACL}ClosedConstraintComponent>",
    )
    assert isinstance(result.value, Literal) and result.value.value == "2"


def test_a_component_of_ones_own() -> None:
    shapes = """
        :C a sh:ConstraintComponent ; sh:parameter [ sh:path :least ] ;
            sh:validator [ a sh:SPARQLAskValidator ; sh:ask "ASK { FILTER ($value >= $least) }" ; sh:message "under {$least}" ] .
        :S sh:targetNode :x ; sh:property [ sh:path :p ; :least 5 ] ."""
    (result,) = results(":x :p 4, 5, 6 .", shapes)
    assert (result.message, str(result.component)) == ("under 5", "<http://example.org/C>")


def test_the_vocabulary_of_shacl_may_stand_among_the_shapes() -> None:
    shapes = """
        sh:MinCountConstraintComponent a sh:ConstraintComponent ; sh:parameter [ a sh:Parameter ; sh:path sh:minCount ] .
        :S sh:targetNode :x ; sh:property [ sh:path :p ; sh:minCount 1 ] ."""
    assert len(results("", shapes)) == 1


def test_messages_for_people_are_the_english_ones() -> None:
    shapes = ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:minCount 1 ; sh:message 'Un nom manque.'@fr, 'A name is missing.'@en ] ."
    (result,) = results("", shapes)
    assert result.message == "A name is missing." and len(result.messages) == 2


def test_literals_are_judged_as_written() -> None:
    data = ':x :p "7700"^^xsd:nonNegativeInteger, "007"^^xsd:integer, 7, "1"^^xsd:boolean, true .'
    shapes = (
        ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:datatype xsd:integer ], [ sh:path :p ; sh:in (7 true) ] ."
    )
    found = results(data, shapes)
    wrong = {str(r.value) for r in found if "Datatype" in r.component.value}
    assert f'"7700"^^<{XSD}nonNegativeInteger>' in wrong and f'"007"^^<{XSD}integer>' not in wrong
    missing = {str(r.value) for r in found if r.component.value.endswith("#InConstraintComponent")}
    assert missing == {f'"7700"^^<{XSD}nonNegativeInteger>', f'"007"^^<{XSD}integer>', f'"1"^^<{XSD}boolean>'}


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("integer", "+7 007 -0", "7.0 1e3 x"),
        ("byte", "127 -128", "128 -129"),
        ("nonNegativeInteger", "0 7", "-1"),
        ("decimal", "1 1. .5 -0.50", "1e3 INF ."),
        ("double", "1 1e3 INF -INF NaN", "inf 1e"),
        ("boolean", "true false 0 1", "True yes"),
        ("date", "2016-02-29 2015-11-02Z 2015-11-02+14:00", "2015-02-29 2015-13-01 2015-1-1 15-01-01"),
        ("dateTime", "2015-11-02T24:00:00 2015-11-02T10:00:00.5-05:00", "2015-11-02 2015-11-02T25:00:00"),
        ("time", "10:00:00 24:00:00Z", "10:00 24:00:01"),
        ("gYear", "2015 -0044", "15 02015"),
        ("gYearMonth", "2015-11", "2015-13 2015"),
        ("duration", "P1Y PT1S P1Y2M3DT4H5M6.7S", "P 1Y PT P1YT"),
        ("hexBinary", "0aFF", "0a0 xy"),
        ("language", "en fr-CA", "en_GB abcdefghij"),
    ],
)
def test_the_forms_of_a_datatype(datatype: str, good: str, bad: str) -> None:
    def fits(text: str) -> bool:
        return literals.well_formed(Literal(text, datatype=NamedNode(XSD + datatype)))

    assert [text for text in good.split() if not fits(text)] == []
    assert [text for text in (*bad.split(), f" {good.split()[0]}") if fits(text)] == []


@pytest.mark.parametrize(
    ("datatype", "left", "right", "less"),
    [
        ("dateTime", "2015-11-02T23:00:00Z", "2015-11-02T23:00:00-01:00", True),
        ("dateTime", "2015-11-02T10:00:00", "2015-11-02T12:00:00Z", False),
        ("dateTime", "2015-11-01T10:00:00", "2015-11-02T12:00:00Z", True),
        ("date", "2015-12-31", "2016-01-01", True),
        ("gYear", "-0044", "0014", True),
        ("dayTimeDuration", "PT36H", "P2D", True),
        ("yearMonthDuration", "P11M", "P1Y", True),
        ("double", "NaN", "1", False),
        ("string", "a", "b", True),
        ("boolean", "0", "true", True),
        ("hexBinary", "00", "01", False),
    ],
)
def test_the_order_of_literals(datatype: str, left: str, right: str, less: bool) -> None:
    a, b = (Literal(text, datatype=NamedNode(XSD + datatype)) for text in (left, right))
    assert (literals.less(a, b), literals.less(b, a)) == (less, False)


@pytest.mark.parametrize("fault", BAD)
def test_bad_shapes_are_refused_by_name(fault: str) -> None:
    text, words = BAD[fault]
    with pytest.raises(BadShapes, match=re.escape(words)):
        results(":x :loop :y . :y :loop :x .", f":S a sh:NodeShape ; sh:targetNode :x ; {text} .")


def test_shapes_that_refer_to_themselves_are_followed_as_far_as_the_data_lead() -> None:
    shapes = ":S sh:targetNode :x ; sh:property [ sh:path :child ; sh:node :S ], [ sh:path :name ; sh:minCount 1 ] ."
    data = ":x :name 'x' ; :child :y . :y :name 'y' ; :child :z ."
    assert len(results(data + " :z :name 'z' .", shapes)) == 0
    assert len(results(data, shapes)) == 1


def test_bad_shapes_end_2_with_the_place(tmp_path: Path) -> None:
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    data.write_text(PREFIXES + ":x :p 1 .\n")
    shapes.write_text(
        PREFIXES + ":S a sh:NodeShape ;\n  sh:targetNode :x ;\n  sh:property [\n    sh:path :p ; sh:minCout 1 ] .\n"
    )
    arguments = ["validate", str(data), "--shapes", str(shapes)]
    result = CliRunner().invoke(main, [*arguments, "--strict"])
    assert result.exit_code == 2
    assert "shapes.ttl:10:" in result.output and "did you mean sh:minCount" in result.output
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert "shapes.ttl:10:18: warning: blank node: sh:minCout is no term" in result.output and "10 |" in result.output


def test_blank_nodes_are_found_on_their_lines(tmp_path: Path) -> None:
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    lines = [
        "@prefix : <http://example.org/> .",
        ":a :has [ :n 1 ] ,",
        "  [ :n 'bad' ; :has ( 1",
        "    [ :n 'bad too' ] ) ] .",
        "_:b :n 'bad as well' ;",
        "  :has _:c . _:c :m [ :n 'and this' ] .",
    ]
    data.write_text("\n".join(lines) + "\n")
    shapes.write_text(PREFIXES + ":S sh:targetSubjectsOf :n ; sh:property [ sh:path :n ; sh:datatype xsd:integer ] .\n")
    result = CliRunner().invoke(main, ["validate", str(data), "--shapes", str(shapes), "--format", "github"])
    found = {
        int(line.partition("line=")[2].partition(",")[0]) for line in result.output.splitlines() if "line=" in line
    }
    assert found == {number for number, line in enumerate(lines, 1) if "'" in line}


def test_shapes_that_check_nothing_are_refused(tmp_path: Path) -> None:
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    data.write_text(PREFIXES + ":S sh:targetNode :x ; sh:nodeKind sh:Literal .\n")
    shapes.write_text(PREFIXES + ":x :p 1 .\n")
    result = CliRunner().invoke(main, ["validate", str(data), "--shapes", str(shapes)])
    assert result.exit_code == 2 and "no shape with a target" in result.output


def test_a_triple_as_a_term_is_refused(tmp_path: Path) -> None:
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    data.write_text(PREFIXES + ":x :p <<( :a :b :c )>> .\n")
    shapes.write_text(PREFIXES + ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:nodeKind sh:IRI ] .\n")
    result = CliRunner().invoke(main, ["validate", str(data), "--shapes", str(shapes)])
    assert result.exit_code == 2 and "a triple as a term" in result.output


@pytest.mark.parametrize("judge", ["own", "pyshacl"])
def test_findings_stand_on_their_lines(tmp_path: Path, judge: str) -> None:
    data, shapes = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    lines = [
        "@prefix : <http://example.org/> . PREFIX other: <http://example.org/>",
        ":a :text 'one. two # three' ; :n 1.5 . # a comment. with stops",
        ':b :text """a quote: " and. a stop .',
        '  <http://example.org/none> . \\" # no comment .',
        '""" ; :n 2 . :c :n 3, \'bad\' .',
        "<http://example.org/d> :n 'bad' . other:e",
        "  :n 4 , 'bad' .",
        ":f.g :n 5 ; :o :h\\~x . :h\\~x :n 'bad' . <i> :n 'bad'.",
    ]
    data.write_text("\n".join(lines) + "\n")
    shapes.write_text(
        PREFIXES + ":S sh:targetSubjectsOf :n ; sh:property [ sh:path :n ; sh:nodeKind sh:IRI ; sh:maxCount 0 ] .\n"
    )
    arguments = ["validate", str(data), "--shapes", str(shapes), "--format", "json", "--judge", judge]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    found = {(item["focus"].rpartition("/")[2], item["line"]) for item in json.loads(result.stdout)["findings"]}
    assert found == {
        ("a", 2),
        ("b", 5),
        ("c", 5),
        ("d", 6),
        ("e", 7),
        ("f.g", 8),
        ("h~x", 8),
        ("i", 8),
    }


@pytest.fixture(scope="module")
def whole(graph: KnowledgeGraph) -> Index:
    return Index(quad for quad in graph.exact if quad.graph_name not in APART)


@pytest.fixture(scope="module")
def rules(graph: KnowledgeGraph) -> Index:
    return Index(graph.exact.quads(NamedNode(GRAPHS + "shapes")))


@pytest.fixture(scope="module")
def piece(whole: Index, rules: Index) -> Index:
    """Four nodes of each kind that a shape is aimed at, and what they mention."""
    shapes = Shapes(rules)
    run = Validation(whole, shapes)
    nodes = {node for root in shapes.roots for node in sorted(run.targets(root), key=str)[:4]}
    nodes |= {value for node in nodes for _, value in whole.about(node)}
    return Index(statement for statement in whole.statements() if statement.subject in nodes)


@pytest.mark.slow
def test_both_engines_agree_on_the_whole_graph(whole: Index, rules: Index) -> None:
    assert judged(whole, rules) == judged(whole, rules, "pyshacl") == []


@pytest.mark.parametrize(
    ("part", "gone", "wrong", "least"),
    [("piece", 5, 3, 70), pytest.param("whole", 97, 101, 20, marks=pytest.mark.slow)],
)
def test_both_engines_agree_on_the_damaged_graph(
    request: pytest.FixtureRequest, rules: Index, part: str, gone: int, wrong: int, least: int
) -> None:
    """Of so many statements each, one is gone and one has a value of another; at least so many shapes say so."""
    statements = [Quad(s, p, o) for s, p, o, _ in request.getfixturevalue(part).statements()]
    values = [quad.object for quad in statements]
    damaged = Index(
        Quad(quad.subject, quad.predicate, values[place // 2])
        if place % wrong == 0 and not isinstance(values[place // 2], BlankNode)  # which pySHACL compares with nothing
        else quad
        for place, quad in enumerate(statements)
        if place % gone
    )
    ours, theirs = (marks(judged(damaged, rules, judge)) for judge in ("own", "pyshacl"))
    assert ours.total() > 1000
    assert len({mark[3] for mark in ours}) >= least
    assert theirs - ours == Counter()
    # Values that do not compare, such as a day and an IRI, break a bound, as SHACL has it; pySHACL lets some of them pass.
    assert {str(mark[4]) for mark in ours - theirs} <= {
        f"<{SHACL}{name}ConstraintComponent>" for name in ("MinInclusive", "MaxInclusive", "LessThanOrEquals")
    }
    assert (ours - theirs).total() < 10


def test_shapes_of_the_project_are_read() -> None:
    names = {path.stem for path in (ROOT / "shapes").glob("*.ttl")}
    shapes = Index(quad for name in sorted(names) for quad in parse(path=ROOT / "shapes" / f"{name}.ttl"))
    assert len(Shapes(shapes).roots) > 50


@pytest.mark.parametrize("length", [10, 60, 120, 3000])
def test_shapes_within_shapes_reach_the_same_verdict_at_any_length(length: int) -> None:
    """A list against a shape of lists that refers to itself, a chain of nodes, and property shapes one in another."""
    items = " ".join(map(str, range(length)))
    lists = ":L sh:or ( [ sh:hasValue () ] [ sh:property [ sh:path rdf:first ; sh:datatype xsd:integer ], [ sh:path rdf:rest ; sh:minCount 1 ; sh:node :L ] ] ) . :S sh:targetNode :x ; sh:property [ sh:path :p ; sh:node :L ] ."
    assert results(f":x :p ({items}) .", lists) == []
    assert len(results(f":x :p ({items} 'no') .", lists)) == 1
    chain = " ".join(f":n{number} :next :n{number + 1} ." for number in range(length))
    shapes = ":S sh:targetNode :n0 ; sh:property [ sh:path :next ; sh:node :N ] . :N sh:property [ sh:path :next ; sh:node :N ], [ sh:path :bad ; sh:maxCount 0 ] ."
    assert results(chain, shapes) == []
    assert len(results(chain + f" :n{length} :bad 1 .", shapes)) == 1
    nested = ":S sh:targetNode :n0 ; sh:property :P . :P sh:path :next ; sh:nodeKind sh:IRI ; sh:property :P ."
    assert len(results(chain + f" :n{length} :next 'end' .", nested)) == 1


def test_a_chain_that_comes_back_is_recursion_however_long() -> None:
    chain = " ".join(f":n{number} :next :n{(number + 1) % 500} ." for number in range(500))
    shapes = ":S sh:targetNode :n0 ; sh:node :N . :N sh:property [ sh:path :next ; sh:node :N ] ."
    with pytest.raises(BadShapes, match="recursion is not supported"):
        results(chain, shapes)


@pytest.mark.parametrize(
    ("pattern", "flags", "fitting", "other"),
    [
        ("^[a-z-[aeiou]]+$", "", "bcd", "bad"),
        (r"^\p{L}+$", "", "Zoë", "a1"),
        (r"^\p{IsGreek}+$", "", "αβγ", "abc"),
        (r"^\i\c*$", "", "a-b", "1a"),
        (r"^a b [ ]c#$", "x", "ab c#", "ab c"),
        ("^a.c$", "", "abc", "a\rc"),
        ("^a$", "", "a", "a\n"),
        ("^b$", "m", "a\nb", "ab"),
        ("a.c", "q", "a.c", "abc"),
        ("^(?=a)\\w+$", "", "abc", "bcd"),
        (r"^\\p$", "", "\\p", "a"),
    ],
)
def test_patterns_are_those_of_xpath(pattern: str, flags: str, fitting: str, other: str) -> None:
    found = literals.pattern(pattern, flags)
    assert found.search(fitting) and not found.search(other)


#: What a shapes graph holds of what is not SHACL → the words of the remark; the rest is judged.
STRAY = {
    "sh:shape :x ;": "sh:shape is no term of SHACL",
    "sh:message: 'x' ;": "did you mean sh:message?",
    "sh:dataType xsd:date ;": "did you mean sh:datatype?",
    "sh:group: :x ;": "did you mean sh:group?",
    "sh:property [ sh:path :z ; sh:datatype sh:dateTime ] ;": "sh:dateTime is no term of SHACL",
    "sh:target [ sh:select 'SELECT ?this {}' ] ;": "sh:target is not supported",
    "sh:rule [ ] ;": "sh:rule is not supported",
    "sh:js [ ] ;": "sh:js is not supported",
    "sh:entailment <http://www.w3.org/ns/entailment/RDFS> ;": "sh:entailment is not supported",
    "sh:property [ sh:minCount 1 ] ;": "a property shape needs sh:path",
    "sh:property [ sh:path :q ; sh:minCount 'one' ] ;": "sh:minCount takes an integer from 0",
    "sh:property [ sh:path :q ; sh:pattern '(' ] ;": "sh:pattern cannot be used",
    "sh:property [ sh:path :q ; sh:or ( [ sh:path 'x' ] ) ] ;": "depends on a shape that cannot be used",
    "sh:message :x ;": "sh:message takes a string",
    "sh:not [ sh:property [ sh:path :p ; sh:minCount 'x' ] ] ;": "sh:minCount takes an integer",
    "sh:not [ sh:node [ sh:property [ sh:path :p ; sh:datatype 'x' ] ] ] ;": "depends on a shape that cannot be used",
    "sh:xone ( [ sh:property [ sh:path :p ; sh:datatype 'x' ] ] [ sh:nodeKind sh:IRI ] ) ;": "sh:datatype takes an IRI",
    "sh:property [ sh:path :p ; sh:qualifiedMaxCount 0 ; sh:qualifiedValueShape [ sh:property [ sh:path :q ; sh:maxCount 'x' ] ] ] ;": "sh:maxCount takes",
}


@pytest.mark.parametrize("judge", ["own", "pyshacl"])
def test_what_is_not_shacl_is_told_and_the_rest_judged(tmp_path: Path, judge: str) -> None:
    """All of it in one run, each at its line; `--strict` refuses, and tells all of it, too."""
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p 'text' .\n")
    lines = [f":S{number} sh:targetNode :x ; {text} sh:nodeKind sh:IRI ." for number, text in enumerate(STRAY)]
    bad = ":Bad sh:targetNode :x ; sh:property [ sh:path :p ; sh:datatype xsd:integer ] ."
    (tmp_path / "shapes.ttl").write_text(PREFIXES + "\n".join([*lines, bad]) + "\n")
    arguments = ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl"), "--judge", judge]
    result = CliRunner().invoke(main, [*arguments, "--format", "json"])
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert [item["component"] for item in report["findings"]] == ["sh:DatatypeConstraintComponent"]
    said = [(remark["line"], remark["message"]) for remark in report["remarks"]]
    refused = CliRunner().invoke(main, [*arguments, "--strict"])
    assert refused.exit_code == 2
    for number, words in enumerate(STRAY.values(), PREFIXES.count("\n") + 1):
        assert any(line == number and words in message for line, message in said), (words, said)
        assert re.search(rf"shapes\.ttl:{number}:\d+: [^\n]*{re.escape(words)}", refused.stderr), refused.stderr


@pytest.mark.parametrize("judge", ["own", "pyshacl"])
@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("sh:property [ sh:path :p ; sh:minCount 1.0 ; sh:nodeKind sh:IRI ]", {"NodeKind"}),
        ("sh:property [ sh:path :p ; sh:minCount 5 , 6 ; sh:maxCount 0 ]", {"MaxCount"}),
        ("sh:property [ sh:path :p ; sh:pattern '^x' ; sh:flags 1 ; sh:minLength 9 ]", {"MinLength"}),
        ("sh:closed true ; sh:ignoredProperties :p ; sh:nodeKind sh:Literal", {"NodeKind"}),
        (
            "sh:property [ sh:path :p ; sh:qualifiedValueShape [ ] ; sh:qualifiedMaxCount 'x' ; sh:maxCount 0 ]",
            {"MaxCount"},
        ),
        ("sh:nodeKind sh:Literal ; sh:node :Nowhere", {"NodeKind"}),
        ("sh:node [ sh:nodeKind sh:Literal ; sh:node :Nowhere ]", {"Node"}),
        ("sh:and ( [ sh:nodeKind sh:Literal ; sh:hasValue :x ; sh:datatype 'x' ] )", {"And"}),
        ("sh:not [ sh:nodeKind sh:IRI ; sh:datatype 'x' ] ; sh:nodeKind sh:Literal", set()),
        ("sh:targetClass 'x' ; sh:nodeKind sh:Literal", set()),
        ("sh:deactivated 'false' ; sh:nodeKind sh:Literal", set()),
    ],
)
def test_an_ill_formed_constraint_takes_no_other_along(tmp_path: Path, judge: str, shape: str, found: set[str]) -> None:
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p 'text' .\n")
    (tmp_path / "shapes.ttl").write_text(PREFIXES + f":S sh:targetNode :x ; {shape} .\n")
    arguments = ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl"), "--judge", judge]
    report = json.loads(CliRunner().invoke(main, [*arguments, "--format", "json"]).stdout)
    assert {item["component"] for item in report["findings"]} == {f"sh:{name}ConstraintComponent" for name in found}
    assert "shapes-fault" in {remark["rule"] for remark in report["remarks"]}


def test_a_shape_that_finds_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p 1 .\n")
    (tmp_path / "shapes.ttl").write_text(
        PREFIXES + ":S sh:targetClass :Nothing ; sh:nodeKind sh:IRI .\n:T sh:targetNode :x .\n"
    )
    result = CliRunner().invoke(
        main, ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl"), "--fail-on", "info"]
    )
    assert result.exit_code == 0
    assert (
        "shapes.ttl:7:1: info: http://example.org/S: the shape has a target, and nothing in the data" in result.stdout
    )
    assert "example.org/T" not in result.stdout


@pytest.mark.parametrize("judge", ["own", "pyshacl"])
def test_one_shape_or_one_node_alone(tmp_path: Path, judge: str) -> None:
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p 'x' . :y :p 'y' ; :q 1 .\n")
    (tmp_path / "shapes.ttl").write_text(
        PREFIXES
        + ":S sh:targetNode :x, :y ; sh:property :P, :Q . :P sh:path :p ; sh:nodeKind sh:IRI . :Q sh:path :q ; sh:maxCount 0 .\n"
        ":T sh:targetNode :x ; sh:nodeKind sh:Literal .\n"
    )

    def found(*arguments: str) -> set[tuple[str, str]]:
        named = [str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl"), "--judge", judge]
        result = CliRunner().invoke(main, ["validate", *named, *arguments, "--format", "json"])
        assert result.exit_code == 1, result.output
        return {(item["focus"][-1], item["shape"][-1]) for item in json.loads(result.stdout)["findings"]}

    assert found() == {("x", "P"), ("y", "P"), ("y", "Q"), ("x", "T")}
    assert found("--shape", "http://example.org/P") == {("x", "P"), ("y", "P")}
    assert found("--shape", "http://example.org/S") == {("x", "P"), ("y", "P"), ("y", "Q")}
    assert found("--focus", "http://example.org/y") == {("y", "P"), ("y", "Q")}
    assert found("--focus", "http://example.org/x", "--shape", "http://example.org/T") == {("x", "T")}
    named = ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl")]
    result = CliRunner().invoke(main, [*named, "--shape", "http://example.org/R"])
    assert result.exit_code == 2 and "holds no shape http://example.org/R; did you mean" in result.stderr


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("ROUND(?value) > 0", {"1", "2.5"}),
        ("SUBSTR('abc', ?value) = 'bc'", set()),
        ("1 / ?value > 0", {"1", "2.5"}),
        (r"REGEX(STR(?value), '^\\\\p{L}+$')", {"INF", "abc"}),
        (r"REPLACE(STR(?value), '^(\\\\p{L}).*', '$1\\\\$') IN ('I$', 'a$')", {"INF", "abc"}),
        ("REGEX(STR(?value), '(')", set()),
        ("REPLACE(STR(?value), '(', '') = ''", set()),
        ("?value < '0500-01-01'^^xsd:date", set()),
        ("YEAR(?value) < 1", set()),
    ],
)
def test_an_error_of_an_expression_counts_as_sparql_says(condition: str, found: set[str]) -> None:
    """The row is no answer; nothing else ends."""
    select = f"SELECT $this ?value {{ $this :p ?value FILTER ({condition}) }}"
    shapes = f':S sh:targetNode :x ; sh:sparql [ sh:prefixes :O ; sh:select """{select}""" ] . :O sh:declare [ sh:prefix "" ; sh:namespace "http://example.org/"^^xsd:anyURI ], [ sh:prefix "xsd" ; sh:namespace "{XSD}"^^xsd:anyURI ] .'
    data = ":x :p 1, 2.5, 0, 'abc', 'INF'^^xsd:double, '-0044-03-15'^^xsd:date, '0000-01-01'^^xsd:date ."
    values = {result.value.value for result in results(data, shapes) if isinstance(result.value, Literal)}
    assert values >= found and not values - found - {"INF", "-0044-03-15", "0000-01-01"}


def test_a_query_that_cannot_be_evaluated_ends_2(tmp_path: Path) -> None:
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p :y . :y :m :x .\n")
    select = "SELECT $this ?value { $this !(:n|^:m) ?value }"
    shapes = f':S sh:targetNode :x ; sh:sparql [ sh:prefixes :O ; sh:select "{select}" ] . :O sh:declare [ sh:prefix "" ; sh:namespace "http://example.org/"^^xsd:anyURI ] .\n'
    (tmp_path / "shapes.ttl").write_text(PREFIXES + shapes)
    result = CliRunner().invoke(
        main, ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "shapes.ttl")]
    )
    assert result.exit_code == 2 and re.search(r"shapes\.ttl:7:\d+: [^\n]*pySHACL cannot", result.stderr), result.output


def test_no_input_ends_in_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that nobody thought of: 1 would say that something was found."""
    (tmp_path / "data.ttl").write_text(PREFIXES + ":x :p 1 .\n")

    def fails(*_: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("interpol_graph.validation.run.by_shapes", fails)
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "data.ttl"), "--shapes", str(tmp_path / "data.ttl")])
    assert result.exit_code == 2 and "a fault of interpol-graph" in result.stderr and "Traceback" not in result.output
