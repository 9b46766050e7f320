"""The documents that a page cites, numbered in the order in which its facts first need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from interpol_graph.graph.prefixes import TERMS
from interpol_graph.site.labels import Names, Ref, Text
from interpol_graph.site.rows import Term

#: What is said of one subject: IRI of the property → values.
Parts = Mapping[str, list[Term]]

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
    publisher: str
    date: str
    url: str
    paragraphs: list[str]
    supports: list[Ref]


class Bibliography:
    """Gives documents their numbers and remembers what each was cited for."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.supports: dict[str, list[str]] = defaultdict(list)
        self.paragraphs: dict[str, set[str]] = defaultdict(set)

    def marks(self, citations: Iterable[Parts], name: str) -> list[Mark]:
        """Return the marks of all citations that support a property."""
        found: dict[str, set[str]] = defaultdict(set)
        for citation in citations:
            if name in {t.value for t in citation.get(_SUPPORTS, ())}:
                for document in citation.get(_SOURCE, ()):
                    found[document.value].update(t.value for t in citation.get(_PARAGRAPH, ()))
        return sorted(self.mark(document, name, paragraphs) for document, paragraphs in sorted(found.items()))

    def mark(self, document: str, name: str, paragraphs: Iterable[str] = ()) -> Mark:
        """Return the mark of a document that is cited for a property."""
        if name not in self.supports[document]:
            self.supports[document].append(name)
        self.paragraphs[document].update(paragraphs)
        number = self.numbers.setdefault(document, len(self.numbers) + 1)
        return Mark(number, tuple(sorted(paragraphs, key=_natural)))

    def documents(self, names: Names) -> Iterator[Document]:
        """Yield the cited documents in order of their numbers."""
        for document, number in self.numbers.items():
            publisher, date, url = (
                names.text(document, name) for name in ("dcterms:publisher", "dcterms:date", "schema:url")
            )
            yield Document(
                number,
                document,
                names.text(document, "dcterms:title") or names.label(document),
                publisher.value if publisher else "",
                date.value if date else "",
                url.value if url else "",
                sorted(self.paragraphs[document], key=_natural),
                [names.ref(name) for name in self.supports[document]],
            )


def _natural(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdigit() else (0, text)
