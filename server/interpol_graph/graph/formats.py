"""The table of formats: names, media types, suffixes. Everything that reads or writes a format asks here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from pyoxigraph import QueryResultsFormat, RdfFormat

#: What an answer is: rows of a SELECT or the truth of an ASK; triples; quads of a dataset.
Kind = Literal["results", "graph", "dataset"]


class Offered(Protocol):
    """What can be on offer: it has a name and media types, preferred ones first."""

    @property
    def name(self) -> str: ...
    @property
    def media_types(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Format:
    """One serialisation: its name on command lines and in ?format=, its label, suffix, media types (preferred first) and kind."""

    name: str
    label: str
    suffix: str
    media_types: tuple[str, ...]
    kind: Kind
    engine: QueryResultsFormat | RdfFormat

    @property
    def iri(self) -> str:
        """The local name of its IRI in http://www.w3.org/ns/formats/."""
        return self.engine.iri.rpartition("/")[2]

    @property
    def content_type(self) -> str:
        """The Content-Type header of an answer in this format: UTF-8, and a text/* type has to say so."""
        return self.media_types[0] + ("; charset=utf-8" if self.media_types[0].startswith("text/") else "")

    @property
    def rdf(self) -> RdfFormat:
        """The parser and serialiser of a graph or dataset format."""
        if not isinstance(self.engine, RdfFormat):
            raise TypeError(f"{self.name} does not carry RDF")
        return self.engine

    @property
    def results(self) -> QueryResultsFormat:
        """The serialiser of a results format."""
        if not isinstance(self.engine, QueryResultsFormat):
            raise TypeError(f"{self.name} does not carry query results")
        return self.engine


_Q, _R = QueryResultsFormat, RdfFormat

FORMATS = (
    Format("json", "SPARQL JSON", ".srj", ("application/sparql-results+json", "application/json"), "results", _Q.JSON),
    Format("xml", "SPARQL XML", ".srx", ("application/sparql-results+xml", "application/xml"), "results", _Q.XML),
    Format("csv", "CSV", ".csv", ("text/csv",), "results", _Q.CSV),
    Format("tsv", "TSV", ".tsv", ("text/tab-separated-values",), "results", _Q.TSV),
    Format("turtle", "Turtle", ".ttl", ("text/turtle", "application/x-turtle"), "graph", _R.TURTLE),
    Format("ntriples", "N-Triples", ".nt", ("application/n-triples", "text/plain"), "graph", _R.N_TRIPLES),
    Format("rdfxml", "RDF/XML", ".rdf", ("application/rdf+xml", "application/xml"), "graph", _R.RDF_XML),
    Format("jsonld", "JSON-LD", ".jsonld", ("application/ld+json", "application/json"), "graph", _R.JSON_LD),
    Format("trig", "TriG", ".trig", ("application/trig",), "dataset", _R.TRIG),
    Format("nquads", "N-Quads", ".nq", ("application/n-quads",), "dataset", _R.N_QUADS),
)

BY_NAME = {fmt.name: fmt for fmt in FORMATS}
BY_SUFFIX = {fmt.suffix: fmt for fmt in FORMATS}

#: What a whole dump is offered in.
DUMPS = tuple(fmt for fmt in FORMATS if fmt.kind != "results")


def of_kind(kind: Kind) -> tuple[Format, ...]:
    """Return the formats of one kind, the default first."""
    return tuple(fmt for fmt in FORMATS if fmt.kind == kind)


def listed(formats: Iterable[Offered]) -> str:
    """Return formats as a sentence lists them: name (media type), …"""
    return ", ".join(f"{fmt.name} ({fmt.media_types[0]})" for fmt in formats)
