"""A release: the same bytes for the same graph, a manifest that is true of its files, and exactly what a change has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from jinja2 import Environment, PackageLoader, select_autoescape
from pyoxigraph import CanonicalizationAlgorithm, Dataset, NamedNode, RdfFormat, Store, parse

from interpol_graph.cli import release
from interpol_graph.engine.embedded import Embedded
from interpol_graph.engine.limits import Settings
from interpol_graph.graph import paths
from interpol_graph.graph.difference import Change, Facts, changes
from interpol_graph.graph.prefixes import ENTITIES, GRAPHS, XSD, expand, shorten
from interpol_graph.graph.prefixes import TERMS as I  # noqa: N811

#: Ten changes of facts made by hand: entity, property, what went, what came.
CHANGED = [
    ("session:84", "interpol:number", "84", "85"),
    ("session:85", "interpol:theme", '"One"@en', '"Two"@en'),
    ("session:85", "rdfs:label", '"Bali"@en', None),
    ("session:84", "interpol:theme", None, '"A theme"@en'),
    ("session:83", "interpol:number", "83", None),
    ("person:new", "interpol:gender", None, '"f"'),
    ("person:new", "rdfs:label", None, '"New"@en'),
    ("person:old", "interpol:gender", '"m"', None),
    ("person:old", "rdfs:label", '"Old"@en', None),
    ("place:kigali", "rdfs:label", '"Kigali"@en', '"Kigali (city)"@en'),
]
PREFIXES = """PREFIX interpol: <https://w3id.org/interpol-graph/ontology#> PREFIX session: <https://w3id.org/interpol-graph/id/session/>
PREFIX person: <https://w3id.org/interpol-graph/id/person/> PREFIX place: <https://w3id.org/interpol-graph/id/place/>
PREFIX source: <https://w3id.org/interpol-graph/id/source/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX graph: <https://w3id.org/interpol-graph/graph/>\n"""
CITED = """session:84 interpol:citation [ interpol:source source:{document} ; interpol:supports interpol:number, interpol:theme ;
  interpol:paragraph {paragraph} ] ; interpol:place place:kigali .
graph:derived { session:84 interpol:presidedBy person:old }"""


def facts(path: Path, column: int, document: str, paragraph: int) -> Facts:
    """Return the facts before the changes (column 2) or after them (3)."""
    rows = "".join(f"{row[0]} {row[1]} {row[column]} .\n" for row in CHANGED if row[column])
    cited = CITED.replace("{document}", document).replace("{paragraph}", str(paragraph))
    stated, _, derived = cited.partition("graph:derived")
    text = PREFIXES + "graph:stated {\n" + rows + stated + "}\n"
    if column == 2:
        text += "graph:derived" + derived
    store = Store()
    store.load(text, RdfFormat.TRIG)
    store.dump(path, RdfFormat.N_QUADS)
    return Facts(path)


@pytest.fixture
def difference(tmp_path: Path) -> list[Change]:
    before = facts(tmp_path / "before.nq", 2, "one", 1)
    return list(changes(before, facts(tmp_path / "after.nq", 3, "two", 1)))


def values(*written: str | None) -> list[str]:
    """Return values as N-Triples write them."""
    return [value if value.startswith('"') else f'"{value}"^^<{XSD}integer>' for value in written if value]


def test_exactly_what_changed_is_told(difference: list[Change]) -> None:
    found = [(shorten(one.entity), shorten(one.property), one.removed, one.added) for one in difference]
    assert len(CHANGED) == 10
    assert sorted(found) == sorted((row[0], row[1], values(row[2]), values(row[3])) for row in CHANGED)
    number = next(one for one in difference if one.entity.endswith("/84") and one.property == I + "number")
    documents = [[cited.iri.rpartition("/")[2] for cited in of_one] for of_one in (number.before, number.after)]
    assert documents == [["one"], ["two"]]


def test_nothing_is_told_where_nothing_changed_but_names_of_nodes(tmp_path: Path) -> None:
    before = facts(tmp_path / "before.nq", 2, "one", 1)
    text = (tmp_path / "before.nq").read_text()
    node = next(word for word in text.split() if word.startswith("_:"))
    (tmp_path / "again.nq").write_text(text.replace(node, "_:other"))
    assert list(changes(before, Facts(tmp_path / "again.nq"))) == []


@pytest.mark.parametrize(("document", "paragraph"), [("two", 1), ("one", 2)], ids=["document", "paragraph"])
def test_another_citation_is_a_change_of_what_it_supports(tmp_path: Path, document: str, paragraph: int) -> None:
    before = facts(tmp_path / "before.nq", 2, "one", 1)
    found = list(changes(before, facts(tmp_path / "after.nq", 2, document, paragraph)))
    assert {one.property for one in found} == {I + "number", I + "theme"}
    assert all(one.added == one.removed == [] and one.before != one.after for one in found)


