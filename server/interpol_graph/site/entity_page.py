"""All that the graph says about one entity, gathered in four queries and ready to be shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from interpol_graph.endpoint.current import Row, Term, described, iri, select
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, expand
from interpol_graph.site import backlinks, metadata
from interpol_graph.site.backlinks import DERIVED
from interpol_graph.site.citations import Citations, Mark
from interpol_graph.site.labels import Labels, Ref

#: The statements of an entity and those of its blank nodes, with the graph that each stands in.
_FACTS = """SELECT ?s ?p ?o ?g WHERE {{
  {{ GRAPH ?g {{ {e} ?p ?o }} BIND({e} AS ?s) }}
  UNION {{ GRAPH ?g {{ {e} ?via ?s . FILTER(isBlank(?s)) ?s ?p ?o }} }}
  FILTER(?g != graph:shapes)
  # What a rule repeats for old queries, with a deprecated term, a reader has seen already.
  FILTER NOT EXISTS {{ ?p owl:deprecated true }} FILTER NOT EXISTS {{ ?o owl:deprecated true }} }}"""
#: Figures and disagreements about it, the citations of the figures, and disagreements about its figures. Each
#: branch is whole: joined with a common part they took a hundred times as long.
_AROUND = """SELECT DISTINCT ?s ?p ?o WHERE {{
  {{ ?s interpol:about {e} ; ?p ?o }} UNION {{ ?f interpol:about {e} ; interpol:citation ?s . ?s ?p ?o }}
  UNION {{ ?f interpol:about {e} . ?s interpol:about ?f ; ?p ?o }}
  FILTER NOT EXISTS {{ ?o owl:deprecated true }} }}"""

_A, _ABOUT, _CITATION, _INFERENCE = expand("rdf:type"), TERMS + "about", TERMS + "citation", TERMS + "inference"

# Properties that open the table of facts; the others follow by name, those in _LAST at the end.
_FIRST = (
    "number", "person", "office", "body", "region", "representing", "member", "measure", "value", "unit", "qualifier",
    "startDate", "endDate", "atDate", "place", "country", "hostCountry", "series", "edition", "about", "detail",
    "topic", "purpose",
)  # fmt: skip
_LAST = ("skos:altLabel", "dcterms:identifier", "owl:sameAs", "skos:exactMatch", "rdfs:seeAlso", "schema:url")
_PLACES = {TERMS + name: place - len(_FIRST) for place, name in enumerate(_FIRST)}
_PLACES |= {expand(name): place for place, name in enumerate(_LAST, 1)}
# The last possible day of what goes on serves comparison; to a reader it is no date.
_OPEN_END = "9999-12-31"
_HIDDEN = {_A, _CITATION, _INFERENCE, *map(expand, ("rdfs:label", "rdfs:isDefinedBy", "skos:definition"))}

Value = Term | Ref


class Claim(NamedTuple):
    """What another document says instead."""

    iri: str
    value: Value
    marks: list[Mark]


@dataclass
class Fact:
    """One property of the entity: its values, their documents, what they are inferred from, who disagrees."""

    property: Ref
    values: list[Value]
    marks: list[Mark] = field(default_factory=list)
    inferred: list[Ref] = field(default_factory=list)
    inferred_marks: list[Mark] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


class Figure(NamedTuple):
    """A number about the entity; facts: local name of the property → values."""

    iri: str
    facts: dict[str, list[Value]]
    marks: list[Mark]
    claims: list[Claim]


class EntityPage:
    """An entity as its page shows it: facts, those that rules conclude, figures, links to it, and the documents cited."""

    def __init__(self, entity: str, statements: list[Row], around: list[Row], links: list[Row]) -> None:
        seen = {t.value for row in (*statements, *around, *links) for t in row.values() if t.kind == "uri"}
        self.iri, self._labels = entity, Labels(seen | {entity})
        self._citations = Citations(self._labels)
        self._own = described(row for row in statements if not _is_derived(row))
        self._around = described(around)
        #: What is disputed, by which property, the claim.
        self._claims = [
            (about.value, name.value, claim)
            for claim, parts in sorted(self._around.items()) if TERMS + "ConflictingClaim" in _iris(parts[_A])
            for about in parts[_ABOUT] for name in parts[TERMS + "property"]
        ]  # fmt: skip
        concluded = described(filter(_is_derived, statements))[entity]
        left_out = backlinks.subjects(links) | {_OPEN_END}
        derived = {p: [t for t in concluded[p] if t.value not in left_out] for p in self._ordered(concluded)}
        figures = [
            s for s, parts in self._around.items()
            if TERMS + "Figure" in _iris(parts[_A]) and entity in _iris(parts[_ABOUT])
        ]  # fmt: skip
        self.label = self._labels.label(entity)
        self.definition = self._labels.text(entity, "skos:definition")
        self.classes = self._labels.refs(self._own[entity][_A])
        # In this order documents get their numbers.
        self.facts = self._facts()
        self.derived = [Fact(self._labels.ref(p), vs) for p, terms in derived.items() if (vs := self._values(terms))]
        self.figures = [self._figure(s) for s in sorted(figures, key=self._figure_order)]
        self.groups = backlinks.groups(entity, links, self._labels)
        self.documents = list(self._citations.documents.values())
        #: The same for machines that read pages.
        self.jsonld = metadata.thing(entity, described(statements)[entity], self._labels)

    def _facts(self) -> list[Fact]:
        own = self._own[self.iri]
        citations, inferences = ([self._own[t.value] for t in own[name]] for name in (_CITATION, _INFERENCE))
        facts = []
        for name in self._ordered([*own, *(name for about, name, _ in self._claims if about == self.iri)]):
            reasons = [node for node in inferences if name in _iris(node[TERMS + "supports"])]
            grounds = {t.value for node in reasons for t in node[TERMS + "inferredFrom"]}
            documents = sorted(ground for ground in grounds if "/id/source/" in ground)
            fact = Fact(self._labels.ref(name), self._values(own[name]), self._citations.marks(citations, name))
            fact.inferred = [self._labels.ref(ground) for ground in sorted(grounds.difference(documents))]
            fact.inferred_marks = sorted(self._citations.mark(ground, name) for ground in documents)
            fact.claims = self._disputes(self.iri, name)
            facts.append(fact)
        return facts

    def _figure(self, figure: str) -> Figure:
        parts = self._around[figure]
        facts = {name.removeprefix(TERMS): self._values(parts[name]) for name in parts if name.startswith(TERMS)}
        marks = self._citations.marks([self._around[t.value] for t in parts[_CITATION]], TERMS + "value")
        return Figure(figure, facts, marks, self._disputes(figure))

    def _figure_order(self, figure: str) -> tuple[str, ...]:
        parts = self._around[figure]
        names = ("measure", "atDate", "startDate", "endDate")
        measure, day, start, end = (next((t.value for t in parts[TERMS + name]), "") for name in names)
        return plain(self._labels.label(measure).value), day or start, end, figure

    def _disputes(self, about: str, name: str | None = None) -> list[Claim]:
        """Return what is claimed instead, of one property or of all."""
        return [
            Claim(claim, value, [self._citations.mark(t.value, disputed) for t in self._around[claim][TERMS + "source"]])
            for subject, disputed, claim in self._claims if subject == about and name in (None, disputed)
            for value in self._values(self._around[claim][TERMS + "claimedValue"])
        ]  # fmt: skip

    def _values(self, terms: Iterable[Term]) -> list[Value]:
        """Return values in order; of texts in several languages, those in the reader's."""
        found = [t for t in dict.fromkeys(terms) if t.kind != "bnode"]
        spoken = {t.language for t in found if t.language}
        best = min(spoken, key=lambda name: (self._labels.rank(name), name), default="")
        found = [t for t in found if t.language in ("", best)]
        shown: list[Value] = [self._labels.ref(t.value) if t.kind == "uri" else t for t in found]
        return sorted(shown, key=lambda v: plain(v.label.value) if isinstance(v, Ref) else v.value)

    def _ordered(self, properties: Iterable[str]) -> list[str]:
        """Return properties in the order of the table, the hidden ones left out."""
        shown = set(properties) - _HIDDEN
        return sorted(shown, key=lambda name: (_PLACES.get(name, 0), plain(self._labels.label(name).value)))


def gather(entity: str) -> EntityPage | None:
    """Return what the page of an entity shows, or None if the graph says nothing of it."""
    place = iri(entity)
    if place is None:
        return None
    statements, around, links = (select(query.format(e=place)) for query in (_FACTS, _AROUND, backlinks.QUERY))
    return EntityPage(entity, statements, around, links) if statements or links else None


def _is_derived(row: Row) -> bool:
    return row["g"].value == DERIVED and row["s"].kind == "uri"


def _iris(terms: Iterable[Term]) -> set[str]:
    return {t.value for t in terms}
