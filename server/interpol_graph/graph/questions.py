"""Saved questions: SPARQL files whose `#+` header (YAML, as in grlc) holds the question, its parameters, columns and words.

A parameter `day` is the variable `?_day` in the query; its value replaces the variable before the query is sent, so the
text of a question, with its values filled in, runs on any SPARQL 1.1 endpoint. Every question has the parameter `lang`;
one about a state has a parameter of the type `days`, which every door also calls `asOf`.
"""

import datetime
import difflib
import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pyoxigraph import Literal, NamedNode, QuerySolutions, QueryTriples, Store

from interpol_graph.graph import paths
from interpol_graph.graph.choices import Choices
from interpol_graph.graph.prefixes import BASE, XSD, expand, prefixes, shorten
from interpol_graph.graph.typography import french

Term = NamedNode | Literal
#: The official languages of the Organisation; labels are given in any of them.
LANGUAGES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
#: In these everything has a label; what has none in another language has its English one.
COMPLETE = ("en", "fr")
_OF_LABEL = re.compile(r"LANG\(\?(\w+)Label\) = \?_lang\b")
#: Where its library is there, eight times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadQuestion(ValueError):
    """A saved question's file, or a value for one of its parameters, is not in order."""


def _typed(datatype: str, text: str) -> Literal:
    return Literal(text, datatype=NamedNode(XSD + datatype))


def _year(text: str) -> Literal:
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ValueError(text)
    return _typed("gYear", text)


def _day(text: str, last: bool = False) -> Literal:
    """Return the first or the last day of a day, a month or a year.

    >>> _day("2016-02").value, _day("2016-02", last=True).value, _day("1956", last=True).value
    ('2016-02-01', '2016-02-29', '1956-12-31')
    """
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
        raise ValueError(text)
    day = datetime.date.fromisoformat((text + "-01-01")[:10])
    if last and len(text) < 10:
        day = day.replace(month=day.month if len(text) > 4 else 12)
        day = day.replace(day=monthrange(day.year, day.month)[1])
    return _typed("date", str(day))


#: Type of a parameter → (what a right value looks like, how a text becomes an RDF term; ValueError if it cannot).
TYPES: dict[str, tuple[str, Callable[[str], Term]]] = {
    "date": ("a day such as 2015-11-05", lambda text: _typed("date", str(datetime.date.fromisoformat(text)))),
    "days": ("a day such as 2015-11-05, a month such as 2015-11 or a year such as 2015", _day),
    "year": ("a year such as 2015", _year),
    "integer": ("a whole number such as 84", lambda text: _typed("integer", str(int(text)))),
    "string": ("any text", Literal),
    "iri": ("an IRI or a prefixed name such as system:icse", lambda text: NamedNode(expand(text))),
}
#: What an answer can be drawn as, and the fewest columns that this shows.
PICTURES = {"line": 2, "bar": 2, "timeline": 2, "map": 3}


class Parameter(NamedTuple):
    """One parameter of a question: name, type (a key of TYPES), default value, description by language.

    choices: the SPARQL pattern of which it is one `?choice`; empty where any value of the type will do.
    """

    name: str
    type: str
    default: str
    description: dict[str, str]
    choices: str = ""

    def terms(self, text: str) -> dict[str, Term]:
        """Return what stands in the query for a value, by name: of days `day` and `dayEnd`, the first and the last.

        Raises BadQuestion when the value is not of the parameter's type.
        """
        example, parse = TYPES[self.type]
        try:
            found = {self.name: parse(text.strip())}
            return found if self.type != "days" else found | {f"{self.name}End": _day(text.strip(), last=True)}
        except ValueError as error:
            reason = f" ({error})" if "prefix" in str(error) else ""
            raise BadQuestion(f"The parameter {self.name} is {example}, not {text!r}{reason}.") from error