def test_changesets_hold_every_value_and_document(difference: list[Change]) -> None:
    entities = [(entity, list(of_one)) for entity, of_one in groupby(difference, key=lambda one: one.entity)]
    templates = Environment(loader=PackageLoader("interpol_graph"), autoescape=select_autoescape())
    store = Store()
    text = templates.get_template("difference.ttl").render(before="1", after="2", entities=entities)
    store.load(text, RdfFormat.TURTLE)
    change = NamedNode("http://purl.org/vocab/changeset/schema#addition")
    added = sum(len(one.added) + len([d for d in one.after if d not in one.before]) for one in difference)
    assert len(list(store.quads_for_pattern(None, change, None))) == added > 5


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A part of the project, of which releases are made: its words, and the sessions with their places."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("ontology", "shapes"):
        shutil.copytree(paths.ROOT / name, folder / name)
    (folder / "data").mkdir()
    for name in ("sessions.ttl", "places.ttl"):
        shutil.copy(paths.ROOT / "data" / name, folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "_PATIENT", replace(release._PATIENT, project=str(folder)))
        yield folder


#: Of the numbers of ten sessions: the value that a hand has given them before, if any.
BY_HAND = [None, None, None, None, "1001", "1002", "1003", "1004", "1005", "1006"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, project: Path) -> list[Path]:
    """Two releases of the same, the second compared with another in which ten facts are others."""
    folder = tmp_path_factory.mktemp("releases")
    runner, places = CliRunner(), [folder / name for name in ("one", "two", "former")]
    assert runner.invoke(release.command, [str(places[0])]).exit_code == 0
    shutil.copytree(places[0], places[2])
    quads = places[2] / "dumps" / "interpol.nq"
    text = quads.read_text()
    for number, value in enumerate(BY_HAND, 71):
        session = f"<{ENTITIES}session/{number}> <{I}number> "
        fact = f'{session}"{number}"^^<{XSD}integer> <{GRAPHS}sessions> .\n'
        assert fact in text
        text = text.replace(fact, fact.replace(f'"{number}"', f'"{value}"') if value else "")
    quads.write_text(text)
    done = runner.invoke(release.command, [str(places[1]), "--previous", str(places[2])])
    assert done.exit_code == 0, done.output
    return places


def test_a_release_made_twice_is_the_same_bytes(folders: list[Path]) -> None:
    one, two = ({path.relative_to(of): path for path in of.rglob("*") if path.is_file()} for of in folders[:2])
    assert len(one) > 12 and two.keys() - one.keys() == {
        Path(name)
        for name in ("difference.en.html", "difference.fr.html", "difference.json", "difference.ttl", "site.css")
    }
    for name in one.keys() - {Path("manifest.json")}:
        assert one[name].read_bytes() == two[name].read_bytes(), name
    manifests = [json.loads((of / "manifest.json").read_bytes()) for of in folders[:2]]
    assert [manifest.pop("files") for manifest in manifests] and manifests[0] == manifests[1]


def test_the_manifest_is_true(folders: list[Path], project: Path) -> None:
    folder = folders[0]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest.items() >= Embedded(Settings(project=str(project))).about.items()
    for name, told in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert told == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}, name
    assert manifest["files"]["dumps/interpol.nt"]["sha256"] in (folder / "dumps" / "SHA256SUMS").read_text()
    quads = parse(path=folder / "dumps" / "interpol.nq", format=RdfFormat.N_QUADS)
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    canonical = "".join(sorted(f"{quad} .\n" for quad in dataset))
    assert hashlib.sha256(canonical.encode()).hexdigest() == manifest["rdfc10"], "what anybody computes"


def test_the_description_names_the_address_of_the_release(folders: list[Path]) -> None:
    text = (folders[0] / "dataset.ttl").read_text()
    assert "<https://w3id.org/interpol-graph/dumps/interpol.ttl>" in text and "localhost" not in text


@pytest.mark.parametrize(("before", "after"), [("a", "b"), ("b", "a")])
def test_what_is_called_otherwise_now_is_told_by_its_new_name(before: str, after: str) -> None:
    facts = [SimpleNamespace(values={("x:y", expand("rdfs:label")): [f'"{name}"@fr']}) for name in (before, after)]
    assert release._words(facts, "fr")["label"]("x:y") == after  # type: ignore[arg-type,operator]


def test_a_change_of_ten_facts_by_hand_is_told_as_these_ten(folders: list[Path]) -> None:
    told = json.loads((folders[1] / "difference.json").read_bytes())
    found = [(one["entity"], *change.values()) for one in told["entities"] for change in one["changes"]]
    assert [(entity, name, added, removed) for entity, _, name, added, removed, *_ in found] == [
        (f"{ENTITIES}session/{number}", I + "number", values(str(number)), values(value))
        for number, value in enumerate(BY_HAND, 71)
    ]


@pytest.mark.parametrize("speech", ["en", "fr"])
def test_the_page_shows_what_changed(folders: list[Path], speech: str) -> None:
    page = BeautifulSoup((folders[1] / f"difference.{speech}.html").read_text(), "html.parser")
    told = json.loads((folders[1] / "difference.json").read_bytes())
    assert [heading.a["href"] for heading in page.select("h2")] == [one["entity"] for one in told["entities"]]
    assert [len(page.select(f"td {kind}")) for kind in ("ins", "del")] == [10, 6]
    assert "10" in page.select_one(".lead").text and not page.select("script, [style]")  # type: ignore[union-attr]
