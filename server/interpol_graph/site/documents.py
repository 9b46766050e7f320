"""The documents behind the rows of an answer, all of them, the best first."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from interpol_graph.endpoint.current import Row, select, values
from interpol_graph.graph.prefixes import expand
from interpol_graph.graph.questions import Question
from interpol_graph.site.citations import natural
from interpol_graph.site.labels import Labels, Ref

_CITED = """SELECT DISTINCT ?thing ?source ?paragraph {{ VALUES ?thing {{ {things} }} ?thing interpol:citation ?citation .
  ?citation interpol:source ?source {supported} OPTIONAL {{ ?citation interpol:paragraph ?paragraph }} }}"""
#: What tells of a copy, in the address or the publisher of a document.
_COPIES = ("wiki", "copy", "mirror", "scribd", "docplayer", "fdocuments", "slideshare", "pdfcoffee", "vdoc")


class Cited(NamedTuple):
    """A document with its label, and the paragraphs of it that are meant."""

    ref: Ref
    paragraphs: list[str]


def of_rows(question: Question, groups: Sequence[Sequence[Row]]) -> list[list[Cited]]:
    """Return the documents of each of some rows, which stand together where they differ by their document alone.

    Those are added that the things of the question's column `documents` cite for the same.
    """
    found = [defaultdict[str, set[str]](set) for _ in groups]
    for rows, documents in zip(groups, found, strict=True):
        for row in rows:
            if "source" in row:
                documents[row["source"].value] |= {row["paragraph"].value} if "paragraph" in row else set()
    for column, properties in question.documents.items():
        places = defaultdict[str, list[int]](list)
        for place, rows in enumerate(groups):
            if column in rows[0]:
                places[rows[0][column].value].append(place)
        supported = f"VALUES ?property {{ {values(map(expand, properties))} }} ?citation interpol:supports ?property ."
        text = _CITED.format(things=values(places), supported=f". {supported}" if properties else ".")
        for row in select(text) if places else ():
            for place in places[row["thing"].value]:
                found[place][row["source"].value] |= {row["paragraph"].value} if "paragraph" in row else set()
    labels = Labels(iri for documents in found for iri in documents)
    return [
        [
            Cited(labels.ref(iri), sorted(documents[iri], key=natural))
            for iri in sorted(documents, key=lambda iri: _rank(labels, iri))
        ]
        for documents in found
    ]


def _rank(labels: Labels, iri: str) -> tuple[object, ...]:
    """Return where a document stands among others: INTERPOL's own, dated, with an address, before copies and wikis."""
    said = [labels.text(iri, name) for name in ("dcterms:publisher", "schema:url", "dcterms:date")]
    publisher, address, date = (text.value.casefold() if text else "" for text in said)
    copied = any(word in publisher or word in address for word in _COPIES)
    return copied, not publisher.startswith(("interpol", "icpo")), not date, not address, date, iri