class Question(NamedTuple):
    """One saved question: its name (the file's and the URL's), its words by language, its parameters and its SPARQL.

    columns: column → language → its title, in the order of the query, ?xLabel in the column of ?x; picture: the kind that
    suits the answer → the columns that it shows; text: the whole file; body: the query without its header; variables: what
    it selects, nothing where it constructs a graph; documents: the column whose things cite the documents of a row → for which
    properties, nothing for any.
    """

    name: str
    title: dict[str, str]
    description: dict[str, str]
    parameters: tuple[Parameter, ...]
    tags: tuple[str, ...]
    columns: dict[str, dict[str, str]]
    picture: dict[str, list[str]]
    text: str
    body: str
    variables: tuple[str, ...] = ()
    documents: dict[str, list[str]] = {}

    @property
    def days(self) -> str:
        """The name of the parameter that says of which time the answer is, which is also called `asOf`; nothing if none does."""
        return next((parameter.name for parameter in self.parameters if parameter.type == "days"), "")

    def chosen(self, values: Mapping[str, str], find: Callable[[str], Choices]) -> dict[str, str]:
        """Return values as they stand in the query, from what people and programs call them: `FR`, `France`, `country:FR`.

        find: returns what fits a pattern. Raises BadQuestion, which says what may be meant.
        """
        day, other = values.get("asOf"), values.get(self.days)
        if day and other and day != other:
            raise BadQuestion(f"The parameter {self.days} is given 2 times; once is right.")  # also as asOf
        chosen = {self.days if name == "asOf" and text and self.days else name: text for name, text in values.items()}
        for name, text in chosen.items():
            parameter = next((one for one in self.parameters if one.name == name and one.choices), None)
            if parameter and text not in ("", parameter.default) and (known := find(parameter.choices)).labels:
                try:
                    iri = known.find(text.strip())
                except ValueError as error:
                    raise BadQuestion(f"The parameter {name} is not {text!r}; {error}") from error
                chosen[name] = shorten(iri) if parameter.type == "iri" else known.keys[iri]
        return chosen

    def filled(self, values: Mapping[str, str] = {}) -> str:
        """Return the SPARQL text with every parameter's value, or its default, in place; `lang` is one of them.

        Raises BadQuestion for a value of the wrong type or a parameter that the question does not have.
        """
        known = {"lang", *(parameter.name for parameter in self.parameters)}
        for name in values:
            if name not in known:
                parameters = ", ".join(sorted(known))
                raise BadQuestion(f"The question {self.name} has no parameter {name!r}; it has {parameters}.")
        language = values.get("lang") or "en"
        if language not in LANGUAGES:
            raise BadQuestion(f"The parameter lang is one of {', '.join(LANGUAGES)}, not {language!r}.")
        terms: dict[str, Term] = {}
        for parameter in self.parameters:
            terms |= parameter.terms(values.get(parameter.name) or parameter.default)
        # All at once: a value may hold what looks like a parameter.
        return re.sub(r"[?$]_(\w+)", lambda found: str(terms[found[1]]), _in_language(self.body, language))


def _in_language(body: str, language: str) -> str:
    """Return a query whose ?xLabel, the label of ?x, is in a language: `?_lang` says where."""
    if language not in COMPLETE:
        own = rf'EXISTS {{ ?\1 rdfs:label ?\1Own FILTER(LANG(?\1Own) = "{language}") }}'
        body = _OF_LABEL.sub(rf'LANG(?\1Label) = IF({own}, "{language}", "en")', body)
    return re.sub(r"\?_lang\b", f'"{language if language in COMPLETE else "en"}"', body)


def _words(header: dict[str, Any], key: str) -> dict[str, str]:
    words = {"en": header.get(key), "fr": header.get(f"{key}.fr")}
    if not all(isinstance(word, str) and word for word in words.values()):
        raise BadQuestion(f"the header needs {key} and {key}.fr, each a text")
    return {"en": str(words["en"]), "fr": french(str(words["fr"]))}


