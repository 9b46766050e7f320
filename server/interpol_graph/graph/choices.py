"""What a parameter may be: the things of a class or a scheme, each by its key or by its name in any language."""

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import expand, shorten, sparql_header

#: A text that is longer is compared to no name.
_LONGEST = 100


class Unknown(ValueError):
    """A text is not the name of one of the things; the message says of which it may be meant."""


class Choices:
    """The things that a parameter may be.

    labels: IRI → language → label; keys: IRI → what is short for it: the end of it, or where several end so, the
    prefixed name.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self.labels: dict[str, dict[str, str]] = defaultdict(dict)
        for row in rows:
            self.labels[row["choice"]][row.get("language") or ""] = row["label"]
        ends, names = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for iri, labels in self.labels.items():
            ends[_words(_end(iri))].add(iri)
            for label in labels.values():
                names[_words(label)].add(iri)
        self.keys = {iri: shorten(iri) if len(ends[_words(_end(iri))]) > 1 else _end(iri) for iri in self.labels}
        self._named = names | ends

    def find(self, text: str) -> str:
        """Return the IRI of the thing that a text names: by its IRI, a prefixed name, the end of one, or a label.

        Case, accents and punctuation do not matter. Raises Unknown.
        """
        try:
            iri = expand(text)
        except ValueError:
            iri = ""
        named = _words(text)
        found = {iri} & self.labels.keys() or self._named.get(named, set())
        if len(found) == 1:
            return next(iter(found))
        near = difflib.get_close_matches(named, self._named, 3, 0.7) if not found and len(text) <= _LONGEST else ()
        alike = sorted(found or {iri for name in near for iri in self._named[name]})[:5]
        words = [f"{self.keys[iri]} ({self.label(iri, 'en')})" for iri in alike]
        raise Unknown(f"; did you mean {' or '.join(words)}?" if words else f"; {self.example()}")

    def key(self, text: str) -> str:
        """Return the key of the thing that a text names; a text that names none stays as it is."""
        with suppress(Unknown):
            return self.keys[self.find(text)]
        return text

    def label(self, iri: str, language: str) -> str:
        """Return the label of a thing in a language, else in English, else in any."""
        labels = self.labels[iri]
        return labels.get(language) or labels.get("en") or next(iter(labels.values()))

    def example(self) -> str:
        """Return a sentence with some of the keys."""
        some = ", ".join(list(self.keys.values())[:3])
        return f"there are {len(self.keys)}, such as {some}." if len(self.keys) > 3 else f"there are {some}."


#: How a door finds what fits a pattern of ?choice.
Finder = Callable[[str], Choices]


def asking(pattern: str) -> str:
    """Return the SPARQL text that asks for the things of a pattern and their labels."""
    return f"""{sparql_header()}
SELECT DISTINCT ?choice ?label (LANG(?label) AS ?language)
WHERE {{ {pattern} . ?choice rdfs:label ?label FILTER(isIRI(?choice)) }}
ORDER BY ?choice ?language"""


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", plain(text)))


def _end(iri: str) -> str:
    return shorten(iri).rpartition(":")[2]
