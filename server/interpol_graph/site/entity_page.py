"""All that the graph says about one entity, gathered in few queries and ready to be shown as its kind wishes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from interpol_graph.endpoint import pictures
from interpol_graph.endpoint.current import Parts, Row, Term, described, iri
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, XSD, expand, shorten
from interpol_graph.graph.questions import named
from interpol_graph.site import backlinks, kinds, metadata, sections
from interpol_graph.site.citations import Citations, Mark
from interpol_graph.site.kinds import Kind
from interpol_graph.site.labels import Labels, Ref, Value
from interpol_graph.site.phrases import PHRASES, phrase, share
from interpol_graph.site.sections import Found
from interpol_graph.site.selections import together

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

_VALUE, _UNIT, _LANGUAGE = TERMS + "value", TERMS + "unit", expand("dcterms:language")

# Properties that open the table of facts; the others follow by name, those in _LAST at the end.
_FIRST = (
    "number", "person", "office", "body", "region", "representing", "member", "measure", "value", "unit", "qualifier",
    "startDate", "endDate", "atDate", "place", "country", "hostCountry", "series", "edition", "about", "detail",
    "topic", "purpose", "earliestStart", "latestStart", "earliestEnd", "latestEnd",
)  # fmt: skip
_LAST = ("skos:altLabel", "dcterms:identifier", "owl:sameAs", "skos:exactMatch", "rdfs:seeAlso", "schema:url")
_PLACES = {TERMS + name: place - len(_FIRST) for place, name in enumerate(_FIRST)}
_PLACES |= {expand(name): place for place, name in enumerate(_LAST, 1)}
_DATES = {XSD + "date", XSD + "gYearMonth", XSD + "gYear"}
# The last possible day of what goes on serves comparison; to a reader it is no date.
_OPEN_END = "9999-12-31"
_HIDDEN = {_A, _CITATION, _INFERENCE, *map(expand, ("rdfs:label", "rdfs:isDefinedBy", "skos:definition"))}
# Figures stand in a table of their own, and dates say the year.
_HIDDEN |= {TERMS + "figure", TERMS + "totalFigure", TERMS + "year", TERMS + "inexact"}


class Claim(NamedTuple):
    """What another document says; standing: that it `differs`, is more or less `precise`, or is `alone`, with nothing asserted."""

    iri: str
    value: Value
    marks: list[Mark]
    standing: str


class Fact(NamedTuple):
    """One property of the entity: its values, their documents, what they are inferred from, who disagrees.

    derived: whether a rule concludes it from other facts.
    """

    property: Ref
    values: list[Value]
    marks: Sequence[Mark] = ()
    inferred: Sequence[Ref] = ()
    inferred_marks: Sequence[Mark] = ()
    claims: list[Claim] = []
    derived: bool = False


class Figure(NamedTuple):
    """A number about the entity; facts: local name of the property → values."""

    iri: str
    facts: dict[str, list[Value]]
    marks: list[Mark]
    claims: list[Claim]


class EntityPage:
    """An entity as its page shows it: essentials, sections, figures, facts, links to it, and the documents cited."""

    def __init__(
        self, entity: str, kind: Kind, statements: list[Row], around: list[Row], links: list[Row], answers: list[Found]
    ) -> None:
        seen = {t.value for row in (*statements, *around, *links) for t in row.values() if t.kind == "uri"}
        self.iri, self.labels = entity, Labels(seen.union({entity}, *(found.iris() for found in answers)))
        self._citations = Citations(self.labels)
        #: In order of their numbers, which they get in the order in which the page first needs them.
        self.documents = self._citations.documents
        #: What is stated, of whatever is about it too.
        self._said = described([*(row for row in statements if not _is_derived(row)), *around])
        #: What is disputed, by which property, the claim.
        self._claims = [
            (about.value, name.value, claim)
            for claim, parts in sorted(self._said.items()) if TERMS + "ConflictingClaim" in _iris(parts[_A])
            for about in parts[_ABOUT] for name in parts[TERMS + "property"]
        ]  # fmt: skip
        figures = [
            s for s, parts in self._said.items()
            if TERMS + "Figure" in _iris(parts[_A]) and entity in _iris(parts[_ABOUT])
        ]  # fmt: skip
        self.label = self.labels.label(entity)
        self.definition = self.labels.text(entity, "skos:definition")
        classes = self.labels.refs(self._said[entity][_A])
        self.classes = [ref for ref in classes if ref.label.value != shorten(ref.iri)] or classes
        concluded = described(filter(_is_derived, statements))[entity]
        self._derived = self._concluded(concluded, backlinks.subjects(links) | {_OPEN_END})
        self.essentials = [fact for name in kind.essentials if (fact := self._fact(name))]
        written = (sections.written(found, entity, self.labels, self._citations) for found in answers)
        self.sections = [section for section in written if section]
        self.figures = [self._figure(s) for s in sorted(figures, key=self._figure_order)]
        self.growth = self._growth()
        disputed = (name for about, name, _ in self._claims if about == entity)
        others = {*self._said[entity], *disputed, *self._derived}.difference(kind.essentials, _HIDDEN)
        ordered = sorted(others, key=lambda name: (_PLACES.get(name, 0), plain(self.labels.label(name).value)))
        self.facts = [fact for name in ordered if (fact := self._fact(name))]
        shown = {v.iri for fact in self.essentials for v in fact.values if isinstance(v, Ref)}
        shown.update(*(found.things() for found in answers))
        self.groups = backlinks.groups(entity, [row for row in links if row["s"].value not in shown], self.labels)
        #: The same for machines that read pages.
        self.jsonld = metadata.thing(entity, described(statements)[entity], self.labels)

    def _fact(self, name: str) -> Fact | None:
        """Return what is known of a property: what is stated, else what rules conclude."""
        own, claims = self._said[self.iri], self._disputes(self.iri, name)
        values = self._values(own, name)
        if not values and not claims:
            found = self.labels.told(self._derived, name)
            return Fact(self.labels.ref(name), found, derived=True) if found else None
        citations, inferences = ([self._said[t.value] for t in own[by]] for by in (_CITATION, _INFERENCE))
        reasons = [node for node in inferences if name in _iris(node[TERMS + "supports"])]
        grounds = sorted({t.value for node in reasons for t in node[TERMS + "inferredFrom"]})
        marks = self._citations.marks(citations, name)
        inferred_marks = sorted(self._citations.mark(ground, name) for ground in grounds if "/id/source/" in ground)
        inferred = [self.labels.ref(ground) for ground in grounds if "/id/source/" not in ground]
        return Fact(self.labels.ref(name), values, marks, inferred, inferred_marks, claims)

    def _concluded(self, derived: Mapping[str, list[Term]], known: set[str]) -> dict[str, list[Term]]:
        """Return property → what rules conclude of it in our own words, unless it is stated or known otherwise."""
        own = [t for terms in self._said[self.iri].values() for t in terms]
        known, dates = known.union(t.value for t in own), tuple(t.value for t in own if t.datatype in _DATES)

        def new(term: Term) -> bool:
            return term.value not in known and not (term.datatype in _DATES and term.value.startswith(dates))

        told = {name: list(filter(new, terms)) for name, terms in derived.items() if name.startswith(TERMS)}
        return {name: terms for name, terms in told.items() if terms}

    def _figure(self, figure: str) -> Figure:
        parts = self._said[figure]
        facts = {name.removeprefix(TERMS): self._values(parts, name) for name in parts if name.startswith(TERMS)}
        marks = self._citations.marks([self._said[t.value] for t in parts[_CITATION]], TERMS + "value")
        return Figure(figure, facts, marks, self._disputes(figure))

    def _figure_order(self, figure: str) -> tuple[str, ...]:
        parts = self._said[figure]
        names = ("measure", "atDate", "startDate", "endDate")
        measure, day, start, end = (next((t.value for t in parts[TERMS + name]), "") for name in names)
        return plain(self.labels.label(measure).value), day or start, end, figure

    def _growth(self) -> Markup:
        """Return the figures that count the same thing on three days or more, as lines."""
        lines = defaultdict[str, list[Row]](list)
        for _, facts, _, _ in self.figures:
            when, value = facts.get("atDate") or facts.get("endDate"), facts.get("value")
            if when and value and facts.get("startDate", when) == when:  # a span counts more than a day
                words = [facts[name] for name in ("measure", "detail", "countBasis") if facts.get(name)][:2]
                name = ", ".join(dict.fromkeys(_words(v) for values in (*words, facts.get("unit", ())) for v in values))
                told = {"measure": name, "qualifier": "".join(map(_words, facts.get("qualifier", ())))}
                row = {"until": when[0], "value": value[0]} | {of: Term("literal", said) for of, said in told.items()}
                lines[name].append({of: term for of, term in row.items() if isinstance(term, Term)})
        rows = [row for line in lines.values() if len({row["until"] for row in line}) > 2 for row in line]
        columns, titles = ["until", "value", "measure"], named("figures-about").columns
        return pictures.draw("line", columns, rows, titles, phrase("figures")) if rows else Markup()

    def _disputes(self, about: str, name: str | None = None) -> list[Claim]:
        """Return what else is claimed, of one property or of all."""
        return [
            Claim(claim, value, [self._citations.mark(t.value, disputed) for t in parts[TERMS + "source"]], standing)
            for subject, disputed, claim in self._claims if subject == about and name in (None, disputed)
            for parts in [self._said[claim]]
            for standing in [_standing(parts[TERMS + "claimedValue"], self._said[about][disputed])]
            for value in self.labels.values(parts[TERMS + "claimedValue"])
        ]  # fmt: skip

    def _values(self, parts: Parts, name: str) -> list[Value]:
        """Return the values of a property for people: a share in per cent, which is its unit, a language by its name."""
        if name in (_VALUE, _UNIT) and TERMS + "ShareUnit" in _iris(parts[_UNIT]):
            return [Term("literal", share(t.value)) for t in parts[_VALUE]] if name == _VALUE else []
        found = self.labels.values(parts[name])
        if name == _LANGUAGE and (key := f"language.{_words(found[0])}" if found else "") in PHRASES:
            return [Term("literal", phrase(key))]
        return found


def gather(entity: str) -> EntityPage | None:
    """Return what the page of an entity shows, or None if the graph says nothing of it."""
    place = iri(entity)
    if place is None:
        return None
    statements, around, links = together([query.format(e=place) for query in (_FACTS, _AROUND, backlinks.QUERY)])
    if not statements and not links:
        return None
    facts = described(statements)[entity]
    kind = kinds.of(_iris(facts[_A]))
    answers = sections.gather(entity, kind.sections, facts)
    return EntityPage(entity, kind, statements, around, links, answers)


def _standing(claimed: list[Term], asserted: list[Term]) -> str:
    """Return how a claim stands to what is asserted: `alone`, or of dates more `precise` or as `vague` as the year of it."""
    if not asserted:
        return "alone"
    pairs = [(c, a) for c in claimed for a in asserted if {c.datatype, a.datatype} <= _DATES]
    if any(c.value.startswith(f"{a.value}-") for c, a in pairs):
        return "precise"
    return "vague" if any(a.value.startswith(f"{c.value}-") for c, a in pairs) else "differs"


def _words(value: Value) -> str:
    return value.label.value if isinstance(value, Ref) else value.value


def _is_derived(row: Row) -> bool:
    return row["g"].value == backlinks.DERIVED and row["s"].kind == "uri"


def _iris(terms: Iterable[Term]) -> set[str]:
    return {t.value for t in terms}
