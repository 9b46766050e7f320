"""Kinds of damage that need to know what the facts mean: citations, dates, offices, codes, numbers and places."""

from __future__ import annotations

from random import Random

from pyoxigraph import Literal, NamedNode, Quad

from damage import Damage, Ground, named, term, to
from kinds import KINDS, ORDERED, datatype, kind

__all__ = ["KINDS"]
SINGLE = ("President", "ActingPresident", "SecretaryGeneral", "ActingSecretaryGeneral")
DATES = ("date", "gYear", "gYearMonth")


@kind
def citation_removed(ground: Ground, dice: Random) -> Damage:
    """The one citation that supports some fact is gone."""
    link = dice.choice(ground.by["citation"])
    supported = {q.object for q in ground.of[link.object] if named(q) == "supports"}
    for other in ground.of[link.subject]:
        if named(other) in ("citation", "inference") and other != link:
            supported -= {q.object for q in ground.of[other.object] if named(q) == "supports"}
    return ([link, *ground.of[link.object]], []) if supported else None


@kind
def citation_of_nothing(ground: Ground, dice: Random) -> Damage:
    """A citation supports a property that the entity does not have."""
    link = dice.choice(ground.by["citation"])
    other = dice.choice(ground.by["supports"]).object
    if any(quad.predicate == other for quad in ground.of[link.subject]):
        return None
    return [], [Quad(link.object, term("supports"), other, link.graph_name)]


@kind
def citation_without_source(ground: Ground, dice: Random) -> Damage:
    """A citation or claim names no document."""
    one = dice.choice(ground.by["source"])
    return [quad for quad in ground.of[one.subject] if quad.predicate == one.predicate], []


@kind
def citation_without_supports(ground: Ground, dice: Random) -> Damage:
    """A citation does not say what the document supports."""
    one = dice.choice(ground.by["supports"])
    return [quad for quad in ground.of[one.subject] if quad.predicate == one.predicate], []


@kind
def source_removed(ground: Ground, dice: Random) -> Damage:
    """A document that is cited is described nowhere."""
    return ground.of[dice.choice(ground.by["source"]).object], []


@kind
def paragraph_missing(ground: Ground, dice: Random) -> Damage:
    """A citation of a founding text has no paragraph, or the paragraph 0."""
    one = dice.choice(ground.by["paragraph"])
    return [one], [to(one, "0")] if dice.random() < 0.5 else []


@kind
def dates_swapped(ground: Ground, dice: Random) -> Damage:
    """The beginning and the end are exchanged."""
    first, last = dice.choice(ORDERED)
    start = dice.choice(ground.by[first])
    end = ground.value(start.subject, last)
    if not end or start.object.value[:7] == end.object.value[:7] and start.object.value >= end.object.value:
        return None
    shorter = min(len(start.object.value), len(end.object.value))
    if start.object.value[:shorter] == end.object.value[:shorter]:
        return None
    return [start, end], [to(start, end.object), to(end, start.object)]


@kind
def year_mistyped(ground: Ground, dice: Random) -> Damage:
    """Two figures of a year are exchanged so that it is none of ours: 2105 for 2015, 1596 for 1956."""
    one = dice.choice([quad for quad in ground.literals if datatype(quad) in DATES])
    text = one.object.value
    return [one], [to(one, text[0] + text[2] + text[1] + text[3:])] if text[1] != text[2] else [one]


@kind
def session_out_of_order(ground: Ground, dice: Random) -> Damage:
    """Two sessions have each other's dates."""
    number = dice.choice([q for q in ground.by["number"] if ground.kind[q.subject] == term("AssemblySession")])
    other = dice.choice([q for q in ground.by["number"] if ground.kind[q.subject] == term("AssemblySession")])
    removed, added = [], []
    for name in ("startDate", "endDate"):
        one, two = ground.value(number.subject, name), ground.value(other.subject, name)
        if not one or not two or one.object.value[:4] == two.object.value[:4]:
            return None
        removed += [one, two]
        added += [to(one, two.object), to(two, one.object)]
    return removed, added


