"""The sections of an entity's page: saved questions about it, and the things that a pattern finds, as its kind wishes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flask import url_for
from markupsafe import Markup

from interpol_graph.endpoint import api
from interpol_graph.endpoint.current import DOCUMENT, Row, Table, Term, merged
from interpol_graph.endpoint.negotiation import language, speech
from interpol_graph.graph.prefixes import shorten
from interpol_graph.graph.questions import Question, named, shown
from interpol_graph.site.citations import Citations, Mark, cited
from interpol_graph.site.kinds import Part
from interpol_graph.site.labels import Labels, Value
from interpol_graph.site.phrases import number, phrase
from interpol_graph.site.selections import SHOWN, prefixed, selection, together


class Found(NamedTuple):
    """What answers a part of a page; more: the address of all of it; asked: the question, if it is one."""

    part: Part
    more: str
    asked: Question | None
    answer: Table

    def iris(self) -> set[str]:
        """Return what needs a label."""
        return self.answer.iris() | (set() if self.asked else set(self.part.columns))

    def things(self) -> set[str]:
        """Return what the lines are about: what stands first in them."""
        return {row[self.answer.columns[0]].value for row in self.answer.rows if self.answer.columns[0] in row}


class Line(NamedTuple):
    """A line of a section: the values in each column, and its documents."""

    cells: list[list[Value]]
    marks: list[Mark]


class Section(NamedTuple):
    """A section of a page; total: how many lines there are; single: whether each is of another thing; more: the address of all of them; question: what they answer."""

    heading: str
    columns: list[str]
    lines: list[Line]
    total: int
    single: bool
    more: str
    question: str
    picture: Markup


def gather(entity: str, parts: Iterable[Part], facts: Mapping[str, list[Term]]) -> list[Found]:
    """Ask for what the sections about an entity show."""
    asking = list[tuple[str, Part, str, Question | None, list[str]]]()
    for part in parts:
        if part.items:
            pattern = part.items.replace("?this", prefixed(entity))
            text = selection(pattern, dict.fromkeys(part.columns, False), part.order, cited=True)
            columns = ["item", *(shorten(of).rpartition(":")[2] for of in part.columns), "source"]
            asking.append((text, part, url_for("sparql.sparql", query=selection(pattern)), None, columns))
            continue
        asked = named(part.question)
        values = {p.name: shorten(entity) for p in asked.parameters if p.type == "iri"}
        try:
            values |= {name: str(int(facts[of][0].value) + more) for name, (of, more) in part.given.items()}
            text = asked.filled(values | {"lang": language()})
        except (LookupError, ValueError):  # no value that it takes: of a session before 1005, or of other data
            continue
        address = url_for("questions.question", name=asked.name, **values)  # type: ignore[arg-type]
        asking.append((text, part, address, asked, list(asked.variables)))
    answered = zip(asking, together([text for text, *_ in asking]), strict=True)
    return [Found(part, more, asked, Table(columns, rows)) for (_, part, more, asked, columns), rows in answered]


def written(found: Found, entity: str, labels: Labels, citations: Citations) -> Section | None:
    """Return a section ready to be shown, without columns that say nothing; None if there is nothing to show.

    Rows that differ in their documents, or in one later column, are one line.
    """
    part, more, asked, answer = found
    names = [n for n in shown(answer.columns) if n not in DOCUMENT and not n.endswith("ualifier")]
    names, groups = list(part.columns) if asked and part.columns else names, merged(answer)
    lines: list[tuple[list[list[Value]], list[Row]]] = []
    joined: set[int] = set()
    for rows in groups:
        cells = [_cell(rows[0], name, labels) for name in names]
        differing = {n for n, cell in enumerate(cells) if lines and cell != lines[-1][0][n]}
        if not lines or 0 in differing or len(differing | joined) > 1:
            lines.append((cells, []))
            joined, differing = set(), set()
        joined |= differing
        for n in differing:
            lines[-1][0][n].extend(value for value in cells[n] if value not in lines[-1][0][n])
        lines[-1][1].extend(rows if "source" not in names else ())
    told = [n for n in range(len(names)) if any(cells[n] not in ([], [labels.ref(entity)]) for cells, _ in lines)]
    if not told:
        return None
    ready = []
    for cells, rows in lines[:SHOWN]:
        marks = sorted(citations.mark(iri, paragraphs=paragraphs) for iri, paragraphs in cited(rows).items())
        ready.append(Line([labels.spoken(cells[n]) for n in told], marks))
    if asked:
        titles, question = [asked.columns[name][speech()] for name in names], asked.title[speech()]
    else:
        titles, question = [phrase("rdfs:label"), *(labels.label(of).value for of in part.columns)], ""
    drawn = asked and part.picture and len(groups) > 1
    picture = api.picture(asked, [rows[0] for rows in groups]) if asked and drawn else Markup()
    single = len({tuple(cells[0]) for cells, _ in lines}) == len(lines)
    return Section(part.heading, [titles[n] for n in told], ready, len(lines), single, more, question, picture)


def _cell(row: Row, name: str, labels: Labels) -> list[Value]:
    """Return what stands in a column: a thing by its label, a number with its qualifier."""
    term = row.get(name)
    if term is None or term.kind == "uri":
        return [labels.ref(term.value)] if term else []
    qualifier = row.get("qualifierLabel" if name == "value" else name + "Qualifier")
    return [term._replace(value=f"{qualifier.value} {number(term.value)}") if qualifier else term]
