"""The names of things in the reader's language: labels, titles, definitions."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import prefixes, shorten
from interpol_graph.site.rows import Term, select, values
from interpol_graph.site.words import WORDS, word

_NAMES = """SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {iris} }}
  ?s ?p ?o FILTER(?p IN (
    rdfs:label, skos:definition, dcterms:title, dcterms:publisher, dcterms:date, schema:url)) }}"""


class Text(NamedTuple):
    """A text and its language."""

    value: str
    language: str = ""


class Ref(NamedTuple):
    """Something to link to, by its label."""

    iri: str
    label: Text


def plain(text: str) -> str:
    """Return a text in small letters without accents, to compare and sort by.

    >>> plain("Élection"), plain("Señor")
    ('election', 'senor')
    """
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))


class Names:
    """Labels and bibliographic words of many IRIs, read by one query.

    words: IRI → prefixed name of the property → values.
    """

    def __init__(self, snapshot: Snapshot, iris: Iterable[str], language: str) -> None:
        self.language = language
        self.words: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
        wanted = values(sorted(set(iris)))
        for row in select(snapshot, _NAMES.format(iris=wanted)) if wanted else ():
            self.words[row["s"].value][shorten(row["p"].value)].append(row["o"])

    def text(self, entity: str, *properties: str) -> Text | None:
        """Return the first of some properties that has a value, in the reader's language if there is one."""
        wish = [self.language, "en", "fr", ""]
        for name in properties:
            if found := self.words[entity][name] if entity in self.words else None:
                best = min(
                    found,
                    key=lambda t: (wish.index(t.language) if t.language in wish else len(wish), t.value),
                )
                return Text(shorten(best.value) if best.kind == "uri" else best.value, best.language)
        return None

    def definition(self, entity: str) -> Text | None:
        """Return what a term means, if the ontology says so."""
        return self.text(entity, "skos:definition")

    def label(self, entity: str) -> Text:
        """Return the label of an entity; without one its title, our own word for it, or its short name."""
        short = shorten(entity)
        own = Text(word(short, self.language)) if short in WORDS and short.split(":")[0] in prefixes() else Text(short)
        return self.text(entity, "rdfs:label", "dcterms:title") or own

    def ref(self, entity: str) -> Ref:
        """Return an entity with its label."""
        return Ref(entity, self.label(entity))
