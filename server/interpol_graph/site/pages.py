"""What all templates share: local links, formatted values, the reader's language carried along."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from flask import has_request_context, request, url_for

from interpol_graph.endpoint.current import Term, modified, snapshot
from interpol_graph.endpoint.negotiation import language, speech
from interpol_graph.endpoint.scales import NUMBERS
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.graph.prefixes import BASE, ENTITIES, GRAPHS, TERMS, expand, shorten
from interpol_graph.graph.questions import COMPLETE, LANGUAGES, saved
from interpol_graph.graph.typography import french
from interpol_graph.site.labels import Labels
from interpol_graph.site.phrases import PHRASES, day, in_french, number, phrase, size, span

#: Local name of a datatype → how people write it.
_WRITTEN: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("date", "gYearMonth", "gYear", "gMonthDay"), day), "duration": span, **dict.fromkeys(NUMBERS, number),
}  # fmt: skip
#: Parameters that say what a page is about, where its path does not.
_SUBJECTS = ("class", "iri", "page")
#: What a chosen language is carried along to.
_PAGES = {
    "home.home", "search.search", "home.browse", "home.members", "entities.page", "entities.any_page", "dumps.dumps",
    "questions.questions", "questions.question", "questions.documentation", "ontology.ontology", "sparql.sparql", "editor.terms",
    "editor.question", "validate.validate", "validate.rules",
}  # fmt: skip


def href(iri: str) -> str | None:
    """Return where a page links an IRI to: a page of this site, a web address, or None for any other scheme.

    A script in an IRI of foreign data thus never becomes a link.
    """
    if iri.startswith(ENTITIES) and iri.removeprefix(ENTITIES).count("/") == 1:
        kind, key = iri.removeprefix(ENTITIES).split("/")
        return url_for("entities.page", kind=kind, key=key)
    if iri.startswith(TERMS):
        name = iri.removeprefix(TERMS)
        if name[:1].isupper():
            return url_for("entities.page", kind="ontology", key=name)
        return f"{url_for('ontology.ontology')}#{quote(name)}"
    if iri == TERMS[:-1]:
        return url_for("ontology.ontology")
    if iri.startswith(BASE + "queries/"):
        return url_for("questions.question", name=iri.removeprefix(BASE + "queries/"))
    if iri.startswith(GRAPHS):
        return url_for("dumps.file", name=iri.removeprefix(GRAPHS) + ".ttl")
    return iri if iri.startswith(("http://", "https://")) else None


def subject(iri: str) -> str:
    """Return the address of the page about any subject of the graph, ours or not."""
    if iri.startswith(TERMS):
        return url_for("entities.page", kind="ontology", key=iri.removeprefix(TERMS))
    local = href(iri)
    return local if local and local.startswith(("/page/", "/queries/")) else url_for("entities.any_page", iri=iri)


def browse(iri: str) -> str:
    """Return the address of the page that lists the entities of a class, ours or not."""
    name = shorten(iri)
    if "/" not in name:
        return url_for("home.members", name=name.removeprefix("interpol:"))
    query: dict[str, Any] = {"class": iri}
    return url_for("home.browse", **query)


def address_of(name: str) -> str | None:
    """Return where a name in an error or an example leads to: a question, or a prefixed name of a thing; None for others."""
    if name in saved():
        return url_for("questions.question", name=name)
    with suppress(ValueError):
        return href(expand(name)) if ":" in name else None
    return None


def names(problem: list[str]) -> dict[str, Term]:
    """Return prefixed names that an error gives → the labels of the things that they name, of those that have one."""
    things = {expand(name): name for name in problem if ":" in name and address_of(name)}
    with suppress(EngineError):  # an error page must come, whatever has failed
        labels = Labels(things)
        return {name: labels.label(thing) for thing, name in things.items() if thing in labels.words}
    return {}


def literal(value: Term) -> Term:
    """Return a literal as people write it: dates in words, thousands set apart, yes and no."""
    kind, text = value.datatype.rpartition("#")[2], value.value
    if kind in _WRITTEN:
        text = _WRITTEN[kind](text)
    elif kind == "boolean" and text in ("true", "false"):
        text = phrase(text)
    elif f"code.{text}" in PHRASES and not value.language:
        text = phrase(f"code.{text}")
    return value._replace(value=text)


def told(sentence: str) -> Term:
    """Return what a problem says in the reader's language, where that is known, else in English."""
    translated = in_french(sentence) if speech() == "fr" else None
    return Term("literal", translated or sentence, "fr" if translated else "en")


def excerpt(body: bytes, limit: int) -> tuple[str, bool]:
    """Return the beginning of a text, in at most so many characters, and whether that is all; of Turtle's prefixes those that it uses."""
    text = body[: 4 * limit + 4].decode("utf-8", "ignore")
    shown = text[:limit]
    for line, name in re.findall(r"^(@prefix (\S*:) <[^>\n]*> \.\n)", shown, re.MULTILINE):
        if len(re.findall(rf"(?<![\w.-]){re.escape(name)}", shown)) == 1:
            shown = shown.replace(line, "", 1)
    return shown, len(text) <= limit


def said(words: Iterable[Term]) -> str:
    """Return some terms as people say them, in one line."""
    called = [shorten(word.value) if word.kind == "uri" else literal(word).value for word in words if word.value]
    return " · ".join(text[:200] for text in called) or phrase("picture.unknown")


def this_page(**changes: str) -> str:
    """Return the address of this page with some query parameters changed, or with an empty value left out."""
    return _address(request.args.to_dict(flat=False) | changes)


def canonical(language: str = "") -> str:
    """Return the full address of this page for search engines, without what is only asked of it.

    language: of the page; `-` for that of whoever asks, nothing for that of this request.
    """
    kept = {name: request.args[name] for name in _SUBJECTS if name in request.args}
    language = language or (request.args["lang"] if request.args.get("lang") in LANGUAGES else "-")
    return request.host_url.rstrip("/") + _address(kept if language == "-" else kept | {"lang": language})


def _address(arguments: Mapping[str, Any]) -> str:
    path = quote("/" + request.path.lstrip("/"))  # two slashes would name another host
    asked = urlencode({name: value for name, value in arguments.items() if value}, doseq=True)
    return f"{path}?{asked}" if asked else path


def context() -> dict[str, object]:
    """Return what every template may use."""
    return {
        "w": phrase, "lang": language(), "speech": speech(), "languages": {code: LANGUAGES[code] for code in COMPLETE}, "this": this_page,
        "canonical": canonical, "modified": modified, "href": href, "subject": subject, "browse": browse, "address_of": address_of, "names": names, "expand": expand, "short": shorten, "ours": TERMS,
        "literal": literal, "said": said, "phrases": PHRASES, "told": told, "excerpt": excerpt, "french": french, "sized": size, "counted": number, "dated": day,
        "digest": snapshot().digest, "statements": sum(snapshot().graphs.values()),
    }  # fmt: skip


def keep_language(endpoint: str, arguments: dict[str, object]) -> None:
    """Carry a chosen ?lang= along to the other pages."""
    if has_request_context() and "lang" in request.args and endpoint in _PAGES:
        arguments.setdefault("lang", language())
