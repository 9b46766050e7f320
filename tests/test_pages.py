"""The pages: what they say, in which language, to whom, and that no data or question can break out of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from rdflib import Graph, Literal, URIRef

from interpol_graph.app import create_app
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import ENTITIES, TERMS

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGES = (
    "/", "/browse/", "/browse/AssemblySession", "/search?q=kigali", "/page/session/84", "/page/country/RW",
    "/page/person/mireille-ballestrazzi", "/page/organisation/interpol", "/page/ontology/President", "/queries/", "/api/",
    "/sparql", "/sparql?query=ASK+%7B%7D", "/dumps/", "/ontology", "/validate", "/validate/rules", "/page/ontology/isoCode", "/page/session/nowhere",
)  # fmt: skip
SCRIPT = "<script>alert(1)</script>"


def page(client: FlaskClient, path: str, status: int = 200, **headers: str) -> BeautifulSoup:
    """Return a page as a browser sees it; each is asked for and read once."""
    code, soup = read(client.application, path, frozenset(headers.items()))
    assert code == status, soup
    return soup


@cache
def read(app: Flask, path: str, headers: frozenset[tuple[str, str]]) -> tuple[int, BeautifulSoup]:
    answer = app.test_client().get(path, headers={"Accept": BROWSER, **dict(headers)}, buffered=True)
    assert answer.mimetype == "text/html"
    return answer.status_code, BeautifulSoup(answer.text, "html.parser")


@cache
def status(app: Flask, path: str) -> int:
    """Return what a link is answered with; many pages have the same."""
    return app.test_client().get(path, headers={"Accept": BROWSER}, buffered=True).status_code


def text(element: object) -> str:
    assert element is not None
    return " ".join(element.get_text(" ").split())  # type: ignore[attr-defined]


def fact(soup: BeautifulSoup, name: str) -> str:
    """Return what the essentials or the table of facts say of a property."""
    rows = {text(row.th or row.dt): row.td or row.dd for row in soup.select("table.facts tr, dl.essentials div")}
    return text(rows[name])


# The pages speak English and French; of labels there are some in Spanish and Arabic.
@pytest.mark.parametrize(
    ("path", "language"),
    [
        *product(PAGES, ["en", "fr"]), *product(["/", "/page/country/RW"], ["es", "ar"]),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in product(PAGES, ["es", "ar"])),
    ],
)  # fmt: skip
def test_every_page_is_sound(client: FlaskClient, path: str, language: str) -> None:
    path += ("&" if "?" in path else "?") + f"lang={language}"
    soup = page(client, path, 404 if "nowhere" in path else 200)
    assert soup.html and soup.html["lang"] == ("fr" if language == "fr" else "en")
    assert len(soup.select("h1")) == 1
    assert text(soup.title)
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in soup.select("label[for]")}
    for field in soup.select("input:not([type=hidden]), select, textarea"):
        assert field["id"] in labelled
    run = "script:not([src], [type='application/ld+json']), style, [style], [onclick], [onload]"  # data are never run
    assert not soup.select(run), "the policy forbids it"
    for link in soup.select("a[href]"):
        assert str(link["href"]).startswith(("/", "http://", "https://", "#"))
        assert not str(link["href"]).startswith("//"), "that names another host"
        if str(link["href"]).startswith("#"):
            assert link["href"] == "#content" or str(link["href"])[1:] in ids


def test_no_path_makes_a_link_to_another_host(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": BROWSER}, environ_overrides={"PATH_INFO": "//elsewhere.example/"})
    assert answer.status_code == 404
    assert not BeautifulSoup(answer.text, "html.parser").select("[href^='//']")


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/page/session/841", 404, "Rien ne s’appelle session:841 dans le graphe."),
        ("/nowhere", 404, "Il n’y a rien à /nowhere ; les entrées sont énumérées à /."),
        (
            "/api/president-on-day?day=yesterday",
            400,
            "Le paramètre day est un jour comme 2015-11-05, un mois comme 2015-11",
        ),
        ("/sparql?query=SELECT+?s+WHERE+{", 400, "La requête n’est pas du SPARQL 1.1, ligne 1, colonne"),
    ],
)
def test_problems_are_told_in_french(client: FlaskClient, path: str, status: int, told: str) -> None:
    soup = page(client, path, status, **{"Accept-Language": "fr"})
    assert told in text(soup.main).replace("\u202f", " ").replace("\u00a0", " ")
    answer = client.get(path, headers={"Accept": "application/problem+json", "Accept-Language": "fr"})
    assert answer.json and not re.search("[éà’]", answer.json["detail"]), "to programs in English"


def test_a_page_offers_the_languages_that_it_speaks(client: FlaskClient) -> None:
    soup = page(client, "/page/country/RW", **{"Accept-Language": "es"})
    assert text(soup.h1) == "Rwanda" and [link["hreflang"] for link in soup.select(".languages a")] == ["en", "fr"]
    assert not soup.select("main [lang=es]")


def test_titles_of_documents_are_marked_by_their_language(client: FlaskClient) -> None:
    soup = page(client, "/page/session/93")
    assert {"fr"} <= {str(part["lang"]) for part in soup.select("ol.documents cite [lang]")}
    assert page(client, "/page/session/93?lang=fr").select("ol.documents cite [lang=en]")


@pytest.mark.parametrize("path", PAGES)
def test_local_links_lead_somewhere(client: FlaskClient, path: str) -> None:
    soup = page(client, path, 404 if "nowhere" in path else 200)
    targets = {str(link["href"]) for link in soup.select("main a[href^='/']")}
    assert targets or path == "/validate", "only a form"
    for target in sorted(targets)[-3:]:  # a tour follows all, tests/test_tour.py
        assert status(client.application, target) in (200, 303), target


def test_home_counts_and_leads_on(client: FlaskClient) -> None:
    soup = page(client, "/")
    now = {text(one.dt): text(one.dd) for one in soup.select("dl.now > div")}
    assert re.fullmatch(r"\S.* since (\d{1,2} )?\w+ \d{4}", now["President"]) and "since" in now["Secretary General"]
    assert re.search(r"INTERPOL General Assembly .+, .*\d{4}$", now["Last session"]) and now["Next session"]
    assert len(soup.select("ul.key a")) == 10 and len(client.get("/", headers={"Accept": BROWSER}).data) < 150_000
    form = soup.select_one("dl.now form")
    assert form and client.get(f"{form['action']}?day=1956", headers={"Accept": BROWSER}).status_code == 200
    counts = {text(row.th): text(row.td) for row in soup.select("table.counts tbody tr")}
    assert int(counts["General Assembly session"].replace(",", "")) > 70
    assert {"/queries/", "/browse/", "/sparql", "/dumps/", "/ontology"} <= {a["href"] for a in soup.select("dl.ways a")}


def test_an_entity_page_states_its_facts_with_their_documents(client: FlaskClient) -> None:
    soup = page(client, "/page/session/84")
    assert fact(soup, "start date").startswith("2 November 2015 [")
    assert soup.select_one("dl.essentials a[href='/page/place/kigali']")
    marks = {str(mark["href"]) for mark in soup.select("a.mark")}
    documents = {f"#{item['id']}" for item in soup.select("ol.documents li")}
    assert marks == documents, "every mark has its document, every document its mark"
    assert soup.select("ol.documents cite")


def test_the_editor_speaks_french(client: FlaskClient) -> None:
    assert 'LANG(?placeLabel) = "fr"' in page(client, "/sparql?lang=fr").select("textarea")[0].text
    answered = page(client, "/sparql?lang=fr&query=ASK {}").select(".outcome h2 small")[0].text
    assert re.fullmatch(r"\d+,\d\sms", answered), answered


@pytest.mark.parametrize(
    "path", ["/", "/queries/", "/ontology", "/page/ontology/isoCode", "/validate", "/sparql", "/api/"]
)
def test_a_chosen_language_stays_on_the_next_page(client: FlaskClient, path: str) -> None:
    soup = page(client, f"{path}?lang=fr")
    addresses = {str(link["href"]).partition("#")[0] for link in soup.select("a[href^='/']")}
    assert any("lang=fr" in address for address in addresses)
    for address in (address for address in addresses if "lang=" not in address):
        assert client.head(address, headers={"Accept": BROWSER}).mimetype != "text/html", address


def test_what_a_document_says_in_its_own_words_is_marked_with_its_language(client: FlaskClient) -> None:
    assert page(client, "/page/session/85?lang=fr").select(".dispute a [lang=en], .inferred a [lang=en]")


def test_a_figure_keeps_its_qualifier(client: FlaskClient) -> None:
    soup = page(client, "/page/session/84")
    figures = {text(row.th): text(row.select_one("td.number")) for row in soup.select("table.figures tbody tr")}
    assert figures["participants police chiefs and senior law enforcement officials"] == "about 640"


def test_derived_facts_join_the_facts_and_say_so(client: FlaskClient) -> None:
    soup = page(client, "/page/session/84")
    assert fact(soup, "presided by") == "Mireille Ballestrazzi derived by rule"
    assert fact(soup, "previous session") == "83rd INTERPOL General Assembly derived by rule"
    assert "schema:" not in text(soup.main) and "dcterms:" not in text(soup.main), (
        "copies in other vocabularies are for programs"
    )
    assert not soup.select("#content section:last-of-type ~ section a[href='/page/session/83']"), "it stands once"


def test_what_goes_on_has_no_last_day(client: FlaskClient) -> None:
    soup = page(client, "/page/membership/PL")
    assert fact(soup, "ongoing")
    assert "9999" not in text(soup)


def test_a_disagreement_stands_by_its_fact(client: FlaskClient, snapshot: Snapshot) -> None:
    found = snapshot.query(
        "SELECT ?about WHERE { ?claim a interpol:ConflictingClaim ; interpol:about ?about ; interpol:property ?p ."
        " ?about ?p ?stated FILTER(isNumeric(?stated)) } ORDER BY ?about LIMIT 1"
    )
    about = str(found.body).partition(ENTITIES)[2].partition('"')[0]
    soup = page(client, f"/page/{about}")
    assert soup.select(".dispute a.mark")
    assert soup.select(".notice")


def test_a_document_lists_what_cites_it(client: FlaskClient) -> None:
    link = page(client, "/page/session/84").select_one("ol.documents a[href^='/page/source/']")
    assert link
    assert page(client, str(link["href"])).select("a[href='/page/session/84']")


@pytest.mark.parametrize(
    ("query", "header", "heading"),
    [
        ("", "", "Rwanda"),
        ("", "fr-FR,fr;q=0.9,en;q=0.8", "Rwanda"),
        ("?lang=ar", "fr", "رواندا"),
        ("?lang=xx", "", "Rwanda"),
    ],
)
def test_language(client: FlaskClient, query: str, header: str, heading: str) -> None:
    answer = client.get(f"/page/country/RW{query}", headers={"Accept": BROWSER, "Accept-Language": header})
    soup = BeautifulSoup(answer.text, "html.parser")
    assert text(soup.h1) == heading
    assert "Accept-Language" in answer.headers["Vary"]
    if query == "?lang=ar":
        assert soup.select_one("h1 [lang=ar][dir=rtl]")
        assert soup.select_one("a[href='/page/ontology/AfricaRegion?lang=ar']"), "the choice goes along"
    if header.startswith("fr") and not query:
        assert text(soup.select_one(".badge")) == "Pays"


TURTLE, JSONLD, NTRIPLES, RDFXML = (
    "text/turtle",
    "application/ld+json",
    "application/n-triples",
    "application/rdf+xml",
)


@pytest.mark.parametrize(
    ("accept", "target"),
    [
        (BROWSER, "/page/session/84"),
        (TURTLE, "/data/session/84"),
        ("*/*", "/data/session/84"),
        ("", "/data/session/84"),
        (f"{TURTLE};q=0.5, text/html", "/page/session/84"),
        (f"text/html;q=0.5, {TURTLE}", "/data/session/84"),
        (JSONLD, "/data/session/84"),
        ("image/png", None),
    ],
)
def test_an_identifier_leads_to_page_or_data(client: FlaskClient, accept: str, target: str | None) -> None:
    answer = client.get("/id/session/84", headers={"Accept": accept})
    assert answer.status_code == (303 if target else 406)
    assert answer.headers.get("Location") == target
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        ("/data/session/84", TURTLE, TURTLE),
        ("/data/session/84", JSONLD, JSONLD),
        ("/data/session/84", f"{RDFXML}, {TURTLE};q=0.9", RDFXML),
        ("/data/session/84", "", TURTLE),
        ("/data/session/84", "application/xml", RDFXML),
        ("/data/session/84", 'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', JSONLD),
        ("/data/session/84?format=ntriples", TURTLE, NTRIPLES),
        ("/data/session/84.ttl", BROWSER, TURTLE),
        ("/data/session/84.jsonld", "", JSONLD),
        ("/data/session/84.nt", "", NTRIPLES),
        ("/data/session/84.rdf", "", RDFXML),
        ("/ontology", TURTLE, TURTLE),
        ("/ontology", JSONLD, JSONLD),
        ("/ontology/0.1.0", TURTLE, TURTLE),
        ("/ontology.rdf", BROWSER, RDFXML),
        ("/ontology?format=turtle", BROWSER, TURTLE),
    ],
)
def test_data_in_every_format(client: FlaskClient, path: str, accept: str, media_type: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.mimetype == media_type
    graph = Graph().parse(data=answer.data, format=media_type)
    if "session" in path:
        session = URIRef(ENTITIES + "session/84")
        assert graph.value(session, URIRef(TERMS + "number")) == Literal(84)
        citation = next(graph.objects(session, URIRef(TERMS + "citation")))
        source = graph.value(citation, URIRef(TERMS + "source"))
        assert (source, None, None) in graph, "the documents are described"
    else:
        assert (URIRef(TERMS + "Person"), None, None) in graph
    again = client.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/data/session/84", "/ontology", "/ontology/0.1.0", "/id/session/84"])
def test_an_unknown_format_is_refused_by_name(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert answer.mimetype == "application/problem+json"
    assert TURTLE in answer.json["offered"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "accept", "status", "target"),
    [
        ("/id/session/84.ttl", BROWSER, 303, "/data/session/84.ttl"),
        ("/graph/sessions", "", 303, "/dumps/sessions.ttl"),
        ("/graph/operations/2023", "", 303, "/dumps/operations/2023.ttl"),
        (
            "/page/?iri=https%3A%2F%2Fw3id.org%2Finterpol-graph%2Fid%2Fsession%2F84",
            BROWSER,
            303,
            "/page/session/84",
        ),
        ("/ontology/0.1.0", BROWSER, 200, None),
        ("/graph/nothing", "", 404, None),
        ("/ontology/9.9.9", "", 404, None),
        ("/page/?iri=", "", 404, None),
        ("/page/?iri=javascript:alert(1)", "", 404, None),
    ],
)
def test_other_names_resolve(client: FlaskClient, path: str, accept: str, status: int, target: str | None) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers.get("Location")) == (status, target)


@pytest.mark.parametrize("start", ["/page", "/data"])
@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("session/841", "session:84"),
        ("person/mireille-balestrazi", "person:mireille-ballestrazzi"),
        ("session/%3E%20%3Fs%20%7D", ""),
        ("unicorn/1", ""),
    ],
)
def test_what_is_not_there_is_404_with_similar_names(client: FlaskClient, start: str, name: str, similar: str) -> None:
    answer = client.get(f"{start}/{name}")
    assert answer.status_code == 404
    assert answer.json is not None
    assert similar in " ".join(answer.json.get("similar", []))


def test_search_ignores_accents_and_finds_exact_names_first(client: FlaskClient) -> None:
    for q in ("jürgen stock", "Jurgen Stock", "STOCK jurgen"):
        soup = page(client, f"/search?q={q}")
        assert "/page/person/jurgen-stock" in [a["href"] for a in soup.select("ol.results a")], q
    assert text(page(client, "/search?q=kigali").select_one("ol.results a")) == "Kigali"


def test_a_wide_search_is_cut_and_says_so(client: FlaskClient) -> None:
    soup = page(client, "/search?q=e")
    assert len(soup.select("ol.results li")) == 100
    assert "first 100" in text(soup.main)


@pytest.mark.parametrize("q", ["", " ", "(", "\\", "[a-", '") }', "*", "\u0000", "%", "é", "q" * 200])
def test_any_words_can_be_searched_for(client: FlaskClient, q: str) -> None:
    assert client.get("/search", query_string={"q": q}, headers={"Accept": BROWSER}).status_code == 200


def test_browse_turns_pages_without_losing_anyone(client: FlaskClient) -> None:
    seen: list[str] = []
    path: str | None = "/browse/Country"
    while path:
        soup = page(client, path)
        seen += [str(link["href"]) for link in soup.select("main table td:first-child a")]
        following = soup.select_one("a[rel=next]")
        path = str(following["href"]) if following else None
    total = next(text(row.td) for row in page(client, "/browse/").select("tbody tr") if text(row.th) == "Country")
    assert len(seen) == len(set(seen)) == int(total.replace(",", ""))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/browse/Unicorn", 404),
        ("/browse/Citation?page=2", 404),
        ("/browse/Country?page=999", 404),
        ("/browse/Country?page=0", 400),
        ("/browse/Country?page=-1", 400),
        ("/browse/no:thing", 404),
        ("/search?q=" + "x" * 201, 400),
    ],
)
def test_wrong_requests_are_told_why(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert text(page(client, path, status).select_one("p.lead"))


def test_the_ontology_page_anchors_every_term(client: FlaskClient, snapshot: Snapshot) -> None:
    ids = {element["id"] for element in page(client, "/ontology").select("[id]")}
    graph = Graph().parse(data=client.get("/ontology.nt").data, format="nt")
    terms = {str(term).removeprefix(TERMS) for term in graph.subjects() if str(term).startswith(TERMS)}
    assert len(terms) > 200
    assert terms <= ids


def test_the_ontology_page_says_what_a_property_is_used_on(client: FlaskClient) -> None:
    soup = page(client, "/ontology")
    said = text(soup.select_one("#isoCode dd"))
    assert "Said of Country ; takes xsd:string , once. Statements in the graph: 211." in said
    assert text(soup.select_one("#isoCode dd code")) == 'country:RW interpol:isoCode "RW"'
    assert soup.select_one("#isoCode dd code a[href='/page/country/RW']"), "the example leads to its thing"
    assert len(str(soup)) < 300_000
    assert soup.select_one("#isoCode dd a[href='/validate/rules#shape:Country-isoCode']")
    assert int(text(soup.select_one("#AssemblySession dd a[href='/browse/AssemblySession']")).split()[-1]) > 70
    assert soup.select_one("#office dd a[href='#Office']")
    assert soup.select_one("#crimeArea dd a[href='#CrimeAreaScheme']")
    assert "Said of any entity ; takes Citation . Statements in the graph: " in text(soup.select_one("#citation dd"))
    silent = [
        element["id"] for element in soup.select("#all-properties ~ div dl > div") if "Said of" not in text(element)
    ]
    assert silent == []


def test_the_ontology_page_is_filtered_by_words(client: FlaskClient) -> None:
    soup = page(client, "/ontology?q=ISO+code")
    found = {str(term["id"]) for term in soup.select("dl.terms > div")}
    assert {"isoCode", "iso3Code"} <= found and "AssemblySession" not in found
    assert all(group.has_attr("open") for group in soup.select("details.group"))
    assert not page(client, "/ontology?q=xyzzy").select("dl.terms")


def test_the_class_diagram_joins_classes_by_properties(client: FlaskClient) -> None:
    diagram = page(client, "/ontology").select_one("svg.diagram")
    assert diagram and len(diagram.select("a")) == len(
        page(client, "/ontology").select("#all-classes ~ div dl.terms > div")
    )
    arcs = [text(arc) for arc in diagram.select("path > title")]
    assert any(arc.startswith("Mandate → Person:") and "person" in arc for arc in arcs)


def test_the_page_of_a_term_names_its_things_and_rules(client: FlaskClient) -> None:
    soup = page(client, "/page/ontology/AssemblySession")
    assert fact(soup, "kind of") == "Event"
    assert len(soup.select("a[href^='/page/session/']")) == 12 and soup.select("a[href='/browse/AssemblySession']")
    soup = page(client, "/page/ontology/isoCode")
    assert soup.select("a[href='/page/country/AD']") and soup.select("a[href='/validate/rules#shape:Country-isoCode']")
    assert client.get("/ontology/").headers["Location"] == "/ontology"


def test_the_editor_shows_answers_as_a_table(client: FlaskClient) -> None:
    query = "SELECT ?s ?sLabel WHERE { ?s a interpol:AssemblySession ; rdfs:label ?sLabel } LIMIT 3"
    answer = client.get("/sparql", query_string={"query": query}, headers={"Accept": BROWSER})
    soup = BeautifulSoup(answer.text, "html.parser")
    assert [text(cell) for cell in soup.select("table.answer th")] == ["s"]
    assert len(soup.select("table.answer tbody a[href^='/page/session/']")) == 3
    assert text(soup.select_one("textarea")) == query
    assert {"Accept", "Accept-Language"} <= set(answer.headers["Vary"].replace(" ", "").split(","))


def test_the_editor_shows_a_bounded_number_of_rows_and_says_so(client: FlaskClient) -> None:
    soup = page(client, "/sparql?query=SELECT * { ?s ?p ?o } LIMIT 1500")
    assert len(soup.select("table.answer tbody tr")) == 1000
    link = soup.select_one("p a[href$='format=csv']")
    assert link and "1000 of 1500" in text(soup.main)
    assert client.get(str(link["href"])).data.count(b"\r\n") == 1501


def test_the_editor_points_at_the_error(client: FlaskClient) -> None:
    soup = page(client, "/sparql?query=SELECT ?s WHERE {%0A  ?s a %0A}", 400)
    assert "line 3" in text(soup.select_one(".problem"))
    assert text(soup.select_one(".problem .here")) == "3 }"
    assert soup.select_one("textarea[aria-invalid]")


@pytest.mark.parametrize("query", ["ASK {}", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 1", " "])
def test_the_editor_takes_every_form_of_query(client: FlaskClient, query: str) -> None:
    assert client.get("/sparql", query_string={"query": query}, headers={"Accept": BROWSER}).status_code == 200


def test_an_empty_format_is_the_page_itself(client: FlaskClient) -> None:
    assert page(client, "/sparql?query=ASK+%7B%7D&format=").select_one(".truth")
    answer = client.get("/sparql?query=ASK+%7B%7D&format=json", headers={"Accept": BROWSER})
    assert answer.json == {"head": {}, "boolean": True}


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").json["status"] == "ok"  # type: ignore[index]
    models = client.get("/llms.txt", buffered=True)
    assert models.mimetype == "text/plain" and models.text.startswith("# ")
    addresses = re.findall(r"\]\(([^)]+)\)", models.text)
    assert addresses and all(client.get(address, buffered=True).status_code in (200, 303) for address in addresses)
    robots = client.get("/robots.txt", buffered=True)
    assert robots.mimetype == "text/plain" and "Disallow: /sparql" in robots.text
    assert client.get("/favicon.ico", buffered=True).mimetype == "image/svg+xml"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a graph in which every word is an attack."""
    file = tmp_path_factory.mktemp("hostile") / "hostile.ttl"
    file.write_text(
        f"""
        @prefix : <{TERMS}> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix schema: <https://schema.org/> .
        @prefix dcterms: <http://purl.org/dc/terms/> .
        <{ENTITIES}session/1> a :AssemblySession , <javascript:alert(1)> ; rdfs:label "{SCRIPT}" ;
            :theme "{SCRIPT}" , "' onmouseover='alert(1)" ; :place <javascript:alert(2)> ; rdfs:seeAlso <data:text/html,x> ;
            :startDate "{SCRIPT}"^^<http://www.w3.org/2001/XMLSchema#date> ;
            :citation [ :source <{ENTITIES}source/x> ; :supports :theme ; :paragraph "{SCRIPT}" ] .
        <{ENTITIES}source/x> a :Source ; dcterms:title "{SCRIPT}" ; dcterms:publisher "{SCRIPT}" ;
            schema:url <javascript:alert(3)> .
        <http://example.org/foreign> a <http://example.org/Class> ; rdfs:label "{SCRIPT}"@en ; :place <{ENTITIES}session/1> .
        """,
        encoding="utf-8",
    )
    with EvaluatorProcess(Settings(data=(str(file),))) as process:
        yield create_app(process.pool()).test_client()


