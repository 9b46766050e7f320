"""The home page, search by name, browsing by class, and whether the service is in order."""

from __future__ import annotations

import re
import unicodedata

from flask import Blueprint, Response, current_app, jsonify, request

from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.engine.outcomes import LimitReached
from interpol_graph.graph.prefixes import TERMS, expand, shorten
from interpol_graph.site import pages
from interpol_graph.site.labels import Names, Ref, plain
from interpol_graph.site.rows import Term, ask, iri, select, values

blueprint = Blueprint("home", __name__)
blueprint.app_context_processor(pages.context)
blueprint.app_url_defaults(pages.keep_language)

#: Results that one search shows; entities on one page of a class.
FOUND, PER_PAGE = 100, 100
#: Classes that the home page counts, most telling first.
KEY_CLASSES = (
    "AssemblySession", "Country", "NationalCentralBureau", "Person", "Mandate", "Operation", "System",
    "Resolution", "Figure", "Source", "Citation", "ConflictingClaim",
)  # fmt: skip

_CLASSES = "SELECT ?class (COUNT(?s) AS ?n) WHERE { ?s a ?class FILTER(isIRI(?class)) } GROUP BY ?class"
_MEMBERS = """SELECT ?s (MIN(STR(?start)) AS ?date) (MIN(?n) AS ?number) WHERE {{
  ?s a {kind} FILTER(isIRI(?s))
  OPTIONAL {{ ?s interpol:startDate|interpol:atDate|dcterms:date ?start }}
  OPTIONAL {{ ?s interpol:number ?n }}
}} GROUP BY ?s ORDER BY ?date ?number ?s LIMIT {limit} OFFSET {offset}"""
_SEARCH = """SELECT ?s ?label WHERE {{
  {{ ?s rdfs:label ?label }} UNION {{ ?s skos:altLabel ?label }} UNION {{ ?s dcterms:title ?label }}
  FILTER(isIRI(?s) && {tests}) }} LIMIT 5000"""
_KINDS = """SELECT ?s ?class WHERE {{
  VALUES ?s {{ {iris} }} GRAPH ?g {{ ?s a ?class }} FILTER(?g != graph:derived) }}"""

# A plain letter of the question finds the same letter with any accent in a label.
_ACCENTED: dict[str, str] = {}
for _letter in map(chr, range(0xC0, 0x250)):
    _bare = unicodedata.normalize("NFD", _letter)[0].lower()
    if _bare.isascii():
        _ACCENTED[_bare] = _ACCENTED.get(_bare, _bare) + _letter


@blueprint.get("/")
def home() -> Response:
    """Show what the graph is, how much it holds and the ways in."""
    counts = {kind.iri: (kind, number) for kind, number in _classes()}
    key = [counts[TERMS + name] for name in KEY_CLASSES if TERMS + name in counts]
    return pages.render("home.html", counts=key)


@blueprint.get("/search")
def search() -> Response:
    """Find entities by the words of their names, accents ignored; exact names first."""
    q = request.args.get("q", "").strip()
    if not q:
        return pages.render("search.html", q="", results=[], cut=False)
    if len(q) > 200:
        raise BadParameter(f"The search is {len(q)} characters long; at most 200 are looked for.", parameter="q")
    words = [plain(word) for word in q.split()]
    tests = " && ".join(f"REGEX(STR(?label), {_pattern(word)}, 'i')" for word in dict.fromkeys(words))
    best: dict[str, tuple[tuple[int, int, str], Term]] = {}
    for row in select(pages.snapshot(), _SEARCH.format(tests=tests)):
        label, s = row["label"], row["s"].value
        bare = plain(label.value)
        rank = (0 if bare == " ".join(words) else 1 if bare.startswith(words[0]) else 2, len(bare), bare)
        if s not in best or rank < best[s][0]:
            best[s] = (rank, label)
    chosen = sorted(best, key=lambda s: (best[s][0], s))[:FOUND]
    kinds: dict[str, set[str]] = {}
    for row in select(pages.snapshot(), _KINDS.format(iris=values(chosen))) if chosen else ():
        kinds.setdefault(row["s"].value, set()).add(row["class"].value)
    names = Names(pages.snapshot(), {*chosen, *(kind for s in chosen for kind in kinds.get(s, ()))}, pages.language())
    results = [(names.ref(s), best[s][1].value, [names.ref(kind) for kind in sorted(kinds.get(s, ()))]) for s in chosen]
    return pages.render("search.html", q=q, results=results, cut=len(best) > FOUND)


@blueprint.get("/browse/")
def browse() -> Response:
    """List the classes and how many entities each has; with ?class=IRI, the entities of any class."""
    if name := request.args.get("class"):
        return _members(name)
    return pages.render("browse.html", classes=sorted(_classes(), key=lambda pair: plain(pair[0].label.value)))


@blueprint.get("/browse/<name>")
def members(name: str) -> Response:
    """List the entities of one class, in order of date, a page at a time."""
    return _members(name)


def _members(name: str) -> Response:
    try:
        kind = iri(expand(name) if ":" in name else TERMS + name)
    except ValueError as error:
        raise NotFound(f"There is no class {name!r}: {error}.") from error
    page = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9]\d{0,5}", page):
        raise BadParameter(f"The page is a whole number from 1, not {page!r}.", parameter="page")
    number = int(page)
    query = _MEMBERS.format(kind=kind, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    rows = select(pages.snapshot(), query) if kind else []
    names = Names(pages.snapshot(), {kind[1:-1] if kind else "", *(row["s"].value for row in rows)}, pages.language())
    # A class of the ontology may have no entity with a name of its own: citations are blank nodes.
    if kind is None or not (rows or (number == 1 and names.definition(kind[1:-1]))):
        known = [shorten(found.iri).removeprefix("interpol:") for found, _ in _classes()]
        raise NotFound(
            f"There is nothing of the class {name!r}" + (f" on page {number}." if number > 1 else "."),
            known=known,
        )
    items = [(names.ref(row["s"].value), row["date"].value if "date" in row else "") for row in rows[:PER_PAGE]]
    return pages.render(
        "members.html",
        kind=names.ref(kind[1:-1]),
        definition=names.definition(kind[1:-1]),
        items=items,
        page=number,
        more=len(rows) > PER_PAGE,
    )


@blueprint.get("/healthz")
def healthz() -> Response:
    """Tell whether the engine answers."""
    if b"true" not in ask(pages.snapshot(), "ASK {}").body:
        raise LimitReached("The engine gives no answer.")
    response = jsonify(status="ok", digest=pages.snapshot().digest)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Ask robots to leave alone what costs an evaluation."""
    return Response("User-agent: *\nDisallow: /sparql\nDisallow: /api/\nDisallow: /search\n", content_type="text/plain")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Return the site's mark."""
    return current_app.send_static_file("mark.svg")


def _classes() -> list[tuple[Ref, int]]:
    """Return the classes of this graph's ontology, or of foreign data all classes, with their sizes."""
    sizes = {row["class"].value: int(row["n"].value) for row in select(pages.snapshot(), _CLASSES)}
    ours = {kind: size for kind, size in sizes.items() if kind.startswith(TERMS)} or sizes
    names = Names(pages.snapshot(), ours, pages.language())
    return [(names.ref(kind), size) for kind, size in ours.items()]


def _pattern(word: str) -> str:
    """Return a regular expression for a plain word, as a SPARQL string."""
    pattern = "".join(f"[{_ACCENTED[c]}]" if c in _ACCENTED else re.escape(c) for c in word)
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
