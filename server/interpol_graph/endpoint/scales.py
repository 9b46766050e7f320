"""Where a number, a day or a place stands in a picture: across in percent, down in pixels."""

import re
from collections.abc import Callable, Sequence
from math import asin, ceil, cos, floor, log10, radians, sin, sqrt

from interpol_graph.endpoint.current import Term

#: Local names of the datatypes of numbers.
NUMBERS = {"integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "positiveInteger"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-([0-3][0-9]))?)?")
#: Months between two ticks of a calendar.
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 24000)
#: The map in units of its projection: how wide the world is, and where its upper and lower edges are (84° N, 57° S).
_WIDE, _TOP, _BOTTOM = 5.41326, 1.306713, -1.046776


def amount(term: Term | None) -> float | None:
    """Return the number that a term is, if it can be drawn."""
    if term is None or term.datatype.rpartition("#")[2] not in NUMBERS or not _NUMBER.fullmatch(term.value):
        return None
    return float(term.value)


def moment(term: Term | None, last: bool = False) -> float | None:
    """Return the beginning or the end of a day, month or year, in years."""
    match = _DATE.fullmatch(term.value) if term else None
    if match is None:
        return None
    year, month, day = (int(part or 0) for part in match.groups())
    return year + max(0, month - 1) / 12 + max(0, day - 1) / 365 + last / (365 if day else 12 if month else 1)


def calendar(moments: Sequence[float], room: float = 0) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Return how far across a moment stands among others, and where a few years or months do.

    room: the share of the width that stays free behind the last.
    """
    low, high = min(moments, default=0), max(moments, default=0)
    span = high - low or 1
    step = next(step for step in _STEPS if step * (7 if span > 6 else 3) >= span * 12)

    def across(at: float) -> float:
        return round(1 + 98 * (1 - room) * (at - low) / span, 2)

    months = range(ceil(low * 12 / step) * step, floor(high * 12) + 1, step)
    named = [f"{month // 12:04}" + (f"-{month % 12 + 1:02}" if step < 12 else "") for month in months]
    return across, [(across(month / 12), name) for month, name in zip(months, named, strict=True)]


def ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers from one to another.

    >>> ticks(0, 196), ticks(0, 3)
    ([0, 50, 100, 150], [0, 1, 2, 3])
    """
    power = 10 ** floor(log10((high - low) / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 4 >= high - low)
    found = [round(step * at, 9) for at in range(ceil(low / step), floor(high / step) + 1)]
    return [int(tick) if tick == int(tick) else tick for tick in found]


def on_map(north: float, east: float) -> tuple[float, float]:
    """Return where a place is on the map, in percent across and down (Equal Earth: Šavrič, Patterson and Jenny 2018).

    >>> on_map(45.75, 4.85)
    (51.15, 18.44)
    """
    t = asin(sqrt(3) / 2 * sin(radians(north)))
    slope = 9 * 0.003796 * t**8 + 7 * 0.000893 * t**6 - 3 * 0.081106 * t**2 + 1.340264
    x = 2 * sqrt(3) * radians(east) * cos(t) / (3 * slope)
    y = 0.003796 * t**9 + 0.000893 * t**7 - 0.081106 * t**3 + 1.340264 * t
    return round(50 + x / _WIDE * 100, 2), round((_TOP - y) / (_TOP - _BOTTOM) * 100, 2)
