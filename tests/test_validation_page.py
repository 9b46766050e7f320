"""/validate: Turtle in, findings out in the format that is asked for; a page for people; nothing that blocks the server."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from flask.testing import FlaskClient
from junitparser import JUnitXml
from rdflib import RDF, SH, Graph
from werkzeug.test import TestResponse

from conftest import slack
from interpol_graph.cli.main import main
from interpol_graph.endpoint import validate
from interpol_graph.engine.admission import Admission
from interpol_graph.engine.limits import Lane
from interpol_graph.validation import sandbox
from interpol_graph.validation.formats import REPORTS, ReportFormat

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TURTLE = {"Content-Type": "text/turtle"}
BAD = (Path(validate.__file__).parents[1] / "templates" / "example.ttl").read_text()
GOOD = "@prefix interpol: <https://w3id.org/interpol-graph/ontology#> .\n# nothing stated, nothing wrong\n"


def posted(client: FlaskClient, text: str | bytes = BAD, query: str = "", **headers: str) -> TestResponse:
    return client.post(
        f"/validate{query}", data=text, headers=TURTLE | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def page(answer: TestResponse) -> BeautifulSoup:
    assert answer.mimetype == "text/html"
    return BeautifulSoup(answer.text, "html.parser")


def test_findings_come_with_line_and_column(client: FlaskClient) -> None:
    answer = posted(client)
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store" and "Accept" in answer.headers["Vary"]
    found = {(finding["line"], finding["column"], finding["rule"]) for finding in answer.json["findings"]}  # type: ignore[index]
    lines = BAD.splitlines()
    latitude, longitude = (
        next(n for n, line in enumerate(lines, 1) if word in line) for word in ("latitude", "longitud ")
    )
    assert (latitude, lines[latitude - 1].index('"') + 1, "ill-typed-literal") in found
    assert (longitude, 5, "undeclared-term") in found
    assert {finding["file"] for finding in answer.json["findings"]} == {sandbox.NAME}  # type: ignore[index]


def test_good_statements_conform(client: FlaskClient) -> None:
    answer = posted(client, GOOD)
    assert answer.json and answer.json["conforms"] is True, answer.text
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("fmt", REPORTS, ids=lambda fmt: fmt.name)
def test_every_format_can_be_read(client: FlaskClient, fmt: ReportFormat) -> None:
    answer = posted(client, query=f"?format={fmt.name}")
    assert answer.status_code == 200 and answer.mimetype == fmt.media_types[0]
    assert "ill-typed-literal" in answer.text
    readers = {
        "json": json.loads, "sarif": json.loads, "junit": lambda text: JUnitXml.fromstring(text.encode()),
        "turtle": lambda text: next(Graph().parse(data=text, format="turtle").subjects(RDF.type, SH.ValidationReport)),
    }  # fmt: skip
    readers.get(fmt.name, str)(answer.text)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/sarif+json;q=0.9, application/json;q=0.5", "application/sarif+json"),
        ("text/turtle, application/json;q=0.9", "text/turtle"),
        ("text/xml", "application/xml"),
    ],
)
def test_the_best_format_is_chosen(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, accept: str, media_type: str
) -> None:
    monkeypatch.setattr(validate, "report", lambda *_: b"")
    assert posted(client, GOOD, Accept=accept).mimetype == media_type


@pytest.mark.parametrize(
    ("text", "headers", "query", "status", "words"),
    [
        ("<a> <b> 'c", {}, "", 400, "line 1, column 9"),
        (b"\xff\xfe", {}, "", 400, "is not UTF-8"),
        (b"\x00" * 10, {}, "", 400, "is a binary file"),
        ("", {}, "", 400, "There are no statements"),
        (" \n", {}, "", 400, "There are no statements"),
        (GOOD, {"Content-Type": "application/json"}, "", 415, "not as application/json"),
        (GOOD, {"Content-Type": ""}, "", 415, "without a Content-Type"),
        (GOOD, {"Content-Encoding": "gzip"}, "", 415, "encoding gzip"),
        (GOOD, {"Accept": "image/png"}, "", 406, "on offer as json"),
        (GOOD, {}, "?format=pdf", 400, "no format 'pdf'"),
        ("#" * (validate.LARGEST + 1), {}, "", 413, "1024 KiB"),
        ("#" * (validate.LARGEST * 4), {}, "", 413, "1024 KiB"),
    ],
)
def test_what_is_refused_and_why(
    client: FlaskClient, text: str | bytes, headers: dict[str, str], query: str, status: int, words: str
) -> None:
    answer = client.post(f"/validate{query}", data=text, headers=TURTLE | headers)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json" and answer.json
    assert words in answer.json["detail"] and answer.json["status"] == status
    if "line 1" in words:
        assert (answer.json["line"], answer.json["column"]) == (1, 9)


def test_other_methods_are_refused(client: FlaskClient) -> None:
    answer = client.put("/validate", data=GOOD, headers=TURTLE)
    assert answer.status_code == 405 and {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


@pytest.mark.parametrize(("language", "word"), [("en", "Findings"), ("fr", "Constats")])
def test_the_page_shows_findings_that_lead_to_their_lines(client: FlaskClient, language: str, word: str) -> None:
    empty = page(client.get(f"/validate?lang={language}", headers={"Accept": BROWSER}))
    form = empty.select_one("form[method=post]")
    assert form and empty.select_one("nav a[aria-current=page]")
    sent = {"turtle": BAD.replace("\n", "\r\n"), "format": ""}
    answer = client.post(str(form["action"]), data=sent, headers={"Accept": BROWSER})
    soup = page(answer)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert word in soup.select_one("h2").text  # type: ignore[union-attr]
    assert soup.select_one("textarea").text.strip() == BAD.strip()  # type: ignore[union-attr]
    links = [str(link["href"]) for link in soup.select(".findings a[href^='#']")]
    assert links and all(soup.select_one(link) for link in links)
    latitude = next(n for n, line in enumerate(BAD.splitlines(), 1) if "latitude" in line)
    assert f"#L{latitude}" in links
    assert "latitude" in soup.select_one(f"#L{latitude}.here").text  # type: ignore[union-attr]


def test_the_page_says_what_cannot_be_read(client: FlaskClient) -> None:
    answer = client.post("/validate", data={"turtle": "a\n<a> <b> 'c"}, headers={"Accept": BROWSER})
    soup = page(answer)
    assert answer.status_code == 400 and soup.select_one("[role=alert] a[href='#L1']") and soup.select_one("#L1.here")
    assert page(client.post("/validate", data={"turtle": ""}, headers={"Accept": BROWSER})).select_one("[role=alert]")


def test_the_page_hands_out_files_too(client: FlaskClient) -> None:
    answer = client.post("/validate", data={"turtle": BAD, "format": "sarif"}, headers={"Accept": BROWSER})
    assert answer.mimetype == "application/sarif+json" and json.loads(answer.text)["version"] == "2.1.0"


def test_a_form_may_be_as_large_as_a_body(client: FlaskClient) -> None:
    text = "# é<>\n" * (validate.LARGEST // 7 - 50)
    assert len(text.encode()) < validate.LARGEST
    answer = client.post("/validate", data={"turtle": text}, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text[:200]
    answer = client.post("/validate", data={"turtle": text + text}, headers={"Accept": BROWSER})
    assert answer.status_code == 413 and "1024 KiB" in page(answer).text


def test_nothing_breaks_out_of_the_page(client: FlaskClient) -> None:
    script = "</textarea></pre><script>alert(1)</script>"
    for text in (
        script,
        f"<http://example.org/a> <http://example.org/b> '{script}' .",
        f"<http://e.org/a> a <javascript:{script}>",
    ):
        soup = page(client.post("/validate", data={"turtle": text}, headers={"Accept": BROWSER}))
        assert not soup.select("script:not([src])")
        assert not [link for link in soup.select("[href]") if str(link["href"]).startswith("javascript:")]


def test_a_validation_past_its_time_is_ended(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "SECONDS", -4.9)
    started = time.monotonic()
    answer = posted(client)
    assert answer.status_code == 503 and "time limit" in answer.json["detail"]  # type: ignore[index]
    assert time.monotonic() - started < 3 * slack()


def test_a_validation_that_is_slow_to_start_is_waited_for(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = (
        "import sys, time; time.sleep(1); from interpol_graph.validation import sandbox; sys.exit(sandbox.main('json'))"
    )
    monkeypatch.setattr(validate, "COMMAND", ["-c", slow])
    assert posted(client, GOOD + "# filled\n" * 50_000).status_code == 200


def test_a_validation_past_its_memory_dies_alone(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    hungry = "import interpol_graph.validation.sandbox as i, sys; i.MEMORY = 80; sys.exit(i.main('json'))"
    monkeypatch.setattr(validate, "COMMAND", ["-c", hungry])
    answer = posted(client)
    assert answer.status_code == 503 and "memory limit" in answer.json["detail"]  # type: ignore[index]


def test_deep_nesting_is_no_trouble(client: FlaskClient) -> None:
    see = "<http://www.w3.org/2000/01/rdf-schema#seeAlso>"
    answer = posted(client, f"<http://example.org/a> {see} " + f"[ {see} " * 3000 + "1" + " ]" * 3000 + " .")
    assert answer.status_code == 200, answer.text


def test_too_many_at_once_are_turned_away(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "_admission", Admission([Lane(1, 1)], 0.05))
    with validate._admission.slot():
        answer = posted(client)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
    assert posted(client, GOOD).status_code == 200


def test_the_server_answers_others_meanwhile(server: str) -> None:
    def send() -> None:
        request = urllib.request.Request(f"{server}/validate", data=BAD.encode() * 20, headers=TURTLE)
        urllib.request.urlopen(request, timeout=60).close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    urllib.request.urlopen(f"{server}/healthz", timeout=10).close()
    assert time.monotonic() - started < 2 * slack()
    for thread in threads:
        thread.join()


def uploaded(client: FlaskClient, content: bytes, text: str = "", query: str = "", **headers: str) -> TestResponse:
    fields = (('file"; filename="my.ttl', content), ("turtle", text.encode()))
    parts = (b'--end\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), c) for n, c in fields)
    body = b"".join(parts) + b"--end--\r\n"
    return client.post(
        f"/validate{query}", data=body, content_type="multipart/form-data; boundary=end", headers=headers
    )


def test_a_file_is_validated_in_place_of_the_text(client: FlaskClient) -> None:
    soup = page(uploaded(client, BAD.encode(), GOOD, Accept=BROWSER))
    assert len(soup.select("ol.findings li")) >= 2 and "longitud" in soup.select("textarea")[0].text
    assert soup.select("ol.findings a[href^='/validate/rules#']")
    assert uploaded(client, b"", GOOD).json["conforms"] is True  # type: ignore[index]
    assert page(uploaded(client, b"", "", Accept=BROWSER)).select(".problem")


@pytest.mark.parametrize(
    ("size", "status"), [(validate.LARGEST, 200), (validate.LARGEST + 1, 413), (3 * validate.LARGEST, 413)]
)
def test_a_file_has_the_bounds_of_a_text(client: FlaskClient, size: int, status: int) -> None:
    assert uploaded(client, GOOD.encode().ljust(size, b"#")).status_code == status


def test_another_language_keeps_the_text(client: FlaskClient) -> None:
    soup = page(uploaded(client, b"", BAD, Accept=BROWSER))
    (other,) = soup.select(".languages button[lang=fr]")
    assert other["form"] == soup.select("form.statements")[0]["id"] and other["formaction"] == "/validate?lang=fr"
    french = page(uploaded(client, b"", soup.select("textarea")[0].text, "?lang=fr", Accept=BROWSER))
    assert french.html and french.html["lang"] == "fr" and "longitud " in french.select("textarea")[0].text


def test_every_rule_is_listed_where_it_stands(client: FlaskClient) -> None:
    soup = page(client.get("/validate/rules", headers={"Accept": BROWSER}))
    listed = {str(rule["id"]): rule.find_parent("details").summary.text for rule in soup.select("dl.terms > div")}  # type: ignore[union-attr]
    known = CliRunner().invoke(main, ["validate", "--rules"]).output.splitlines()
    assert listed.keys() == {line.partition("\t")[0] for line in known}
    assert "shapes/mandates.ttl" in listed["shape:Mandate-office"] and "queries/checks/" in listed["uncited-fact"]
