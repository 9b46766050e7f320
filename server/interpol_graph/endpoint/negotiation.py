"""Which format to answer in: ?format= first, then the Accept header by werkzeug's parser, else the default."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from interpol_graph.endpoint.problems import BadParameter, NotAcceptable, UnsupportedMediaType
from interpol_graph.graph.formats import BY_NAME, FORMATS, Format, Kind, Offered, listed, of_kind

HTML = "text/html"
#: The kinds of answers that a query can have.
KINDS: tuple[Kind, Kind] = ("results", "graph")


def called(name: str | None) -> Format | None:
    """Return the format that ?format= (or a form field of that name) asks for, or None when it asks for none.

    Raises BadParameter when no format has that name.
    """
    if not name:  # absent, or a form's choice of the page itself
        return None
    name = name.replace(" ", "+")  # in a link, a plus that nobody encoded reads as a blank
    for fmt in BY_NAME.values():
        if name == fmt.name or name == fmt.suffix[1:] or name in fmt.media_types:
            return fmt
    raise BadParameter(
        f"There is no format {name!r}; known are {', '.join(BY_NAME)}.",
        parameter="format",
        known=list(BY_NAME),
    )


def choose(formats: Sequence[Format]) -> Format | None:
    """Return the format of `formats` that the client likes best; the first one if it has no wish; None if none will do."""
    wish = called(request.values.get("format"))
    if wish is not None:
        return wish if wish in formats else None
    return best(formats, request.headers.get("Accept", ""))


def require(formats: Sequence[Format], what: str) -> Format:
    """Return what `choose` does. Raises NotAcceptable, which says in which formats `what` is on offer."""
    fmt = choose(formats)
    if fmt is None:
        raise refusal(formats, what)
    return fmt


Offer = TypeVar("Offer", bound=Offered)


def best(formats: Sequence[Offer], accept: str) -> Offer | None:
    """Return the format that an Accept header likes best, the first one if it is empty, or None.

    A media type parameter other than q (such as ;charset=utf-8 or ;profile=…) does not rule a format out.
    """
    wishes = parse_accept_header(accept, MIMEAccept)
    if not wishes:
        return formats[0]
    liked = max(formats, key=lambda fmt: _quality(fmt, wishes))
    return liked if _quality(liked, wishes) > 0 else None


@lru_cache(maxsize=256)
def best_of_kind(kind: Kind, accept: str, tried: frozenset[str] = frozenset()) -> Format | None:
    """Return what `best` says for all formats of one kind but some; clients send the same header again and again."""
    return best([fmt for fmt in of_kind(kind) if fmt.name not in tried], accept)


def _quality(fmt: Offered, wishes: MIMEAccept) -> float:
    """Return the client's q-value of a format: the best of its media types, the preferred one first in a tie."""
    bare = {value.split(";")[0].strip().lower(): quality for value, quality in wishes if ";" in value}
    return max(
        float(wishes.quality(media_type) or bare.get(media_type, 0)) - rank / 1e6
        for rank, media_type in enumerate(fmt.media_types)
    )


def wants_html() -> bool:
    """Tell whether the client, a browser, prefers a page to data. A ?format= never does."""
    return not request.values.get("format") and likes_html(request.headers.get("Accept", ""))


#: What a client may like better than a page.
_DATA = tuple(media_type for fmt in FORMATS for media_type in fmt.media_types)


@lru_cache(maxsize=256)
def likes_html(accept: str) -> bool:
    """Tell whether an Accept header names HTML and likes nothing better."""
    wishes = parse_accept_header(accept, MIMEAccept)
    named = HTML in [value.split(";")[0] for value, quality in wishes if quality]
    return named and wishes.quality(HTML) >= max(map(wishes.quality, _DATA))


def check_coding() -> None:
    """Refuse a body that was compressed. Raises UnsupportedMediaType."""
    if coding := request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType(f"A body in the encoding {coding} is not read here; send it as it is.")


def refusal(formats: Sequence[Offered], what: str) -> NotAcceptable:
    """Return the error that says in which formats `what` is on offer."""
    return NotAcceptable(
        f"{what} is on offer as {listed(formats)}; ask for one by Accept or ?format=.",
        offered=[fmt.media_types[0] for fmt in formats],
    )
