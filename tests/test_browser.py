"""The pages in a real browser: seen on a phone and a desk, light and dark, with script and without, by all who read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

import browser as browsers
from conftest import sampled

#: A page of each type.
TYPES = (
    "/", "/browse/", "/browse/Country", "/search?q=kigali", "/page/session/84", "/page/person/mireille-ballestrazzi",
    "/page/country/RW", "/page/operation/haechi-v", "/page/series/haechi", "/page/system/icse", "/page/notice/red",
    "/page/organ/executive-committee", "/page/source/ga84-closing", "/page/membership/KI", "/page/ontology/Operation",
    "/page/ontology/Cybercrime", "/queries/", "/queries/president-on-day", "/queries/attendance-over-time", "/api/", "/sparql",
    "/dumps/", "/ontology", "/validate", "/validate/rules", "/page/person/nobody",
)  # fmt: skip
#: Those that axe judges in `make test`; it takes seconds for each.
SAMPLE = (
    "/", "/search?q=kigali", "/page/session/84", "/queries/attendance-over-time", "/sparql", "/validate", "/page/person/nobody",
)  # fmt: skip
#: Rules that axe leaves out unless asked.
RULES = {"rules": {name: {"enabled": True} for name in ("label-content-name-mismatch", "target-size")}}
#: How much of the page has moved without the reader's doing since it was opened.
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value })
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(sum), 50));
})"""
HOSTS = (
    "SELECT ?session ?place { ?session a interpol:AssemblySession ; interpol:place ?place } ORDER BY ?session LIMIT 3"
)

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.program())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def wrong() -> list[str]:
    """What was wrong in the console, was not answered, or was asked of another host."""
    return []


@pytest.fixture(scope="module")
def readers(browser: Browser, server: str, wrong: list[str]) -> dict[bool, Page]:
    """Those who read with script and without, each in one window for the whole file: to open one takes longer than to read."""

    def answered(response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            wrong.append(f"{response.status} {response.url}")

    def reader(script: bool) -> Page:
        page = browser.new_context(base_url=server, java_script_enabled=script, locale="en").new_page()
        page.on("console", lambda said: said.text.startswith("Failed to load") or wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(server) or wrong.append(asked.url))
        page.on("response", answered)
        return page

    return {script: reader(script) for script in (True, False)}


@pytest.fixture
def opened(readers: dict[bool, Page], wrong: list[str]) -> Iterator[Opened]:
    """Opens a page as a reader has it; in the end nothing was wrong."""

    def opened(path: str, width: int = 1280, script: bool = True) -> Page:
        page = readers[script]
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="light")
        page.goto(path)
        return page

    wrong.clear()
    yield opened
    for page in readers.values():
        page.goto("about:blank")  # it asks for nothing more
    assert wrong == []


