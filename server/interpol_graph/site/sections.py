"""The sections of an entity's page: saved questions about it, and the things that a pattern finds, as its kind wishes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flask import url_for
from markupsafe import Markup

from interpol_graph.endpoint import api
from interpol_graph.endpoint.current import DOCUMENT, Row, Table, Term, merged, query, select, table
from interpol_graph.endpoint.negotiation import language
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import TERMS, XSD, shorten
from interpol_graph.graph.questions import Question, named, shown
from interpol_graph.site.backlinks import prefixed
from interpol_graph.site.citations import Citations, Mark
from interpol_graph.site.kinds import Part
from interpol_graph.site.labels import Labels, Ref, Text, Value
from interpol_graph.site.phrases import number, phrase, speech

#: Lines that a page shows of one section.
SHOWN = 50

_SOURCE = TERMS + "source"
#: What a date may be, as precise as it is known.
DATES = {XSD + "date", XSD + "gYearMonth", XSD + "gYear"}
#: The cells of a line, and document → paragraphs of it.
_Told = tuple[list[list[Value]], dict[str, set[str]]]
#: The things of a pattern, each with the properties wanted and its documents.
_ITEMS = """{{ {pattern} BIND({n} AS ?n) BIND(?item AS ?s)
  {{ ?item ?p ?o FILTER(?p IN (rdf:type{columns})) }}
  UNION {{ ?item interpol:citation/interpol:source ?o BIND(interpol:source AS ?p) }} }}"""


class Found(NamedTuple):
    """What answers a part of a page: its question asked with some values, or its items with their properties."""

    part: Part
    asked: Question | None = None
    values: dict[str, str] = {}
    answer: Table = Table([], [])
    items: dict[str, dict[str, list[Term]]] = {}

    def iris(self) -> set[str]:
        """Return what needs a label."""
        terms = [t for row in self.answer.rows for t in row.values()]
        terms += [t for parts in self.items.values() for values in parts.values() for t in values]
        return {*self.items, *(self.part.columns if self.items else ()), *(t.value for t in terms if t.kind == "uri")}

    def things(self) -> set[str]:
        """Return what the lines are about: items, or what stands first in a row."""
        first = next(iter(self.answer.columns), "")
        return {*self.items, *(row[first].value for row in self.answer.rows if first in row)}


class Line(NamedTuple):
    """A line of a section: the values in each column, and its documents."""

    cells: list[list[Value]]
    marks: list[Mark]


class Section(NamedTuple):
    """A section of a page; total: how many lines there are; more: the address of all of them; question: what they answer."""

    heading: str
    columns: list[str]
    lines: list[Line]
    total: int
    more: str
    question: str = ""
    picture: Markup = Markup()


def gather(entity: str, place: str, parts: Iterable[Part], facts: Mapping[str, list[Term]]) -> list[Found]:
    """Ask for what the sections about an entity show: once for all patterns, and once for each question."""
    found = []
    patterns = {n: part for n, part in enumerate(parts) if part.items}
    items: dict[int, dict[str, dict[str, list[Term]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    asked = " UNION ".join(
        _ITEMS.format(
            n=n,
            pattern=_about(part, place),
            columns="".join(f", <{name}>" for name in (*part.columns, part.order) if name),
        )
        for n, part in patterns.items()
    )
    for row in select(f"SELECT DISTINCT ?n ?s ?p ?o WHERE {{ {asked} }}") if asked else ():
        items[int(row["n"].value)][row["s"].value][row["p"].value].append(row["o"])
    for n, part in enumerate(parts):
        if part.items:
            found.append(Found(part, items=items[n]))
        elif (values := _values(entity, part, facts)) is not None:
            question = named(part.question)
            answer = table(query(question.filled(values | {"lang": language()})).body)
            found.append(Found(part, question, values, answer))
    return found


def written(found: Found, entity: str, labels: Labels, citations: Citations) -> Section | None:
    """Return a section ready to be shown, without columns that say nothing; None if there is nothing to show."""
    titles, lines = _answered(found, found.asked, labels) if found.asked else _listed(found, labels)
    told = [n for n in range(len(titles)) if any(cells[n] not in ([], [labels.ref(entity)]) for cells, _ in lines)]
    if not told:
        return None
    ready = [
        Line(
            [labels.spoken(cells[n]) for n in told],
            sorted(citations.mark(iri, paragraphs=paragraphs) for iri, paragraphs in cited.items()),
        )
        for cells, cited in lines[:SHOWN]
    ]
    section = Section(found.part.heading, [titles[n] for n in told], ready, len(lines), "")
    if not found.asked:
        return section._replace(more=url_for("sparql.sparql", query=_query(found.part, entity)))
    address = url_for("questions.question", name=found.asked.name, **found.values)  # type: ignore[arg-type]
    rows = [rows[0] for rows in merged(found.answer)]
    picture = api.picture(found.asked, rows) if found.part.picture and len(rows) > 1 else Markup()
    return section._replace(more=address, question=found.asked.title[speech()], picture=picture)


def _answered(found: Found, asked: Question, labels: Labels) -> tuple[list[str], list[_Told]]:
    """Return the titles and lines of a question's answer: rows that differ in a later column, or in documents, are one."""
    names = list(found.part.columns)
    names = names or [n for n in shown(asked.variables) if n not in DOCUMENT and not n.endswith("ualifier")]
    lines: list[_Told] = []
    joined: set[int] = set()
    for rows in merged(found.answer):
        cells = [_cell(rows[0], name, labels) for name in names]
        differing = {n for n, cell in enumerate(cells) if lines and cell != lines[-1][0][n]}
        if not lines or 0 in differing or len(differing | joined) > 1:
            lines.append((cells, defaultdict(set)))
            joined, differing = set(), set()
        joined |= differing
        for n in differing:
            lines[-1][0][n].extend(value for value in cells[n] if value not in lines[-1][0][n])
        for row in rows:
            if "source" in row and "source" not in names:
                lines[-1][1][row["source"].value].update({row["paragraph"].value} if "paragraph" in row else ())
    titles = [asked.columns[name][speech()] for name in names]
    return titles, lines