@pytest.mark.parametrize(
    "path",
    [
        "/", "/browse/", "/browse/AssemblySession", "/search?q=script", "/page/session/1", "/page/source/x", "/dumps/",
        "/page/?iri=http://example.org/foreign", "/browse/?class=http://example.org/Class", "/ontology",
        "/sparql?query=SELECT * { ?s ?p ?o }", f"/sparql?query={SCRIPT}", f"/sparql?query=SELECT * {{ ?s ?p '{SCRIPT}' }}",
        f"/search?q={SCRIPT}", f"/browse/{SCRIPT}", f"/page/session/{SCRIPT}", f"/page/?iri={SCRIPT}", f"/queries/{SCRIPT}",
        f"/graph/{SCRIPT}", f"/dumps/{SCRIPT}", f"/nothing?lang={SCRIPT}",
    ],
)  # fmt: skip
def test_nothing_breaks_out_of_its_place(hostile: FlaskClient, path: str) -> None:
    answer = hostile.get(path, headers={"Accept": BROWSER})
    assert answer.status_code < 500
    soup = BeautifulSoup(answer.text, "html.parser")
    assert not soup.select("script:not([src], [type='application/ld+json'])"), "data are never run"
    for block in soup.select("script[type='application/ld+json']"):
        assert json.loads(block.get_text())["@context"] == "https://schema.org/"
    assert not soup.select("[onmouseover]")
    for link in soup.select("[href], [src], [action]"):
        address = str(link.get("href") or link.get("src") or link.get("action"))
        assert not address.startswith(("javascript:", "data:")), address
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_foreign_data_can_be_browsed(hostile: FlaskClient) -> None:
    soup = page(hostile, "/page/?iri=http://example.org/foreign")
    assert text(soup.h1) == SCRIPT
    assert soup.select_one("a[href='/page/session/1']")


