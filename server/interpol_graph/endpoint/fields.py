"""Header fields as WSGI passes them: a list of names and values, names in any case."""

from __future__ import annotations

Fields = list[tuple[str, str]]

#: Fields of a body, which a 304 has not.
OF_BODY = frozenset({"content-type", "content-length", "content-encoding", "content-disposition", "server-timing"})


def value(fields: Fields, name: str) -> str:
    """Return the value of a field, named in lower case, or "" if it is not there."""
    return next((value for given, value in fields if given.lower() == name), "")


def without(fields: Fields, *names: str) -> Fields:
    """Return the fields but those of these names, given in lower case."""
    return [field for field in fields if field[0].lower() not in names]


def coded(fields: Fields, coding: str, etag: str) -> tuple[Fields, str]:
    """Return the fields and the entity tag of an answer in a content coding, or in none ("") for this client."""
    vary = value(fields, "vary")
    if "Accept-Encoding" not in vary:
        fields = [*without(fields, "vary"), ("Vary", ", ".join(filter(None, (vary, "Accept-Encoding"))))]
    if not coding:
        return fields, etag
    fields = without(fields, "accept-ranges", "etag")
    return ([*fields, ("ETag", f'"{etag}-{coding}"')], f"{etag}-{coding}") if etag else (fields, "")
