"""Which format and language to answer in: ?format= and ?lang= first, then what the header says by werkzeug's parser, else the default."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from flask import g, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from interpol_graph.endpoint.problems import BadParameter, UnsupportedMediaType
from interpol_graph.engine.outcomes import no_format
from interpol_graph.graph.formats import FORMATS, Format, Offered, of_kind
from interpol_graph.graph.questions import COMPLETE, LANGUAGES

HTML = "text/html"
#: A quality as Java writes it, `q=.2`; such a wish would be taken for none.
_HALF = re.compile(r"(?<=q)\s*=\s*\.(?=\d)", re.IGNORECASE)

Offer = TypeVar("Offer", bound=Offered)


def called(name: str, formats: Sequence[Offer]) -> list[Offer]:
    """Return the formats that ?format= may mean: `xml` is one of rows and one of graphs. Raises BadParameter for none."""
    if found := [fmt for fmt in formats if _letters(name) in map(_letters, fmt.names)]:
        return found
    known = [fmt.name for fmt in formats]
    raise BadParameter(f"There is no format {name!r}; known are {', '.join(known)}.", parameter="format", known=known)


@lru_cache(maxsize=256)  # clients send the same again and again
def of_answer(name: str, accept: str, tried: frozenset[str] = frozenset()) -> tuple[Format | None, Format | None]:
    """Return the format for rows and the one for a graph, by ?format= if it is given, else by Accept without those tried.

    Clients name one format for all their queries: a graph that is asked for as rows comes in its own first format.
    Raises BadParameter for a name that is none.
    """
    rows, graphs = ([fmt for fmt in of_kind(kind) if fmt.name not in tried] for kind in ("results", "graph"))
    results, graph = (_chosen(formats, name, accept) for formats in (rows, graphs))
    return results, graph or (graphs[0] if name and results else None)


def require(formats: Sequence[Offer], what: str, known: Sequence[Offered] = FORMATS) -> Offer:
    """Return the format of `formats` that the client likes best; the first one if it has no wish.

    known: what ?format= may name at all. Raises BadParameter when it names something else, and NoFormat when none will
    do, which says in which formats `what` is on offer.
    """
    # In a form that wants a page, ?format= is empty.
    fmt = _chosen(formats, request.values.get("format", ""), request.headers.get("Accept", ""), known)
    if fmt is None:
        raise no_format(what, formats)
    return fmt


def _chosen(formats: Sequence[Offer], name: str, accept: str, known: Sequence[Offered] = FORMATS) -> Offer | None:
    """Return the format that ?format= names, or else the one that Accept likes best, the first if both are empty, or None."""
    if name:
        named = called(name, known)
        return next((fmt for fmt in formats if fmt in named), None)
    if not (wishes := _wishes(accept)):
        return formats[0]
    liked = max(formats, key=lambda fmt: _quality(fmt, wishes))
    return liked if _quality(liked, wishes) > 0 else None


def _letters(name: str) -> str:
    """Return what tells a name from others: not case, marks or the parameters of a media type."""
    return re.sub("[^a-z0-9]", "", name.partition(";")[0].lower())


def _wishes(accept: str) -> MIMEAccept:
    """Return what an Accept header says of media types; a parameter other than q, such as a charset, rules none out."""
    wishes = parse_accept_header(_HALF.sub("=0.", accept), MIMEAccept)
    return MIMEAccept([(value.partition(";")[0].strip(), quality) for value, quality in wishes])


def _quality(fmt: Offered, wishes: MIMEAccept) -> float:
    """Return the client's q-value of a format: the best of its media types, the preferred one first in a tie."""
    return max(float(wishes.quality(media_type)) - rank / 1e6 for rank, media_type in enumerate(fmt.media_types))


def language() -> str:
    """Return the language for labels: ?lang= first, then Accept-Language, else English.

    A page, whose own words are English or French, has labels in another language only where ?lang= asks for it.
    """
    if "language" not in g:  # a page asks many times
        asked, offered = request.args.get("lang", ""), LANGUAGES if request.blueprint == "api" else COMPLETE
        g.language = asked if asked in LANGUAGES else request.accept_languages.best_match(offered, "en")
    return str(g.language or "en")


def speech() -> str:
    """Return the language of the pages' own words, English or French."""
    return "fr" if language() == "fr" else "en"


def wants_html() -> bool:
    """Tell whether the client, a browser, prefers a page to data. A ?format= never does."""
    return not request.values.get("format") and likes_html(request.headers.get("Accept", ""))


@lru_cache(maxsize=256)
def likes_html(accept: str) -> bool:
    """Tell whether an Accept header names HTML and likes nothing better."""
    wishes = _wishes(accept)
    named = HTML in [value.lower() for value, quality in wishes if quality]
    data = (media_type for fmt in FORMATS for media_type in fmt.media_types)
    return named and wishes.quality(HTML) >= max(map(wishes.quality, data))


def check_coding() -> None:
    """Refuse a body that was compressed. Raises UnsupportedMediaType."""
    if coding := request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType(f"A body in the encoding {coding} is not read here; send it as it is.")
