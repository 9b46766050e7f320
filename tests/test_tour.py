"""A tour of all pages from the first one: every thing is reached, no link is broken, every page is HTML as its standard has it."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

import html5lib
import pytest

from interpol_graph.graph.prefixes import ENTITIES, TERMS

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
#: What html5lib finds wrong with what the standard allows since: elements of SVG that close themselves, new attributes.
LATER: frozenset[str] = frozenset()
THINGS = (
    f'SELECT DISTINCT ?s {{ ?s a ?class FILTER(STRSTARTS(STR(?s), "{ENTITIES}") || STRSTARTS(STR(?s), "{TERMS}")) }}'
)


#: Pages of one kind that are judged by the standard: that takes ten times as long as to follow their links.
JUDGED = 5


class Elements(HTMLParser):
    """The links, names and JSON-LD of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.blocks: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.links |= {told["href"]} if tag == "a" and told.get("href") else set()
        self.ids |= {told["id"]} if "id" in told else set()
        if tag == "script" and told.get("type") == "application/ld+json":
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem and self.blocks:
            self.blocks[-1] += data


class Tour:
    """What was met on the way."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.wrong: list[str] = []
        self.anchors: set[str] = set()
        self.judged: Counter[str] = Counter()
        self.blocks = 0

    def visit(self, path: str) -> set[str]:
        """Look at one address, and return the addresses that it links to."""
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.server + path, headers=BROWSER), timeout=60
            ) as answer:
                if not answer.headers["Content-Type"].startswith("text/html"):
                    return set()
                text, here = answer.read().decode(), answer.url
        except urllib.error.HTTPError as error:
            self.wrong.append(f"{error.code} {path}")
            return set()
        kind = re.sub("/[^/]*$", "", path.partition("?")[0])
        self.judged[kind] += 1
        if self.judged[kind] <= JUDGED:
            parser = html5lib.HTMLParser()
            parser.parse(text)
            self.wrong += [f"{path}: {fault} {found}" for _, fault, found in parser.errors if fault not in LATER]
        page = Elements(text)
        self.blocks += sum(bool(json.loads(block)) for block in page.blocks)
        if path.partition("?")[0] == "/ontology":
            self.anchors |= page.ids
        targets = (urljoin(here, link) for link in page.links)
        return {
            target.removeprefix(self.server).partition("#")[0] for target in targets if target.startswith(self.server)
        }


def wanted(path: str, shapes: set[str]) -> bool:
    """Tell whether an address is looked at: every page in the language that one comes in; of data one of each shape.

    Lists that are narrowed twice are so many that nobody looks at all.
    """
    parts = urlsplit(path)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if "lang" in asked or len(asked.keys() - {"page"}) > 1:
        return False
    if not parts.path.startswith(("/data/", "/id/")):
        return True
    shape = re.sub("/[^/]*?(\\.[a-z]+)?$", "/\\1", parts.path)
    return shape not in shapes and not shapes.add(shape)  # type: ignore[func-returns-value]


@pytest.mark.slow
def test_a_tour_from_the_first_page_reaches_everything(server: str) -> None:
    tour, seen, shapes, todo = Tour(server), {"/"}, set[str](), ["/"]
    with ThreadPoolExecutor(4) as pool:
        while todo:
            found = set().union(*pool.map(tour.visit, todo))
            todo = [path for path in sorted(found - seen) if wanted(path, shapes)]
            seen |= found
    assert tour.wrong == []
    assert tour.blocks > 10
    rows = urllib.request.urlopen(f"{server}/sparql?format=csv&query={quote(THINGS)}").read().decode()
    things = [row["s"] for row in csv.DictReader(io.StringIO(rows))]
    reached = {unquote(path.partition("?")[0]) for path in seen}
    missed = [
        thing for thing in things
        if thing.replace(ENTITIES, "/page/").replace(TERMS, "/page/ontology/") not in reached
        and thing.removeprefix(TERMS) not in tour.anchors
    ]  # fmt: skip
    assert len(things) > 5000 and missed == []
