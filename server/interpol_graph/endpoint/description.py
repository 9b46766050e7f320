"""The SPARQL 1.1 Service Description: what the endpoint can do and what it holds, all numbers counted."""

from __future__ import annotations

from functools import lru_cache

from flask import Response, render_template, request
from pyoxigraph import CanonicalizationAlgorithm, Dataset, NamedNode, RdfFormat, parse, serialize

from interpol_graph.endpoint import negotiation
from interpol_graph.endpoint.current import data, snapshot
from interpol_graph.endpoint.problems import BadRequest
from interpol_graph.endpoint.rows import select
from interpol_graph.graph.formats import of_kind

PREFIXES = {
    "formats": "http://www.w3.org/ns/formats/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "void": "http://rdfs.org/ns/void#",
}


def answer() -> Response:
    """Return the description in the RDF format that the client likes best."""
    fmt = negotiation.require(of_kind("graph"), "The description of this endpoint")
    # Blank nodes have the same names, and statements the same order, whoever is asked and how often.
    statements = Dataset(parse(turtle(), format=RdfFormat.TURTLE))
    statements.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    triples = sorted((quad.triple for quad in statements), key=str)
    return data(serialize(triples, format=fmt.rdf, prefixes=PREFIXES) or b"", fmt.content_type)


def turtle() -> str:
    """Return the description as its template writes it."""
    state = snapshot()
    return render_template(
        "service-description.ttl",
        endpoint=_endpoint(),
        formats=(*of_kind("results"), *of_kind("graph")),
        graphs=state.graphs,
        union=set(state.graphs) == set(state.default),
        triples=_triples(state.digest),
    )


def _endpoint() -> str:
    """Return the endpoint's address as the client reached it."""
    try:
        if not request.host:
            raise ValueError
        return NamedNode(request.url_root + "sparql").value
    except ValueError as error:
        raise BadRequest("The Host of this request cannot stand in an address.") from error


@lru_cache(maxsize=2)
def _triples(digest: str) -> int:
    """Return the size of the default graph, counted once for each state of the graph."""
    return int(select("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")[0]["n"].value)
