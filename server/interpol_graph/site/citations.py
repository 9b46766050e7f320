"""The documents that a page cites, numbered in the order in which its facts first need them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from interpol_graph.endpoint.current import Parts
from interpol_graph.graph.prefixes import TERMS
from interpol_graph.site.labels import Labels, Ref, Text

_SOURCE, _SUPPORTS, _PARAGRAPH = TERMS + "source", TERMS + "supports", TERMS + "paragraph"


class Mark(NamedTuple):
    """A citation mark: the number of a document in the list at the end, and the paragraphs of it."""

    number: int
    paragraphs: tuple[str, ...] = ()


@dataclass
class Document:
    """A cited document; supports: the properties that the page cites it for."""

    number: int
    iri: str
    title: Text
    publisher: Text | None
    date: Text | None
    url: Text | None
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
        if iri not in self.documents:
            text = self._labels.text
            title = text(iri, "dcterms:title") or self._labels.label(iri)
            publisher, date, url = text(iri, "dcterms:publisher"), text(iri, "dcterms:date"), text(iri, "schema:url")
            self.documents[iri] = Document(len(self.documents) + 1, iri, title, publisher, date, url)
        document = self.documents[iri]
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
