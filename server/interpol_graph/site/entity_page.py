"""All that the graph says about one entity, gathered in four queries and ready to be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import TERMS, expand, shorten
from interpol_graph.site import backlinks
from interpol_graph.site.backlinks import DERIVED, Group
from interpol_graph.site.citations import Bibliography, Document, Mark, Parts
from interpol_graph.site.labels import Names, Ref, Text, plain
from interpol_graph.site.rows import Row, Term, iri, select

#: The statements of an entity and those of its blank nodes, with the graph that each stands in.
_FACTS = """SELECT ?s ?p ?o ?g WHERE {{
  {{ GRAPH ?g {{ {e} ?p ?o }} BIND({e} AS ?s) }}
  UNION {{ GRAPH ?g {{ {e} ?via ?s . FILTER(isBlank(?s)) ?s ?p ?o }} }}
  FILTER(?g != graph:shapes) }}"""
#: Figures and disagreements about it, the citations of the figures, and disagreements about its figures. Each
#: branch is whole: joined with a common part they took a hundred times as long.
_AROUND = """SELECT ?s ?p ?o ?c WHERE {{
  {{ ?s interpol:about {e} ; ?p ?o }} UNION {{ ?s interpol:about {e} ; interpol:citation ?c . ?c ?p ?o }}
  UNION {{ ?f interpol:about {e} . ?s interpol:about ?f ; ?p ?o }} }}"""

_A = expand("rdf:type")
_CITATION, _INFERENCE, _SUPPORTS, _FROM = (
    TERMS + name for name in ("citation", "inference", "supports", "inferredFrom")
)
_ABOUT, _PROPERTY, _CLAIMED, _SOURCE = (TERMS + name for name in ("about", "property", "claimedValue", "source"))
_VALUE, _FIGURE, _CLAIM = (TERMS + name for name in ("value", "Figure", "ConflictingClaim"))

# Properties that open the table of facts; the others follow by name, those in _LAST at the end.
_FIRST = [
    TERMS + name
    for name in (
        *("number", "person", "office", "body", "region", "representing", "member"),
        *("measure", "value", "unit", "qualifier", "startDate", "endDate", "atDate"),
        *("place", "country", "hostCountry", "series", "edition", "about", "detail", "topic", "purpose"),
    )
]
_LAST = ("skos:altLabel", "dcterms:identifier", "owl:sameAs", "skos:exactMatch", "rdfs:seeAlso", "schema:url")
_HIDDEN = frozenset(
    {_A, _CITATION, _INFERENCE, expand("rdfs:label"), expand("rdfs:isDefinedBy"), expand("skos:definition")}
)

Value = Term | Ref


@dataclass
class Claim:
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


@dataclass
class Figure:
    """A number about the entity; facts: local name of the property → values."""

    iri: str
    facts: dict[str, list[Value]]
    marks: list[Mark]
    claims: list[Claim]


@dataclass
class Dossier:
    """An entity as its page shows it."""

    iri: str
    label: Text
    definition: Text | None
    classes: list[Ref]
    facts: list[Fact]
    derived: list[Fact]
    figures: list[Figure]
    groups: list[Group]
    documents: list[Document]

    @property
    def disputed(self) -> int:
        """How many facts and figures sources disagree on."""
        return sum(bool(fact.claims) for fact in self.facts) + sum(bool(figure.claims) for figure in self.figures)


def gather(snapshot: Snapshot, entity: str, language: str) -> Dossier | None:
    """Return the dossier of an entity, or None if the graph says nothing of it.

    language: the one that labels are wanted in; where there is none, English or else French is taken.
    """
    place = iri(entity)
    if place is None:
        return None
    statements, around, links = (
        select(snapshot, query.format(e=place)) for query in (_FACTS, _AROUND, backlinks.QUERY)
    )
    if not statements and not links:
        return None
    seen = {t.value for row in (*statements, *around, *links) for t in row.values() if t.kind == "uri"}
    return _Gathering(entity, Names(snapshot, seen | {entity}, language)).dossier(statements, around, links)


class _Gathering:
    def __init__(self, entity: str, names: Names) -> None:
        self.entity, self.names = entity, names
        self.bibliography = Bibliography()
        self.claims: list[tuple[str, str, str, Parts]] = []

    def dossier(self, statements: list[Row], around: list[Row], links: list[Row]) -> Dossier:
        own, concluded = _described(), _described()
        nodes: dict[str, dict[str, list[Term]]] = defaultdict(_described)
        for row in statements:
            derived = row["g"].value == DERIVED
            parts = nodes[row["s"].value] if row["s"].kind == "bnode" else concluded if derived else own
            parts[row["p"].value].append(row["o"])
        subjects: dict[str, dict[str, list[Term]]] = defaultdict(_described)
        citations: dict[str, dict[str, dict[str, list[Term]]]] = defaultdict(lambda: defaultdict(_described))
        for row in around:
            parts = citations[row["s"].value][row["c"].value] if "c" in row else subjects[row["s"].value]
            if row["o"] not in parts[row["p"].value]:
                parts[row["p"].value].append(row["o"])
        self.claims = [
            (about.value, name.value, claim, parts)
            for claim, parts in sorted(subjects.items()) if _CLAIM in _iris(parts[_A])
            for about in parts[_ABOUT] for name in parts[_PROPERTY]
        ]  # fmt: skip
        figures = [
            s for s, parts in subjects.items() if _FIGURE in _iris(parts[_A]) and self.entity in _iris(parts[_ABOUT])
        ]
        reached = backlinks.subjects(links)
        return Dossier(
            self.entity,
            self.names.label(self.entity),
            self.names.definition(self.entity),
            [self.names.ref(t.value) for t in own[_A] if t.kind == "uri"],
            self._facts(own, nodes),
            [
                Fact(self.names.ref(name), shown)
                for name in self._ordered(concluded)
                if (shown := self._values(t for t in concluded[name] if t.value not in reached))
            ],
            [
                self._figure(s, subjects[s], list(citations[s].values()))
                for s in sorted(figures, key=self._figure_order(subjects))
            ],
            backlinks.groups(self.entity, links, self.names),
            list(self.bibliography.documents(self.names)),
        )

    def _facts(self, own: dict[str, list[Term]], nodes: dict[str, dict[str, list[Term]]]) -> list[Fact]:
        citations = [nodes[t.value] for t in own[_CITATION]]
        inferences = [nodes[t.value] for t in own[_INFERENCE]]
        disputed = [name for about, name, _, _ in self.claims if about == self.entity]
        facts = []
        for name in self._ordered({**own, **dict.fromkeys(disputed, [])}):
            grounds = {t.value for node in inferences if name in _iris(node[_SUPPORTS]) for t in node[_FROM]}
            documents = sorted(ground for ground in grounds if "/id/source/" in ground)
            fact = Fact(self.names.ref(name), self._values(own[name]), self.bibliography.marks(citations, name))
            fact.inferred = [self.names.ref(ground) for ground in sorted(grounds.difference(documents))]
            fact.inferred_marks = sorted(self.bibliography.mark(ground, name) for ground in documents)
            fact.claims = self._disputes(self.entity, name)
            facts.append(fact)
        return facts

    def _figure(self, figure: str, parts: dict[str, list[Term]], citations: list[dict[str, list[Term]]]) -> Figure:
        facts = {name.removeprefix(TERMS): self._values(parts[name]) for name in parts if name.startswith(TERMS)}
        names = dict.fromkeys(name for about, name, _, _ in self.claims if about == figure)
        marks = self.bibliography.marks(citations, _VALUE)
        return Figure(figure, facts, marks, [claim for name in names for claim in self._disputes(figure, name)])

    def _figure_order(self, subjects: dict[str, dict[str, list[Term]]]) -> Callable[[str], tuple[str, ...]]:
        def order(figure: str) -> tuple[str, ...]:
            parts = subjects[figure]
            first = {
                name: next((t.value for t in parts[TERMS + name]), "")
                for name in ("measure", "atDate", "startDate", "endDate")
            }
            measure = plain(self.names.label(first["measure"]).value)
            return measure, first["atDate"] or first["startDate"], first["endDate"], figure

        return order

    def _disputes(self, about: str, name: str) -> list[Claim]:
        return [
            Claim(claim, value, [self.bibliography.mark(t.value, name) for t in parts[_SOURCE]])
            for subject, disputed, claim, parts in self.claims if (subject, disputed) == (about, name)
            for value in self._values(parts[_CLAIMED])
        ]  # fmt: skip

    def _values(self, terms: Iterable[Term]) -> list[Value]:
        """Return values in order; of texts in several languages, those in the reader's."""
        found = [t for t in dict.fromkeys(terms) if t.kind != "bnode"]
        spoken = {t.language for t in found if t.language}
        if len(spoken) > 1:
            best = next(
                (language for language in (self.names.language, "en", "fr") if language in spoken),
                min(spoken),
            )
            found = [t for t in found if t.language in ("", best)]
        shown: list[Value] = [self.names.ref(t.value) if t.kind == "uri" else t for t in found]
        return sorted(shown, key=lambda v: plain(v.label.value) if isinstance(v, Ref) else v.value)

    def _ordered(self, properties: Iterable[str]) -> list[str]:
        def position(name: str) -> tuple[int, int, str]:
            if name in _FIRST:
                return 0, _FIRST.index(name), ""
            short = shorten(name)
            return (2, _LAST.index(short), "") if short in _LAST else (1, 0, plain(self.names.label(name).value))

        return sorted(set(properties) - _HIDDEN, key=position)


def _described() -> dict[str, list[Term]]:
    return defaultdict(list)


def _iris(terms: Iterable[Term]) -> set[str]:
    return {t.value for t in terms}