def test_a_page_that_has_not_changed_keeps_its_policy(client: FlaskClient) -> None:
    """A browser takes the fields of a 304 for those of the page: one for data would forbid it its style and script."""
    headers = {"Accept": BROWSER}
    tag = client.get("/page/session/84", headers=headers).headers["ETag"]
    again = client.get("/page/session/84", headers=headers | {"If-None-Match": tag})
    assert again.status_code == 304 and "Content-Security-Policy" not in again.headers


def test_only_local_assets(client: FlaskClient) -> None:
    assets = page(client, "/sparql").select("link[rel=stylesheet], link[rel=icon], script")
    assert len(assets) >= 3
    for asset in assets:
        address = str(asset.get("href") or asset.get("src"))
        assert address.startswith("/static/") and "?v=" in address
        kept = client.get(address, buffered=True)
        assert kept.status_code == 200 and kept.cache_control.max_age == 365 * 86400, "no page asks for it again"
        other = client.get(address[:-1], buffered=True)
        assert other.status_code == 200 and other.cache_control.no_cache


@pytest.mark.parametrize("path", ["/static/none.css?v=1", "/static/../app.py?v=1", "/dumps/places.ttl?v=1"])
def test_only_an_asset_is_kept_for_a_year(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)
    assert answer.status_code == (200 if path.startswith("/dumps/") else 404) and answer.cache_control.max_age in (
        None,
        60,
    )


def test_static_files_are_few() -> None:
    static = Path(__file__).parents[1] / "server" / "interpol_graph" / "static"
    assert len(list(static.glob("*.css"))) == 1
