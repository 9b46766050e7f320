"""Questions asked from Python and the command line: of the bundled graph in this process, or of an endpoint over HTTP."""

from functools import cache, partial
from typing import Any
from urllib.error import HTTPError

from pyoxigraph import Store

from interpol_graph.engine import outcomes, tokens
from interpol_graph.engine.results import evaluated
from interpol_graph.graph import questions, rows
from interpol_graph.graph.choices import Choices, asking
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.files import Unreadable
from interpol_graph.graph.formats import BY_NAME, Format, Kind
from interpol_graph.graph.prefixes import BASE, prefixes
from interpol_graph.graph.store import KnowledgeGraph, default_graph

_JSON = BY_NAME["json"]


class Rows(list[rows.Row]):
    """The rows of an answer, each a dictionary of plain values; `question` is the one that they answer."""

    def __init__(self, found: list[rows.Row], question: questions.Question) -> None:
        super().__init__(found)
        self.question = question

    def to_dataframe(self) -> Any:
        """Return the rows as a pandas DataFrame, its columns those of the question. Raises ImportError without pandas."""
        from pandas import DataFrame

        return DataFrame(self, columns=list(self.question.variables))


def query(name: str, /, *, endpoint: str | None = None, **values: object) -> Rows:
    """Return the rows that answer a saved question.

    name: as in /queries/; values: of its parameters, things by key, name or IRI, and `lang` for the language of labels;
    endpoint: the address of a SPARQL endpoint to ask instead of the bundled graph, which is read by the first question.
    Raises BadQuestion for a name or a value that is none, with what may be meant, and EngineError when there is no answer.

    >>> import interpol_graph
    >>> [row["personLabel"] for row in interpol_graph.query("president-on-day", day="2015-11-03")]
    ['Mireille Ballestrazzi']
    >>> found = interpol_graph.query("members-by-region-on-day", day="2015-11-05", lang="fr")
    >>> {row["regionLabel"]: row["certain"] for row in found}
    {'Afrique': 54, 'Amériques': 38, 'Asie': 48, 'Europe': 50}
    >>> found.question.columns["region"]["fr"]
    'Région'
    >>> interpol_graph.query("mandates-of-person", person="mireille-balestrazzi")
    Traceback (most recent call last):
    interpol_graph.graph.questions.BadQuestion: The parameter person is not 'mireille-balestrazzi'; did you mean mireille-ballestrazzi (Mireille Ballestrazzi)?
    """
    question = questions.named(name)
    text = filled(question, {key: str(value) for key, value in values.items()}, endpoint)
    return Rows(rows.read(ask(text, endpoint, graph=_JSON)), question)


def filled(question: questions.Question, values: dict[str, str], endpoint: str | None = None) -> str:
    """Return the SPARQL text of a question with values as people write them. Raises BadQuestion, EngineError."""
    return question.filled(question.chosen(values, partial(_choices, endpoint)))


def ask(text: str, endpoint: str | None = None, results: Format = _JSON, graph: Format = BY_NAME["turtle"]) -> bytes:
    """Return the answer to a query in `results` or in `graph`, by the form of the query. Raises EngineError."""
    if endpoint:
        return _remote(endpoint, text, results, graph)
    if refusal := outcomes.forbidden(tokens.read(text)):
        raise refusal
    try:
        store = _store(tokens.names_graphs(text))
    except (Unreadable, OSError) as error:
        raise outcomes.not_evaluated(str(error)) from error
    return evaluated(lambda: store.query(text, base_iri=BASE, prefixes=prefixes()), text, results, graph)[2]


def _remote(endpoint: str, text: str, results: Format, graph: Format) -> bytes:
    from SPARQLWrapper import SPARQLWrapper  # takes a while to be read, as does the version
    from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

    from interpol_graph import __version__

    wrapper = SPARQLWrapper(endpoint, agent=f"interpol-graph/{__version__}")
    wrapper.setQuery(text)
    wrapper.setMethod("POST")
    kind: Kind = "graph" if wrapper.queryType in ("CONSTRUCT", "DESCRIBE") else "results"
    fmt = graph if kind == "graph" else results
    if fmt.kind != kind:
        raise outcomes.no_answer(kind)
    wrapper.setOnlyConneg(True)
    wrapper.addCustomHttpHeader("Accept", fmt.media_types[0])
    try:
        response = wrapper.query().response
        given, body = response.headers.get_content_type(), bytes(response.read())
    except (SPARQLWrapperException, HTTPError) as error:
        raise outcomes.not_evaluated(f"{endpoint} refused it: {error}") from error
    except OSError as error:
        raise outcomes.Unavailable(f"{endpoint} cannot be reached: {error}.") from error
    if given in fmt.media_types:
        return body
    said = " ".join(body.decode("utf-8", "replace").split())[:500]
    raise outcomes.not_evaluated(f"{endpoint} answers with {given}, not {fmt.label}: {said}")


@cache
def _store(named: bool) -> Store:
    return KnowledgeGraph(graph_files()).store if named else default_graph(graph_files())


@cache
def _choices(endpoint: str | None, pattern: str) -> Choices:
    return Choices(rows.read(ask(asking(pattern), endpoint)))
