"""Kinds of damage that a hurried hand does to the data; each is drawn at a random place."""

from __future__ import annotations

import re
from random import Random

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from damage import LABEL, TYPE, Damage, Ground, Kind, named, to
from interpol_graph.graph.prefixes import TERMS, shorten

XSD = "http://www.w3.org/2001/XMLSchema#"
TEXT = XSD + "string"
#: Pairs of dates of which the second cannot lie before the first.
ORDERED = (
    ("startDate", "endDate"),
    ("birthDate", "deathDate"),
    ("founded", "dissolved"),
    ("opened", "closed"),
    ("adopted", "amended"),
    ("startDate", "scheduledEnd"),
)
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    """Enter a kind into the table under the name of its function."""
    KINDS[function.__name__.replace("_", "-")] = function
    return function


def misspelt(word: str, dice: Random) -> str:
    """Return a word with a letter dropped, doubled, or exchanged with the next."""
    at = dice.randrange(len(word))
    head, letter, tail = word[:at], word[at], word[at + 1 :]
    other = dice.choice((head + tail, head + letter + letter + tail, head + tail[:1] + letter + tail[1:]))
    return other if other not in ("", word) else word + letter


def misspelt_end(iri: str, dice: Random) -> NamedNode:
    """Return an IRI whose last part is misspelt."""
    start = max(iri.rfind("#"), iri.rfind("/")) + 1
    return NamedNode(iri[:start] + misspelt(iri[start:], dice))


def datatype(quad: Quad) -> str:
    """Return the local name of a literal's datatype, langString for a text with a language tag, "" for a link."""
    return quad.object.datatype.value.rpartition("#")[2] if isinstance(quad.object, Literal) else ""


@kind
def property_dropped(ground: Ground, dice: Random) -> Damage:
    """One property of an entity is gone with all its values."""
    one = dice.choice(ground.own)
    return [quad for quad in ground.of[one.subject] if quad.predicate == one.predicate], []


@kind
def value_doubled(ground: Ground, dice: Random) -> Damage:
    """A property that holds once has a second value, taken from another entity of the class."""
    one = dice.choice(ground.own)
    if (ground.kind[one.subject], one.predicate) not in ground.functional:
        return None
    other = dice.choice([q for q in ground.by[named(one)] if ground.kind[q.subject] == ground.kind[one.subject]])
    return [], [to(one, other.object)] if other.object != one.object else []


@kind
def datatype_wrong(ground: Ground, dice: Random) -> Damage:
    """A date or number becomes a text or a time, a text a number, a tagged text an untagged one."""
    one = dice.choice(ground.literals)
    text, old = one.object.value, datatype(one)
    if old == "langString":
        return [one], [to(one, Literal(text))]
    if old == "string":
        return [one], [to(one, Literal(str(dice.randrange(9999)), datatype=NamedNode(XSD + "integer")))]
    if old == "date" and dice.random() < 0.5:
        return [one], [to(one, Literal(text + "T00:00:00", datatype=NamedNode(XSD + "dateTime")))]
    wrong = dice.choice(("string", "double")) if old in ("integer", "decimal") else "string"
    return [one], [to(one, Literal(text, datatype=NamedNode(XSD + wrong)))]


@kind
def literal_malformed(ground: Ground, dice: Random) -> Damage:
    """A date, number or boolean is not written in the form of its datatype."""
    one = dice.choice([quad for quad in ground.literals if datatype(quad) not in ("string", "langString")])
    text = one.object.value
    wrong = {"date": text[:5] + "13" + text[7:], "gYearMonth": text[:5] + "00", "gYear": text[2:]}
    return [one], [to(one, wrong.get(datatype(one), dice.choice(("about " + text, text + "?"))))]


@kind
def text_emptied(ground: Ground, dice: Random) -> Damage:
    """A text is empty."""
    one = dice.choice([quad for quad in ground.literals if datatype(quad) in ("string", "langString")])
    return [one], [to(one, dice.choice(("", " ")))]


@kind
def property_misspelt(ground: Ground, dice: Random) -> Damage:
    """The name of a property has a letter too many or too few, or two exchanged."""
    one = dice.choice(ground.facts)
    return [one], [Quad(one.subject, misspelt_end(one.predicate.value, dice), one.object, one.graph_name)]


@kind
def term_misspelt(ground: Ground, dice: Random) -> Damage:
    """The name of a class, a concept or a supported property is misspelt."""
    one = dice.choice([quad for quad in ground.links + ground.by[TYPE.value] if quad.object.value.startswith(TERMS)])
    return [one], [to(one, misspelt_end(one.object.value, dice))]