@kind
def mandates_overlap(ground: Ground, dice: Random) -> Damage:
    """A mandate in an office for one person begins when its predecessor was still in office."""
    offices = {term(name) for name in SINGLE}
    held = [q.subject for q in ground.by["office"] if q.object in offices and ground.kind[q.subject] == term("Mandate")]
    one, other = ground.value(dice.choice(held), "startDate"), ground.value(dice.choice(held), "startDate")
    family = [ground.value(quad.subject, "office") for quad in (one, other) if quad]
    if len(family) < 2 or ("President" in family[0].object.value) != ("President" in family[1].object.value):
        return None
    begun, ended = int(other.object.value[:4]), ground.value(other.subject, "endDate")
    if not ended or int(ended.object.value[:4]) - begun < 2 or one.object.value[:4] <= ended.object.value[:4]:
        return None
    wrong = Literal(str(begun + 1), datatype=NamedNode("http://www.w3.org/2001/XMLSchema#gYear"))
    return [one], [to(one, wrong)]


@kind
def ended_but_ongoing(ground: Ground, dice: Random) -> Damage:
    """Something that ended is marked as still running."""
    one = dice.choice(ground.by["endDate"])
    if one.object.value > "2026" or ground.kind[one.subject] not in map(
        term, ("Mandate", "CountryMembership", "Position")
    ):
        return None
    value = Literal("true", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#boolean"))
    return [], [Quad(one.subject, term("ongoing"), value, one.graph_name)]


@kind
def country_code_wrong(ground: Ground, dice: Random) -> Damage:
    """A country's code is that of another country, in small letters, or has a wrong letter or figure."""
    one = dice.choice(ground.by[dice.choice(("isoCode", "iso3Code", "m49Code"))])
    code, way = one.object.value, dice.randrange(3)
    if way == 0:
        return [one], [to(one, dice.choice(ground.by[named(one)]).object)]
    if way == 1:
        return [one], [to(one, code.lower() if code.isalpha() else code.lstrip("0")[:2])]
    at = dice.randrange(len(code))
    letter = dice.choice("0123456789" if code.isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return [one], [to(one, code[:at] + letter + code[at + 1 :])]


@kind
def number_absurd(ground: Ground, dice: Random) -> Damage:
    """A number is negative or a million times too large."""
    one = dice.choice(
        [q for q in ground.own if datatype(q) in ("integer", "decimal") and named(q) not in ("latitude", "longitude")]
    )
    text = one.object.value
    if text.strip("0.") == "":
        return None
    return [one], [to(one, "-" + text if dice.random() < 0.5 else text.partition(".")[0] + "000000")]


@kind
def coordinates_wrong(ground: Ground, dice: Random) -> Damage:
    """Latitude and longitude are exchanged, or a coordinate has lost its point."""
    latitude = dice.choice(ground.by["latitude"])
    longitude = ground.value(latitude.subject, "longitude")
    if not longitude:
        return None
    if dice.random() < 0.5:
        return [latitude, longitude], [to(latitude, longitude.object), to(longitude, latitude.object)]
    one = dice.choice((latitude, longitude))
    return [one], [to(one, one.object.value.replace(".", ""))]


@kind
def claim_of_the_same(ground: Ground, dice: Random) -> Damage:
    """A claim repeats the value that the graph asserts."""
    claim = dice.choice(ground.by["claimedValue"])
    about, name = ground.value(claim.subject, "about"), ground.value(claim.subject, "property")
    asserted = [q for q in ground.of[about.object] if q.predicate == name.object] if about and name else []
    return ([claim], [to(claim, dice.choice(asserted).object)]) if asserted else None


@kind
def claim_incomplete(ground: Ground, dice: Random) -> Damage:
    """A claim does not say what it is about, which property it disputes, what it claims, or who says so."""
    claim = dice.choice(ground.by["claimedValue"]).subject
    name = dice.choice(("about", "property", "claimedValue", "source"))
    return [quad for quad in ground.of[claim] if named(quad) == name], []


@kind
def inference_unfounded(ground: Ground, dice: Random) -> Damage:
    """An inference does not say what it was concluded from, or which fact."""
    one = dice.choice(ground.by["inferredFrom"])
    name = dice.choice(("inferredFrom", "supports"))
    return [quad for quad in ground.of[one.subject] if named(quad) == name], []
