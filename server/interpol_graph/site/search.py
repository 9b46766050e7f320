"""/search: things by the words of their names, for people, for programs and for the search box of a browser."""

from functools import partial
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, jsonify, request
from pyoxigraph import parse

from interpol_graph.endpoint import current, dumps, negotiation
from interpol_graph.endpoint.problems import BadParameter
from interpol_graph.engine.outcomes import OutOfTime
from interpol_graph.graph import names
from interpol_graph.graph.formats import BY_NAME, Offered
from interpol_graph.graph.prefixes import SH, TERMS, shorten
from interpol_graph.site.labels import Labels
from interpol_graph.site.pages import subject

blueprint = Blueprint("search", __name__)

#: Results that a page or an answer shows, and a search box while somebody types.
FOUND, SUGGESTED = 100, 10
#: What is looked for first.
KINDS = [TERMS + kind for kind in (
    "Person", "AssemblySession", "Organisation", "Organ", "Office", "Country", "Place", "NoticeType", "System", "Database", "Tool",
    "OperationSeries", "Operation", "Conference", "Election", "Programme", "Project", "Initiative", "NationalCentralBureau",
)] + [SH + "SPARQLExecutable"]  # fmt: skip
#: For programs: a list of results; what OpenSearch calls suggestions.
OFFERED = (
    Offered("json", "JSON", ("application/json",)),
    Offered("suggestions", "OpenSearch suggestions", ("application/x-suggestions+json",)),
)
_KINDS = """SELECT DISTINCT ?s (rdf:type AS ?p) ?o WHERE {{
  VALUES ?s {{ {iris} }} GRAPH ?g {{ ?s a ?o }}
  FILTER(?g != graph:derived && ?o NOT IN (sh:SPARQLSelectExecutable, sh:SPARQLConstructExecutable)) }} ORDER BY ?o"""


@blueprint.get("/search")
def search() -> Response:
    """Find things by their names in any language, without case and accents, by beginnings of words and with one slip each."""
    q = request.args.get("q", "").strip()
    if len(q) > 200:
        raise BadParameter(f"The search is {len(q)} characters long; at most 200 are looked for.", parameter="q")
    fmt = None if negotiation.wants_html() else negotiation.require(OFFERED, "A search", OFFERED)
    most = SUGGESTED if fmt == OFFERED[1] else FOUND
    found, some = _found(q, most + 1)
    shown = dict(list(found.items())[:most])
    rows = current.select(_KINDS.format(iris=current.values(shown))) if shown else []
    labels, kinds = Labels({*shown, *(row["o"].value for row in rows)}), current.described(rows, shorten)
    results = [(labels.ref(iri), name, labels.refs(kinds[iri]["rdf:type"])) for iri, name in shown.items()]
    if fmt is None:
        return current.render(
            "search.html", "Accept", q=q, tells=partial(_tells, q), results=results, cut=len(found) > most, some=some
        )  # fmt: skip
    told: list[Any]
    if fmt == OFFERED[1]:
        addresses = [request.host_url.rstrip("/") + subject(ref.iri) for ref, _, _ in results]
        said = [", ".join(kind.label.value for kind in of) for _, _, of in results]
        told = [q, [name for _, name, _ in results], said, addresses]
    else:
        told = [
            {"iri": iri, "label": label.value, "language": label.language, "name": name, "kind": [k.iri for k in of]}
            for (iri, label), name, of in results
        ]
    return current.data(jsonify(told).data, fmt.content_type, "Accept", "Accept-Language")


def _tells(q: str, name: str, label: str) -> bool:
    """Return whether a name has what was asked for, a slip in the end of a word aside, where a label has not."""
    asked, told, known = (set(names.words(text).split()) for text in (q, name, label))
    return not {word[:4] for word in asked}.isdisjoint(word[:4] for word in told - known)


def _found(q: str, most: int) -> tuple[dict[str, str], bool]:
    """Return IRI → name of what is found, and whether only some of the words are. Raises OutOfTime, and as `dumps.made` does."""
    if not q:
        return {}, False

    fmt = BY_NAME["nquads"]
    whole = dumps.dumped(fmt)

    def index(output: IO[bytes]) -> None:
        names.build(parse(path=whole, format=fmt.rdf), Path(output.name), KINDS)

    try:
        path = dumps.made("names", index)
        found = names.search(path, q, most)
        return dict(found or names.search(path, q, most, some=True)), not found
    except TimeoutError as error:
        raise OutOfTime("The search took too long and was stopped; write more of the words.") from error
