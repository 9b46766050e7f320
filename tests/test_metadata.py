"""What machines read of pages: descriptions, addresses, structured data, site maps; each can be followed and parsed."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from rdflib import DCTERMS, Graph, Namespace, URIRef

from interpol_graph.graph.prefixes import BASE, ENTITIES
from interpol_graph.graph.questions import saved
from interpol_graph.graph.store import KnowledgeGraph

BROWSER = {"Accept": "text/html"}
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
MAPS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
PAGES = (
    "/", "/queries/", "/queries/president-on-day", "/api/", "/browse/", "/browse/Country", "/dumps/", "/ontology", "/sparql",
    "/validate", "/validate/rules", "/page/session/84", "/page/ontology/isoCode", "/page/source/ga84-closing",
)  # fmt: skip


def page(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address.removeprefix("http://localhost"), headers=BROWSER)
    assert answer.status_code == 200, address
    return BeautifulSoup(answer.text, "html.parser")


def links(soup: BeautifulSoup) -> dict[str, str]:
    """Return language → address of the other forms of a page, and its own."""
    found = {str(link["hreflang"]): str(link["href"]) for link in soup.select("link[rel=alternate][hreflang]")}
    return found | {"own": str(soup.select("link[rel=canonical]")[0]["href"])}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_address_in_each_language_and_a_description(client: FlaskClient, path: str) -> None:
    soup = page(client, path)
    found = links(soup)
    assert found["own"] == found["x-default"] == f"http://localhost{path}"
    assert set(found) == {"own", "x-default", "en", "fr"}
    french = page(client, found["fr"])
    assert links(french) == found | {"own": found["fr"]}, "each names all others, and itself"
    for one, language in ((soup, "en"), (french, "fr")):
        (description,) = one.select("meta[name=description]")
        assert 20 < len(str(description["content"])) < 600 and one.html and one.html["lang"] == language
    assert (
        soup.title
        and french.title
        and (soup.title != french.title or "SPARQL" in path or "api" in path or path == "/queries/")
    )


def test_what_is_only_asked_of_a_page_makes_no_other_page(client: FlaskClient) -> None:
    assert links(page(client, "/queries/president-on-day?day=1950&lang=fr"))["own"].endswith("president-on-day?lang=fr")
    assert links(page(client, "/browse/Country?page=2&q=x"))["own"].endswith("/browse/Country?page=2")
    assert "canonical" not in client.get("/page/session/841", headers=BROWSER).text


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("session/84", "Event", {"startDate": "2015-11-02", "location": "Kigali"}),
        ("person/mireille-ballestrazzi", "Person", {"nationality": "France"}),
        ("organisation/interpol", "Organization", {"alternateName": "ICPO"}),
        ("place/kigali", "Place", {"latitude": "-1.9"}),
        ("operation/haechi-iv", "Event", {"superEvent": "HAECHI"}),
    ],
)
def test_a_thing_is_told_in_the_words_of_schema_org(
    client: FlaskClient, path: str, kind: str, said: dict[str, str]
) -> None:
    (block,) = page(client, f"/page/{path}").select("script[type='application/ld+json']")
    told = json.loads(block.get_text())
    assert kind in told["@type"] and told["@id"] == ENTITIES + path and told["url"] == f"http://localhost/page/{path}"
    for name, value in said.items():
        assert value in json.dumps(told[name]), told
    data = Graph().parse(data=json.dumps(told | {"@context": {"@vocab": "https://schema.org/"}}), format="json-ld")
    assert (URIRef(ENTITIES + path), URIRef("https://schema.org/name"), None) in data


def test_what_has_no_class_there_says_nothing_there(client: FlaskClient) -> None:
    assert not page(client, "/page/mandate/president-ballestrazzi-2012").select("script[type='application/ld+json']")


def test_the_site_maps_name_every_thing_once(client: FlaskClient, graph: KnowledgeGraph) -> None:
    robots = client.get("/robots.txt").text
    assert "Sitemap: http://localhost/sitemap.xml" in robots
    maps = [str(found.text) for found in ElementTree.fromstring(client.get("/sitemap.xml").data).iter(MAPS + "loc")]  # noqa: S314
    answers = [client.get(address.removeprefix("http://localhost")) for address in maps]
    pages = [str(found.text) for one in answers for found in ElementTree.fromstring(one.data).iter(MAPS + "loc")]  # noqa: S314
    assert len(pages) == len(set(pages))
    rows = graph.store.query(
        f'SELECT DISTINCT ?s {{ GRAPH ?g {{ ?s a ?c }} FILTER(STRSTARTS(STR(?s), "{ENTITIES}")) }}'
    )
    things = {f"http://localhost/page/{str(row['s'].value).removeprefix(ENTITIES)}" for row in rows}  # type: ignore[union-attr,index]
    assert things <= set(pages)
    assert {f"http://localhost/queries/{name}" for name in saved()} | {
        "http://localhost/",
        "http://localhost/ontology",
        "http://localhost/sparql",
        "http://localhost/validate/rules",
    } <= set(pages)
    for address in pages[:: len(pages) // 20]:
        assert links(page(client, address))["own"] == address
    assert client.get(f"/sitemap-{len(maps) + 1}.xml").status_code == 404


def test_the_day_of_the_data_is_told_alike(client: FlaskClient, graph: KnowledgeGraph) -> None:
    (row,) = graph.store.query(
        "SELECT ?day { GRAPH ?g { <https://w3id.org/interpol-graph/ontology> <http://purl.org/dc/terms/modified> ?day } }"
    )  # type: ignore[misc]
    day = row["day"].value
    answer = client.get("/page/session/84", headers=BROWSER)
    assert answer.last_modified and answer.last_modified.date().isoformat() == day
    assert f"<lastmod>{day}</lastmod>" in client.get("/sitemap.xml").text
    for address, subject in (("/dataset", URIRef(BASE + "dataset")), ("/sparql", None)):
        told = Graph().parse(data=client.get(address, headers={"Accept": "text/turtle"}).text, format="turtle")
        assert (
            str(
                told.value(
                    subject or told.value(None, SD.endpoint, URIRef("http://localhost/sparql")), DCTERMS.modified
                )
            )
            == day
        )
        assert list(told.objects(None, DCTERMS.license)) and list(told.objects(None, DCTERMS.title))
