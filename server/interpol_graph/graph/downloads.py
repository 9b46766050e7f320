"""The files that a state of the graph is downloaded as: their names, and what is in each."""

from collections.abc import Iterable
from dataclasses import replace

from interpol_graph.graph.executables import QUERIES
from interpol_graph.graph.formats import BY_NAME, DUMPS, Format
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.reifiers import REIFIERS

_TURTLE = BY_NAME["turtle"]
#: The name of the files that hold the whole graph, of the list of checksums, and of what says which document states which value.
WHOLE, SUMS, STATED = "interpol", "SHA256SUMS", "reifiers" + _TURTLE.suffix
#: The graphs that are here wherever the others are: the words, and the questions.
HERE = GRAPHS + "ontology", QUERIES


def graph_file(iri: str) -> str | None:
    """Return the name of the file of a named graph; None for one outside our namespace, or called as another file is."""
    name = iri.removeprefix(GRAPHS)
    file = name + _TURTLE.suffix
    return file if iri.startswith(GRAPHS) and name != WHOLE and file != STATED else None


def files(graphs: Iterable[str], own: bool = True, whole: bool = True) -> dict[str, tuple[Format, str | None]]:
    """Return file name → (format, graph or None for the whole).

    own: whether it is the project's own graph; whole: whether all of it is here.
    """
    found: dict[str, tuple[Format, str | None]] = {WHOLE + fmt.suffix: (fmt, None) for fmt in DUMPS if whole}
    graphs = graphs if whole else [iri for iri in graphs if iri in HERE]
    if own and whole:  # other data cite in other ways
        found[STATED] = replace(_TURTLE, media_types=("text/turtle; version=1.2",)), REIFIERS.value
    return found | {name: (_TURTLE, iri) for iri in graphs if (name := graph_file(iri))}
