"""Literals as XSD sees them: whether the text is one of its datatype, and which of two comes first."""

import re
import warnings
from calendar import monthrange
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pyoxigraph import Literal

XSD = "http://www.w3.org/2001/XMLSchema#"

_ZONE = r"(?P<zone>Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?"
_YEAR = r"(?P<year>-?(?:[1-9]\d{3,}|0\d{3}))"
_MONTH = r"(?P<month>0[1-9]|1[0-2])"
_DAY = r"(?P<day>0[1-9]|[12]\d|3[01])"
_CLOCK = (
    r"(?:(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d(?:\.\d+)?)|(?P<midnight>24:00:00(?:\.0+)?))"
)
_DAYS = r"(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
_MONTHS = r"(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?"
_DOUBLE = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN"

#: Datatype → the pattern of its lexical forms. A datatype that is not here accepts every text.
FORMS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "integer": r"[+-]?\d+",
        "decimal": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)",
        "double": _DOUBLE,
        "float": _DOUBLE,
        "boolean": r"true|false|0|1",
        "dateTime": rf"{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK}{_ZONE}",
        "dateTimeStamp": rf"{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK}{_ZONE[:-1]}",
        "date": rf"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}",
        "time": rf"{_CLOCK}{_ZONE}",
        "gYear": rf"{_YEAR}{_ZONE}",
        "gYearMonth": rf"{_YEAR}-{_MONTH}{_ZONE}",
        "gMonthDay": rf"--{_MONTH}-{_DAY}{_ZONE}",
        "gMonth": rf"--{_MONTH}{_ZONE}",
        "gDay": rf"---{_DAY}{_ZONE}",
        "duration": rf"(?P<sign>-)?P(?=[\dT]){_MONTHS}{_DAYS}",
        "dayTimeDuration": rf"(?P<sign>-)?P(?=[\dT]){_DAYS}",
        "yearMonthDuration": rf"(?P<sign>-)?P(?=\d){_MONTHS}",
        "hexBinary": r"(?:[0-9a-fA-F]{2})*",
        "base64Binary": r"(?:(?:[A-Za-z0-9+/] ?){4})*(?:(?:[A-Za-z0-9+/] ?){2}(?:[A-Za-z0-9+/] ?)?={0,2})?",
        "language": r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*",
        "normalizedString": r"[^\t\r\n]*",
        "token": r"(?:[^\t\r\n ]+(?: [^\t\r\n ]+)*)?",
    }.items()
}
_BITS = {"long": 64, "int": 32, "short": 16, "byte": 8}
#: Integer datatype → least and greatest value.
RANGES: dict[str, tuple[float, float]] = {name: (-(2**bits) // 2, 2**bits // 2 - 1) for name, bits in _BITS.items()}
RANGES |= {f"unsigned{name.title()}": (0, 2**bits - 1) for name, bits in _BITS.items()}
RANGES |= {"nonNegativeInteger": (0, float("inf")), "positiveInteger": (1, float("inf"))}
RANGES |= {"nonPositiveInteger": (float("-inf"), 0), "negativeInteger": (float("-inf"), -1)}
#: Pieces of a pattern that its flag x leaves alone, and the blanks that it takes out; marks that mean something else in Python.
_CLASS = r"\\.|\[(?:\\.|[^\]\\])*\]"
_PIECES, _MARKS = re.compile(rf"{_CLASS}|[ \t\n\r]+", re.DOTALL), re.compile(rf"({_CLASS})|[$.]", re.DOTALL)
#: What only XPath's dialect has: categories, blocks, characters of names, one class less another.
_XPATH_ONLY = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[pPiIcC]|\[(?:\\.|[^\]\\])*-\[)")
#: Characters up to which points and spans of time are compared: numbers of thousands of digits are none that a clock shows.
_LONGEST = 300
#: A time without a zone may stand up to fourteen hours off one with a zone.
_UNZONED = Decimal(14 * 3600)


class Value(NamedTuple):
    """A literal's value: a Decimal, float, text or truth in its order, in which only values of one kind compare.

    zoned: whether a point in time has a zone.
    """

    kind: str
    number: Any
    zoned: bool = True


def well_formed(literal: Literal) -> bool:
    """Say whether the literal's text is a lexical form of its datatype."""
    name, text = literal.datatype.value.removeprefix(XSD), literal.value
    if name in RANGES:
        least, greatest = RANGES[name]
        return bool(FORMS["integer"].fullmatch(text)) and least <= Decimal(text) <= greatest
    if name not in FORMS:
        return True
    match = FORMS[name].fullmatch(text)
    if match is None:
        return False
    part = match.groupdict()
    if not part.get("day") or not part.get("month"):
        return name != "duration" or text[-1] not in "PT"
    year = int((part.get("year") or "4")[-4:])  # whose leap years repeat after 400
    return int(part["day"]) <= monthrange(year, int(part["month"]))[1]


def less(left: object, right: object, or_equal: bool = False) -> bool:
    """Say whether one term surely comes before another (or is equal to it); those that do not compare do not.

    >>> less(Literal(1), Literal(1.5)), less(Literal(1), Literal("b"))
    (True, False)
    """
    a, b = value(left), value(right)
    if a is None or b is None or a.kind != b.kind:
        return False
    x, y = a.number, b.number
    if a.zoned != b.zoned:
        return bool(x + _UNZONED < y)
    if isinstance(x, float) or isinstance(y, float):
        x, y = float(x), float(y)
    return bool(x < y or (or_equal and x == y))


@lru_cache(maxsize=65536)
def value(term: object) -> Value | None:
    """Return a literal's value, or None when its datatype has no order or its text is ill-formed, and for any other term."""
    if not isinstance(term, Literal) or not term.datatype.value.startswith(XSD) or not well_formed(term):
        return None
    name, text = term.datatype.value.removeprefix(XSD), term.value
    if name == "string":
        return Value(name, text)
    if name == "boolean":
        return Value(name, text in ("true", "1"))
    if name in ("double", "float"):
        return Value("number", float(text))
    if name in RANGES or name in ("decimal", "integer"):
        return Value("number", Decimal(text))
    match = FORMS[name].fullmatch(text) if name in FORMS else None
    if match is None or len(text) > _LONGEST:
        return None
    part = {key: found for key, found in match.groupdict().items() if found is not None}
    if name.endswith("uration"):
        return _duration(part)
    return Value(name.removesuffix("Stamp"), _seconds(part), "zone" in part) if part else None


def _duration(part: dict[str, str]) -> Value | None:
    sign = -1 if "sign" in part else 1
    months = int(part.get("years", 0)) * 12 + int(part.get("months", 0))
    minutes = (int(part.get("days", 0)) * 24 + int(part.get("hours", 0))) * 60 + int(part.get("minutes", 0))
    seconds = minutes * 60 + Decimal(part.get("seconds", 0))
    if months and seconds:
        return None
    return Value("months", Decimal(sign * months)) if months else Value("seconds", sign * seconds)


def _seconds(part: dict[str, str]) -> Decimal:
    """Return the seconds to a point in time, by the proleptic calendar, which repeats after 400 years."""
    year, month, day = int(part.get("year", 4)), int(part.get("month", 1)), int(part.get("day", 1))
    days = date(400 + year % 400, month, day).toordinal() + year // 400 * 146_097
    clock = 86400 if "midnight" in part else int(part.get("hour", 0)) * 3600 + int(part.get("minute", 0)) * 60
    zone = part.get("zone", "Z")
    offset = 0 if zone == "Z" else (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60) * (-1 if zone[0] == "-" else 1)
    return days * 86400 + clock - offset + Decimal(part.get("second", 0))


@lru_cache(maxsize=1024)
def pattern(text: str, flags: str) -> re.Pattern[str]:
    """Return what SPARQL's REGEX with these flags searches for. Raises ValueError when the pattern is none.

    What only XPath's dialect has is translated; what only Python's has, such as a look ahead, is read as Python's.

    >>> bool(pattern(r"^\\p{Lu}[a-z-[aeiou]]+$", "").search("Bcd")), bool(pattern("a b #", "x").search("ab#"))
    (True, True)
    """
    if set(flags) - set("ismxq"):
        raise ValueError(f"the flags {flags!r} are not among i, s, m, x and q")
    bits = re.RegexFlag(sum(re.RegexFlag[flag.upper()] for flag in {*flags} - {*"qx"}))
    if "q" in flags:
        return _compiled(re.escape(text), bits)
    if "x" in flags:  # in XPath it takes blanks out, and nothing else
        text = _PIECES.sub(lambda match: match[0] if match[0][0] in "[\\" else "", text)
    if _XPATH_ONLY.search(text):
        from elementpath.regex import RegexError, translate_pattern  # a fifth of a second, and few need it

        try:
            return _compiled(translate_pattern(text, flags=bits, xsd_version="1.1"), bits)
        except RegexError as error:
            raise ValueError(f"the pattern {text!r} is not a regular expression: {error}") from error
    # In XPath `$` is the very end, and `.` no line break at all; in Python `$` also matches before a last line break.
    instead = {"$": "$" if "m" in flags else r"\Z", ".": "." if "s" in flags else r"[^\n\r]"}
    return _compiled(_MARKS.sub(lambda match: match[1] or instead[match[0]], text), bits)


def _compiled(text: str, bits: re.RegexFlag) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of "[[" and the like, which may one day mean more
            return re.compile(text, bits)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the pattern {text!r} is not a regular expression: {error}") from error
