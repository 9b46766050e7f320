"""SPARQL text that selects things, for the pages and for those who go on from them."""

import re
from collections.abc import Mapping, Sequence

from interpol_graph.endpoint.current import Row, select
from interpol_graph.endpoint.negotiation import speech
from interpol_graph.graph.prefixes import shorten

#: What stands before a number that is not exact.
INEXACT = "≈"
#: Things that a page shows of one section or of one group of links.
SHOWN = 50
#: More rows than a page can be made of. With a limit, the order of a subquery matters.
_MOST = 100_000
_PROLOGUE = re.compile("^PREFIX .*\n", re.MULTILINE)


def selection(pattern: str, columns: Mapping[str, bool] = {}, order: str = "", *, cited: bool = False) -> str:
    """Return a query for the ?item of a pattern with their labels, in an order before that of their names.

    columns: IRI of a property of them → whether its values have labels, numbers with what qualifies them; cited: whether with their documents, ?source.
    """
    names, lines = ["?item", "?itemLabel"], [pattern, _label("item")]
    for of, labelled in columns.items():
        column = shorten(of).rpartition(":")[2]
        names += [f"?{column}", f"?{column}Label"][: 1 + labelled]
        lines.append(f"OPTIONAL {{ ?item {prefixed(of)} ?{column} {_label(column) * labelled} }}")
        if column.endswith("Count"):
            names.append(f"?{column}Qualifier")
            inexact = f'?item interpol:inexact {prefixed(of)} BIND("{INEXACT}" AS ?{column}Qualifier)'
            lines.append(f"OPTIONAL {{ {inexact} }}")
    if cited:
        names.append("?source")
        lines.append("OPTIONAL { ?item interpol:citation/interpol:source ?source }")
    text = "\n  ".join(lines)
    return f"SELECT DISTINCT {' '.join(names)} WHERE {{\n  {text}\n}}\nORDER BY {order} ?itemLabel ?item\n"


def together(queries: Sequence[str]) -> list[list[Row]]:
    """Evaluate some SELECT queries as one, and return the rows of each in its order."""
    prologue = sorted({line for text in queries for line in _PROLOGUE.findall(text)})
    bodies = (_PROLOGUE.sub("", text) for text in queries)
    parts = [f"{{ {{ {body}\nLIMIT {_MOST} }} BIND({n} AS ?part) }}" for n, body in enumerate(bodies)]
    found: list[list[Row]] = [[] for _ in queries]
    for row in select(f"{''.join(prologue)}SELECT * WHERE {{ {' UNION '.join(parts)} }}") if parts else ():
        found[int(row.pop("part").value)].append(row)
    return found


def prefixed(iri: str) -> str:
    """Return a prefixed name where that is sure to be one, else the IRI in brackets."""
    short = shorten(iri)
    local = short.partition(":")[2].replace("-", "").replace("_", "")
    return short if short != iri and local.isalnum() and local.isascii() else f"<{iri}>"


def _label(name: str) -> str:
    return f'OPTIONAL {{ ?{name} rdfs:label ?{name}Label FILTER(LANG(?{name}Label) = "{speech()}") }}'
