"""The default graph as N-Triples, once or many times over."""

from __future__ import annotations

import re
from pathlib import Path

from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.store import KnowledgeGraph

#: The IRIs of things, and blank nodes; words of the ontology stay the same in every copy.
THINGS = re.compile(rb"(<https://w3id\.org/interpol-graph/id/[^>]*|_:\w+)")


def written(path: Path, scale: int) -> list[str]:
    """Write the default graph `scale` times, things renamed in every copy but the first; return the IRIs of the things."""
    with path.open("wb") as file:
        KnowledgeGraph(graph_files()).dump(file, BY_NAME["ntriples"])
        file.flush()
        graph = path.read_bytes()
        for copy in range(1, scale):
            file.write(THINGS.sub(rb"\g<1>-copy%d" % copy, graph))
    subjects = {line.partition(b" ")[0] for line in graph.splitlines()}
    return sorted(name[1:-1].decode() for name in subjects if name.startswith(b"<https://w3id.org/interpol-graph/id/"))
