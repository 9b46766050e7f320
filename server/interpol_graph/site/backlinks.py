"""What links to an entity, in groups of one class and one property."""

from collections import defaultdict
from typing import NamedTuple

from interpol_graph.endpoint.current import UNBOUND, Row
from interpol_graph.graph.names import plain
from interpol_graph.graph.prefixes import GRAPHS, TERMS
from interpol_graph.site.labels import Labels, Ref
from interpol_graph.site.selections import SHOWN, prefixed, selection

DERIVED = GRAPHS + "derived"

#: The links, direct or (to a document) through a citation, with the class as asserted; figures and
#: disagreements about the entity are left to sections of their own.
QUERY = """SELECT * WHERE {{ {{ SELECT ?s ?p ?g ?class ?date WHERE {{
  {{ GRAPH ?g {{ ?s ?p {e} FILTER(!isBlank(?s)) }} }}
  UNION {{ GRAPH ?g {{ ?c interpol:source {e} . ?s ?p ?c FILTER(isBlank(?c)) }} }}
  FILTER(?g != graph:shapes)
  # What is derived the other way round stands among the facts of the entity.
  FILTER(?g != graph:derived || NOT EXISTS {{ {e} ?forward ?s }})
  FILTER(?p NOT IN (rdf:type, rdfs:isDefinedBy, interpol:property, interpol:supports))
  FILTER NOT EXISTS {{ ?p owl:deprecated true }}
  FILTER NOT EXISTS {{ ?s interpol:about {e} ; a ?aside
    FILTER(?aside IN (interpol:Figure, interpol:ConflictingClaim)) }}
  OPTIONAL {{ GRAPH ?home {{ ?s a ?class }} FILTER(?home NOT IN (graph:derived, graph:shapes)) }}
  OPTIONAL {{ ?s interpol:startDate|interpol:atDate|dcterms:date ?date }}
}} LIMIT 5000 }} }}"""


class Group(NamedTuple):
    """Things of one class that link to the entity by one property.

    members: the first, each with its date; total: how many there are; query: SPARQL that finds them all.
    """

    property: Ref
    kind: Ref | None
    members: list[tuple[Ref, str]]
    total: int
    query: str


def groups(entity: str, rows: list[Row], labels: Labels) -> list[Group]:
    """Return the groups by name of class; of derived links only those that no stated link says already."""
    stated = subjects(rows)
    classes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        classes[row["s"].value].update({row["class"].value} if "class" in row else ())
    dates: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        s, p, date = row["s"].value, row["p"].value, row.get("date", UNBOUND).value
        if row["g"].value != DERIVED or (s not in stated and p.startswith(TERMS)):
            # A thing of several classes stands once, with one of our classes if it has any.
            kind = min(classes[s], key=lambda name: (not name.startswith(TERMS), name), default="")
            known = dates[p, kind].get(s, "")
            dates[p, kind][s] = min(filter(None, (known, date)), default="")
    found = []
    for (p, kind), members in dates.items():
        ordered = [(labels.ref(s), date) for s, date in members.items()]
        ordered.sort(key=lambda member: (member[1], plain(member[0].label.value)))
        kind_ref = labels.ref(kind) if kind else None
        path = "interpol:citation/interpol:source" if p == TERMS + "citation" else prefixed(p)
        query = selection(f"?item {path} {prefixed(entity)}{f' ; a {prefixed(kind)}' if kind else ''} .")
        found.append(Group(labels.ref(p), kind_ref, ordered[:SHOWN], len(ordered), query))
    return sorted(found, key=lambda g: [plain(ref.label.value) for ref in (g.kind or g.property, g.property)])


def subjects(rows: list[Row]) -> set[str]:
    """Return whatever links to the entity by a statement that is not derived."""
    return {row["s"].value for row in rows if row["g"].value != DERIVED}
