"""What can be told from the words of a query before it is evaluated: its form, FROM, SERVICE, and what never repeats.

The engine parses; this only looks. Where it cannot be sure it says the safe thing: an answer is then not cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pyoxigraph import NamedNode, RdfFormat, parse

from interpol_graph.graph.prefixes import BASE, prefixes

#: Functions whose value differs from one evaluation to the next.
VOLATILE = ("RAND", "NOW", "UUID", "BNODE")
#: The words that begin an operation of SPARQL 1.1 Update.
UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"})

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
# Strings, IRIs, comments and names come first: a keyword cannot hide in one, nor raise a false alarm from one.
# Every repetition is possessive and an unclosed string runs to its end, so that no query is read twice.
_TOKEN = re.compile(
    r"""(?P<string>'''(?:(?:''?)?(?:[^'\\]|\\.))*+(?:'''|.*+) | \"\"\"(?:(?:""?)?(?:[^"\\]|\\.))*+(?:\"\"\"|.*+)
                 | '(?:[^'\\\n]|\\.)*+'? | "(?:[^"\\\n]|\\.)*+"?)
      | <(?P<iri>[^<>"{}|^`\\\x00-\x20]*+)>
      | (?P<comment>\#[^\n\r]*+)
      | (?P<variable>[?$]\w++)
      | (?P<language>@[A-Za-z]++(?:-[A-Za-z0-9]++)*+)
      | (?P<blank>_:\w)
      | (?P<name>(?:[^\W\d_][\w.-]*+)?:(?:[\w:%-]|\\.|\.(?=[\w:%.-]))*+)
      | (?P<number>\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?)
      | (?P<word>[^\W\d][\w.-]*+)
      | (?P<mark>[{}\[\]()])""",
    re.VERBOSE | re.DOTALL,
)
_LABELLED = re.compile(r"BNODE ?\((?! ?\))")
# Only a query with one of these is looked at word by word; no other can hold what is looked for.
_SIGNS = ("\\u", "service", "from", "construct", "describe", "insert", "delete", *(word.lower() for word in VOLATILE))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of a query say.

    kind: what it answers with; graphs: the IRIs of FROM and FROM NAMED; service: SERVICE is used;
    volatile: the next answer may differ; labelled: BNODE is called with an argument; update: the word of an update that this is instead of a query.
    """

    kind: Literal["results", "graph"] = "results"
    graphs: tuple[str, ...] = ()
    service: bool = False
    volatile: bool = False
    labelled: bool = False
    update: str = ""


_PLAIN = Reading()


def read(query: str) -> Reading:
    r"""Return what the words of a query say.

    >>> read("SELECT ?now FROM <http://example.org/known> { ?s ?p 'SERVICE' } # RAND()").graphs
    ('http://example.org/known',)
    >>> read("SELECT (R\\u0041ND() AS ?x) {}").volatile
    True
    """
    small = query.lower()
    if ("select" in small or "ask" in small) and not any(sign in small for sign in _SIGNS):
        return _PLAIN
    found = _look(query)
    plain = _ESCAPE.sub(_unescaped, query)
    if plain == query:
        return found
    # Engines differ in where they honour an escape: what either spelling says counts.
    other = _look(plain)
    return Reading(
        other.kind,
        tuple(dict.fromkeys(found.graphs + other.graphs)),
        found.service or other.service,
        found.volatile or other.volatile,
        found.labelled or other.labelled,
        other.update,
    )


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else "\ufffd"


def _look(query: str) -> Reading:
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(query)]
    calls = " ".join(value if _may_call(kind, value) else "_" for kind, value in tokens if kind != "comment").upper()
    tokens = [token for token in tokens if token[0] not in ("comment", "string", "number", "variable", "language")]
    words = [value.upper() for kind, value in tokens if kind == "word"]
    first = next((word for word in words if word not in ("PREFIX", "BASE", "VERSION")), "")
    graph = first.startswith(("CONSTRUCT", "DESCRIBE"))
    return Reading(
        "graph" if graph else "results",
        tuple(_graphs(tokens)),
        any("SERVICE" in word for word in words),
        any(name in calls for name in VOLATILE) or (first.startswith("CONSTRUCT") and _fresh(tokens)),
        _LABELLED.search(calls) is not None,
        first if first in UPDATES else "",
    )


def _may_call(kind: str, value: str) -> bool:
    """Tell whether a token may be part of a call; what looks like an IRI may be two comparisons with a call between them."""
    return kind in ("word", "mark") or (kind == "iri" and "(" in value and "://" not in value)


def _fresh(tokens: list[tuple[str, str]]) -> bool:
    """Tell whether the template of a CONSTRUCT makes blank nodes, new ones every time."""
    depth = 0
    for kind, value in tokens[next(index for index, (kind, _) in enumerate(tokens) if kind == "word") :]:
        if value == "{":
            depth += 1
        elif value == "}":
            depth -= 1
            if depth == 0:
                return False
        elif depth and (kind == "blank" or value in ("[", "(")):
            return True
    return True


def _graphs(tokens: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the IRIs that FROM and FROM NAMED name, as far as their prefixes are known."""
    base, known = BASE, dict(prefixes())
    for index, (kind, value) in enumerate(tokens):
        following = [*tokens[index + 1 : index + 3], ("", ""), ("", "")]
        word = value.upper() if kind == "word" else ""
        if word == "BASE" and following[0][0] == "iri":
            base = _resolved(following[0][1], base)
        elif word == "PREFIX" and following[0][0] == "name" and following[1][0] == "iri":
            known[following[0][1].removesuffix(":")] = _resolved(following[1][1], base)
        elif word.endswith("FROM"):
            kind, value = following[following[0] == ("word", following[0][1]) and following[0][1].upper() == "NAMED"]
            prefix, _, local = value.partition(":")
            if kind == "iri":
                yield _resolved(value, base)
            elif kind == "name" and prefix in known:
                yield known[prefix] + re.sub(r"\\(.)", r"\1", local)


def _resolved(iri: str, base: str) -> str:
    """Return an IRI as the engine resolves it (RFC 3986, 5.2), or as it is where that says no."""
    try:
        (quad,) = parse(f"<{iri}> a <> .", RdfFormat.TURTLE, base_iri=base)
    except (SyntaxError, ValueError):
        return iri
    return quad.subject.value if isinstance(quad.subject, NamedNode) else iri