@kind
def entity_misspelt(ground: Ground, dice: Random) -> Damage:
    """A link points at a name that nothing bears."""
    one = dice.choice([quad for quad in ground.links if quad.object in ground.kind])
    wrong = misspelt_end(one.object.value, dice)
    return [one], [to(one, wrong)] if wrong not in ground.kind else []


@kind
def class_of_object_wrong(ground: Ground, dice: Random) -> Damage:
    """A link points at an entity of a class that no such link of the data points at."""
    one = dice.choice([quad for quad in ground.links if quad.object in ground.kind])
    other = dice.choice(ground.entities)
    fitting = {ground.kind.get(quad.object) for quad in ground.by[named(one)]}
    return None if ground.kind[other] in fitting else ([one], [to(one, other)])


@kind
def scheme_wrong(ground: Ground, dice: Random) -> Damage:
    """A measure, unit, qualifier, office, kind or region is a concept of another scheme."""
    one = dice.choice([quad for quad in ground.own if quad.object in ground.scheme])
    other = dice.choice(list(ground.scheme))
    fitting = {ground.scheme.get(quad.object) for quad in ground.by[named(one)]}
    return None if ground.scheme[other] in fitting else ([one], [to(one, other)])


@kind
def link_as_text(ground: Ground, dice: Random) -> Damage:
    """A link is written as a text."""
    one = dice.choice(ground.links)
    return [one], [to(one, Literal(shorten(one.object.value)))]


@kind
def text_as_link(ground: Ground, dice: Random) -> Damage:
    """A text or number is written as a link."""
    one = dice.choice(ground.literals)
    key = re.sub(r"\W+", "-", one.object.value.lower()).strip("-")
    return [one], [to(one, NamedNode(f"https://example.org/{key}"))]


@kind
def self_reference(ground: Ground, dice: Random) -> Damage:
    """A link of an entity points back at the entity."""
    one = dice.choice([quad for quad in ground.own if quad.object in ground.kind])
    return [one], [to(one, one.subject)]


@kind
def class_dropped(ground: Ground, dice: Random) -> Damage:
    """An entity has no class."""
    return [dice.choice(ground.by[TYPE.value])], []


@kind
def class_wrong(ground: Ground, dice: Random) -> Damage:
    """An entity is of another class, neither a wider nor a narrower one of the data."""
    one, other = dice.choice(ground.by[TYPE.value]), dice.choice(ground.by[TYPE.value])
    pair = {shorten(one.object.value), shorten(other.object.value)}
    kin = ("Event", "AssemblySession", "Conference", "Election", "Operation"), ("System", "Database", "Network", "Tool")
    kin += ("LegalInstrument", "Agreement"), ("Organ", "NationalCentralBureau")
    return (
        None
        if any(pair <= {f"interpol:{name}" for name in names} for names in kin)
        else ([one], [to(one, other.object)])
    )


@kind
def entity_doubled(ground: Ground, dice: Random) -> Damage:
    """An entity is described a second time under another key."""
    entity = dice.choice(ground.entities)
    twin = NamedNode(f"{entity.value}-{dice.randrange(2, 9)}")
    copies = [Quad(twin, quad.predicate, quad.object, quad.graph_name) for quad in ground.of[entity]]
    for number, quad in enumerate(copies):
        if isinstance(quad.object, BlankNode):
            node = BlankNode()
            copies[number] = to(quad, node)
            copies += [Quad(node, q.predicate, q.object, q.graph_name) for q in ground.of[quad.object]]
    return [], copies


@kind
def language_unknown(ground: Ground, dice: Random) -> Damage:
    """A language tag is none: eng for en, fx for fr."""
    one = dice.choice([quad for quad in ground.literals if datatype(quad) == "langString"])
    tag = one.object.language
    wrong = dice.choice(
        ({"en": "eng", "fr": "fre", "es": "spa", "ar": "ara"}.get(tag, "zxx"), tag[0] + "x", tag + "-xx")
    )
    return [one], [to(one, Literal(one.object.value, language=wrong))]


@kind
def label_dropped(ground: Ground, dice: Random) -> Damage:
    """The English or French label is missing."""
    return [dice.choice([quad for quad in ground.by[LABEL.value] if quad.object.language in ("en", "fr")])], []


@kind
def label_untranslated(ground: Ground, dice: Random) -> Damage:
    """A text of the project's own words is there in one of English and French only."""
    names = ("topic", "purpose", "detail", "competence", "composition")
    return [dice.choice([quad for name in names for quad in ground.by[name]])], []
