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
    #: The local name of its IRI in http://www.w3.org/ns/formats/.
    iri: str
    #: True where the specification fixes UTF-8 through a charset parameter on text/* types.
    charset: bool = False

    @property
    def content_type(self) -> str:
        """The Content-Type header of an answer in this format."""
        return self.media_types[0] + ("; charset=utf-8" if self.charset else "")

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


FORMATS = (
    Format(
        "json",
        "SPARQL JSON",
        ".srj",
        ("application/sparql-results+json", "application/json"),
        "results",
        QueryResultsFormat.JSON,
        "SPARQL_Results_JSON",
    ),
    Format(
        "xml",
        "SPARQL XML",
        ".srx",
        ("application/sparql-results+xml", "application/xml"),
        "results",
        QueryResultsFormat.XML,
        "SPARQL_Results_XML",
    ),
    Format("csv", "CSV", ".csv", ("text/csv",), "results", QueryResultsFormat.CSV, "SPARQL_Results_CSV", charset=True),
    Format(
        "tsv",
        "TSV",
        ".tsv",
        ("text/tab-separated-values",),
        "results",
        QueryResultsFormat.TSV,
        "SPARQL_Results_TSV",
        charset=True,
    ),
    Format(
        "turtle",
        "Turtle",
        ".ttl",
        ("text/turtle", "application/x-turtle"),
        "graph",
        RdfFormat.TURTLE,
        "Turtle",
        charset=True,
    ),
    Format(
        "ntriples",
        "N-Triples",
        ".nt",
        ("application/n-triples", "text/plain"),
        "graph",
        RdfFormat.N_TRIPLES,
        "N-Triples",
    ),
    Format(
        "rdfxml", "RDF/XML", ".rdf", ("application/rdf+xml", "application/xml"), "graph", RdfFormat.RDF_XML, "RDF_XML"
    ),
    Format(
        "jsonld",
        "JSON-LD",
        ".jsonld",
        ("application/ld+json", "application/json"),
        "graph",
        RdfFormat.JSON_LD,
        "JSON-LD",
    ),
    Format("trig", "TriG", ".trig", ("application/trig",), "dataset", RdfFormat.TRIG, "TriG"),
    Format("nquads", "N-Quads", ".nq", ("application/n-quads",), "dataset", RdfFormat.N_QUADS, "N-Quads"),
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
