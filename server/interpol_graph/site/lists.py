"""/browse/CLASS: the things of a class as a table, with facets to narrow it, a page at a time, and whole as CSV."""

import re
from contextlib import suppress
from typing import NamedTuple

from flask import Response, request
from pyoxigraph import Literal

from interpol_graph.endpoint import api
from interpol_graph.endpoint.current import Row, Term, described, iri, render, select, values
from interpol_graph.endpoint.dataset import sizes
from interpol_graph.endpoint.negotiation import language
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, expand, shorten
from interpol_graph.site import kinds
from interpol_graph.site.labels import Labels, Ref
from interpol_graph.site.selections import prefixed, selection, together

#: Things on one page.
PER_PAGE = 100

_MEMBERS = "SELECT ?item (MIN(STR(?o)) AS ?key) WHERE {{ {those} OPTIONAL {{ ?item {order} ?o }} }} GROUP BY ?item"
_COUNTS = "SELECT ?p ?o (COUNT(DISTINCT ?item) AS ?n) {{ {those} ?item ?p ?o FILTER(?p IN({facets})) }} GROUP BY ?p ?o"
_CELLS = "SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {things} }} ?s ?p ?o FILTER(?p IN ({columns})) }}"
#: What a list is ordered by where its kind says nothing: foreign data have dates, too.
_DATE = "interpol:startDate|interpol:atDate|dcterms:date"


class Choice(NamedTuple):
    """A value of a facet: its label, how many things have it, and what an address calls it."""

    label: Term
    number: int
    key: str


def members(name: str) -> Response:
    """List the things of one class, in the reader's alphabet or the newest first, a page at a time."""
    try:
        kind = expand(name) if ":" in name else TERMS + name
    except ValueError as error:
        raise NotFound(f"There is no class {name!r}: {error}.") from error
    page = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9]\d{0,5}", page):
        raise BadParameter(f"The page is a whole number from 1, not {page!r}.", parameter="page")
    number, place, shown = int(page), iri(kind), kinds.of([kind])
    chosen = {facet: request.args[facet] for facet in shown.facets if request.args.get(facet)}
    those = _those(place or "", shown, chosen)
    rows = _ordered(select(_MEMBERS.format(those=those, order=shown.order or _DATE)), place, shown) if place else []
    here = rows[(number - 1) * PER_PAGE : number * PER_PAGE]
    things, open_ = [row["item"].value for row in here], [of for name, of in shown.facets.items() if name not in chosen]
    columns, facets = (", ".join(map(prefixed, iris)) for iris in ([*shown.columns, TERMS + "inexact"], open_))
    wanted = [_CELLS.format(things=values(things), columns=columns), _COUNTS.format(facets=facets, those=those)]
    cells, counts = together(wanted) if here else ([], [])
    seen = {t.value for row in (*cells, *counts) for t in row.values() if t.kind == "uri"}
    labels = Labels({kind, *things, *seen, *shown.columns, *shown.facets.values(), *map(_expanded, chosen.values())})
    definition = labels.text(kind, "skos:definition")
    # A class of the ontology may have no entity with a name of its own: citations are blank nodes.
    if not here and (number > 1 or chosen or not definition):
        known = [shorten(found.iri).removeprefix("interpol:") for found, _ in classes()]
        where = "".join(f" with {facet} {value}" for facet, value in chosen.items())
        where += f" on page {number}" * (number > 1)
        raise NotFound(f"There is nothing of the class {name!r}{where}.", known=known)
    found = described(cells)
    told = [of for of in shown.columns if any(found[thing][of] for thing in things)]
    refers = {of: any(t.kind == "uri" for thing in things for t in found[thing][of]) for of in told}
    return render(
        "members.html", kind=labels.ref(kind), definition=definition, total=len(rows), page=number,
        columns=[labels.ref(of) for of in told],
        items=[
            (labels.ref(row["item"].value), [labels.told(found[row["item"].value], of) for of in told], row.get("key"))
            for row in here
        ],
        chosen={
            facet: (labels.ref(shown.facets[facet]), labels.label(thing) if thing in labels.words else Term("literal", text))
            for facet, text in chosen.items() for thing in [_expanded(text)]
        },
        facets={facet: (labels.ref(of), _choices(of, counts, labels)) for facet, of in shown.facets.items() if of in open_},
        more=len(rows) > number * PER_PAGE, query=selection(those, refers),
    )  # fmt: skip


def classes() -> list[tuple[Ref, int]]:
    """Return the classes of this graph's ontology, or of foreign data all classes, by name, with their sizes."""
    found, _ = sizes()
    ours = {kind: size for kind, size in found.items() if kind.startswith(TERMS)} or found
    labels = Labels(ours)
    return sorted(((labels.ref(kind), ours[kind]) for kind in ours), key=lambda pair: plain(pair[0].label.value))


def _those(place: str, kind: kinds.Kind, chosen: dict[str, str]) -> str:
    """Return the pattern of the things of a class, narrowed by the values of some facets as addresses call them."""
    pattern = f"?item a {place} . FILTER(isIRI(?item))"
    for n, (facet, text) in enumerate(chosen.items()):
        meant = [str(Literal(text)), values([_expanded(text)])]
        meant += [text] if re.fullmatch(r"\d{1,9}|true|false", text) else []
        pattern += f" VALUES ?_{n} {{ {' '.join(meant)} }} ?item <{kind.facets[facet]}> ?_{n} ."
    return pattern


def _expanded(text: str) -> str:
    with suppress(ValueError):
        return expand(text)
    return ""


def _ordered(rows: list[Row], place: str, kind: kinds.Kind) -> list[Row]:
    """Return things in the reader's alphabet, or if their kind is ordered by a date, the newest first and the undated last."""
    known = api.choices(f"?choice a {place}")

    def name(row: Row) -> str:
        thing = row["item"].value
        return plain(known.label(thing, language()) if thing in known.labels else shorten(thing))

    rows = sorted(rows, key=name)
    return sorted(rows, key=lambda row: row["key"].value if "key" in row else "", reverse=True) if kind.order else rows


def _choices(of: str, counts: list[Row], labels: Labels) -> list[Choice]:
    """Return the values of a facet, years backwards and the rest in the reader's alphabet."""
    found = [
        Choice(labels.label(value.value) if value.kind == "uri" else value, int(row["n"].value), shorten(value.value))
        for row in counts if row["p"].value == of for value in [row["o"]]
    ]  # fmt: skip
    if all(choice.key.isdecimal() for choice in found):
        return sorted(found, key=lambda choice: (len(choice.key), choice.key), reverse=True)
    return sorted(found, key=lambda choice: plain(choice.label.value))