def _cell(row: Row, name: str, labels: Labels) -> list[Value]:
    """Return what stands in a column: a thing by its label, a number with its qualifier."""
    term, label = row.get(name), row.get(name + "Label")
    if term and term.kind == "uri":
        return [Ref(term.value, Text(label.value, label.language)) if label else labels.ref(term.value)]
    qualifier = row.get("qualifierLabel" if name == "value" else name + "Qualifier")
    if term and qualifier:
        return [term._replace(value=f"{qualifier.value} {number(term.value)}")]
    return [t for t in (term or label,) if t]


def _listed(found: Found, labels: Labels) -> tuple[list[str], list[_Told]]:
    """Return the titles and lines of the items that a pattern found, by date and name."""
    lines: list[tuple[tuple[str, ...], _Told]] = []
    for item, parts in found.items.items():
        cells: list[list[Value]] = [[labels.ref(item)]]
        cells += [labels.values(parts.get(name, ())) for name in found.part.columns]
        dates = [v.value for values in cells for v in values if isinstance(v, Term) and v.datatype in DATES]
        first = [labels.label(t.value).value for t in parts.get(found.part.order, ())] or dates
        order = min(first, default=""), plain(labels.label(item).value)
        lines.append((order, (cells, {t.value: set() for t in parts.get(_SOURCE, ())})))
    titles = [phrase("rdfs:label"), *(labels.label(name).value for name in found.part.columns)]
    return titles, [line for _, line in sorted(lines, key=lambda line: line[0])]


def _values(entity: str, part: Part, facts: Mapping[str, list[Term]]) -> dict[str, str] | None:
    """Return the values that a question is asked with, the entity for its first of the type iri; None if one is not known."""
    values = {p.name: shorten(entity) for p in named(part.question).parameters if p.type == "iri"}
    for name, (of, more) in part.given.items():
        if not facts.get(of):
            return None
        values[name] = str(int(facts[of][0].value) + more)
    return values


def _about(part: Part, place: str) -> str:
    return part.items.replace("?this", place)


def _query(part: Part, entity: str) -> str:
    """Return a SPARQL query for all items of a part."""
    label = f'OPTIONAL {{ ?item rdfs:label ?itemLabel FILTER(LANG(?itemLabel) = "{speech()}") }}'
    return f"SELECT DISTINCT ?item ?itemLabel WHERE {{\n  {_about(part, prefixed(entity))}\n  {label}\n}}\nORDER BY ?itemLabel\n"
