"""The finger on the line: in which file the terms of a finding stand, and where. Files are read for it only when asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode
from rdflib.term import BNode, Node

from interpol_graph.graph.files import SourceFile
from interpol_graph.shacl.data import Index, Term
from interpol_graph.validation import positions
from interpol_graph.validation.blanks import matched
from interpol_graph.validation.terms import from_rdflib, to_rdflib
from interpol_graph.validation.whereabouts import Places

#: Bytes from which on a file is read in excerpts.
LARGE = 256 * 1024


class Shelf:
    """Files read with their places, each once; only for files whose findings are shown are places looked up at all.

    shown: the paths of those; None for all.
    """

    def __init__(self, shown: Collection[Path] | None = None) -> None:
        self.shown = shown
        self._read: dict[SourceFile, Places] = {}
        self._excerpts: dict[tuple[SourceFile, frozenset[str]], Places] = {}

    def shows(self, file: SourceFile) -> bool:
        """Tell whether findings of a file are shown."""
        return self.shown is None or file.path in self.shown

    def excerpt(self, file: SourceFile, about: frozenset[str]) -> Places:
        """Return the places of what one file says of some things: of a large file only that is read."""
        if file in self._read or file.path.stat().st_size < LARGE:
            return self.places(file)
        if (file, about) not in self._excerpts:
            self._excerpts[file, about] = Places([positions.read(file, about)])
        return self._excerpts[file, about]

    def places(self, file: SourceFile) -> Places:
        """Return the places of one file."""
        if file not in self._read:
            self._read[file] = Places([positions.read(file)])
        return self._read[file]


class Finder:
    """The places of some nodes in some files.

    index: the statements whose terms are looked for; files: where they stand; nodes: the focus nodes to be looked for.
    """

    def __init__(self, index: Index, files: Sequence[SourceFile], nodes: Iterable[Term], shelf: Shelf) -> None:
        self.index, self.files, self.nodes, self.shelf = index, files, set(nodes), shelf

    def place(
        self, focus: Term | None, predicate: Term | None = None, value: Term | None = None
    ) -> tuple[Path, int, int]:
        """Return where a focus node stands, better the value of its property, if these are given.

        Line and column are 0 in a file whose findings are not shown, and when a node stands nowhere.
        """
        if isinstance(focus, BlankNode):
            file = self._blank_homes.get(self._likes.get(focus))
        else:
            file = self._home(focus, predicate, value)
        if file is None:
            hidden = (file.path for file in self.files if not self.shelf.shows(file))
            # A blank node that no shown file holds stands in a hidden one.
            path = next(hidden, self.files[0].path) if isinstance(focus, BlankNode) else self.files[0].path
            return path, 0, 0
        if not self.shelf.shows(file):
            return file.path, 0, 0
        terms = [self._located(term) for term in (focus, predicate, value)]
        excerpt = self.shelf.excerpt(file, self._names)
        # What is spelt in a way that the excerpt does not expect stands in the whole file.
        return (excerpt if excerpt.know(terms[0]) else self.shelf.places(file)).of(*terms)

    def _located(self, term: Term | None) -> Node | None:
        if isinstance(term, BlankNode):
            return self._likes.get(term)
        return to_rdflib(term) if term is not None else None

    def _home(self, focus: Term | None, predicate: Term | None, value: Term | None) -> SourceFile | None:
        """Return the file that says most precisely what is looked for: the value, the property, the node, a mention."""
        if focus is None:
            return None
        about = self._said.get(focus, {})
        for wanted in ((predicate, value), (predicate, None), (None, None)):
            for file, said in about.items():
                if any(wanted in ((p, o), (p, None), (None, None)) for p, o in said):
                    return file
        return self._mentions.get(focus)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(node.value for node in self.nodes if isinstance(node, NamedNode))

    @cached_property
    def _said(self) -> dict[Term, dict[SourceFile, list[tuple[Term, Term]]]]:
        """Node → file → what the file says of it."""
        said: dict[Term, dict[SourceFile, list[tuple[Term, Term]]]] = {}
        for file in self.files:
            for quad in file.quads():
                if quad.subject in self.nodes:
                    said.setdefault(quad.subject, {}).setdefault(file, []).append((quad.predicate, quad.object))
        return said

    @cached_property
    def _mentions(self) -> dict[Term, SourceFile]:
        """Node that no file says anything of → the first file that mentions it."""
        homeless = self.nodes - set(self._said)
        found: dict[Term, SourceFile] = {}
        for file in self.files if homeless else ():
            for quad in file.quads():
                if quad.object in homeless:
                    found.setdefault(quad.object, file)
        return found

    @cached_property
    def _blank_homes(self) -> dict[Node | None, SourceFile]:
        """Blank node of a file read with its places → that file, for the shown files that hold any."""
        holders = [file for file in self.files if self.shelf.shows(file) and _holds_blanks(file)]
        graphs = [(file, located.graph) for file in holders for located in self.shelf.places(file).files]
        return {node: file for file, graph in graphs for node in graph.all_nodes() if isinstance(node, BNode)}

    @cached_property
    def _likes(self) -> dict[BlankNode, BNode]:
        """Blank node of the index → the same one of the files as read with their places, which has another name."""
        graphs = [
            located.graph
            for file in dict.fromkeys(self._blank_homes.values())
            for located in self.shelf.places(file).files
        ]
        there = ((from_rdflib(s), NamedNode(str(p)), from_rdflib(o)) for graph in graphs for s, p, o in graph)
        return {here: BNode(like.value) for here, like in matched(self.index.statements(), there).items()}


def _holds_blanks(file: SourceFile) -> bool:
    return any(isinstance(term, BlankNode) for quad in file.quads() for term in (quad.subject, quad.object))
