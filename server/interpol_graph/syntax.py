"""Words for a SPARQL syntax error: where it is and what would be right, from the parser's message."""

from __future__ import annotations

import re
from dataclasses import dataclass

_POSITION = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
# The parser lists what it expected, character ranges included; those say nothing to a person.
_RANGES = re.compile(r"\[(?:'[^']*'|\\'[^']*\\')[^\]]*\]|\[_\]", re.DOTALL)


@dataclass(frozen=True)
class QueryFault:
    """Line and column (from 1; 0 if unknown) of a syntax error, and the sentence for it."""

    line: int
    column: int
    reason: str


def fault(message: str, query: str) -> QueryFault:
    """Return the place and the words of a parser's message such as `error at 2:9: expected one of …`."""
    match = _POSITION.match(message)
    if match is None:
        return QueryFault(0, 0, message)
    line, column = int(match[1]), int(match[2])
    listed = match[3].removeprefix("expected one of ").removeprefix("expected ")
    words = [word.strip(' ",|\n') for word in re.split(r",\s(?![^\[]*\])", _RANGES.sub("", listed))]
    sentences = [word for word in words if " " in word]
    tokens = [word for word in words if word and " " not in word]
    if not query.strip():
        reason = "the query is empty"
    elif "Prefix not found" in sentences:
        reason = "the prefix is not declared; add a PREFIX line for it"
    elif sentences:
        reason = sentences[0]
    elif 0 < len(tokens) <= 8:
        reason = f"expected {' or '.join(tokens)}"
    else:
        reason = "unexpected text"
    lines = query.split("\n")  # as the parser counts them
    near = lines[min(line, len(lines)) - 1][: column - 1][-40:].strip()
    return QueryFault(line, column, f"{reason}, after `{near}`" if near else reason)
