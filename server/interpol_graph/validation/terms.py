"""Terms between the two libraries: pyoxigraph's, exact and fast, and rdflib's, which its parser and query engine need."""

from __future__ import annotations

import warnings

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Triple
from rdflib.term import Identifier, Node

# rdflib warns of ill-typed booleans while it reads; here they are findings, with their lines.
warnings.filterwarnings("ignore", message="Parsing weird boolean", category=UserWarning)

STRING = "http://www.w3.org/2001/XMLSchema#string"


def to_rdflib(term: NamedNode | BlankNode | Literal | Triple) -> Identifier:
    """Return rdflib's form of a term, literals as written. Raises ValueError for a triple, which rdflib cannot hold.

    >>> to_rdflib(Literal("007", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))).n3()
    '"007"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    if isinstance(term, Triple):
        raise ValueError("a triple as a term is RDF 1.2, which is not supported here")
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = term.datatype.value
    return rdflib.Literal(term.value, datatype=None if datatype == STRING else rdflib.URIRef(datatype), normalize=False)


def from_rdflib(node: Node) -> NamedNode | BlankNode | Literal:
    """Return pyoxigraph's form of a term."""
    if isinstance(node, rdflib.Literal):
        if node.language:
            return Literal(str(node), language=node.language)
        return Literal(str(node), datatype=NamedNode(str(node.datatype or STRING)))
    return BlankNode(str(node)) if isinstance(node, rdflib.BNode) else NamedNode(str(node))
