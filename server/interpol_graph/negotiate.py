"""Which format to answer in: ?format= first, then the Accept header by werkzeug's parser, else the default."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from interpol_graph.errors import BadParameter, NotAcceptable
from interpol_graph.formats import BY_NAME, Format

HTML = "text/html"


def offers(formats: Sequence[Format]) -> list[str]:
    """Return the media types of some formats, preferred ones first."""
    return [media_type for fmt in formats for media_type in fmt.media_types]


def asked() -> Format | None:
    """Return the format that ?format= (or a form field of that name) asks for, or None.

    Raises BadParameter when no format has that name.
    """
    name = request.values.get("format")
    if not name:  # absent, or a form's choice of the page itself
        return None
    for fmt in BY_NAME.values():
        if name == fmt.name or name == fmt.suffix[1:] or name in fmt.media_types:
            return fmt
    raise BadParameter(
        f"There is no format {name!r}; known are {', '.join(BY_NAME)}.",
        parameter="format",
        known=list(BY_NAME),
    )


def choose(formats: Sequence[Format]) -> Format | None:
    """Return the format of `formats` that the client likes best; the first one if it has no wish; None if none will do.

    A media type parameter other than q (such as ;charset=utf-8 or ;profile=…) does not rule a format out.
    """
    wish = asked()
    if wish is not None:
        return wish if wish in formats else None
    accept = request.accept_mimetypes
    if not accept:
        return formats[0]
    best = max(formats, key=lambda fmt: _quality(fmt))
    return best if _quality(best) > 0 else None


def _quality(fmt: Format) -> float:
    """Return the client's q-value of a format: the best of its media types, the preferred one first in a tie."""
    accept = request.accept_mimetypes
    bare = {value.split(";")[0].strip().lower(): quality for value, quality in accept if ";" in value}
    return max(
        float(accept.quality(media_type) or bare.get(media_type, 0)) - rank / 1e6
        for rank, media_type in enumerate(fmt.media_types)
    )


def wants_html() -> bool:
    """Tell whether the client, a browser, prefers a page to data. A ?format= never does."""
    if request.values.get("format"):
        return False
    accept = request.accept_mimetypes
    return HTML in [value.split(";")[0] for value, _ in accept] and accept.quality(HTML) >= max(
        accept.quality("text/turtle"),
        accept.quality("application/rdf+xml"),
        accept.quality("application/ld+json"),
        accept.quality("application/sparql-results+json"),
    )


def refusal(formats: Sequence[Format], what: str) -> NotAcceptable:
    """Return the error that says in which formats `what` is on offer."""
    names = ", ".join(f"{fmt.name} ({fmt.media_types[0]})" for fmt in formats)
    return NotAcceptable(
        f"{what} is on offer as {names}; ask for one by Accept or ?format=.",
        offered=[fmt.media_types[0] for fmt in formats],
    )
