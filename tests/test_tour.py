"""A tour of all pages from the first one: every thing is reached, no link is broken, every page is HTML as its standard has it."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
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


class Tour:
    """What was met on the way."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.wrong: list[str] = []
        self.anchors: set[str] = set()
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
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        tree = parser.parse(text)
        self.wrong += [f"{path}: {kind} {found}" for _, kind, found in parser.errors if kind not in LATER]
        for block in tree.iter("script"):
            if block.get("type") == "application/ld+json":
                json.loads(block.text)
                self.blocks += 1
        if path.partition("?")[0] == "/ontology":
            self.anchors |= {element.get("id") for element in tree.iter() if element.get("id")}
        targets = (urljoin(here, link.get("href")) for link in tree.iter("a") if link.get("href"))
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
