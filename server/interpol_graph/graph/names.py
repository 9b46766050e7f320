"""The names of things as a file that is searched: full text by SQLite (FTS5), and the words that differ by one letter."""

import difflib
import re
import sqlite3
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from interpol_graph.graph.prefixes import RDF, TERMS, expand

#: What things are called by.
_PROPERTIES = "rdfs:label skos:prefLabel skos:altLabel dcterms:title schema:name interpol:acronym"
#: What joins a thing to others by whose names it is found as well: where and when an event was, who held which office.
_JOINS = frozenset(TERMS + name for name in ("place", "hostCountry", "startDate", "person", "office"))
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE names (id INTEGER PRIMARY KEY, iri TEXT, name TEXT, plain TEXT);
CREATE INDEX called ON names (iri);
CREATE TABLE joins (iri TEXT, property TEXT, value TEXT, PRIMARY KEY (iri, property, value)) WITHOUT ROWID;
CREATE TABLE kinds (iri TEXT, place INTEGER, PRIMARY KEY (iri, place)) WITHOUT ROWID;
CREATE VIRTUAL TABLE found USING fts5(plain, content = 'names', content_rowid = 'id', prefix = '1 2 3', detail = column);
CREATE VIRTUAL TABLE words USING fts5vocab(found, row);
CREATE TABLE shorter (without TEXT, word TEXT, PRIMARY KEY (without, word)) WITHOUT ROWID;
"""
_OTHERS = f"""
INSERT INTO names (iri, name, plain)
WITH found (iri, other, year) AS (
  SELECT at.iri, at.value, ', ' || substr(began.value, 1, 4) FROM joins AS at JOIN joins AS began USING (iri)
  WHERE at.property IN ('{TERMS}place', '{TERMS}hostCountry') AND began.property = '{TERMS}startDate'
  UNION SELECT held.value, office.value, '' FROM joins AS held JOIN joins AS office USING (iri)
  WHERE held.property = '{TERMS}person' AND office.property = '{TERMS}office')
SELECT found.iri, names.name || year, iif(year = '', own || ' ' || names.plain, names.plain || replace(year, ',', '') || ' ' || own)
FROM (SELECT *, (SELECT group_concat(plain, ' ') FROM names WHERE names.iri = found.iri) AS own FROM found) AS found
JOIN names ON names.iri = other;
"""  # noqa: S608
_BEST = """
SELECT iri, name FROM found JOIN names ON id = found.rowid LEFT JOIN kinds USING (iri) WHERE found MATCH :words
ORDER BY names.plain NOT IN (:text, :told), place IS NULL, substr(names.plain, 1, length(:told)) <> :told, place,
  length(names.plain), names.plain, iri
LIMIT :most
"""
_ABOUT = "SELECT term FROM words WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?"
_WORD = re.compile(r"[^\W_]+")
#: Words that tell nothing apart here: they are looked for only where there is no other.
_COMMON = "interpol the of and in at on a who what is was la le les l de du des d et en au qui quel est"


def plain(text: str) -> str:
    """Return a text in small letters without accents, to compare and sort by.

    >>> plain("Élection"), plain("Señor")
    ('election', 'senor')
    """
    if text.isascii():  # most are, and it takes a tenth of the time
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))


def words(text: str) -> str:
    """Return the words of a text, plainly, without what stands between them."""
    return " ".join(_WORD.findall(plain(text)))


def build(statements: Iterable[Quad], path: Path, kinds: Sequence[str] = ()) -> None:
    """Write the index of the names in some statements to a file, which is empty or not there.

    An event is also found by the name of its place or host and its year, a person by those of the offices held.

    kinds: IRIs of classes; of two names that fit as well, that of a thing of an earlier class comes first.
    """
    properties = set(map(expand, _PROPERTIES.split()))
    ranks = {kind: rank for rank, kind in enumerate(kinds)}
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        left = iter(statements)
        for quads in iter(lambda: list(islice(left, 10_000)), []):
            names, found, joins = [], [], []
            for quad in quads:
                thing, value = quad.subject, quad.object
                if not isinstance(thing, NamedNode):
                    continue
                if isinstance(value, Literal) and quad.predicate.value in properties:
                    names.append((thing.value, value.value, plain(value.value)))
                elif isinstance(value, NamedNode) and quad.predicate.value == RDF + "type" and value.value in ranks:
                    found.append((thing.value, ranks[value.value]))
                if quad.predicate.value in _JOINS and not isinstance(value, BlankNode | Triple):
                    joins.append((thing.value, quad.predicate.value, value.value))
            database.executemany("INSERT INTO names (iri, name, plain) VALUES (?, ?, ?)", dict.fromkeys(names))
            database.executemany("INSERT OR IGNORE INTO kinds VALUES (?, ?)", found)
            database.executemany("INSERT OR IGNORE INTO joins VALUES (?, ?, ?)", joins)
        database.execute(_OTHERS)
        database.execute("INSERT INTO found (found) VALUES ('rebuild')")
        words = [word for (word,) in database.execute("SELECT term FROM words WHERE length(term) > 3")]
        pairs = ((less, word) for word in words for less in _shorter(word))
        database.executemany("INSERT OR IGNORE INTO shorter VALUES (?, ?)", pairs)


def search(path: Path, text: str, most: int, seconds: float = 1.0, some: bool = False) -> list[tuple[str, str]]:
    """Return IRI and name of the things that are called by all words of a text or by their beginnings, the best first.

    A thing comes once, by its best name: the text itself, then of the ranked classes, then others, and of both what begins
    with it before what has its words. A word that begins no name stands for those that differ from it by a letter, or else
    are most like it. some: any of the words will do. Raises TimeoutError after some seconds.
    """
    asked = words(text).split()
    if not asked:
        return []
    telling = [word for word in asked if word not in _COMMON.split()] or asked
    deadline = time.monotonic() + seconds
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        database.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            wanted = [f"({' OR '.join(_alike(database, word))})" for word in telling]
            best: dict[str, str] = {}
            given = {"words": (" OR " if some else " AND ").join(wanted), "most": 8 * most}
            for iri, name in database.execute(_BEST, given | {"text": " ".join(asked), "told": " ".join(telling)}):
                best.setdefault(iri, name)
            return list(islice(best.items(), most))
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
            raise


def _alike(database: sqlite3.Connection, word: str) -> Iterator[str]:
    """Yield what a word of the question finds, as FTS5 writes it."""
    yield f'"{word}"*'
    begins = "SELECT 1 FROM found WHERE found MATCH ? LIMIT 1"
    if len(word) > 3 and not database.execute(begins, [f'"{word}"*']).fetchone():
        marks = ", ".join("?" * (len(word) + 1))
        near = database.execute(f"SELECT DISTINCT word FROM shorter WHERE without IN ({marks})", _shorter(word))  # noqa: S608
        found = [other for (other,) in near if abs(len(other) - len(word)) < 2]
        if not found:
            # Of the same first letter and about as long: to compare words takes its time.
            bounds = word[0], word[0] + "\uffff", len(word) - 2, len(word) + 2
            alike = database.execute(_ABOUT, bounds)
            found = difflib.get_close_matches(word, (other for (other,) in alike), 3, 0.75)
        yield from (f'"{other}"' for other in found)


def _shorter(word: str) -> list[str]:
    """Return a word, and what is left of it without each of its letters: of words that differ by one, two are alike."""
    return [word, *(word[:at] + word[at + 1 :] for at in range(len(word)))]
