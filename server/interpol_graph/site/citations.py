"""The documents that pages cite: of a thing numbered in the order in which its facts first need them, of a row the best first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from interpol_graph.endpoint.current import Parts, Row, select, values
from interpol_graph.graph.prefixes import TERMS, expand
from interpol_graph.graph.questions import Question
from interpol_graph.site.labels import Labels, Ref

_SOURCE, _SUPPORTS, _PARAGRAPH = TERMS + "source", TERMS + "supports", TERMS + "paragraph"
_CITED = """SELECT DISTINCT ?thing ?source ?paragraph {{ VALUES ?thing {{ {things} }} ?thing interpol:citation ?citation .
  ?citation interpol:source ?source {supported} OPTIONAL {{ ?citation interpol:paragraph ?paragraph }} }}"""
#: What tells of a copy, in the address or the publisher of a document.
_COPIES = ("wiki", "copy", "mirror", "scribd", "docplayer", "fdocuments", "slideshare", "pdfcoffee", "vdoc")


class Mark(NamedTuple):
    """A citation mark: the number of a document in the list at the end, and the paragraphs of it."""

    number: int
    paragraphs: tuple[str, ...] = ()


class Cited(NamedTuple):
    """A document with its label, and the paragraphs of it that are meant."""

    ref: Ref
    paragraphs: list[str]


@dataclass
class Document:
    """A cited document; supports: the properties that the page cites it for."""

    number: int
    paragraphs: list[str] = field(default_factory=list)
    supports: list[Ref] = field(default_factory=list)


class Citations:
    """Gives documents their numbers and remembers what each was cited for.

    documents: IRI → document, in order of their numbers.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self.documents: dict[str, Document] = {}

    def marks(self, citations: Iterable[Parts], name: str) -> list[Mark]:
        """Return the marks of all citations that support a property."""
        found: dict[str, set[str]] = defaultdict(set)
        for citation in citations:
            if name in {t.value for t in citation.get(_SUPPORTS, ())}:
                for document in citation.get(_SOURCE, ()):
                    found[document.value].update(t.value for t in citation.get(_PARAGRAPH, ()))
        return sorted(self.mark(document, name, paragraphs) for document, paragraphs in sorted(found.items()))

    def mark(self, iri: str, name: str = "", paragraphs: Iterable[str] = ()) -> Mark:
        """Return the mark of a document that is cited for a property, or for something else."""
        document = self.documents.setdefault(iri, Document(len(self.documents) + 1))
        if name and (property := self._labels.ref(name)) not in document.supports:
            document.supports.append(property)
        document.paragraphs = sorted({*document.paragraphs, *paragraphs}, key=natural)
        return Mark(document.number, tuple(sorted(paragraphs, key=natural)))


def natural(text: str) -> tuple[int, str]:
    """Return what paragraphs are ordered by: numbers as numbers.

    >>> sorted(["10", "2", "a"], key=natural)
    ['a', '2', '10']
    """
    return (int(text), "") if text.isdecimal() and len(text) < 10 else (0, text)


def of_rows(question: Question, groups: Sequence[Sequence[Row]]) -> list[list[Cited]]:
    """Return the documents of each of some rows, which stand together where they differ by their document alone.

    Those are added that the things of the question's column `documents` cite for the same.
    """
    found = [list(rows) for rows in groups]
    for column, properties in question.documents.items():
        places = defaultdict[str, list[int]](list)
        for place, rows in enumerate(groups):
            if column in rows[0]:
                places[rows[0][column].value].append(place)
        supported = f"VALUES ?property {{ {values(map(expand, properties))} }} ?citation interpol:supports ?property ."
        text = _CITED.format(things=values(places), supported=f". {supported}" if properties else ".")
        for row in select(text) if places else ():
            for place in places[row["thing"].value]:
                found[place].append(row)
    documents = [cited(rows) for rows in found]
    labels = Labels(iri for of_one in documents for iri in of_one)
    return [
        [Cited(labels.ref(iri), of_one[iri]) for iri in sorted(of_one, key=lambda iri: _rank(labels, iri))]
        for of_one in documents
    ]


def cited(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Return document → paragraphs in order, of rows with a ?source and perhaps a ?paragraph."""
    found = defaultdict[str, set[str]](set)
    for row in rows:
        if "source" in row:
            found[row["source"].value] |= {row["paragraph"].value} if "paragraph" in row else set()
    return {iri: sorted(paragraphs, key=natural) for iri, paragraphs in found.items()}


def _rank(labels: Labels, iri: str) -> tuple[object, ...]:
    """Return where a document stands among others: INTERPOL's own, dated, with an address, before copies and wikis."""
    said = [labels.text(iri, name) for name in ("dcterms:publisher", "schema:url", "dcterms:date")]
    publisher, address, date = (text.value.casefold() if text else "" for text in said)
    copied = any(word in publisher or word in address for word in _COPIES)
    return copied, not publisher.startswith(("interpol", "icpo")), not date, not address, date, iri
