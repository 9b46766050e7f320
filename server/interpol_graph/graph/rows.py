"""Rows of an answer as plain values: one mapping a row, with numbers and truths as such, IRIs and labels as text."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from interpol_graph.graph.prefixes import XSD

#: A row: column → value, None where there is none.
Row = dict[str, Any]


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


_WHOLE = ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger")
#: Datatype → how a text of it becomes a value; ValueError if it cannot.
_VALUES: dict[str, Callable[[str], Any]] = {
    **{XSD + name: int for name in _WHOLE},
    **{XSD + name: _finite for name in ("decimal", "double", "float")},
    XSD + "boolean": {"true": True, "1": True, "false": False, "0": False}.__getitem__,
}


def read(body: bytes) -> list[Row]:
    """Return the rows of SPARQL results JSON; the truth of an ASK is one, in the column `boolean`.

    >>> read(b'{"head":{"vars":["n","who"]},"results":{"bindings":[{"n":{"type":"literal","value":"84",'
    ...      b'"datatype":"http://www.w3.org/2001/XMLSchema#integer"}}]}}')
    [{'n': 84, 'who': None}]
    """
    answer = json.loads(body)
    if "boolean" in answer:
        return [{"boolean": answer["boolean"]}]
    names = answer["head"]["vars"]
    return [{name: _value(row.get(name)) for name in names} for row in answer["results"]["bindings"]]


def write(rows: Iterable[Row]) -> bytes:
    """Return rows as JSON, one a line, so that those of two pages are the same bytes as those of the whole.

    >>> write([{"number": 84, "place": "Kigali"}, {"number": 85, "place": None}]).decode()
    '[\\n{"number": 84, "place": "Kigali"},\\n{"number": 85, "place": null}\\n]\\n'
    """
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n".encode() if lines else b"[]\n"


def _value(term: Mapping[str, Any] | None) -> Any:
    if term is None:
        return None
    if term["type"] == "triple":
        return (
            "<<( " + " ".join(str(_value(term["value"][part])) for part in ("subject", "predicate", "object")) + " )>>"
        )
    text = f"_:{term['value']}" if term["type"] == "bnode" else term["value"]
    try:
        return _VALUES.get(term.get("datatype", ""), str)(text)
    except (ValueError, KeyError):  # as it is written, then
        return text
