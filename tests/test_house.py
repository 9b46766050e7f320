"""The rules of the house: imports run downwards, nothing below the line knows Flask, modules stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "server" / "interpol_graph"

#: From the ground floor up. A module imports only from floors below its own.
FLOORS = (
    (
        "paths",
        "fields",
        "settings",
        "record",
        "journal",
        "wire",
        "places",
        "keeper",
        "failure",
        "visitor",
        "terms",
        "blanks",
        "shacl_graph",
        "excerpts",
    ),
    ("finding", "connection", "nursery", "formats", "syntax", "prefixes", "headers", "answers", "flights"),
    ("shacl_paths", "shacl_literals"),
    ("shacl_shapes", "shacl_result"),
    ("shacl_checks", "shacl_sparql"),
    ("shacl_constraints",),
    ("shacl", "crosscheck"),
    ("generation", "source", "statements", "queries", "tokens", "remote"),
    ("store", "output", "located", "rules", "scope"),
    ("whereabouts",),
    ("finder",),
    ("shacl_findings", "vocabulary", "report"),
    ("text_report", "line_reports", "sarif_report", "turtle_report"),
    ("junit_report",),
    ("reports", "validate", "evaluator"),
    ("validate_command", "inspection", "evaluators"),
    # Flask begins here.
    ("errors", "metrics", "words", "compression"),
    ("negotiate", "verdict", "turn", "gate"),
    ("engine",),
    ("rows", "protocol", "validators", "conditional"),
    ("names", "front"),
    ("bibliography", "incoming", "ledger"),
    ("dossier",),
    ("pages",),
    ("description",),
    ("sparql",),
    ("home", "entities", "ontology", "dumps", "gallery"),
    ("graphstore", "validation"),
    ("app",),
    ("service",),
    ("serve_command",),
    ("cli",),
    ("__main__",),
)
FLASK_FROM = next(floor for floor, names in enumerate(FLOORS) if "errors" in names)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def imports(path: Path) -> set[str]:
    """Return the names that a module imports: `interpol_graph.x` as `x`, others by their first part with a dot."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {f"{alias.name.split('.')[0]}." for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "interpol_graph":
            found |= {alias.name for alias in node.names} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package, _, rest = node.module.partition(".")
            found.add(rest.split(".")[0] if package == "interpol_graph" else f"{package}.")
    return found


def test_every_module_has_its_floor() -> None:
    assert {path.stem for path in MODULES} == set(FLOOR), "say in FLOORS where a module stands"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_run_downwards(path: Path) -> None:
    own = {name for name in imports(path) if not name.endswith(".")}
    upwards = {name for name in own if FLOOR[name] >= FLOOR[path.stem] and name != path.stem}
    same_floor = {name for name in upwards if FLOOR[name] == FLOOR[path.stem]}
    assert not upwards - same_floor, f"{path.stem} imports from above: {sorted(upwards)}"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if FLOOR.get(path.stem, 99) < FLASK_FROM], ids=lambda path: path.stem
)
def test_the_core_knows_no_flask(path: Path) -> None:
    assert not imports(path) & {"flask.", "werkzeug.", "granian."}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_one_noun(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, "two nouns in one room? split it"


def test_every_data_file_has_its_shape_file() -> None:
    subjects = {path.relative_to(ROOT / "data").with_suffix("").parts[0] for path in (ROOT / "data").rglob("*.ttl")}
    shapes = {path.stem for path in (ROOT / "shapes").glob("*.ttl")}
    assert subjects <= shapes, f"no shape file for {sorted(subjects - shapes)}"
    assert shapes - subjects <= {"common", "ontology"}, f"no data file for {sorted(shapes - subjects)}"
