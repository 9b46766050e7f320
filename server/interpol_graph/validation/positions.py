"""Where every statement of a Turtle file stands: its tokens, read as far as places need it, beside what the parser made of it.

The parser alone decides what is Turtle and what it says. Where its statements and these tokens do not fit, no place is known.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pyoxigraph import BlankNode, Literal, Quad

from interpol_graph.shacl.data import REST, TYPE, Statement, Term

#: Line and column, counted from 1; (0, 0) when the place is not known.
Place = tuple[int, int]
#: Where subject, predicate and object of a statement begin; those of a list begin where the list does, its links at an item.
Offsets = tuple[int, int, int]

NOWHERE: Place = (0, 0)

_NAME = r"[^\s;,()\[\]\"'<>#^@.\\]"
_TOKEN = re.compile(
    r"(?:[ \t\r\n]+|#[^\r\n]*)*(?:("
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\r\n]|\\.)*"|\'(?:[^\'\\\r\n]|\\.)*\''
    rf"|<[^<>\s]*>|(?:{_NAME}|\\.|\.+(?={_NAME}|\\))+|@[\w-]+|\^\^|[.;,()\[\]]"
    r")|\Z)",
    re.DOTALL,
)
_PREFIX = re.compile(r"(?:@prefix|\bPREFIX)\s+(?P<prefix>[^\s:]*):\s*<(?P<namespace>[^>]*)>", re.IGNORECASE)
LINE_END = re.compile(r"\r\n|\n|\r")
#: Directive → how many tokens follow it.
_DIRECTIVES = {"@prefix": 3, "@base": 2, "@version": 2, "prefix": 2, "base": 1, "version": 1}


class Text:
    """A text that knows its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in LINE_END.finditer(text))]

    def place(self, offset: int) -> Place:
        """Return the line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def prefixes(self, right: Mapping[str, str]) -> Iterator[tuple[str, str, int, int]]:
        """Yield the prefixes that a Turtle text declares otherwise than is right: prefix, namespace, line and column."""
        for match in _PREFIX.finditer(self.text):
            if right.get(match["prefix"]) != match["namespace"]:
                begins = match.start()
                tokens = (token.start(1) for token in _TOKEN.finditer(self.text))
                if next(token for token in tokens if token >= begins or token < 0) == begins:  # it is no literal's
                    yield match["prefix"], match["namespace"], *self.place(begins)


def offsets(text: str, statements: Sequence[Quad | Statement]) -> Sequence[int]:
    """Return where subject, predicate and object of each statement of a Turtle file begin, one after the other.

    statements: what the parser made of the text, in the parser's order. When the tokens do not fit them, there is nothing.
    """
    found = array("Q")  # of a large file, tuples would take ten times the room
    try:
        for quad, places in zip(statements, read(text), strict=True):
            terms = [*quad][: 2 if quad.predicate == REST else 3]
            if not all(map(partial(_spelt, text), terms, places)):
                return ()
            found.extend(places)
    except ValueError:  # more of one than of the other
        return ()
    return found


def _spelt(text: str, term: Term, offset: int) -> bool:
    """Tell whether a term can be what is written at an offset."""
    first = text[offset]
    if isinstance(term, BlankNode):
        return first in "[(" or text.startswith("_:", offset)
    if isinstance(term, Literal):
        return first in "\"'+-.0123456789" or text.startswith(("true", "false"), offset)
    if first == "(":
        return True
    match = _TOKEN.match(text, offset)
    name = match[1] if match else ""
    if name == "a":
        return term == TYPE
    name = name[1:-1] if first == "<" else name.partition(":")[2]
    return "\\" in name or "./" in name or str(term).endswith(name + ">")


@dataclass(slots=True)
class _Open:
    """What has begun and not ended: a statement, a `[` or a `(`.

    subject: where it began; verb: where its last verb began, -1 when one comes next; value: where its last object or item
    began, -1 before the first; leads: whether it is itself the subject of a statement.
    """

    subject: int
    verb: int = -1
    value: int = -1
    leads: bool = False

    @property
    def statement(self) -> Offsets:
        """The statement about its last object or item."""
        return self.subject, self.verb, self.value


def read(text: str) -> Iterator[Offsets]:
    """Yield the offsets of every statement of a Turtle text, in the parser's order, up to what is not like Turtle.

    Of what one symbol completes the parser hands out the last first, and a string is complete with the symbol after it.

    >>> list(read("<a> <b> 'c' , [ <d> 1 ] ."))
    [(0, 4, 8), (14, 16, 20), (0, 4, 14)]
    """
    stack: list[_Open] = []
    end = passing = 0
    string = typed = False
    for match in _TOKEN.finditer(text):
        symbol, begin = match[1], match.start(1)
        if match.start() != end:
            return
        end = match.end()
        if passing:
            passing -= 1
        elif string and symbol == "^^":
            typed = True
        elif string and (typed or symbol[0] == "@"):
            yield stack[-1].statement
            string = typed = False
        elif symbol and not (not stack and (passing := _DIRECTIVES.get(symbol.lower(), 0))):
            fresh = [stack[-1].statement] if string else []
            try:
                fresh += _completed(stack, symbol, begin)
            except IndexError:
                return
            yield from reversed(fresh)
            string = bool(stack) and symbol[0] in "\"'"


def _completed(stack: list[_Open], symbol: str, begin: int) -> Iterator[Offsets]:
    """Yield the statements that a symbol completes, and note what it begins or ends."""
    if not stack:
        stack.append(_Open(begin))
        if symbol in "[(":
            stack.append(_Open(begin, begin if symbol == "(" else -1, leads=True))
        return
    top = stack[-1]
    if symbol == ".":
        stack.pop()
    elif symbol == ";":
        top.verb = -1
    elif symbol in ("]", ")"):
        stack.pop()
        if symbol == ")" and top.value >= 0:
            yield top.statement
        elif not top.leads:
            yield stack[-1].statement
    elif top.verb < 0:
        top.verb = begin
    elif symbol != ",":
        if top.verb == top.subject and top.value >= 0:
            yield top.statement  # the link from the last item of a list to this one
        elif top.verb == top.subject and not top.leads:
            yield stack[-2].statement  # the list itself, whose first item this is
        top.value = begin
        if symbol in "[(":
            stack.append(_Open(begin, begin if symbol == "(" else -1))
        elif symbol[0] not in "\"'":
            yield top.statement
