"""Pictures of an answer: its rows as SVG, in bars, lines, on a timeline or on a map.

Here is worked out what stands where: across in percent, so that a picture fits any width while its letters keep their size,
and down in pixels, on a map in percent, too. `_picture.html` writes it. However many rows there are, few marks are drawn,
and what is left out is counted and told.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from flask import render_template
from markupsafe import Markup

from interpol_graph.endpoint.current import UNBOUND, Row, Term, heavy
from interpol_graph.endpoint.scales import amount, calendar, moment, on_map, ticks

#: Rows that are looked at; panels, bars, spans, points and places that are drawn at most.
ROWS, PANELS, BARS, SPANS, POINTS, PLACES = 2000, 8, 40, 45, 500, 400
#: Pixels down: of a line of words, a bar, a span; of lines that are alone, or in one of several panels; of a map.
LINE, BAR, SPAN, HIGH, LOW, MAP = 22, 17, 32, 210, 84, 296
#: Percent across: the longest bar, before its number; a span of which an end is not known, one of a day. The share behind the last end.
LONGEST, STUB, LEAST, ROOM = 62, 3, 0.5, 0.06
#: What a picture that is opened by itself may do: use its own style.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
#: What XML cannot hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Words = tuple[Term, ...]
#: Rows, each with its number from 1.
Numbered = list[tuple[int, Row]]


class Told(NamedTuple):
    """What a column says of a mark, and what qualifies it."""

    column: str
    value: Term
    qualifier: Term = UNBOUND

    @property
    def number(self) -> float:
        """The value as a number."""
        return amount(self.value) or 0

    @property
    def unsure(self) -> bool:
        """Whether it is no exact number: it has a qualifier, or its column sums up such."""
        return bool(self.qualifier.value) or self.column.startswith(("qualified", "possible"))


class Mark(NamedTuple):
    """What stands for a number, a span or a place of a row, whose number it bears.

    names: what it is of; told: all that it shows; size: how wide, or how large on a map; series: the place of its column in
    the legend; open: drawn otherwise, as a number is not exact or an end not known.
    """

    row: int
    names: Words
    told: list[Told]
    x: float
    y: float
    size: float = 0
    series: int = 0
    open: bool = False


@dataclass
class Panel:
    """Marks on one scale, under the names that they share.

    labels: how far down which names stand; ticks: how far down which number; lines: series and points.
    """

    names: Words
    top: int
    height: int = 0
    marks: list[Mark] = field(default_factory=list)
    labels: list[tuple[int, Words]] = field(default_factory=list)
    ticks: list[tuple[float, float]] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Picture:
    """What is drawn of some rows, panel below panel, and what is not.

    series: the columns that are shown; missing: of which rows nothing can be drawn; left: rows without room; calendar: how
    far across which year or month; inline: words stand before their bars.
    """

    kind: str
    rows: Numbered
    left: int
    series: list[str] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    missing: list[Words] = field(default_factory=list)
    height: int = 0
    calendar: list[tuple[float, str]] = field(default_factory=list)
    inline: bool = False

    @property
    def marks(self) -> list[Mark]:
        """All marks."""
        return [mark for panel in self.panels for mark in panel.marks]

    def panel(self, names: Words, titled: bool = False) -> Panel:
        """Begin a panel below the last, with room for names if there are any or it is titled otherwise."""
        self.height += LINE * (titled or any(name.value for name in names))
        self.panels.append(Panel(names, self.height))
        return self.panels[-1]

    def sort(self, columns: Sequence[str]) -> list[str]:
        """Take the columns that hold numbers as series, and return the others."""
        self.series = [name for name in columns if any(amount(row.get(name)) is not None for _, row in self.rows)]
        return [name for name in columns if name not in self.series]

    def largest(self, groups: dict[Words, Numbered]) -> list[tuple[Words, Numbered]]:
        """Return the groups of most rows for which there is room, in their order."""
        kept = sorted(groups, key=lambda names: -len(groups[names]))[:PANELS]
        self.left += sum(len(found) for names, found in groups.items() if names not in kept)
        return [(names, found) for names, found in groups.items() if names in kept]

    def told(self, row: Row) -> list[Told]:
        """Return the numbers of a row, with what qualifies them: ?xQualifier, or of ?value ?qualifier."""
        found = [name for name in self.series if amount(row.get(name)) is not None]
        of = {name: "qualifier" if name == "value" else f"{name}Qualifier" for name in found}
        return [Told(name, row[name], _words(row, [of[name]])[0]) for name in found]


def draw(
    kind: str, columns: Sequence[str], rows: Sequence[Row], titles: Mapping[str, Mapping[str, str]], title: str,
    *, anchor: str = "", alone: bool = False,
) -> Markup:  # fmt: skip
    """Return rows as a figure for a page, or as a file of SVG that stands alone.

    kind: a key of KINDS; columns: what is drawn, as in the header of a question; titles: column → language → title; anchor:
    what stands before a row's number in the address that its mark links to. Raises Busy, Departed.
    """
    with heavy():
        picture = Picture(kind, list(enumerate(rows[:ROWS], 1)), max(0, len(rows) - ROWS))
        KINDS[kind](picture, *columns)
        words = {"titles": titles, "title": title, "anchor": anchor, "style": _style() if alone else ""}
        text = render_template("_picture.html", picture=picture, **words)
    return Markup(_CONTROLS.sub("", text))  # noqa: S704 - the template escapes


def _bars(picture: Picture, first: str, *further: str) -> None:
    """Draw numbers as bars along the first column; what is no number makes panels, or where there are many, names."""
    texts, named = picture.sort(further), [first]
    groups, apart = _groups(picture.rows, texts), "unit" in texts  # what has another unit has another scale
    if len(groups) > PANELS and not apart:
        groups, named = _groups(picture.rows, ()), [first, *texts]
    picture.inline = named == [first] and all(len(_words(row, named)[0].value) < 9 for _, row in picture.rows)
    for names, found in picture.largest(groups):
        panel, compared = picture.panel(names), found if apart else picture.rows
        most = max((one.number for _, row in compared for one in picture.told(row)), default=0) or 1
        for at, row in found:
            words, told = _words(row, named), picture.told(row)
            if not told:
                picture.missing.append(words)
            elif len(picture.marks) >= BARS:
                picture.left += 1
            else:
                panel.labels.append((panel.height, words))
                panel.height += 0 if picture.inline else LINE - 4
                for one in [one for one in told if one.number] or told[:1]:  # of several, none that is nothing
                    long, series = round(LONGEST * max(0, one.number) / most, 2), picture.series.index(one.column)
                    panel.marks.append(Mark(at, words, [one], 0, panel.height, long, series, one.unsure))
                    panel.height += BAR
                panel.height += 7
        picture.height += panel.height


def _lines(picture: Picture, first: str, *further: str) -> None:
    """Draw numbers as lines over the days of the first column, a panel for each of what is no number.

    What has a single day stands with others of its kind, its last columns, as points without a line.
    """
    texts, drawn = picture.sort(further), Numbered()
    for at, row in picture.rows:
        if moment(row.get(first)) is None or not picture.told(row):
            picture.missing.append(_words(row, texts or [first]))
        elif len(drawn) * len(picture.series) < POINTS:
            drawn.append((at, row))
        else:
            picture.left += 1
    across, picture.calendar = calendar([moment(row[first]) or 0 for _, row in drawn])
    groups = _groups(drawn, texts)
    lone = [names for names, found in groups.items() if len({row[first] for _, row in found}) == 1]
    for names in lone if len(groups) > 1 else ():
        groups[names[1:]] += groups.pop(names)
    for names, found in picture.largest(groups):
        panel, points = picture.panel(names, len(groups) > 1), defaultdict[int, list[tuple[float, float]]](list)
        panel.height = HIGH if len(groups) == 1 else LOW
        numbers = [one.number for _, row in found for one in picture.told(row)]
        low, high = min(0, *numbers), max(0, *numbers) or 1
        down = panel.height / (high - low)
        panel.ticks = [(round(down * (high - tick), 1), tick) for tick in ticks(low, high)]
        for at, row in found:
            for one in picture.told(row):
                x, y = across(moment(row[first]) or 0), round(down * (high - one.number), 1)
                series, told = picture.series.index(one.column), [Told(first, row[first]), one]
                panel.marks.append(Mark(at, _words(row, texts), told, x, y, 0, series, one.unsure))
                points[series].append((x, y))
        if len(names) == len(texts):
            panel.lines = [(series, " ".join(f"{x},{y}" for x, y in sorted(line))) for series, line in points.items()]
        picture.height += panel.height + LINE


def _spans(picture: Picture, first: str, *further: str) -> None:
    """Draw what lasted from one column to the next, or what one column dates, each thing on a line of its own."""
    picture.series, picture.height = list(further[:2]), LINE
    begun, ended, spans = further[0], picture.series[-1], dict[int, tuple[float | None, float | None]]()
    for at, row in picture.rows:
        begin, end = moment(row.get(begun)), moment(row.get(ended), last=True)
        if begin is None and end is None:
            picture.missing.append(_words(row, [first]))
        elif len(spans) < SPANS:
            spans[at] = begin, end
        else:
            picture.left += 1
    across, picture.calendar = calendar([at for span in spans.values() for at in span if at is not None], ROOM)
    drawn = [(at, row) for at, row in picture.rows if at in spans]
    groups = _groups(drawn, further[2:])
    for names, found in groups.items() if len(groups) <= PANELS else [((), drawn)]:
        panel, places = picture.panel(names), dict[Words, int]()
        for at, row in found:
            words, (begin, end) = _words(row, [first]), spans[at]
            if words not in places:
                places[words] = panel.height
                panel.labels.append((panel.height, words))
                panel.height += SPAN
            goes_on = end is None and row.get("ongoing", UNBOUND).value == "true"
            x = max(0.0, across(end) - STUB) if begin is None and end else across(begin or 0)
            to = across(end) if end else 99 if goes_on else x + STUB
            told = [Told(name, row[name]) for name in dict.fromkeys([begun, ended]) if name in row]
            wide = max(LEAST, round(to - x, 2))
            panel.marks.append(Mark(at, words, told, x, places[words], wide, 0, None in (begin, end)))
        picture.height += panel.height


def _places(picture: Picture, first: str, latitude: str, longitude: str, *numbers: str) -> None:
    """Draw places on a map, larger where their numbers are, the largest below the others."""
    picture.series, panel, picture.height = list(numbers), picture.panel(()), MAP
    sizes = {at: sum(one.number for one in picture.told(row)) for at, row in picture.rows}
    most = max(sizes.values(), default=0) or 1
    for at, row in sorted(picture.rows, key=lambda numbered: -sizes[numbered[0]]):
        north, east, words = amount(row.get(latitude)), amount(row.get(longitude)), _words(row, [first])
        if north is None or east is None or abs(north) > 90 or abs(east) > 180:
            picture.missing.append(words)
        elif len(panel.marks) < PLACES:
            told = [one for one in picture.told(row) if one.number]
            size = round((2.5 if numbers else 4) + 6.5 * sqrt(max(0, sizes[at]) / most), 1)
            panel.marks.append(Mark(at, words, told, *on_map(north, east), size))
        else:
            picture.left += 1


#: Kind of picture → how it is laid out, from the columns that it shows.
KINDS: dict[str, Callable[..., None]] = {"bar": _bars, "line": _lines, "timeline": _spans, "map": _places}


def _words(row: Row, columns: Iterable[str]) -> Words:
    """Return what some columns say to people: ?xLabel for ?x."""
    return tuple(row.get(f"{name}Label") or row.get(name) or UNBOUND for name in columns)


def _groups(rows: Numbered, columns: Sequence[str]) -> defaultdict[Words, Numbered]:
    """Return rows by what they say in some columns."""
    groups = defaultdict[Words, Numbered](list)
    for at, row in rows:
        groups[_words(row, columns)].append((at, row))
    return groups


@cache
def _style() -> str:
    """Return what of the style sheet a picture needs that stands alone: its colours and its own part."""
    sheet = (Path(__file__).parents[1] / "static" / "site.css").read_text(encoding="utf-8")
    return sheet.partition("* {")[0] + sheet.partition("/* pictures */")[2].partition("/* end of pictures */")[0]
