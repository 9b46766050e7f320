"""/sparql for people: the editor with the answer to its query, or with what is wrong with it; and the words that it completes."""

import json
import re
from collections.abc import Callable
from typing import IO
from urllib.parse import urlencode

from flask import Blueprint, Response

from interpol_graph.endpoint import api, current, dumps, sparql
from interpol_graph.endpoint.caching import lifetime
from interpol_graph.endpoint.current import UNBOUND, Row, Table, Term
from interpol_graph.endpoint.negotiation import language, speech
from interpol_graph.endpoint.pictures import BARS, draw
from interpol_graph.endpoint.scales import amount, moment
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph.formats import FORMATS, of_kind
from interpol_graph.graph.prefixes import XSD, prefixes, shorten, sparql_header
from interpol_graph.site.labels import Labels
from interpol_graph.site.phrases import phrase
from interpol_graph.site.questions import by_subject

blueprint = Blueprint("editor", __name__)

#: What a query may name: terms of the ontology that are not deprecated, and what else the graph uses.
_TERMS = """SELECT DISTINCT ?term {
  { GRAPH graph:ontology { ?term a ?kind } } UNION { SELECT DISTINCT ?term { ?s ?term ?o } } UNION { SELECT DISTINCT ?term { ?s a ?term } }
  FILTER(isIRI(?term)) FILTER NOT EXISTS { ?term owl:deprecated true } }"""
#: The variable that a query gives a year; in a column of that name there are some, too.
_YEAR = re.compile(r"\bYEAR\s*\((?:[^()]|\([^()]*\))*\)\s*AS\s*[?$](\w+)", re.IGNORECASE)

#: What columns with the two degrees of a place are called.
PLACE = ({"lat", "latitude"}, {"long", "lon", "lng", "longitude"})


@blueprint.get("/sparql/terms.json")
def terms() -> Response:
    """List the prefixes, and the terms with their names in the reader's language."""

    def write(output: IO[bytes]) -> None:
        iris = sorted(row["term"].value for row in current.select(_TERMS))
        labels = Labels(iris)
        named = {name: labels.label(iri).value for iri in iris if (name := shorten(iri)) != iri}
        output.write(json.dumps({"prefixes": prefixes(), "terms": named}, ensure_ascii=False).encode())

    content = dumps.made(f"terms {language()}", write).read_bytes()
    return current.data(content, "application/json", "Accept-Language")


@blueprint.get("/sparql/<name>.rq")
def question(name: str) -> Response:
    """Return a saved question as the editor takes it: with its values, or those of the request, in the reader's language."""
    text, _ = api.filled(api.question(name))
    return current.data(text.encode(), "application/sparql-query; charset=utf-8", "Accept-Language")


def page(asked: sparql.Asked, error: EngineError | None = None) -> Response:
    """Return the editor, with the answer to its query or with what is wrong with it: `error`, if that is known."""
    answer = table = None
    query = asked.query or ""
    if query.strip() and not error:
        try:
            answer = sparql.answer(asked, "")
            table = current.tabulated(answer)
        except EngineError as problem:
            error = problem
    if table:
        _mark_years(table, query)
    labels = Labels(table.iris() if table else ())
    dataset = [("default-graph-uri", iri) for iri in asked.default]
    dataset += [("named-graph-uri", iri) for iri in asked.named]
    address = "/sparql?" + urlencode([("query", query), *dataset]) + "&format="
    return current.render(
        "sparql.html", "Accept", error=error, lifetime=lifetime(answer), query=asked.query, dataset=dataset,
        wish=asked.format, header=sparql_header(), formats=FORMATS[:8], groups=by_subject(speech()), traps=sparql.TRAPS,
        answer=answer, table=table, labels=labels, picture=_picture(table, labels) if table else "", strangers=sparql.strangers(query) if answer else (),
        downloads=[(fmt, address + fmt.name) for fmt in of_kind(answer.format.kind)] if answer else [],
    )  # fmt: skip


def _mark_years(table: Table, query: str) -> None:
    """Make years of the whole numbers in columns of years: their thousands are not set apart."""
    years = {name for name in table.columns if name.lower().endswith("year")} | set(_YEAR.findall(query))
    for row in table.rows:
        for name in years & row.keys():
            if row[name].datatype == XSD + "integer":
                row[name] = row[name]._replace(datatype=XSD + "gYear")


def _picture(table: Table, labels: Labels) -> str:
    """Return what is drawn of rows whose columns ask for it: places, what lasts, numbers by time, numbers of things; else nothing."""
    columns, rows, _ = table.shown()
    first, *rest = columns or [""]
    numbers, moments = (_columns(columns, rows, scale) for scale in (amount, moment))
    place = [name for kind in PLACE for name in numbers if name.lower() in kind]
    fits = {
        "map": len(place) == 2 and first not in place,
        "line": first in moments and numbers == rest,
        "timeline": first not in {*numbers, *moments} and rest and rest[:2] == moments == rest,
        "bar": first not in numbers and numbers == rest and len(rows) <= BARS,
    }
    kind = next((kind for kind in fits if fits[kind]), "")
    if len(rows) < 2 or not kind:
        return ""
    drawn = [first, *place, *[name for name in numbers if name not in place][:1]] if kind == "map" else columns
    named = f"{first}Label"
    called = [
        {named: labels.label(row[first].value), **row} if row.get(first, UNBOUND).kind == "uri" else row
        for row in rows
    ]  # fmt: skip
    return draw(kind, drawn, called, {}, phrase("answer"), anchor="#row-")


def _columns(columns: list[str], rows: list[Row], scale: Callable[[Term], object]) -> list[str]:
    """Return the columns in which all that is there, and something is, stands somewhere on a scale."""
    values = {name: [scale(row[name]) for row in rows if name in row] for name in columns}
    return [name for name, found in values.items() if found and None not in found]
