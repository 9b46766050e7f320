"""Pictures: their marks are the rows' values, what is not exact looks otherwise, and what is left out is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from interpol_graph.endpoint import pictures
from interpol_graph.endpoint.current import Row, Term
from interpol_graph.graph.prefixes import XSD
from interpol_graph.graph.questions import saved

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\x01\"'&]]>"
DRAWN = [name for name, question in saved().items() if question.picture]

Draw = Callable[..., Element]


def number(value: object) -> Term:
    return Term("literal", str(value), "", XSD + "decimal")


def words(text: str) -> Term:
    return Term("literal", text, "en")


def date(text: str) -> Term:
    return Term("literal", text, "", XSD + "date")


def read(svg: str | bytes) -> Element:
    return fromstring(svg)  # noqa: S314 - our own


def marks(svg: Element, shape: str) -> list[Element]:
    """Return the marks of a picture, without those of its legend."""
    return [mark for mark in svg.iter(SVG + shape) if mark.find(SVG + "title") is not None]


def told(mark: Element) -> str:
    title = mark.find(SVG + "title")
    assert title is not None and title.text
    return title.text


@pytest.fixture
def draw(app: Flask) -> Draw:
    """Draw rows, as a file of its own, and read it."""

    def drawn(kind: str, columns: list[str], rows: list[Row], **options: Any) -> Element:
        with app.test_request_context(query_string=options.pop("query", "")):
            svg = pictures.draw(kind, columns, rows, {}, "A title", alone=True, **options)
        assert len(svg) < 1_000_000, "however many rows there are"
        return read(svg)

    return drawn


@pytest.mark.parametrize(("name", "language"), list(zip(DRAWN, cycle(("en", "fr")), strict=False)))
def test_a_question_is_drawn(client: FlaskClient, name: str, language: str) -> None:
    answer = client.get(f"/api/{name}?format=svg&lang={language}")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    svg = read(answer.data)
    assert svg.get("role") == "img"
    assert svg.findtext(SVG + "title") == saved()[name].title[language]
    assert svg.findtext(SVG + "desc")
    assert marks(svg, "rect") or marks(svg, "circle"), "with its defaults, a picture shows something"
    assert len(answer.data) < 100_000
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "accept", ["image/svg+xml", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"]
)
def test_an_image_is_asked_for_by_what_browsers_accept(client: FlaskClient, accept: str) -> None:
    assert client.get("/api/most-frequent-hosts", headers={"Accept": accept}).mimetype == "image/svg+xml"


def test_a_picture_that_has_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    address = f"/api/{DRAWN[0]}?format=svg"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_question_without_a_picture_says_so(client: FlaskClient) -> None:
    assert client.get("/api/session-agenda?format=svg").status_code == 406


def test_bars_are_as_long_as_their_numbers(client: FlaskClient) -> None:
    rows = client.get("/api/most-frequent-hosts").json
    svg = read(client.get("/api/most-frequent-hosts?format=svg").data)
    assert rows and len(rows) > pictures.BARS
    bars = marks(svg, "rect")
    assert [told(bar) for bar in bars] == [
        f"{row['countryLabel']}: Sessions hosted {row['hosted']}" for row in rows[: pictures.BARS]
    ]
    for bar, row in zip(bars, rows, strict=False):
        width = float(str(bar.get("width")).removesuffix("%"))
        assert width == pytest.approx(pictures.LONGEST * row["hosted"] / rows[0]["hosted"], abs=0.01)
    assert str(len(rows) - pictures.BARS) in str(svg.findtext(SVG + "desc")), "what has no room is counted"


def test_points_are_as_high_as_their_numbers(draw: Draw) -> None:
    values = {"1950": 10, "1960-05": 40, "1970-01-01": 25}
    svg = draw("line", ["day", "value"], [{"day": date(day), "value": number(value)} for day, value in values.items()])
    points = marks(svg, "circle")
    assert [told(point).rpartition(" ")[2] for point in points] == ["10", "40", "25"]
    heights = [pictures.HIGH - float(str(point.get("cy"))) for point in points]
    assert heights == pytest.approx([pictures.HIGH * value / 40 for value in values.values()], abs=0.1)
    across = [float(str(point.get("cx")).removesuffix("%")) for point in points]
    assert (across[1] - across[0]) / (across[2] - across[0]) == pytest.approx((10 + 4 / 12) / 20, abs=0.001)


def test_what_has_one_figure_stands_with_others_of_its_kind(draw: Draw) -> None:
    def row(what: str, kind: str, day: str) -> Row:
        return {"what": words(what), "kind": words(kind), "day": date(day), "value": number(3)}

    columns = ["day", "value", "what", "kind"]
    rows = [row("A", "k", "2001"), row("A", "k", "2002"), row("B", "k", "2001"), row("C", "k", "2003")]
    svg = draw("line", columns, rows)
    assert [told(point)[:5] for point in marks(svg, "circle")] == ["A · k", "A · k", "B · k", "C · k"]
    names = [text.text for text in svg.iter(SVG + "text") if text.get("class") == "name"]
    assert names == ["A title", "A · k", "k: one figure of each"]
    assert len(list(svg.iter(SVG + "polyline"))) == 1, "no line from one thing to another"
    for alone in (columns, columns[:2]):
        assert len(marks(draw("line", alone, rows[:1]), "circle")) == 1, "a single figure is drawn, too"


def test_spans_last_as_long_as_they_did(draw: Draw) -> None:
    rows = [
        {"who": words("A"), "from": date("1950"), "until": date("1959")},
        {"who": words("B"), "from": date("1960"), "until": date("1964")},
        {"who": words("C"), "from": date("1960")},
        {"who": words("D")},
        {"who": words("E"), "from": date("1955-05-05"), "until": date("1955-05-05")},
    ]
    svg = draw("timeline", ["who", "from", "until"], rows)
    first, second, third, day = marks(svg, "rect")
    lengths = [float(str(span.get("width")).removesuffix("%")) for span in (first, second)]
    assert lengths[0] == pytest.approx(2 * lengths[1], rel=0.01)
    assert "open" in str(third.get("class")) and "open" not in str(first.get("class"))
    assert float(str(day.get("width")).removesuffix("%")) == pictures.LEAST, "it can be seen"
    assert "1 (D)" in str(svg.findtext(SVG + "desc")), "what cannot be drawn is named"


def test_places_are_where_they_are(draw: Draw) -> None:
    rows = [
        {"place": words("Null Island"), "lat": number(0), "long": number(0), "n": number(1)},
        {"place": words("Lyon"), "lat": number(45.75), "long": number(4.85), "n": number(4)},
        {"place": words("Somewhere")},
    ]
    svg = draw("map", ["place", "lat", "long", "n"], rows)
    lyon, island = marks(svg, "circle")
    assert told(lyon) == "Lyon: n 4" and told(island) == "Null Island: n 1"
    assert island.get("cx") == "50.0%"
    assert float(str(lyon.get("cy"))[:-1]) < float(str(island.get("cy"))[:-1]), "north is above"
    assert "1 (Somewhere)" in str(svg.findtext(SVG + "desc")) and "Natural Earth" in str(svg.findtext(SVG + "desc"))


def test_a_qualified_number_looks_otherwise(draw: Draw) -> None:
    rows = [
        {"who": words("exact"), "value": number(640)},
        {"who": words("more"), "value": number(640), "qualifierLabel": words("more than")},
    ]
    svg = draw("bar", ["who", "value"], rows)
    exact, more = marks(svg, "rect")
    assert "open" in str(more.get("class")) and "open" not in str(exact.get("class"))
    assert told(more) == "more: value more than 640"
    assert "more than 640" in [text.text for text in svg.iter(SVG + "text")]
    assert "dashed: no exact number (more than, about …)" in [text.text for text in svg.iter(SVG + "text")]


def test_what_has_another_unit_has_another_scale(draw: Draw) -> None:
    rows = [
        {"year": words("2024"), "sum": number(5), "unit": words("euro")},
        {"year": words("2024"), "sum": number(500), "unit": words("yen")},
    ]
    assert [bar.get("width") for bar in marks(draw("bar", ["year", "sum", "unit"], rows), "rect")] == ["62.0%", "62.0%"]
    assert [bar.get("width") for bar in marks(draw("bar", ["year", "sum"], rows), "rect")] == ["0.62%", "62.0%"]


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_hostile_words_stay_words_and_many_rows_few_marks(draw: Draw, kind: str) -> None:
    columns = ["a", "b", "c", "d"]
    rows = [
        {"a": words(f"{HOSTILE}{at}" * 20), "b": number(at % 90), "c": number(at % 90), "d": words(HOSTILE * (at % 20))}
        for at in range(10_000)
    ]
    if kind in ("line", "timeline"):
        rows = [
            row | {"a": date("2001") if kind == "line" else row["a"], "b": date(f"{1900 + at % 99}")}
            for at, row in enumerate(rows)
        ]
        columns = ["b", "c", "d"] if kind == "line" else columns
    svg = draw(kind, columns, rows)
    assert not list(svg.iter(SVG + "script"))
    shown = [*marks(svg, "rect"), *marks(svg, "circle")]
    assert 0 < len(shown) <= pictures.POINTS
    assert re.search(r"[89],[0-9]{3}|9,[0-9]{3}", str(svg.findtext(SVG + "desc"))), "the rest is counted"
    texts = [len(text.text or "") for text in svg.iter(SVG + "text")]
    assert max(texts) < 120


def test_numbers_and_days_are_in_the_manner_of_the_reader(draw: Draw) -> None:
    rows = [{"day": date("2015-11-02"), "value": number("7700.5")}, {"day": date("2016-11-02"), "value": number(1)}]
    first = marks(draw("line", ["day", "value"], rows, query="lang=fr"), "circle")[0]
    assert "2 novembre 2015" in told(first) and "7\u202f700,5" in told(first)


def test_a_mark_leads_to_its_row_on_the_page(client: FlaskClient) -> None:
    soup = BeautifulSoup(
        client.get("/queries/most-frequent-hosts", headers={"Accept": "text/html"}).text, "html.parser"
    )
    links = soup.select("figure.picture svg a")
    assert len(links) == pictures.BARS
    for link in links:
        row = soup.select_one(f"tr{link['href']}")
        assert row and link.title and link.title.get_text().split(":")[0] in row.get_text()
    assert not soup.select("svg style, svg [style]")
