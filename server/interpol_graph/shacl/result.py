"""One result of a validation, with the parts that the SHACL recommendation gives it."""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode

from interpol_graph.graph.prefixes import shorten
from interpol_graph.shacl.data import Term
from interpol_graph.shacl.paths import Path


@dataclass(frozen=True)
class Result:
    """A constraint that a focus node breaks.

    path: from the focus node to the value; shape: the node of the shape that said so, component: by which kind of
    constraint; constraint: the node of a SPARQL constraint.
    """

    focus: Term
    path: Path | None
    value: Term | None
    shape: Term
    component: NamedNode
    messages: tuple[Literal, ...]
    severity: NamedNode
    constraint: Term | None = None

    @property
    def message(self) -> str:
        """The message for people: an English one or one without language, if there is one."""
        ranked = sorted(self.messages, key=lambda m: (not (m.language or "en").startswith("en"), m.value))
        return ranked[0].value if ranked else ""


def shown(term: Term) -> str:
    """Return a term as people read it: names shortened, a blank node by its kind alone."""
    if isinstance(term, NamedNode):
        return shorten(term.value)
    if isinstance(term, Literal) and str(term).endswith(f"^^{term.datatype}"):
        return str(term).removesuffix(str(term.datatype)) + shorten(term.datatype.value)
    return "blank node" if isinstance(term, BlankNode) else str(term)
