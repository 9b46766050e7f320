"""Each check finds nothing in its good files, and in each bad one just what the file says, a row a line: `# finds: focus property value`."""

import re
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QuerySolutions, RdfFormat, Store

from interpol_graph.validation.report import shown

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "checks"
CHECKS = sorted((ROOT / "queries" / "checks").glob("*.rq"))
GRAPH = "https://w3id.org/interpol-graph/graph/"


@cache
def ontology() -> Store:
    store = Store()
    for path in sorted((ROOT / "ontology").glob("*.ttl")):
        store.load(path=str(path), format=RdfFormat.TURTLE, to_graph=NamedNode(GRAPH + "ontology"))
    return store


def rows(case: Path) -> list[dict[str, str]]:
    """What the check of a case answers about it; what it finds in the ontology itself is left out."""
    store = Store()
    store.extend(ontology())
    if case.suffix == ".trig":
        store.load(path=str(case), format=RdfFormat.TRIG)
    else:
        store.load(path=str(case), format=RdfFormat.TURTLE, to_graph=NamedNode(GRAPH + "case"))
    assert len(store) > len(ontology())
    solutions = store.query(query(case).read_text(encoding="utf-8"), use_default_graph_as_union=True)
    assert isinstance(solutions, QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    found = [{name: shown(row[name]) for name in names if row[name] is not None} for row in solutions]
    return [row for row in found if not row["focus"].startswith("interpol:")]


def query(case: Path) -> Path:
    return ROOT / "queries" / "checks" / f"{case.parent.name}.rq"


def header(check: Path) -> dict[str, str]:
    return dict(re.findall(r"^#\+ (\w+): (.+)$", check.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("case", sorted(CASES.glob("*/good*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_good_has_no_offender(case: Path) -> None:
    assert rows(case) == []


@pytest.mark.parametrize("case", sorted(CASES.glob("*/bad*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_bad_has_the_offenders_that_it_names_and_they_fill_the_message(case: Path) -> None:
    found = rows(case)
    told = {" ".join(row[name] for name in ("focus", "property", "value") if name in row) for row in found}
    assert told == set(re.findall(r"^# finds: (.+)$", case.read_text(encoding="utf-8"), re.MULTILINE)) != set()
    for row in found:
        assert set(re.findall(r"\{(\w+)\}", header(query(case))["message"])) <= set(row)


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_header_says_what_and_how_to_mend(check: Path) -> None:
    said = header(check)
    assert set(said) == {"title", "description", "message", "mend", "severity"}
    assert said["message"].endswith(".") and said["mend"].endswith(".")
    assert said["severity"] in {"error", "warning"}


def test_every_check_has_a_good_and_a_bad_case() -> None:
    for kind in ("good", "bad"):
        assert {path.parent.name for path in CASES.glob(f"*/{kind}.*")} == {check.stem for check in CHECKS}
