"""What a parameter may be: the things of a class or a scheme, each by its key or by its name in any language."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property

from interpol_graph.graph.names import words
from interpol_graph.graph.prefixes import expand, shorten, sparql_header


class Choices:
    """The things that a parameter may be.

    labels: IRI → language → label; keys: IRI → what is short for it: its end, or where several end so, its prefixed name.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self.labels: dict[str, dict[str, str]] = defaultdict(dict)
        for row in rows:
            self.labels[row["choice"]][row.get("language") or ""] = row["label"]
        self._ends = defaultdict[str, set[str]](set)
        ends = {iri: shorten(iri).rpartition(":")[2] for iri in self.labels}
        for iri, end in ends.items():
            self._ends[words(end)].add(iri)
        self.keys = {iri: end if len(self._ends[words(end)]) == 1 else shorten(iri) for iri, end in ends.items()}

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        """What things are called, plainly: where nobody asks by a name, thousands of labels need not be read."""
        names = defaultdict[str, set[str]](set)
        for iri, label in ((iri, label) for iri, labels in self.labels.items() for label in labels.values()):
            names[words(label)].add(iri)
        return names | self._ends

    def find(self, text: str) -> str:
        """Return the IRI of the thing that a text names: by its IRI, a prefixed name, the end of one, or a label.

        Case, accents and punctuation do not matter. Raises ValueError, which says of what it may be meant.
        """
        named, found = words(text)[:100], set[str]()
        with suppress(ValueError):
            found = {expand(text)} & self.labels.keys()
        found = found or self._ends.get(named) or self._named.get(named, set())
        if len(found) == 1:
            return next(iter(found))
        alike = [name for name in self._named if name[:1] == named[:1]]  # comparing takes its time
        near = found or {iri for name in difflib.get_close_matches(named, alike, 3, 0.7) for iri in self._named[name]}
        if told := [f"{self.keys[iri]} ({self.label(iri, 'en')})" for iri in sorted(near)[:5]]:
            raise ValueError(f"did you mean {' or '.join(told)}?")
        raise ValueError(f"there are {len(self.keys)}, such as {', '.join(list(self.keys.values())[:3])}.")

    def key(self, text: str) -> str:
        """Return the key of the thing that a text names; a text that names none stays as it is."""
        with suppress(ValueError):
            return self.keys[self.find(text)]
        return text

    def label(self, iri: str, language: str) -> str:
        """Return the label of a thing in a language, else in English, else in any."""
        labels = self.labels[iri]
        return labels.get(language) or labels.get("en") or next(iter(labels.values()))


def asking(pattern: str) -> str:
    """Return the SPARQL text that asks for the things of a pattern and their labels."""
    asked = f"{pattern} . ?choice rdfs:label ?label FILTER(isIRI(?choice))"
    return f"{sparql_header()}SELECT DISTINCT ?choice ?label (LANG(?label) AS ?language) {{ {asked} }} ORDER BY ?choice ?language"
