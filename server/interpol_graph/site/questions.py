"""/queries/: the saved questions for people; the same functions answer them as data."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from interpol_graph.endpoint import api
from interpol_graph.endpoint.caching import lifetime
from interpol_graph.endpoint.current import Table, data, merged, query, render, tabulated
from interpol_graph.endpoint.negotiation import language, speech
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph.names import plain
from interpol_graph.graph.questions import Question, saved
from interpol_graph.site.citations import of_rows
from interpol_graph.site.labels import Labels
from interpol_graph.site.phrases import PHRASES, phrase

blueprint = Blueprint("questions", __name__)

#: Things that a page offers for a parameter at most; of more, any can be written.
OFFERED = 500


@blueprint.get("/queries/")
def questions() -> Response:
    """List the saved questions by their first tag: all, those of a tag or those that speak of some words."""
    tag, words = request.args.get("tag", ""), [word.rstrip("sx") for word in plain(request.args.get("q", "")).split()]
    heard = {
        name: plain(" ".join([*one.title.values(), *one.description.values(), *one.tags]))
        for name, one in saved().items()
    }
    for some in (all, any):  # where none speaks of all words, one will do
        spoken = {name for name, text in heard.items() if not words or some(word in text for word in words)}
        fitting = [one for one in saved().values() if one.name in spoken and (not tag or tag in one.tags)]
        if fitting:
            break
    return render("questions.html", groups=by_subject(speech(), fitting), tags=tags(), narrow=bool(tag or words))


def tags() -> list[tuple[str, str]]:
    """Return the tags of several saved questions and their names in the reader's language, in the order of these."""
    used = Counter(tag for one in saved().values() for tag in one.tags)
    known = [(tag, phrase(f"tag.{tag}")) for tag, times in used.items() if times > 2 and f"tag.{tag}" in PHRASES]
    return sorted(known, key=lambda tag: plain(tag[1]))


def by_subject(language: str, some: Iterable[Question] | None = None) -> list[tuple[str, list[Question]]]:
    """Return all saved questions, or some, by their first tag, which is named in English or French."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in saved().values() if some is None else some:
        tag = next(iter(question.tags), "")
        groups[PHRASES.get(f"tag.{tag}", {}).get(language, tag.capitalize())].append(question)
    return sorted(groups.items(), key=lambda group: plain(group[0]))


@blueprint.get("/api/")
def documentation() -> Response:
    """Tell how each saved question is asked by a program: its address, parameters and columns."""
    return render("api.html", groups=by_subject(speech()))


@blueprint.get("/queries/<name>")
def question(name: str) -> Response:
    """Show one question as a form with its answer, or with what is wrong with a value."""
    asked = api.question(name)
    try:
        text, values = api.filled(asked)
        answer = query(text)
    except EngineError as error:
        values = {parameter.name: request.args.get(parameter.name, parameter.default) for parameter in asked.parameters}
        labels, _, offers = _fields(asked, values)
        return render("question.html", error=error, question=asked, values=labels, offers=offers, text=asked.body)
    table, documents, picture = tabulated(answer), None, ""
    if table and table.rows:
        groups = merged(table)
        table = replace(table, columns=_told(asked, table), rows=[group[0] for group in groups])
        picture = api.picture(asked, table.rows, anchor="#row-") if asked.picture else ""
        if "source" in table.columns[1:]:
            documents = of_rows(asked, groups[: len(table.shown()[1])])
    address = url_for("api.answer", name=name)
    labels, values, offers = _fields(asked, values)
    values |= {"lang": language()} if language() != "en" else {}
    formats = [(fmt, values | {"format": fmt.name}) for fmt in api.formats(asked)]
    return render(
        "question.html", lifetime=lifetime(answer), question=asked, values=labels, offers=offers, text=text,
        answer=answer, table=table, labels=Labels(table.iris() if table else ()), picture=picture, documents=documents,
        downloads=[(fmt, f"{address}?{urlencode(wanted)}") for fmt, wanted in formats],
        api=request.host_url.rstrip("/") + address + ("?" + urlencode(values) if values else ""),
    )  # fmt: skip


def _told(asked: Question, table: Table) -> list[str]:
    """Return the columns that say something, but for what another or the map says: what qualifies it, where it leads or is."""
    filled = {name for row in table.rows for name in row}
    beside = {"qualifier", "qualifierLabel", "figure", "figureLabel"} if "value" in filled else set()
    beside |= {"paragraph"} if "source" in table.columns[1:] else set()
    beside |= {f"{name}Qualifier" for name in table.columns} | set(asked.picture.get("map", ())[1:3])
    return [name for name in table.columns if name in filled - beside or f"{name}Label" in filled - beside]


@blueprint.get("/queries/<name>.rq")
def text(name: str) -> Response:
    """Return the file of a question."""
    return data(api.question(name).text.encode(), "application/sparql-query; charset=utf-8")


def _fields(asked: Question, values: dict[str, str]) -> tuple[dict[str, str], dict[str, str], dict[str, list[str]]]:
    """Return the values of parameters as the reader calls them and as an address has them, and what else there is, by name."""
    labels, keys, offers = dict(values), dict(values), {}
    for name, known in [(one.name, api.choices(one.choices)) for one in asked.parameters if one.choices]:
        with suppress(ValueError):
            iri = known.find(values[name])
            labels[name], keys[name] = known.label(iri, language()), known.keys[iri]
        if len(known.labels) <= OFFERED:
            offers[name] = sorted((known.label(iri, language()) for iri in known.labels), key=plain)
    return labels, keys, offers
