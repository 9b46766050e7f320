"""If-None-Match: which of a client's entity tags it can use, whatever their content coding."""

from __future__ import annotations

from interpol_graph.endpoint.compression import CODINGS


def tags(held: str, codings: tuple[str, ...], etag: str = "") -> dict[str, str]:
    """Return the tags that a client holds and can use → the same without their coding, those it likes best first.

    codings: those that it takes; etag: what `*` stands for.

    >>> tags('"a-gzip", W/"b", "c-br"', ("gzip",))
    {'a-gzip': 'a', 'b': 'b'}
    """
    found: dict[str, str] = {}
    for part in held.split(","):
        tag = part.strip().removeprefix("W/").strip('"')
        bare, _, coding = tag.rpartition("-")
        if coding in codings:
            found[tag] = bare
        elif coding not in CODINGS:
            found[etag or tag if tag == "*" else tag] = tag
    order = {coding: rank for rank, coding in enumerate(codings)}
    return dict(sorted(found.items(), key=lambda pair: order.get(pair[0].rpartition("-")[2], len(order))))