def named(name: str) -> Question:
    """Return the saved question of a name. Raises BadQuestion, which says what may have been meant."""
    if name not in saved():
        near = difflib.get_close_matches(name, saved(), 3, 0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        raise BadQuestion(f"There is no saved question {name!r}{hint}")
    return saved()[name]


def read(path: Path) -> Question:
    """Read one .rq file. Raises BadQuestion, naming the file, when its header is not in order."""
    try:
        question = _question(path.stem, path.read_text(encoding="utf-8"))
        answer = Store().query(question.filled(), base_iri=BASE, prefixes=prefixes())
        selected = [one.value for one in answer.variables] if isinstance(answer, QuerySolutions) else ["boolean"]
        question = question._replace(variables=() if isinstance(answer, QueryTriples) else tuple(selected))
        if question.columns and (differing := set(question.columns) ^ set(shown(question.variables))):
            raise BadQuestion(f"columns and what the query selects differ in {', '.join(sorted(differing))}")
    except yaml.YAMLError as error:
        raise BadQuestion(f"{paths.shown(path)}: the #+ header is not YAML: {error}") from error
    except SyntaxError as error:
        raise BadQuestion(f"{paths.shown(path)}: the query is not SPARQL 1.1: {error}") from error
    except BadQuestion as error:
        raise BadQuestion(f"{paths.shown(path)}: {error}") from error
    return question


def _question(name: str, text: str) -> Question:
    lines = text.splitlines(keepends=True)
    written = "".join(line[2:].removeprefix(" ") for line in lines if line.startswith("#+"))
    header = yaml.load(written, _LOADER) or {}  # noqa: S506 - it is a safe one
    body = "".join(line for line in lines if not line.startswith("#+")).strip() + "\n"
    try:
        parameters = tuple(
            Parameter(key, spec["type"], str(spec["default"]), _words(spec, "description"), spec.get("choices", ""))
            for key, spec in (header.get("parameters") or {}).items()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadQuestion("a parameter needs type, default, description and description.fr") from error
    words = _words(header, "title"), _words(header, "description")
    try:
        titles, picture = header.get("columns") or {}, header.get("picture") or {}
        columns = {str(name): {"en": str(en), "fr": french(str(fr))} for name, (en, fr) in titles.items()}
        fits = all(len(drawn) >= PICTURES.get(kind, 99) and {*drawn} <= {*columns} for kind, drawn in picture.items())
    except (TypeError, AttributeError, ValueError) as error:
        why = "columns are like country: [Country, Pays], a picture like {bar: [country, votes]}"
        raise BadQuestion(why) from error
    documents = header.get("documents") or {}
    if not (fits and set(documents) <= set(columns)):
        raise BadQuestion(
            f"a picture is one of {', '.join(PICTURES)}; it shows two columns of the answer or more, a map three, and documents names one"
        )
    used, known = set(re.findall(r"[?$]_(\w+)", body)), {"lang"}
    for parameter in parameters:
        if parameter.type not in TYPES:
            raise BadQuestion(f"the type of {parameter.name} is {parameter.type!r}; known are {', '.join(TYPES)}")
        known |= (terms := parameter.terms(parameter.default).keys())
        for unused in sorted(terms - used):
            raise BadQuestion(f"the query does not use the parameter {parameter.name} as ?_{unused}")
    for extra in sorted(used - known):
        raise BadQuestion(f"the query uses ?_{extra}, which the header does not declare under parameters")
    tags = tuple(header.get("tags") or ())
    return Question(name, *words, parameters, tags, columns, picture, text, body, (), documents)


def shown(columns: Iterable[str]) -> list[str]:
    """Return the columns of a table for people: ?xLabel stands in that of ?x."""
    known = dict.fromkeys(columns)
    return [name for name in known if not (name.endswith("Label") and name[:-5] in known)]


@cache
def saved() -> dict[str, Question]:
    """Return all saved questions by name. The folder is the list."""
    return {path.stem: read(path) for path in sorted(paths.QUERIES.glob("*.rq"))}
