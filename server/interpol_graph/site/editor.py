"""/sparql for people: the editor with the answer to its query, or with what is wrong with it; and the words that it completes."""

import json
import re
from typing import IO
from urllib.parse import urlencode

from flask import Blueprint, Response

from interpol_graph.endpoint import api, current, dumps, sparql
from interpol_graph.endpoint.caching import lifetime
from interpol_graph.endpoint.negotiation import language
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph.formats import FORMATS, of_kind
from interpol_graph.graph.prefixes import XSD, prefixes, shorten, sparql_header
from interpol_graph.site.labels import Labels
from interpol_graph.site.phrases import speech
from interpol_graph.site.questions import by_subject

blueprint = Blueprint("editor", __name__)

#: What a query may name: terms of the ontology that are not deprecated, and what else the graph uses.
_TERMS = """SELECT DISTINCT ?term {
  { GRAPH graph:ontology { ?term a ?kind } } UNION { SELECT DISTINCT ?term { ?s ?term ?o } } UNION { SELECT DISTINCT ?term { ?s a ?term } }
  FILTER(isIRI(?term)) FILTER NOT EXISTS { ?term owl:deprecated true } }"""
#: The variable that a query gives a year; in a column of that name there are some, too.
_YEAR = re.compile(r"\bYEAR\s*\((?:[^()]|\([^()]*\))*\)\s*AS\s*[?$](\w+)", re.IGNORECASE)


@blueprint.get("/sparql/terms.json")
def terms() -> Response:
    """List the prefixes, and the terms with their names in the reader's language."""

    def write(output: IO[bytes]) -> None:
        iris = sorted(row["term"].value for row in current.select(_TERMS))
        labels = Labels(iris)
        named = {name: labels.label(iri).value for iri in iris if (name := shorten(iri)) != iri}
        output.write(json.dumps({"prefixes": prefixes(), "terms": named}, ensure_ascii=False).encode())

    content = dumps.made(f"terms.{language()}.json", write).read_bytes()
    response = current.data(content, "application/json", negotiated=False)
    response.vary.add("Accept-Language")
    return response


@blueprint.get("/sparql/<name>.rq")
def question(name: str) -> Response:
    """Return a saved question as the editor takes it: with its values, or those of the request, in the reader's language."""
    text, _ = api.filled(api.question(name))
    response = current.data(text.encode(), "application/sparql-query; charset=utf-8", negotiated=False)
    response.vary.add("Accept-Language")
    return response


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
    dataset = [("default-graph-uri", iri) for iri in asked.default]
    dataset += [("named-graph-uri", iri) for iri in asked.named]
    address = "/sparql?" + urlencode([("query", query), *dataset]) + "&format="
    return current.render(
        "sparql.html", negotiated=True, error=error, lifetime=lifetime(answer), query=asked.query, dataset=dataset,
        wish=asked.format, header=sparql_header(), formats=FORMATS[:8], groups=by_subject(speech()), traps=sparql.TRAPS,
        answer=answer, table=table, labels=Labels(table.iris() if table else ()), strangers=sparql.strangers(query) if answer else (),
        downloads=[(fmt, address + fmt.name) for fmt in of_kind(answer.format.kind)] if answer else [],
    )  # fmt: skip


def _mark_years(table: current.Table, query: str) -> None:
    """Make years of the whole numbers in columns of years: their thousands are not set apart."""
    years = {name for name in table.columns if name.lower().endswith("year")} | set(_YEAR.findall(query))
    for row in table.rows:
        for name in years & row.keys():
            if row[name].datatype == XSD + "integer":
                row[name] = row[name]._replace(datatype=XSD + "gYear")
