"""Each check finds nothing in its good file and something in its bad one."""

import re
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QuerySolutions, RdfFormat, Store

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "checks"
CHECKS = sorted((ROOT / "queries" / "checks").glob("*.rq"))
ONTOLOGY = "https://w3id.org/interpol-graph/ontology#"
GRAPH = "https://w3id.org/interpol-graph/graph/"


@cache
def ontology() -> Store:
    store = Store()
    for path in sorted((ROOT / "ontology").glob("*.ttl")):
        store.load(path=str(path), format=RdfFormat.TURTLE, to_graph=NamedNode(GRAPH + "ontology"))
    return store


def rows(check: Path, kind: str) -> list[dict[str, str]]:
    """What a check answers about the file of that kind; what it finds in the ontology itself is left out."""
    store = Store()
    store.extend(ontology())
    for case in (CASES / check.stem).glob(f"{kind}.*"):
        if case.suffix == ".trig":
            store.load(path=str(case), format=RdfFormat.TRIG)
        else:
            store.load(path=str(case), format=RdfFormat.TURTLE, to_graph=NamedNode(GRAPH + "case"))
    assert len(store) > len(ontology())
    solutions = store.query(check.read_text(encoding="utf-8"), use_default_graph_as_union=True)
    assert isinstance(solutions, QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    found = [{name: str(row[name]) for name in names if row[name] is not None} for row in solutions]
    return [row for row in found if ONTOLOGY not in row["focus"]]


def header(check: Path) -> dict[str, str]:
    return dict(re.findall(r"^#\+ (\w+): (.+)$", check.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_good_has_no_offender(check: Path) -> None:
    assert rows(check, "good") == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_bad_has_offenders_that_fill_the_message(check: Path) -> None:
    found = rows(check, "bad")
    assert found
    for row in found:
        assert "focus" in row
        assert set(re.findall(r"\{(\w+)\}", header(check)["message"])) <= set(row)


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_header_says_what_and_how_to_mend(check: Path) -> None:
    said = header(check)
    assert set(said) == {"title", "description", "message", "mend", "severity"}
    assert said["message"].endswith(".") and said["mend"].endswith(".")
    assert said["severity"] in {"error", "warning"}


def test_every_case_has_a_check() -> None:
    assert {path.name for path in CASES.iterdir()} == {check.stem for check in CHECKS}
