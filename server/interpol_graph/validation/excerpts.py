"""Excerpts of Turtle: the statements about some things, with everything else blanked out but every place as it was.

Reading a file with its places is slow, and a finding needs only the few statements that it is about.
"""

from __future__ import annotations

import re

#: What may hold a full stop that ends nothing; and the full stop that ends a statement.
_TOKEN = re.compile(
    r'\\.|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\n\r]|\\.)*"|\'(?:[^\'\\\n\r]|\\.)*\'|<[^<>\s]*>|#[^\n\r]*|(\.)(?=[\s#]|$)',
    re.DOTALL,
)
_NAME = re.compile(r"<[^<>\s]*>|[^\s;,()\[\]\"'^@<>#]+")
_DIRECTIVE = re.compile(r"(?:\s|#[^\n\r]*)*@?(?:prefix|base)\b", re.IGNORECASE)
_PREFIX = re.compile(r"(?:^|\s)@?prefix\s+([^\s:]*:)\s*<([^<>\s]*)>", re.IGNORECASE)
_SHOWING = re.compile(r"[^\r\n]")


def about(text: str, names: frozenset[str]) -> str:
    """Return Turtle with only its prefixes and the statements that name one of some IRIs, at the places where they were.

    >>> text = "@prefix : <http://example.org/> .\\n:a :b 1.5 .\\n:c :b 'a. b' ; :d :e ."
    >>> print(about(text, frozenset({"http://example.org/e"})))
    @prefix : <http://example.org/> .
    <BLANKLINE>
    :c :b 'a. b' ; :d :e .
    """
    spelt = {f"<{name}>" for name in names}
    for prefix, namespace in set(_PREFIX.findall(text)):
        spelt |= {prefix + name[len(namespace) :] for name in names if name.startswith(namespace)}
    kept: list[str] = []
    start = 0
    ends = [match.end() for match in _TOKEN.finditer(text) if match[1]]
    for end in (*ends, len(text)):
        block = text[start:end]
        wanted = _DIRECTIVE.match(block) or any(name.rstrip(".") in spelt for name in _NAME.findall(block))
        kept.append(block if wanted else _SHOWING.sub(" ", block))
        start = end
    return "".join(kept)
