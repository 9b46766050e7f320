"""What can be told from the words of a query before it is evaluated: its form, FROM, SERVICE, and what never repeats.

The engine parses; this only looks. Where it cannot be sure it says the safe thing: an answer is then not cached.
"""

import re
from contextlib import suppress
from typing import NamedTuple

from pyoxigraph import RdfFormat, parse

from interpol_graph.graph.prefixes import BASE, prefixes

#: Functions whose value differs from one evaluation to the next.
VOLATILE = ("RAND", "NOW", "UUID", "BNODE")
#: The words that begin an operation of SPARQL 1.1 Update.
UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"})

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
# Strings, IRIs, comments and names come first: a keyword cannot hide in one, nor raise a false alarm from one.
# Every repetition is possessive and an unclosed string runs to its end, so that no query is read twice.
# Names are letters, digits and what joins them (PN_CHARS); any character of one may be an escape.
_TOKEN = re.compile(
    r"""(?P<string>'''(?:(?:''?)?(?:[^'\\]|\\.))*+(?:'''|.*+) | \"\"\"(?:(?:""?)?(?:[^"\\]|\\.))*+(?:\"\"\"|.*+)
                 | '(?:[^'\\\n]|\\.)*+'? | "(?:[^"\\\n]|\\.)*+"?)
      | (?P<iri><(?:[^<>"{}|^`\\\x00-\x20]++|ESCAPE)*+>)
      | (?P<comment>\#[^\n\r]*+)
      | (?P<variable>[?$](?:[JOINED]++|ESCAPE)++)
      | (?P<language>@[A-Za-z]++(?:-++[A-Za-z0-9]++)*+)
      | (?P<blank>_:(?:\w|ESCAPE)(?:[JOINED-]++|ESCAPE|\.++(?=[JOINED\\-]))*+)
      | (?P<name>(?:[^\W\d_](?:[JOINED.-]++|ESCAPE)*+)?:(?:[JOINED:%-]++|\\.|\.++(?=[JOINED:%\\-]))*+)
      | (?P<number>\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?)
      | (?P<word>[^\W\d][\w.-]*+)
      | (?P<mark>[{}\[\]()])""".replace("ESCAPE", r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}").replace(
        "JOINED", "\\w\u00b7\u0300-\u036f\u203f\u2040"
    ),
    re.VERBOSE | re.DOTALL,
)
# A call of BNODE with an argument; the template of a CONSTRUCT behind its brace, and what makes a new node in it every time.
_LABELLED = re.compile(r"BNODE ?\((?! ?\))")
_TEMPLATE = re.compile(r"(?:[^{}]|\{[^{}]*+\})*+")
_FRESH = re.compile(r"[\[(]|_:")
#: What only two comparisons have between `<` and `>`.
_COMPARISONS = re.compile(r"&&|,|\)[^()]*\(")
# Only a query with one of these is looked at word by word; no other can hold what is looked for.
_SIGNS = ("\\u", "service", "from", "construct", "describe", "insert", "delete", *(word.lower() for word in VOLATILE))


class Reading(NamedTuple):
    """What the words of a query say.

    graphs: the IRIs of FROM and FROM NAMED; service: SERVICE is used; volatile: the next answer may differ;
    labelled: BNODE is called with an argument; update: the word of an update that this is instead of a query.
    """

    graphs: tuple[str, ...] = ()
    service: bool = False
    volatile: bool = False
    labelled: bool = False
    update: str = ""


def read(query: str) -> Reading:
    r"""Return what the words of a query say.

    >>> read("SELECT ?now FROM <http://example.org/known> { ?s ?p 'SERVICE' } # RAND()").graphs
    ('http://example.org/known',)
    >>> read("SELECT (R\\u0041ND() AS ?x) {}").volatile
    True
    """
    small = query.lower()
    if ("select" in small or "ask" in small) and not any(sign in small for sign in _SIGNS):
        return Reading()
    found = _look(query)
    plain = _ESCAPE.sub(_unescaped, query)
    if plain == query:
        return found
    # Engines differ in where they honour an escape: what either spelling says counts.
    return Reading._make(one or other for one, other in zip(_look(plain), found, strict=True))


def names_graphs(query: str) -> bool:
    """Tell whether a query may ask for named graphs: by a keyword, or an escape that may stand for its letters.

    >>> names_graphs("PREFIX graph: <http://example.org/> ASK { ?graph ?from 'GRAPH' } # FROM"), names_graphs("ASK {graph?g{}}")
    (False, True)
    """
    words = (match[0].upper() for match in _TOKEN.finditer(query) if match.lastgroup == "word")
    return "\\" in query or any("GRAPH" in word or "FROM" in word for word in words)


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else "\ufffd"


def _look(query: str) -> Reading:
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(query) if match.lastgroup != "comment"]
    words = [value.upper() for kind, value in tokens if kind == "word"]
    code = " ".join(_code(kind, value) for kind, value in tokens).upper()
    first = next((word for word in words if word not in ("PREFIX", "BASE", "VERSION")), "")
    template = _TEMPLATE.match(code.partition("{")[2] if first.startswith("CONSTRUCT") else "")
    return Reading(
        _expanded(tokens, graphs=True) if "FROM" in code else (),
        any("SERVICE" in word for word in words),
        any(name in code for name in VOLATILE) or bool(template and _FRESH.search(template[0])),
        _LABELLED.search(code) is not None,
        first if first in UPDATES else "",
    )


def _code(kind: str, value: str) -> str:
    """Return a token, or for a value its sign; what looks like an IRI may be two comparisons with a call between them."""
    if kind == "iri" and "(" in value and "://" not in value:
        return value if _COMPARISONS.search(value) or value.count("(") != value.count(")") else "."
    return value if kind in ("word", "mark") else "_:" if kind == "blank" else "."


def names(query: str) -> tuple[str, ...]:
    """Return the IRIs that a query names outside its prologue, prefixed names in full, up to one that is none.

    >>> names("PREFIX i: <http://example.org/> ASK { ?s i:p session:84 }")
    ('http://example.org/p', 'https://w3id.org/interpol-graph/id/session/84')
    """
    return _expanded([(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(query)])


def _expanded(tokens: list[tuple[str, str]], graphs: bool = False) -> tuple[str, ...]:
    """Return the IRIs that tokens name, those of FROM and FROM NAMED alone if so asked, up to one that is none.

    Turtle writes prefixes and IRIs alike.
    """
    turtle = [f"PREFIX {prefix}: <{namespace}>" for prefix, namespace in prefixes().items()]
    words = [("", "")] * 2
    telling = (token for token in tokens if token[0] in ("word", "name", "iri"))
    words += [(value.upper() if kind == "word" else "", value) for kind, value in telling]
    for (before, _), (last, named), (word, value) in zip(words, words[1:], words[2:], strict=False):
        if last == "BASE":
            turtle.append(f"BASE {value}")
        elif before == "PREFIX":
            turtle.append(f"PREFIX {named} {value}")
        elif not word and last != "PREFIX":
            source = last.endswith("FROM") or (last == "NAMED" and before.endswith("FROM"))
            turtle += [f"[] a {value} ."] * (source or not graphs)
    found: list[str] = []
    with suppress(SyntaxError, ValueError):  # the engine will say so, too
        found.extend(str(quad.object.value) for quad in parse("\n".join(turtle), RdfFormat.TURTLE, base_iri=BASE))
    return tuple(found)
