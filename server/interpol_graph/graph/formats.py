"""The table of formats: names, media types, suffixes. Everything that reads or writes a format asks here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pyoxigraph import QueryResultsFormat, RdfFormat

#: What an answer is: rows of a SELECT or the truth of an ASK; triples; quads of a dataset.
Kind = Literal["results", "graph", "dataset"]


@dataclass(frozen=True)
class Offered:
    """What can be on offer: its name on command lines and in ?format=, its label, its media types (preferred first)."""

    name: str
    label: str
    media_types: tuple[str, ...]

    @property
    def content_type(self) -> str:
        """The Content-Type header: everything is UTF-8, and a text/* type has to say so."""
        return self.media_types[0] + ("; charset=utf-8" if self.media_types[0].startswith("text/") else "")

    @property
    def names(self) -> tuple[str, ...]:
        """What a client may call it in ?format=."""
        return (self.name, *self.media_types)


@dataclass(frozen=True)
class Format(Offered):
    """One serialisation, with the suffixes of its files (ours first), its kind, and what pyoxigraph calls it."""

    suffixes: tuple[str, ...]
    kind: Kind
    engine: Any

    @property
    def suffix(self) -> str:
        """The suffix of the files that are written here."""
        return self.suffixes[0]

    @property
    def names(self) -> tuple[str, ...]:
        """What a client may call it in ?format=; one name may stand for rows and for a graph."""
        subtypes = (media_type.partition("/")[2] for media_type in self.media_types)
        return (*super().names, self.label, *self.suffixes, *subtypes)

    @property
    def rdf(self) -> RdfFormat:
        """The parser and serialiser of a graph or dataset format."""
        assert isinstance(self.engine, RdfFormat)
        return self.engine


_Q, _R = QueryResultsFormat, RdfFormat
#: What is Turtle is N3, too.
_TURTLE = ("text/turtle", "application/x-turtle", "application/turtle", "text/n3", "text/rdf+n3", "application/n3")

FORMATS = (
    Format("json", "SPARQL JSON", ("application/sparql-results+json", "application/json", "text/json"), (".srj",), "results", _Q.JSON),
    Format("xml", "SPARQL XML", ("application/sparql-results+xml", "application/xml", "text/xml"), (".srx",), "results", _Q.XML),
    Format("csv", "CSV", ("text/csv",), (".csv",), "results", _Q.CSV),
    Format("tsv", "TSV", ("text/tab-separated-values",), (".tsv",), "results", _Q.TSV),
    Format("turtle", "Turtle", _TURTLE, (".ttl", ".n3", ".turtle", ".shacl"), "graph", _R.TURTLE),
    Format("ntriples", "N-Triples", ("application/n-triples", "text/plain"), (".nt",), "graph", _R.N_TRIPLES),
    Format("rdfxml", "RDF/XML", ("application/rdf+xml", "application/xml", "text/xml"), (".rdf", ".owl"), "graph", _R.RDF_XML),
    Format("jsonld", "JSON-LD", ("application/ld+json", "application/json"), (".jsonld",), "graph", _R.JSON_LD),
    Format("trig", "TriG", ("application/trig",), (".trig",), "dataset", _R.TRIG),
    Format("nquads", "N-Quads", ("application/n-quads",), (".nq",), "dataset", _R.N_QUADS),
)  # fmt: skip

BY_NAME = {fmt.name: fmt for fmt in FORMATS}
BY_SUFFIX = {suffix: fmt for fmt in FORMATS for suffix in fmt.suffixes}

#: What a whole dump is offered in.
DUMPS = tuple(fmt for fmt in FORMATS if fmt.kind != "results")


def of_kind(kind: Kind) -> tuple[Format, ...]:
    """Return the formats of one kind, the default first."""
    return tuple(fmt for fmt in FORMATS if fmt.kind == kind)


def listed(formats: Iterable[Offered]) -> str:
    """Return formats as a sentence lists them: name (media type), …"""
    return ", ".join(f"{fmt.name} ({fmt.media_types[0]})" for fmt in formats)
