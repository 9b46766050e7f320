"""What the page and the list of a class show, kind by kind: kinds.toml is the table."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from interpol_graph.graph.prefixes import TERMS, expand


class Part(NamedTuple):
    """A section of a page: a saved question about the entity, or the things of a pattern.

    heading: a phrase; question, given: its name, and values of further parameters (a property of the entity that is a
    number, with what is added to it); items: a pattern of SPARQL whose ?item are shown, ?this being the entity;
    columns: what is shown: columns of the question (of none, all), or IRIs of properties of the items; picture:
    whether that of the question is drawn; order: that of items, before their names.
    """

    heading: str
    question: str = ""
    given: dict[str, tuple[str, int]] = {}
    items: str = ""
    columns: tuple[str, ...] = ()
    picture: bool = False
    order: str = ""


class Kind(NamedTuple):
    """A kind of things: the facts that open its page, the sections that follow, and of a list of them the columns, the facets (parameter → IRI of the property) and the path that orders it."""

    essentials: tuple[str, ...] = ()
    sections: tuple[Part, ...] = ()
    columns: tuple[str, ...] = ()
    facets: dict[str, str] = {}
    order: str = ""


def of(classes: Collection[str]) -> Kind:
    """Return the kind of a thing of some classes, the first in the table; what is in no row has no wishes.

    >>> of(["https://w3id.org/interpol-graph/ontology#AssemblySession"]).order
    'interpol:startDate'
    """
    return next((kind for name, kind in KINDS.items() if name in classes), Kind())


def _iri(name: str) -> str:
    """Return the IRI of a property in the table, which is one of ours where it names no prefix."""
    return expand(name) if ":" in name else TERMS + name


def _part(heading: str, part: dict[str, Any]) -> Part:
    columns = tuple(map(_iri if "items" in part else str, part.get("columns", ())))
    given = {name: (_iri(of), more) for name, (of, more) in part.get("given", {}).items()}
    return Part("section." + heading, **part | {"columns": columns, "given": given})


def _kind(row: dict[str, Any]) -> Kind:
    row = _TABLE[row["like"]] | row if "like" in row else row
    sections = tuple(_part(*one) for one in row.get("sections", {}).items())
    facets = {name.rpartition(":")[2]: _iri(name) for name in row.get("facets", ())}
    essentials, columns = (tuple(map(_iri, row.get(name, ()))) for name in ("essentials", "columns"))
    return Kind(essentials, sections, columns, facets, row.get("order", ""))


_TABLE = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
#: IRI of the class → its kind; a class comes before those that it is a kind of.
KINDS = {_iri(name): _kind(row) for name, row in _TABLE.items()}
