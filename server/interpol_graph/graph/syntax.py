"""Words for a SPARQL syntax error: where it is and what would be right, from the parser's message."""

from __future__ import annotations

import re
from dataclasses import dataclass

_POSITION = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
# The parser lists what it expected, character ranges included; those say nothing to a person, and its keywords mislead: it
# names some that it tried by the way, and reads on while it tries.
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
    tokens = [word for word in words if word and " " not in word and not word.isalnum()]
    lines = query.split("\n")  # as the parser counts them
    before = "\n".join([*lines[: line - 1], lines[min(line, len(lines)) - 1][: column - 1]])
    text = query.rstrip()
    if at_end := len(before) >= len(text) > 0:
        line, column = text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1
    if not query.strip():
        reason = "the query is empty"
    elif "Prefix not found" in sentences:
        reason = "the prefix is not declared; add a PREFIX line for it"
    elif sentences:
        reason = sentences[0]
    elif 0 < len(tokens) <= 8:
        reason = "expected " + " or ".join(f"`{token}`" for token in dict.fromkeys(tokens))
    elif at_end:
        reason = "unexpected end, or something wrong before it"
    else:
        reason = "unexpected text"
    near = lines[min(line, len(lines)) - 1][: column - 1][-40:].strip()
    return QueryFault(line, column, f"{reason}, after `{near}`" if near else reason)
