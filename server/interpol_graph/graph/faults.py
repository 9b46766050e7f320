"""What is wrong with a query and where, said so that its author can mend it: the words of the parser are made for its author."""

import re
from typing import NamedTuple

from pyoxigraph import Store

from interpol_graph.graph.prefixes import BASE, prefixes

#: Characters of the longest query whose fault is looked for word by word.
LONGEST = 20_000
_COMMENT = re.compile(r"(?:^|\s)#")
_POSITION = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
# The parser lists what it expected, character ranges included; those say nothing to a person, and its keywords mislead: it
# names some that it tried by the way, and reads on while it tries.
_RANGES = re.compile(r"\[(?:'[^']*'|\\'[^']*\\')[^\]]*\]|\[_\]", re.DOTALL)
_KEYWORD = re.compile(r"\w+")
_UNBOUND = "The SELECT contains a variable that is unbound"
#: What is one word though a space or a sign may stand in it, a word, a sign; spaces.
_WORD = re.compile(
    r"""(?P<gap>\s++)|'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*+'?|"(?:[^"\\\n]|\\.)*+"?|<[^<>\s]*>|\#[^\n\r]*|[^\s'"<\#]++|.""",
    re.DOTALL,
)
#: Wider than any keyword.
_GAP = " " * 30


class QueryFault(NamedTuple):
    """Line and column (from 1; 0 if unknown) of a syntax error, and the sentence for it."""

    line: int
    column: int
    reason: str


def fault(message: str, query: str) -> QueryFault:
    """Return the place and the words of a parser's message.

    >>> fault('error at 1:16: expected "{"', "SELECT * WHERE ?s ?p ?o")
    QueryFault(line=1, column=16, reason='expected `{`, after `SELECT * WHERE`')
    """
    found = _read(message)
    if found is None:
        return QueryFault(0, 0, message)
    line, column, words = found
    text, lines = query.rstrip(), query.split("\n")  # as the parser counts them
    place = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
    sentences = [word for word in words if " " in word]
    if not sentences and len(query) <= LONGEST:
        place, words = _stumble(query) or (place, words)
    at_end = place >= len(text) > 0
    place = min(place, len(text)) if text else place
    tokens = [word for word in words if word and not re.search(r"[ \\]", word) and not _KEYWORD.fullmatch(word)]
    if not query.strip():
        return QueryFault(line, column, "the query is empty")
    if "Prefix not found" in sentences:
        reason = "the prefix is not declared; add a PREFIX line for it"
    elif at_end and len(lines) == 1 and _COMMENT.search(text):
        reason = "unexpected end: a comment takes the rest of this one line (curl keeps line ends with --data-binary)"
    elif sentences:
        reason = _ungrouped(query) if _UNBOUND in sentences else sentences[0]
    elif 0 < len(set(tokens)) <= 8:
        reason = "expected " + " or ".join(f"`{token}`" for token in dict.fromkeys(tokens))
    elif at_end:
        reason = "unexpected end"
    else:
        reason = f"unexpected `{_WORD.match(text, place)[0][:40]}`"  # type: ignore[index]
    before = text[:place]
    # Whole words, 40 letters of them.
    near = re.sub(r"^(?=.{41}).*?\s(?=.{0,40}$)", "", before.rpartition("\n")[2]).strip()
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return QueryFault(line, column, f"{reason}, after `{near}`" if near else reason)


def _read(message: str) -> tuple[int, int, list[str]] | None:
    """Return line, column and what was expected, None for a message of another kind."""
    if (match := _POSITION.match(message)) is None:
        return None
    listed = match[3].removeprefix("expected one of ").removeprefix("expected ")
    words = [word.strip(' ",|\n') for word in re.split(r",\s(?![^\[]*\])", _RANGES.sub("", listed))]
    return int(match[1]), int(match[2]), words


def _stumble(query: str) -> tuple[int, list[str]] | None:
    """Return where the word begins that the parser stumbles over, and what it expected there; None if it finds nothing.

    It names the farthest place that it looked at, which lies behind: it compares as many letters as a keyword has. So it
    is asked again with the spaces so wide that no comparison reaches from one word into the next.
    """
    wide = _WORD.sub(lambda match: match[0] + _GAP * bool(match["gap"]), query) + _GAP
    try:
        Store().query(wide, base_iri=BASE, prefixes=prefixes())
    except SyntaxError as error:
        if found := _read(str(error.msg)):
            line, column, words = found
            reached = sum(len(before) + 1 for before in wide.split("\n")[: line - 1]) + column - 1
            return (len(query) if reached >= len(wide) else _back(query, reached, words)), words
    return None


def _back(query: str, reached: int, words: list[str]) -> int:
    """Return the place in the query of one in it with wide spaces, less the letters of the keyword that was compared."""
    begins = max((reached - len(word) for word in words if _KEYWORD.fullmatch(word)), default=reached)
    # Of the last word before what was reached: its place, its end, and what spaces have added there.
    first = end = wider = shift = 0
    for match in _WORD.finditer(query):
        if match.start() + shift > reached:
            break
        if match["gap"]:
            shift += len(_GAP)
        else:
            if match.start() != end:  # adjacent pieces are one word
                first, wider = match.start(), shift
            end = match.end()
    return begins - wider if first <= begins - wider < end else first


def _ungrouped(query: str) -> str:
    """Return what is wrong with a variable that is neither grouped nor an aggregate, by its name where there is one SELECT."""
    code = "".join(match[0] for match in _WORD.finditer(query) if match[0][0] not in "'\"#")
    clauses = re.findall(r"\bSELECT\b(.*?)(?=\bWHERE\b|\bFROM\b|\{)", code, re.DOTALL | re.IGNORECASE)
    names: list[str] = []
    if len(clauses) == 1:
        clause, more = clauses[0], 1
        while more:
            clause, more = re.subn(r"\([^()]*\)", "", clause)
        grouped = re.findall(r"[?$]\w+", "".join(re.split(r"\bGROUP\s+BY\b", code, flags=re.IGNORECASE)[1:]))
        names = [name for name in re.findall(r"[?$]\w+", clause) if name not in grouped]
    return f"{f'`{names[0]}`' if names else 'a variable'} is selected, but neither grouped nor counted: name it in GROUP BY, or take SAMPLE, COUNT or the like of it"
