"""Places: where in some files the statements about a node stand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rdflib.term import Node

from interpol_graph.validation import positions
from interpol_graph.validation.positions import LocatedGraph


class Places:
    """Where the statements of some files stand."""

    def __init__(self, files: Iterable[LocatedGraph]) -> None:
        self.files = list(files)
        self.homes: dict[Node, list[LocatedGraph]] = {}
        for file in self.files:
            for subject in set(file.graph.subjects()):
                self.homes.setdefault(subject, []).append(file)

    def know(self, node: Node | None) -> bool:
        """Say whether a node stands anywhere here."""
        return node in self.homes or any((None, None, node) in file.graph for file in self.files)

    def of(self, focus: Node | None, path: Node | None, value: Node | None) -> tuple[Path, int, int]:
        """Return where to put the finger: on the statement itself, else on its subject, else on a mention, else on a file."""
        homes = self.homes.get(focus, []) if focus else []
        for pattern in ((path, value), (path, None), (None, None)):
            for file in homes:
                if (place := file.place(focus, *pattern)) != positions.NOWHERE:
                    return file.path, *place
            if value is not None and pattern == (path, value):
                for file in homes:
                    if focus and (place := file.within(focus, path, value)) != positions.NOWHERE:
                        return file.path, *place
        for file in self.files:
            if focus is not None and (place := file.place(None, None, focus)) != positions.NOWHERE:
                return file.path, *place
        return self.files[0].path, 0, 0
