"""The names of things in the reader's language: labels, titles, definitions."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from interpol_graph.endpoint.current import Parts, Term, described, select, values
from interpol_graph.endpoint.negotiation import language
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, shorten
from interpol_graph.site.phrases import PHRASES, number, phrase
from interpol_graph.site.selections import INEXACT

_LABELS = """SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {iris} }}
  ?s ?p ?o FILTER(?p IN (
    rdfs:label, skos:definition, dcterms:title, dcterms:publisher, dcterms:date, schema:url)) }}"""


class Ref(NamedTuple):
    """Something to link to, by its label."""

    iri: str
    label: Term


Value = Term | Ref


class Labels:
    """Labels and bibliographic words of many IRIs, read by one query.

    words: IRI → prefixed name of the property → values.
    """

    def __init__(self, iris: Iterable[str]) -> None:
        self._wishes = [language(), "en", "fr", ""]
        wanted = values(sorted(set(iris)))
        self.words = described(select(_LABELS.format(iris=wanted)) if wanted else (), shorten)

    def rank(self, language: str) -> int:
        """Return how little the reader is served by a language: 0 for their own, then English, French, none, others."""
        return self._wishes.index(language) if language in self._wishes else len(self._wishes)

    def text(self, entity: str, name: str) -> Term | None:
        """Return the value of a property, in the reader's language if there is one."""
        found = [t for t in self.words.get(entity, {}).get(name, ()) if t.value]
        best = min(found, key=lambda t: (self.rank(t.language), t.value), default=None)
        return best._replace(value=shorten(best.value)) if best and best.kind == "uri" else best

    def label(self, entity: str) -> Term:
        """Return the label of an entity; without one its title, our own word for it, or its short name."""
        label, title = self.text(entity, "rdfs:label"), self.text(entity, "dcterms:title")
        if label and title and not label.language:  # that of a document is made of its title
            return label._replace(language=title.language)
        return label or title or Term("literal", phrase(short) if (short := shorten(entity)) in PHRASES else short)

    def ref(self, entity: str) -> Ref:
        """Return an entity with its label."""
        return Ref(entity, self.label(entity))

    def refs(self, terms: Iterable[Term]) -> list[Ref]:
        """Return those of some terms that are IRIs, with their labels."""
        return [self.ref(t.value) for t in terms if t.kind == "uri"]

    def values(self, terms: Iterable[Term]) -> list[Value]:
        """Return values in order, without blank nodes; of texts in several languages, those in the reader's."""
        found = [t for t in dict.fromkeys(terms) if t.kind != "bnode"]
        shown = self.spoken([self.ref(t.value) if t.kind == "uri" else t for t in found])
        return sorted(shown, key=lambda v: plain(v.label.value) if isinstance(v, Ref) else v.value)

    def told(self, parts: Parts, name: str) -> list[Value]:
        """Return the values of a property of a thing, whose statements are property → terms; a number that is not exact says so."""
        inexact = any(t.value == name for t in parts.get(TERMS + "inexact", ()))
        found = self.values(parts.get(name, ()))
        if not inexact:
            return found
        return [v._replace(value=f"{INEXACT} {number(v.value)}") if isinstance(v, Term) else v for v in found]

    def spoken(self, values: Sequence[Value]) -> list[Value]:
        """Return values without the texts in other languages than the best for the reader."""
        languages = {v.language for v in values if isinstance(v, Term) and v.language}
        best = min(languages, key=lambda name: (self.rank(name), name), default="")
        return [v for v in values if isinstance(v, Ref) or v.language in ("", best)]
