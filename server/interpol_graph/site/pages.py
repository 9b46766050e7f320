"""What all pages share: the state of the data, the reader's language, local links, formatted values."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, current_app, g, has_request_context, make_response, render_template, request, url_for

from interpol_graph.endpoint import headers
from interpol_graph.engine.pool import EvaluatorPool
from interpol_graph.engine.snapshot import Snapshot
from interpol_graph.graph.prefixes import ENTITIES, GRAPHS, TERMS, expand, shorten
from interpol_graph.site import words
from interpol_graph.site.labels import Text
from interpol_graph.site.rows import Term

#: The official languages of the Organisation; labels are shown in any of them, the pages speak the first two.
LANGUAGES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
#: Rows that a page shows of one answer.
SHOWN = 1000

_NUMBERS = frozenset({"integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "positiveInteger"})
_DATES = frozenset({"date", "gYearMonth", "gYear"})


def pool() -> EvaluatorPool:
    """Return the application's evaluators."""
    found: EvaluatorPool = current_app.extensions["pool"]
    return found


def snapshot() -> Snapshot:
    """Return the state of the data that this request asks: one and the same until it is answered."""
    if "snapshot" not in g:
        g.snapshot = pool().snapshot()
    found: Snapshot = g.snapshot
    return found


def language() -> str:
    """Return the language for labels: ?lang= first, then Accept-Language, else English."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en") or "en"


def speech() -> str:
    """Return the language of the pages' own words, English or French."""
    return "fr" if language() == "fr" else "en"


def word(key: str, **values: object) -> str:
    """Return one of the pages' own phrases in the reader's language."""
    return words.word(key, speech(), **values)


def href(iri: str) -> str | None:
    """Return where a page links an IRI to: a page of this site, a web address, or None for any other scheme.

    A script in an IRI of foreign data thus never becomes a link.
    """
    if iri.startswith(ENTITIES) and iri.removeprefix(ENTITIES).count("/") == 1:
        kind, key = iri.removeprefix(ENTITIES).split("/")
        return url_for("entities.page", kind=kind, key=key)
    if iri.startswith(TERMS):
        name = iri.removeprefix(TERMS)
        return url_for("entities.page", kind="ontology", key=name) if name[:1].isupper() else term(name)
    if iri == TERMS[:-1]:
        return url_for("ontology.ontology")
    if iri.startswith(GRAPHS):
        return url_for("dumps.file", name=iri.removeprefix(GRAPHS) + ".ttl")
    return iri if iri.startswith(("http://", "https://")) else None


def term(name: str) -> str:
    """Return the address of a term of the ontology on its page."""
    return f"{url_for('ontology.ontology')}#{quote(name)}"


def subject(iri: str) -> str:
    """Return the address of the page about any subject of the graph, ours or not."""
    local = href(iri)
    return local if local and local.startswith("/page/") else url_for("entities.any_page", iri=iri)


def address_of(name: str) -> str | None:
    """Return where a prefixed name in an error leads to, or None if it is no name of a thing."""
    try:
        return href(expand(name)) if ":" in name else None
    except ValueError:
        return None


def literal(value: Term) -> str:
    """Return a literal as people write it: dates in words, thousands set apart, yes and no."""
    kind = value.datatype.rpartition("#")[2]
    if kind in _DATES:
        return words.day(value.value, speech())
    if kind in _NUMBERS:
        return words.number(value.value, speech())
    return word(value.value) if kind == "boolean" and value.value in ("true", "false") else value.value


def counted(number: int) -> str:
    """Return a count with its thousands set apart."""
    return words.number(str(number), speech())


def dated(date: str) -> str:
    """Return a date in words."""
    return words.day(date, speech())


def render(template: str, *, negotiated: bool = False, **context: object) -> Response:
    """Return a page; `negotiated` when the same address also answers with data."""
    response = make_response(render_template(template, **context))
    response.headers["Cache-Control"] = headers.CACHED
    response.vary.update(["Accept", "Accept-Language"] if negotiated else ["Accept-Language"])
    return response


def context() -> dict[str, object]:
    """Return what every template may use."""
    return {
        "w": word, "lang": language(), "speech": speech(), "languages": LANGUAGES, "this": this_page,
        "href": href, "subject": subject, "address_of": address_of, "short": shorten, "ours": TERMS,
        "literal": literal, "counted": counted, "dated": dated, "as_text": as_text,
        "digest": snapshot().digest, "statements": sum(snapshot().graphs.values()),
    }  # fmt: skip


def as_text(value: Term) -> Text:
    """Return a literal with its language, for the template that marks it."""
    return Text(literal(value), value.language)


def this_page(**changes: str) -> str:
    """Return the address of this page with some query parameters changed."""
    arguments = request.args.to_dict(flat=False) | {key: [value] for key, value in changes.items()}
    pairs = [f"{quote(key)}={quote(value)}" for key, given in arguments.items() for value in given]
    path = quote("/" + request.path.lstrip("/"))  # two slashes would name another host
    return path + ("?" + "&".join(pairs) if pairs else "")


def keep_language(endpoint: str, arguments: dict[str, object]) -> None:
    """Carry a chosen ?lang= along to the other pages."""
    if has_request_context() and "lang" in request.args and endpoint in _PAGES:
        arguments.setdefault("lang", language())


_PAGES = frozenset(
    {
        "home.home",
        "home.search",
        "home.browse",
        "home.members",
        "entities.page",
        "entities.any_page",
        "dumps.dumps",
    }
    | {"questions.questions", "questions.question", "ontology.ontology", "sparql.sparql", "validate.validate"}
)
