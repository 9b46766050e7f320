"""The reader's language, English or French, and what the pages say in it: their phrases (phrases.toml), dates and numbers."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from interpol_graph.endpoint.negotiation import speech
from interpol_graph.graph.typography import french


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


#: Key → language → phrase.
PHRASES = {key: both | {"fr": french(both["fr"])} for key, both in _read("phrases.toml").items()}


def _sentence(english: str) -> re.Pattern[str]:
    """Return what a sentence with {values} looks like, each as short as it can be.

    Each is looked for once (`(?>`): no visitor's text makes that take long.
    """
    first, *others = re.split(r"\{(\w+)\}", english)
    parts = [f"(?P<{name}>.+?){re.escape(words)}" for name, words in zip(others[::2], others[1::2], strict=True)]
    return re.compile("".join([re.escape(first), *(f"(?>{part})" for part in parts[:-1]), *parts[-1:]]), re.DOTALL)


#: What a sentence of a problem says in English, and the same in French.
_PROBLEMS = [(_sentence(english), french(told)) for english, told in _read("problems.toml").items()]
#: Characters of a sentence that is compared with them.
_LONGEST = 2000
#: What is written in words, and with its thousands set apart; any other text that data call a date or number stays as it is.
_DAY = re.compile(r"([0-9]+|-)-(0[1-9]|1[0-2])(?:-([0-9]{2}))?")
_SPAN = re.compile(r"P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})D)?")
_PART = re.compile(r"[0-9]{1,9}(\.[0-9]{1,30})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,99}")


def phrase(key: str, **values: object) -> str:
    """Return one of the pages' own phrases in the reader's language, with its values filled in."""
    text: str = PHRASES[key][speech()]
    return text.format(**values) if values else text


def in_french(sentence: str) -> str | None:
    """Return what a problem says in French, or None where that is not known; its values stay unless they are known as well.

    >>> in_french("The parameter year is a year such as 2015, not 'x'.")
    "Le paramètre year est une année comme 2015, et non 'x'."
    """
    if len(sentence) <= _LONGEST:
        for pattern, translated in _PROBLEMS:
            if match := pattern.fullmatch(sentence):
                return translated.format(**{name: in_french(text) or text for name, text in match.groupdict().items()})
    return None


def day(text: str) -> str:
    """Return an xsd:date, gYearMonth, gYear or gMonthDay in words, as precise as it is."""
    match = _DAY.fullmatch(text)
    if not match:
        return text
    year, month, number = match.groups()
    words = [phrase("months").split()[int(month) - 1], *([year] if year != "-" else ())]
    if number:
        words.insert(0, "1er" if speech() == "fr" and number == "01" else str(int(number)))
    return " ".join(words)


def span(text: str) -> str:
    """Return an xsd:duration of years, months and days in words."""
    match, words = _SPAN.fullmatch(text), phrase("durations").split()
    parts = [(int(n), words[2 * at : 2 * at + 2]) for at, n in enumerate(match.groups()) if n] if match else []
    return " ".join(f"{n}\u00a0{several if n > 1 else one}" for n, (one, several) in parts) or text


def share(value: str) -> str:
    """Return a part of one in per cent."""
    return f"{number(f'{(Decimal(value) * 100).normalize():f}')}\u00a0%" if _PART.fullmatch(value) else value


def size(octets: int) -> str:
    """Return a number of bytes as people write it, in decimal units."""
    power = max((power for power in range(4) if octets >= 1000**power), default=0)
    unit = phrase("bytes").split()[power]
    return f"{number(f'{octets / 1000**power:.1f}' if power else octets)}\u00a0{unit}"


def number(value: str | int) -> str:
    """Return a number with its thousands set apart, digits untouched."""
    whole, dot, rest = str(value).partition(".")
    if not _WHOLE.fullmatch(whole):
        return str(value)
    grouped = f"{int(whole):,}" if abs(int(whole)) >= 1000 else whole
    if speech() == "fr":
        return grouped.replace(",", "\u202f") + dot.replace(".", ",") + rest
    return grouped + dot + rest
