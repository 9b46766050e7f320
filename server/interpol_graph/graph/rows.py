"""Rows of an answer as plain values: one mapping a row, with numbers and truths as such, IRIs and labels as text."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from interpol_graph.graph.prefixes import XSD

#: A row: column → value, None where there is none.
Row = dict[str, Any]
#: What is written in JSON as it is in RDF; of these datatypes, what is not (INF, a number beyond all bounds) stays text.
_NUMBERS = "integer int long short byte nonNegativeInteger decimal double float"
_PLAIN = {XSD + name for name in (*_NUMBERS.split(), "boolean")}
_IN_JSON = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?|true|false")


def read(body: bytes) -> list[Row]:
    """Return the rows of SPARQL results JSON; the truth of an ASK is one, in the column `boolean`."""
    answer = json.loads(body)
    if "boolean" in answer:
        return [{"boolean": answer["boolean"]}]
    names, found = answer["head"]["vars"], answer["results"]["bindings"]
    return [{name: _value(row.get(name, {})) for name in names} for row in found]


def write(rows: Iterable[Row]) -> bytes:
    """Return rows as JSON, one a line, so that those of two pages are the same bytes as those of the whole.

    >>> write([{"number": 84, "place": "Kigali"}, {"number": 85, "place": None}]).decode()
    '[\\n{"number": 84, "place": "Kigali"},\\n{"number": 85, "place": null}\\n]\\n'
    """
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n".encode() if lines else b"[]\n"


def _value(term: Mapping[str, Any]) -> Any:
    value = term.get("value")
    if term.get("datatype") in _PLAIN and _IN_JSON.fullmatch(term["value"]):
        return json.loads(term["value"])
    return f"_:{value}" if term.get("type") == "bnode" else value