def edited(page: Page, query: str) -> None:
    """Type a query in the place of the one that stands there."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)


def fits(page: Page, *widths: int) -> None:
    """Fail if the page, opened in the first of some widths, has moved, or scrolls sideways in any of them.

    What a busy machine brings in parts moves a little (0.008 at a twentieth of its speed); a line put above the rest, by 0.014.
    """
    assert page.evaluate(SHIFT) < 0.01
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"


@pytest.mark.parametrize("path", [path for path in TYPES if path not in SAMPLE])
def test_a_page_fits_a_phone_and_a_desk(opened: Opened, path: str) -> None:
    fits(opened(path, 390), 390, 1280)


@pytest.mark.parametrize("path", sampled(TYPES, SAMPLE, "slow"))
def test_a_page_is_for_everyone(opened: Opened, path: str) -> None:
    page = opened(path)
    fits(page, 1280, 390, 1280)
    for scheme, options in (("light", RULES), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_comma_stands_behind_what_it_follows(opened: Opened, width: int) -> None:
    """Each stands on the last line of the link before it, and what leads somewhere is as large as a finger."""
    page = opened("/page/operation/haechi-v", width)
    commas, small = page.evaluate("""() => {
      const links = [...document.querySelectorAll(".essentials a")], after = links.filter((link) => link.nextSibling?.data?.startsWith(","));
      return [after.map((link) => {
        const comma = new Range();
        comma.setStart(link.nextSibling, 0);
        comma.setEnd(link.nextSibling, 1);
        const line = [...link.getClientRects()].at(-1), at = comma.getBoundingClientRect();
        return at.top < line.bottom && at.bottom > line.top && Math.abs(at.left - line.right) < 1;
      }), links.filter((link) => [...link.getClientRects()].some((line) => line.height < 24)).length];
    }""")
    assert len(commas) > 5 and all(commas) and small == 0
    assert Axe().run(page, options={"runOnly": ["target-size"]}).violations_count == 0


def test_the_first_page_is_light(opened: Opened, browser: Browser, server: str) -> None:
    context = browser.new_context(base_url=server)
    page, sizes = context.new_page(), []
    page.on(
        "requestfinished",
        lambda asked: sizes.append(sum(asked.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))),
    )
    page.goto("/", wait_until="networkidle")
    context.close()
    assert len(sizes) >= 2 and sum(sizes) < 150_000


def test_a_citation_leads_to_its_document(opened: Opened) -> None:
    page = opened("/page/session/84")
    page.locator("table a.mark").first.click()
    document = page.locator("ol.documents li:target")
    expect(document).to_be_in_viewport()
    document.locator("a[href^='/page/source/']").first.click()
    expect(page.locator("main a[href='/page/session/84']").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_one_searches_and_changes_the_language(opened: Opened, script: bool) -> None:
    page = opened("/", script=script)
    page.locator("#q").fill("kigali")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Kigali", exact=True).first.click()
    expect(page.locator("h1")).to_have_text("Kigali")
    page.locator(".languages a[hreflang=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("h1")).to_have_text("Kigali")


def test_a_question_is_asked(opened: Opened) -> None:
    page = opened("/queries/president-on-day", 390)
    page.locator("[name=day]").fill("2015-11-05")
    page.locator("form.parameters button").click()
    expect(page.locator("main table").first).to_contain_text("Mireille Ballestrazzi")


def test_a_query_is_edited_completed_and_run(opened: Opened) -> None:
    page = opened("/sparql")
    edited(page, "SELECT ?s { ?s a interpol:AssemblySess")
    page.keyboard.press("Control+Space")
    page.locator(".cm-tooltip-autocomplete li", has_text="General Assembly session").first.click()
    page.keyboard.insert_text(" ; interpol:place place:kiga")
    page.keyboard.press("Control+Space")
    page.locator(".cm-tooltip-autocomplete li", has_text="place:kigali").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" }" if page.locator("#query").input_value().count("}") == 0 else "")
    page.keyboard.press("Control+Enter")
    expect(page.locator("table.answer tbody")).to_contain_text("84th")
    assert "place:kigali" in page.locator("#query").input_value()


def test_the_keyboard_leaves_the_editor(opened: Opened) -> None:
    page = opened("/sparql")
    page.locator("label[for=query]").click()
    expect(page.get_by_label("Query").and_(page.locator(".cm-content"))).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#format")).to_be_focused()


def test_a_saved_question_takes_the_place_of_what_is_typed_and_gives_it_back(opened: Opened) -> None:
    page = opened("/sparql")
    edited(page, "ASK { }")
    page.locator("#format").select_option("csv")
    page.locator("aside details details summary").first.click()
    page.locator("aside a[data-load]").first.click()
    expect(page.locator("[role=status]")).to_contain_text("Ctrl+Z")
    assert "SELECT" in page.locator("#query").input_value()
    page.keyboard.press("Control+z")
    assert page.locator("#query").input_value() == "ASK { }"
    assert page.locator("#format").input_value() == "csv"


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(
    ("query", "width"),
    [
        ("query=SELECT * { ?s ?p }", 1280),
        ("query=SELECT * { ?s ?p ?o }&format=turtle", 390),
        ("query=ASK FROM graph:session {}", 390),
    ],
)
def test_what_is_wrong_stands_by_the_query(opened: Opened, query: str, width: int, script: bool) -> None:
    page = opened("/sparql?" + quote(query, safe="=&"), width, script)
    expect(page.locator("#problem h2")).to_be_in_viewport()
    text = page.locator(".cm-content" if script else "#query")
    expect(text).to_be_in_viewport()
    assert page.locator("#query").input_value() == re.split("[=&]", query)[1]
    if "turtle" in query:
        assert page.locator("#format").input_value() == "turtle"
    if script and "?p }" in query:
        expect(page.locator(".cm-lintRange-error")).to_have_count(1)


def test_without_the_script_a_query_runs(opened: Opened) -> None:
    page = opened("/sparql", 390, script=False)
    page.locator("#query").fill(HOSTS)
    page.locator(".run button").click()
    expect(page.locator("table.answer tbody tr")).to_have_count(3)
    expect(page.locator("table.answer thead")).to_be_in_viewport()
