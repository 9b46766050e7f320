"""The CONSTRUCT rules of ontology/rules derive what follows, and no more."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, QuerySolutions, RdfFormat, Store, parse
from rdflib import OWL, RDF, Variable
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue

from interpol_graph.graph.files import SourceFile, Unreadable
from interpol_graph.graph.prefixes import BASE, prefixes
from interpol_graph.graph.store import DERIVED, KnowledgeGraph, conclude

ONTOLOGY = Path(__file__).parents[1] / "ontology"
RULES = sorted((ONTOLOGY / "rules").glob("*.rq"))

PREFIXES = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in prefixes().items())

Derive = Callable[[str], Store]


@pytest.fixture(scope="module")
def ontology() -> tuple[list[Quad], bytes]:
    """What the ontology says and the rules conclude of it alone, and these conclusions."""
    store = Store()
    for path in sorted(ONTOLOGY.glob("*.ttl")):
        store.load(path=path, format=RdfFormat.TURTLE)
    concluded = conclude(store, RULES)
    return list(store), concluded


@pytest.fixture
def derive(ontology: tuple[list[Quad], bytes]) -> Derive:
    """Put data beside the ontology and run the rules until nothing new follows."""

    def run(turtle: str) -> Store:
        store = Store()
        store.extend(ontology[0])
        store.load(PREFIXES + turtle, format=RdfFormat.TURTLE)
        conclude(store, RULES)
        return store

    return run


def rows(store: Store, query: str) -> QuerySolutions:
    """The rows of a SELECT query."""
    found = store.query(PREFIXES + query)
    assert isinstance(found, QuerySolutions)
    return found


def values(store: Store, subject: str, predicate: str) -> set[str]:
    """What subject has as predicate, as plain text; entity IRIs without the base."""
    found = rows(store, f"SELECT ?o WHERE {{ {subject} {predicate} ?o }}")
    return {row["o"].value.removeprefix(BASE + "id/").removeprefix(BASE + "ontology#") for row in found}


def bounds(store: Store, subject: str) -> tuple[str | None, ...]:
    """The four date bounds of subject; no bound may have two values."""
    found = []
    for name in ("earliestStart", "latestStart", "earliestEnd", "latestEnd"):
        days = values(store, subject, f"interpol:{name}")
        assert len(days) < 2, (subject, name, days)
        found.append(days.pop() if days else None)
    return tuple(found)


def span(kind: str, key: str, start: str, end: str | None = None, more: str = "") -> str:
    """Turtle of a session or mandate with dates of any precision."""

    def date(text: str) -> str:
        return f'"{text}"^^xsd:' + {4: "gYear", 7: "gYearMonth", 10: "date"}[len(text)]

    ends = f"; interpol:endDate {date(end)}" if end else ""
    return f"{key} a interpol:{kind} ; interpol:startDate {date(start)} {ends} {more} .\n"


def president(key: str, start: str, end: str | None, more: str = "", office: str = "President") -> str:
    """Turtle of a presidency of person:key, or of another office's mandate."""
    facts = f"; interpol:person person:{key} ; interpol:office interpol:{office}"
    facts += " ; interpol:body organisation:interpol"
    return span("Mandate", f"mandate:{key}", start, end, facts + more)


def test_every_rule_has_a_title_and_a_description() -> None:
    assert RULES
    for rule in RULES:
        lines = rule.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("#+ title: "), rule.name
        assert lines[1].startswith("#+ description: "), rule.name
        assert lines[1].endswith("."), rule.name


def test_rules_are_deterministic() -> None:
    for rule in RULES:
        text = rule.read_text(encoding="utf-8").upper()
        for word in ("BNODE(", "NOW(", "RAND(", "UUID(", "SERVICE", "_:"):
            assert word not in text, (rule.name, word)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('interpol:startDate "2015-11-02"^^xsd:date', ("2015-11-02", "2015-11-02", None, None)),
        ('interpol:startDate "1972"^^xsd:gYear', ("1972-01-01", "1972-12-31", None, None)),
        ('interpol:endDate "1972-02"^^xsd:gYearMonth', (None, None, "1972-02-01", "1972-02-29")),
        ('interpol:endDate "1973-02"^^xsd:gYearMonth', (None, None, "1973-02-01", "1973-02-28")),
        ('interpol:endDate "1900-02"^^xsd:gYearMonth', (None, None, "1900-02-01", "1900-02-28")),
        ('interpol:endDate "2000-02"^^xsd:gYearMonth', (None, None, "2000-02-01", "2000-02-29")),
        ('interpol:endDate "2018-11"^^xsd:gYearMonth', (None, None, "2018-11-01", "2018-11-30")),
        ('interpol:endDate "2018-12"^^xsd:gYearMonth', (None, None, "2018-12-01", "2018-12-31")),
        (
            'interpol:atDate "2016-02"^^xsd:gYearMonth',
            ("2016-02-01", "2016-02-29", "2016-02-01", "2016-02-29"),
        ),
        ('interpol:opened "1966"^^xsd:gYear', ("1966-01-01", "1966-12-31", None, None)),
        ('interpol:closed "1989-05-12"^^xsd:date', (None, None, "1989-05-12", "1989-05-12")),
        ('interpol:launched "2002"^^xsd:gYear', ("2002-01-01", "2002-12-31", None, None)),
        ('interpol:retired "2009-04"^^xsd:gYearMonth', (None, None, "2009-04-01", "2009-04-30")),
        ('interpol:founded "1923-09-07"^^xsd:date', ("1923-09-07", "1923-09-07", None, None)),
        ('interpol:dissolved "1956-06"^^xsd:gYearMonth', (None, None, "1956-06-01", "1956-06-30")),
        ('interpol:introduced "1946"^^xsd:gYear', ("1946-01-01", "1946-12-31", None, None)),
        ('interpol:inForce "2012-07-01"^^xsd:date', ("2012-07-01", "2012-07-01", None, None)),
        ('interpol:announcedOn "2012-07-01"^^xsd:date', (None, None, None, None)),
    ],
)
def test_bounds_of_a_date(derive: Derive, statement: str, expected: tuple[str | None, ...]) -> None:
    assert bounds(derive(f"system:x {statement} ."), "system:x") == expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ('interpol:attestedOn "2016"^^xsd:gYear', (None, "2016-12-31", "2016-01-01", None)),
        (
            'interpol:attestedOn "2016-02"^^xsd:gYearMonth , "2017-03-04"^^xsd:date',
            (None, "2016-02-29", "2017-03-04", None),
        ),
        (
            'interpol:startDate "2015"^^xsd:gYear ; interpol:attestedOn "2017-03-04"^^xsd:date',
            ("2015-01-01", "2015-12-31", "2017-03-04", None),
        ),
        ('interpol:ongoing true ; interpol:attestedOn "2025"^^xsd:gYear', (None, "2025-12-31", None, "9999-12-31")),
        ('interpol:endNotAfter "2021-11-25"^^xsd:date', (None, None, None, "2021-11-25")),
        (
            'interpol:endDate "2020"^^xsd:gYear ; interpol:endNotAfter "2021"^^xsd:gYear',
            (None, None, "2020-01-01", "2020-12-31"),
        ),
        ('interpol:scheduledEnd "2029"^^xsd:gYear', (None, None, None, None)),
    ],
)
def test_bounds_of_a_mandate(derive: Derive, statements: str, expected: tuple[str | None, ...]) -> None:
    assert bounds(derive(f"mandate:x {statements} ."), "mandate:x") == expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ('interpol:opened "1994"^^xsd:gYear ; interpol:attestedOn "2023"^^xsd:gYear', ("1994-01-01", "1994-12-31", "2023-01-01", None)),
        ('interpol:opened "1946"^^xsd:gYear ; interpol:closed "1967"^^xsd:gYear', ("1946-01-01", "1946-12-31", "1967-01-01", "1967-12-31")),
        ('interpol:opened "1989-05-01"^^xsd:date ; interpol:ongoing true', ("1989-05-01", "1989-05-01", None, "9999-12-31")),
        ('interpol:opened "1989-05-01"^^xsd:date', ("1989-05-01", "1989-05-01", None, None)),
    ],
)  # fmt: skip
def test_unknown_is_not_ongoing(derive: Derive, statements: str, expected: tuple[str | None, ...]) -> None:
    assert bounds(derive(f"system:x a interpol:Premises ; {statements} ."), "system:x") == expected


def test_systems_and_organs_are_seen_at_work(derive: Derive) -> None:
    store = derive("""
        system:x a interpol:Database . system:y a interpol:Tool ; interpol:retired "2015"^^xsd:gYear .
        organ:x a interpol:Organ ; interpol:founded "1956"^^xsd:gYear . mandate:x interpol:body organ:x ; interpol:startDate "2012"^^xsd:gYear .
        operation:x interpol:toolUsed system:x , system:y ; interpol:startDate "2014-03"^^xsd:gYearMonth .
        figure:x interpol:about system:x ; interpol:measure interpol:TravelDocuments ; interpol:atDate "2019-10-01"^^xsd:date .
        figure:y interpol:about system:x ; interpol:measure interpol:RecordsGoal ; interpol:atDate "2030"^^xsd:gYear .
    """)
    assert bounds(store, "system:x") == (None, "2014-03-31", "2019-10-01", None)
    assert bounds(store, "system:y") == (None, "2014-03-31", "2015-01-01", "2015-12-31")
    assert bounds(store, "organ:x") == ("1956-01-01", "1956-12-31", "2012-01-01", None)


SESSION_77 = span("AssemblySession", "session:77", "2008-10-07", "2008-10-10")
LINE_OF_2008 = (
    president("selebi", "2004-10-08", "2008-01-13", "; interpol:endReason interpol:Resigned")
    + president("herrera", "2008-01-13", "2008-10-10", office="ActingPresident")
    + president("khoo", "2008-10-10", "2012-11-08", "; interpol:electedAt session:77")
)


def test_acting_holders_stand_in_the_line_of_the_office(derive: Derive) -> None:
    store = derive(LINE_OF_2008 + SESSION_77)
    assert values(store, "mandate:khoo", "interpol:predecessor") == {"mandate/herrera"}
    assert values(store, "mandate:herrera", "interpol:predecessor") == {"mandate/selebi"}
    assert values(store, "mandate:selebi", "interpol:successor") == {"mandate/herrera"}
    assert values(store, "mandate:selebi", "interpol:predecessor") == set()


def test_an_election_is_no_mandate(derive: Derive) -> None:
    election = """election:president-2008 a interpol:Election ; interpol:office interpol:President ;
        interpol:body organisation:interpol ; interpol:atDate "2008-10-10"^^xsd:date ."""
    store = derive(LINE_OF_2008 + SESSION_77 + election)
    assert values(store, "mandate:khoo", "interpol:predecessor") == {"mandate/herrera"}
    assert values(store, "election:president-2008", "interpol:successor") == set()


def test_a_line_goes_on_when_the_body_changes(derive: Derive) -> None:
    store = derive(
        president("b", "1956", "1960")
        + president("a", "1946", "1956").replace("organisation:interpol", "organisation:icpc")
    )
    assert values(store, "mandate:b", "interpol:predecessor") == {"mandate/a"}
    assert values(store, "mandate:a", "interpol:predecessor") == set()


def test_one_person_can_follow_themselves(derive: Derive) -> None:
    store = derive(
        president("kim", "2018-11-21", "2021-11-25")
        + president("kim-acting", "2018-10-07", "2018-11-21", office="ActingPresident")
    )
    assert values(store, "mandate:kim", "interpol:predecessor") == {"mandate/kim-acting"}


def test_an_equal_start_is_ordered_by_the_end(derive: Derive) -> None:
    store = derive(president("b", "1940", "1943") + president("a", "1940", "1942") + president("c", "1943", "1945"))
    assert values(store, "mandate:b", "interpol:predecessor") == {"mandate/a"}
    assert values(store, "mandate:c", "interpol:predecessor") == {"mandate/b"}


def test_offices_of_several_holders_have_no_line(derive: Derive) -> None:
    store = derive(
        president("a", "2010", "2012", office="VicePresident") + president("b", "2012", "2014", office="VicePresident")
    )
    assert values(store, "mandate:b", "interpol:predecessor") == set()


def test_nobody_follows_a_mandate_whose_end_is_unknown(derive: Derive) -> None:
    store = derive(president("a", "1963", None) + president("b", "1968", "1972") + president("c", "1972", "1976"))
    assert values(store, "mandate:b", "interpol:predecessor") == set()
    assert values(store, "mandate:c", "interpol:predecessor") == {"mandate/b"}


def test_an_unknown_end_lies_before_the_next_start(derive: Derive) -> None:
    store = derive(president("a", "1963", None) + president("b", "1968", "1972") + president("c", "1972", "1976"))
    assert values(store, "mandate:a", "interpol:latestEnd") == {"1968-12-31"}
    assert values(store, "mandate:a", "interpol:earliestEnd") == set()
    assert values(store, "mandate:b", "interpol:latestEnd") == {"1972-12-31"}


def test_an_unknown_end_lies_within_the_term_of_the_executive_committee(derive: Derive) -> None:
    in_committee = "; interpol:body organ:executive-committee"
    store = derive(
        president("a", "2008-10-10", None, in_committee, office="Delegate")
        + president("b", "2005", "2007", in_committee, office="VicePresident")
        + president("c", "2025", None, in_committee + ' ; interpol:scheduledEnd "2028"^^xsd:gYear', office="Delegate")
        + president("d", "1923", None, office="VicePresident")
        + president("e", "2021", None, in_committee + " ; interpol:ongoing true", office="Delegate")
    )
    assert values(store, "mandate:a", "interpol:latestEnd") == {"2012-12-31"}
    assert values(store, "mandate:b", "interpol:latestEnd") == {"2007-12-31"}
    assert values(store, "mandate:c", "interpol:latestEnd") == {"2028-12-31"}
    assert values(store, "mandate:d", "interpol:latestEnd") == set()
    assert values(store, "mandate:e", "interpol:latestEnd") == {"9999-12-31"}


def test_what_goes_on_ends_on_the_last_of_all_days(derive: Derive) -> None:
    store = derive(president("a", "2021", None, "; interpol:ongoing true") + president("b", "2025", None))
    assert values(store, "mandate:a", "interpol:latestEnd") == {"9999-12-31"}
    assert values(store, "mandate:b", "interpol:latestEnd") == set()


@pytest.mark.parametrize(
    ("turtle", "entity", "expected"),
    [
        # made public, and nothing more: it had begun by then
        ('operation:x a interpol:Operation ; interpol:announcedOn "2012-02"^^xsd:gYearMonth .', "operation:x", (None, "2012-02-29", None, None)),
        (
            """operation:x a interpol:Operation ; interpol:announcedOn "2026-02"^^xsd:gYearMonth ; interpol:status interpol:Planned .""",
            "operation:x",
            (None, None, None, None),
        ),
        # a figure has the dates of its operation, unless it has its own
        (
            """operation:x a interpol:Operation ; interpol:startDate "2023-12"^^xsd:gYearMonth ; interpol:endDate "2024-01-02"^^xsd:date .
            figure:x a interpol:Figure ; interpol:about operation:x .""",
            "figure:x",
            ("2023-12-01", "2023-12-31", "2024-01-02", "2024-01-02"),
        ),
        (
            """operation:x a interpol:Operation ; interpol:startDate "2023"^^xsd:gYear .
            figure:x a interpol:Figure ; interpol:about operation:x ; interpol:atDate "2024"^^xsd:gYear .""",
            "figure:x",
            ("2024-01-01", "2024-12-31", "2024-01-01", "2024-12-31"),
        ),
        # what is only claimed of a session has no date from it
        ('session:1 a interpol:AssemblySession ; interpol:startDate "1923"^^xsd:gYear . claim:x a interpol:ConflictingClaim ; interpol:about session:1 .', "claim:x", (None, None, None, None)),
    ],
)  # fmt: skip
def test_bounds_from_elsewhere(derive: Derive, turtle: str, entity: str, expected: tuple[str | None, ...]) -> None:
    assert bounds(derive(turtle), entity) == expected


@pytest.mark.parametrize(
    ("turtle", "entity", "years"),
    [
        ('operation:x a interpol:Operation ; interpol:startDate "2023-12"^^xsd:gYearMonth ; interpol:endDate "2024-01-02"^^xsd:date .', "operation:x", {"2023"}),
        ('operation:x a interpol:Operation ; interpol:endDate "2024"^^xsd:gYear .', "operation:x", {"2024"}),
        ('operation:x a interpol:Operation ; interpol:announcedOn "2024-03-01"^^xsd:date .', "operation:x", {"2024"}),
        ('figure:x a interpol:Figure ; interpol:startDate "2001"^^xsd:gYear ; interpol:endDate "2013"^^xsd:gYear .', "figure:x", set()),
        ('figure:x a interpol:Figure ; interpol:startDate "2022-01"^^xsd:gYearMonth ; interpol:endDate "2022-12"^^xsd:gYearMonth .', "figure:x", {"2022"}),
        ('figure:x a interpol:Figure ; interpol:startDate "2022"^^xsd:gYear .', "figure:x", set()),
        ('figure:x a interpol:Figure ; interpol:atDate "2022-10"^^xsd:gYearMonth .', "figure:x", {"2022"}),
        (president("x", "2022-02-01", "2024"), "mandate:x", {"2022", "2023", "2024"}),
        (president("x", "2024", None, "; interpol:ongoing true"), "mandate:x", {"2024", "2025", "2026"}),
        (president("x", "2024", None), "mandate:x", set()),
    ],
)  # fmt: skip
def test_years(derive: Derive, turtle: str, entity: str, years: set[str]) -> None:
    newest = 'source:x a interpol:Source ; dcterms:date "2026-03-01"^^xsd:date . source:y a interpol:Source ; dcterms:date "1999"^^xsd:gYear .'
    assert values(derive(turtle + newest), entity, "interpol:year") == years


def test_sessions_stand_in_the_order_of_their_numbers(derive: Derive) -> None:
    store = derive(
        "".join(f"session:{n} a interpol:AssemblySession ; interpol:number {n} .\n" for n in (5, 10, 11))
        + "session:11 interpol:hostCountry country:DK . event:x a interpol:Conference ; interpol:number 6 .".replace(
            "event:", "election:"
        )
    )
    assert values(store, "session:10", "interpol:nextSession") == {"session/11"}
    assert values(store, "session:11", "interpol:previousSession") == {"session/10"}
    assert values(store, "session:5", "interpol:nextSession") == set()
    assert values(store, "country:DK", "interpol:hosted") == {"session/11"}


def test_shortcuts(derive: Derive) -> None:
    store = derive(
        president("x", "2012", "2016", "; interpol:representing country:FR ; interpol:electedAt session:81")
        + f"""<{BASE}id/membership/FR> a interpol:CountryMembership ; interpol:member country:FR ; interpol:ongoing true ;
            interpol:startDate "1923"^^xsd:gYear .
        <{BASE}id/membership/old> a interpol:CountryMembership ; interpol:member country:yugoslavia ;
            interpol:startDate "1923"^^xsd:gYear ; interpol:endDate "1993"^^xsd:gYear .
        <{BASE}id/ncb/FR> a interpol:NationalCentralBureau ; interpol:country country:FR .
        place:paris a interpol:Place ; interpol:country country:FR .
        <{BASE}id/candidacy/x> a interpol:Candidacy ; interpol:person person:x ; interpol:representing country:FR .
        operation:x a interpol:Operation ; interpol:crimeArea interpol:Ransomware ."""
    )
    assert values(store, "person:x", "interpol:mandate") == {"mandate/x"}
    assert values(store, "country:FR", "interpol:mandate") == {"mandate/x"}
    assert values(store, "country:FR", "interpol:membership") == {"membership/FR"}
    assert values(store, "country:FR", "interpol:memberSince") == {"1923"}
    assert values(store, "country:yugoslavia", "interpol:memberSince") == set()
    assert values(store, "country:FR", "interpol:nationalCentralBureau") == {"ncb/FR"}
    assert values(store, "mandate:x", "interpol:atSession") == {"session/81"}
    assert values(store, "operation:x", "interpol:crimeField") == {
        "Ransomware",
        "DigitalExtortion",
        "Malware",
        "Cybercrime",
    }


@pytest.mark.parametrize(
    ("figures", "arrests"),
    [
        ({"a": "83"}, {"83"}),
        ({"a": "83", "b": "21 ; interpol:breakdownOf figure:a", "c": "9 ; interpol:breakdownOf figure:b"}, {"83"}),
        ({"a": "167 ; interpol:countedApart true", "b": "72 ; interpol:countedApart true"}, {"239"}),
        ({"a": "167 ; interpol:countedApart true", "b": "72 ; interpol:countedApart false"}, set()),
        (
            {
                "a": "167 ; interpol:countedApart true ; interpol:qualifier interpol:MoreThan",
                "b": "72 ; interpol:countedApart true",
            },
            {"239"},
        ),
        ({"a": "167 ; interpol:qualifier interpol:About", "b": "72"}, set()),
        ({"a": "167", "b": "72"}, set()),
        ({"a": "4100 ; interpol:countedApart false"}, set()),
    ],
)
def test_a_total_is_added_up_where_it_can_be_known(derive: Derive, figures: dict[str, str], arrests: set[str]) -> None:
    turtle = "operation:x a interpol:Operation ."
    for key, value in figures.items():
        turtle += f"""figure:{key} a interpol:Figure ; interpol:about operation:x ; interpol:measure interpol:Arrests ;
            interpol:unit interpol:PersonUnit ; interpol:value {value} ."""
    store = derive(turtle)
    assert values(store, "operation:x", "interpol:arrestCount") == arrests
    inexact = bool(arrests) and any("qualifier" in value for value in figures.values())
    assert values(store, "operation:x", "interpol:inexact") == ({"arrestCount"} if inexact else set())


def test_citations_and_inferences_have_a_class(derive: Derive) -> None:
    store = derive(
        "person:x interpol:citation [ interpol:source source:x ] ; interpol:inference [ interpol:inferredFrom source:x ] ."
    )
    for kind, link in (("Citation", "source"), ("Inference", "inferredFrom")):
        assert [row["o"] for row in rows(store, f"SELECT ?o {{ ?node a interpol:{kind} ; interpol:{link} ?o }}")]


def test_a_rule_names_what_it_asks_for_as_all_do() -> None:
    """So that it is known which rules may have more to say when something new follows."""
    for rule in RULES:
        text = rule.read_text(encoding="utf-8")
        variables = set(re.findall(r"\?\w+", any_variables(text)))
        assert variables <= {"?property", "?class"}, rule.name
        assert "BASE" not in text, rule.name


def test_what_a_rule_could_add_is_added_whatever_the_order(tmp_path: Path) -> None:
    """What a rule concludes lets one before it, of its own or of any property or class, conclude more."""
    for name, text in {
        "1-any": "CONSTRUCT { ?x ex:any ?y } WHERE { ?x ?property ?y . ?property a ex:Any }",
        "2-name": "CONSTRUCT { ?x ex:third ?y } WHERE { ?x ex:second ?y }",
        "3-iri": "CONSTRUCT { ?x ex:fourth ?y } WHERE { ?x <http://example.org/third> ?y }",
        "4-class": "CONSTRUCT { ?x ex:typed ?class } WHERE { ?x a ?class }",
        "5-first": "CONSTRUCT { ?x ex:second ?y . ex:fourth a ex:Any } { ?x ex:first ?y }",
    }.items():
        (tmp_path / f"{name}.rq").write_text(f"PREFIX ex: <http://example.org/>\n{text}")
    store = Store()
    store.load(b"@prefix ex: <http://example.org/> . ex:x ex:first ex:y ; a ex:Thing .", RdfFormat.TURTLE)
    concluded = conclude(store, sorted(tmp_path.glob("*.rq"))).decode()
    said = set(re.findall(r"^<http://example.org/(\w+)> <http://example.org/(\w+)>", concluded, re.MULTILINE))
    assert said == {("x", name) for name in ("second", "third", "fourth", "any", "typed")} | {("fourth", "typed")}


def any_variables(rule: str) -> str:
    """The variables that stand for a property, or for a class, in the condition of a rule and that no VALUES bind."""
    found, bound = set(), set()
    todo = [translateQuery(parseQuery(rule)).algebra.p]
    while todo:
        part = todo.pop()
        for _, predicate, value in part.get("triples") or () if part.name == "BGP" else ():
            found |= {
                term for term in (predicate, value if predicate == RDF.type else None) if isinstance(term, Variable)
            }
        for row in part.get("res") or ():
            bound |= set(row)
        todo.extend(value for value in part.values() if isinstance(value, CompValue))
    return " ".join(f"?{name}" for name in found - bound)


def test_the_mandate_that_covers_the_session_presides(derive: Derive) -> None:
    assert values(derive(LINE_OF_2008 + SESSION_77), "session:77", "interpol:presidedBy") == {"person/herrera"}


@pytest.mark.parametrize(
    ("mandates", "session", "expected"),
    [
        (president("a", "1964", "1968"), ("1966-08-31", "1966-09-07"), {"person/a"}),
        (president("a", "1964", "1968"), ("1966", None), {"person/a"}),
        (president("a", "1964", "1968"), ("1968-10-02", "1968-10-09"), set()),
        (president("a", "1964", "1968"), ("1964", None), set()),
        (president("a", "1964", "1968") + president("b", "1965", "1970"), ("1966", None), set()),
        (
            president("a", "2024-11-07", None, "; interpol:ongoing true"),
            ("2025-11-24", "2025-11-27"),
            {"person/a"},
        ),
        (president("a", "2024-11-07", None), ("2025-11-24", "2025-11-27"), set()),
        (president("a", "2024-11-07", None, "; interpol:ongoing false"), ("2025-11-24", "2025-11-27"), set()),
        (president("a", "2012", "2014-10-04", office="VicePresident"), ("2013", None), set()),
        # A year is all that is known, but the session elected the next president.
        (
            president("a", "1984", "1988") + president("b", "1988", "1992", "; interpol:electedAt session:s"),
            ("1988-11-17", "1988-11-23"),
            {"person/a"},
        ),
        # The predecessor died at an unknown time of the year of the session.
        (
            president("a", "1984", "1988", "; interpol:endReason interpol:Died")
            + president("b", "1988", "1992", "; interpol:electedAt session:s"),
            ("1988-11-17", "1988-11-23"),
            set(),
        ),
    ],
)
def test_president_of_a_session(
    derive: Derive, mandates: str, session: tuple[str, str | None], expected: set[str]
) -> None:
    store = derive(mandates + span("AssemblySession", "session:s", *session))
    assert values(store, "session:s", "interpol:presidedBy") == expected


def test_nobody_presides_over_an_announced_session(derive: Derive) -> None:
    session = span("AssemblySession", "session:94", "2026-11", None, "; interpol:status interpol:Announced")
    store = derive(president("a", "2025-11-27", None, "; interpol:ongoing true") + session)
    assert values(store, "session:94", "interpol:presidedBy") == set()


def test_secretary_general_at_a_session(derive: Derive) -> None:
    store = derive(
        president("dressler", "1923", "1932", office="Secretary")
        + president("kendall", "1985-10", "2000-11", office="SecretaryGeneral")
        + president("noble", "2000-11-03", "2014-11-07", "; interpol:electedAt session:69", office="SecretaryGeneral")
        + span("AssemblySession", "session:5", "1928")
        + span("AssemblySession", "session:69", "2000-10-30", "2000-11-03")
        + span("AssemblySession", "session:70", "2001-09")
    )
    assert values(store, "session:5", "interpol:secretaryGeneral") == {"person/dressler"}
    assert values(store, "session:69", "interpol:secretaryGeneral") == {"person/kendall"}
    assert values(store, "session:70", "interpol:secretaryGeneral") == {"person/noble"}
    assert values(store, "session:70", "interpol:presidedBy") == set()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("interpol:crimeArea interpol:Ransomware , interpol:Phishing", {"programme/cybercrime"}),
        ("interpol:crimeArea interpol:MoneyLaundering", set()),
        ("interpol:crimeArea interpol:MoneyLaundering , interpol:Ransomware", {"programme/cybercrime"}),
        ("interpol:crimeArea interpol:Terrorism , interpol:FirearmsTrafficking", set()),
        (
            "interpol:crimeArea interpol:Ransomware ; interpol:programme programme:counter-terrorism",
            {"programme/counter-terrorism"},
        ),
    ],
)
def test_programme_of_an_operation(derive: Derive, statements: str, expected: set[str]) -> None:
    store = derive(f"operation:x a interpol:Operation ; {statements} .")
    assert values(store, "operation:x", "interpol:programme") == expected


def test_inverses(derive: Derive) -> None:
    store = derive("""
        <https://w3id.org/interpol-graph/id/candidacy/x> interpol:election election:x .
        organisation:interpol interpol:predecessor organisation:icpc .
        figure:x a interpol:Figure ; interpol:about system:icse .
        claim:x a interpol:ConflictingClaim ; interpol:about system:icse .
    """)
    assert values(store, "election:x", "interpol:candidacy") == {"candidacy/x"}
    assert values(store, "organisation:icpc", "interpol:successor") == {"organisation/interpol"}
    assert values(store, "system:icse", "interpol:figure") == {"figure/x"}
    assert "ActingPresident" in values(store, "interpol:President", "skos:narrower")


def test_every_deprecated_term_is_answered_by_its_successor(derive: Derive) -> None:
    query = """SELECT ?old ?kind ?new ?turned ?concept (SAMPLE(?domain) AS ?class) (SAMPLE(?range) AS ?taken) {
        ?old owl:deprecated true ; dcterms:isReplacedBy ?new . ?new rdfs:isDefinedBy ?ontology .
        OPTIONAL { ?old dcterms:isReplacedBy ?kind . ?kind skos:inScheme interpol:EventKindScheme FILTER(?kind != ?new) }
        FILTER NOT EXISTS { ?new skos:inScheme interpol:EventKindScheme }
        OPTIONAL { ?old schema:domainIncludes ?domain ; schema:rangeIncludes ?range }
        BIND(EXISTS { ?old owl:inverseOf ?new } AS ?turned) BIND(EXISTS { ?old skos:inScheme ?any } AS ?concept)
        } GROUP BY ?old ?kind ?new ?turned ?concept"""
    ontology, data, expected = derive(""), [], {}
    for place, row in enumerate(rows(ontology, query)):
        old, new, one, other = row["old"], row["new"], f"<urn:x-one:{place}>", f"<urn:x-other:{place}>"
        if row["concept"].value == "true":
            data.append(f"{one} interpol:measure {new} .")
            expected[old.value] = f"{one} interpol:measure {old}"
            continue
        data.append(f"{one} a {row['class']} . {other} a {row['taken']} .")
        if "XMLSchema#" in row["taken"].value:
            other = f'"2015"^^{row["taken"]}'
        if row["kind"] is not None:
            data.append(f"[] interpol:eventKind {row['kind']} ; interpol:concerns {one} ; {new} {other} .")
        else:
            data.append(f"{one} {new} {other} .")
        expected[old.value] = f"{other} {old} {one}" if row["turned"].value == "true" else f"{one} {old} {other}"
    assert set(expected) == {row["old"].value for row in rows(ontology, "SELECT ?old { ?old owl:deprecated true }")}
    store = derive("\n".join(data))
    assert len(expected) > 30
    for old, triple in expected.items():
        assert store.query(f"{PREFIXES} ASK {{ {triple} }}"), old


def test_an_organ_that_became_an_office_is_answered_by_it(derive: Derive) -> None:
    store = derive("""
        organ:president a interpol:Organ ; <http://www.w3.org/2002/07/owl#deprecated> true ;
            <http://purl.org/dc/terms/isReplacedBy> interpol:President .
        organ:general-assembly interpol:elects interpol:President .
        interpol:President interpol:seats 1 . mandate:x a interpol:Mandate ; interpol:office interpol:President .
    """)
    assert values(store, "organ:general-assembly", "interpol:elects") == {"organ/president", "President"}
    assert values(store, "organ:president", "interpol:seats") == {"1"}
    assert values(store, "mandate:x", "interpol:office") == {"President"}


def test_a_deprecated_property_is_said_of_what_it_was_for_and_of_what_it_took(derive: Derive) -> None:
    store = derive("""
        decision:x a interpol:Decision ; interpol:session session:84 . session:84 a interpol:AssemblySession .
        organ:x a interpol:Organ ; interpol:headedBy interpol:SecretaryGeneral .
        <urn:x-first> interpol:eventKind interpol:FirstPublication ; interpol:concerns system:x ; interpol:atDate "1947"^^xsd:gYear .
        system:x a interpol:Database .
    """)
    assert not values(store, "decision:x", "interpol:presentedAt")
    assert not values(store, "organ:x", "interpol:chair")
    assert not values(store, "system:x", "interpol:firstPublished")
    assert values(store, "system:x", "interpol:firstNotice") == {"1947"}


def test_superclasses_and_superproperties(derive: Derive) -> None:
    store = derive("""
        person:x a interpol:Person ; interpol:birthDate "1950"^^xsd:gYear .
        session:1 a interpol:AssemblySession ; interpol:place place:vienna ;
            interpol:citation [ interpol:source source:x ; interpol:supports interpol:place ] .
        figure:x a interpol:Figure .
    """)
    assert {"http://xmlns.com/foaf/0.1/Person", "https://schema.org/Person"} <= values(store, "person:x", "a")
    assert {"Event", "https://schema.org/Event"} <= values(store, "session:1", "a")
    assert "https://schema.org/Observation" in values(store, "figure:x", "a")
    assert values(store, "person:x", "schema:birthDate") == {"1950"}
    assert values(store, "session:1", "schema:location") == {"place/vienna"}
    assert values(store, "session:1", "dcterms:isReferencedBy") == {"source/x"}
    assert values(store, "session:1", "prov:qualifiedDerivation") == set()


def test_only_mandates_and_positions_are_memberships(derive: Derive) -> None:
    store = derive(
        president("x", "2012", "2016")
        + "<https://w3id.org/interpol-graph/id/candidacy/x> a interpol:Candidacy ; interpol:person person:x ."
    )
    assert values(store, "mandate:x", "org:member") == {"person/x"}
    assert values(store, "mandate:x", "org:role") == {"President"}
    assert values(store, "mandate:x", "org:organization") == {"organisation/interpol"}
    assert values(store, f"<{BASE}id/candidacy/x>", "org:member") == set()


@pytest.mark.parametrize(
    ("turtle", "entity", "said", "expected"),
    [
        ("ncb:RW a interpol:NationalCentralBureau .", "ncb:RW", "org:unitOf", {"organisation/interpol"}),
        (
            "organ:x a interpol:Organ ; interpol:partOf organisation:x . organisation:x a interpol:Organisation .",
            "organ:x",
            "org:unitOf",
            {"organisation/x"},
        ),
        (
            "organ:x a interpol:Organ ; interpol:partOf organ:y . organ:y a interpol:Organ .",
            "organ:x",
            "org:unitOf",
            set(),
        ),
        ("premises:x a interpol:Premises .", "premises:x", "org:siteOf", {"organisation/interpol"}),
        (
            'premises:x a interpol:Premises ; interpol:opened "1942"^^xsd:gYear .',
            "premises:x",
            "org:siteOf",
            {"organisation/icpc"},
        ),
        (
            'premises:x a interpol:Premises ; interpol:opened "1946"^^xsd:gYear ; interpol:closed "1967"^^xsd:gYear .',
            "premises:x",
            "org:siteOf",
            {"organisation/icpc", "organisation/interpol"},
        ),
        ("premises:x a interpol:Premises ; interpol:status interpol:Planned .", "premises:x", "org:siteOf", set()),
        (
            'position:x a interpol:Position ; interpol:employerName "Police" . '
            'organisation:x a interpol:Organisation ; rdfs:label "Police"@en .',
            "position:x",
            "org:organization",
            {"organisation/x"},
        ),
        (
            "person:x a interpol:Person ; interpol:gender interpol:Female .",
            "person:x",
            "schema:gender",
            {"https://schema.org/Female"},
        ),
        (
            'law:x a interpol:LegalInstrument ; interpol:authenticLanguage law:y . law:y dcterms:identifier "en" .',
            "law:x",
            "schema:inLanguage",
            {"en"},
        ),
        (
            'law:x a interpol:LegalInstrument ; interpol:adopted "2005-03-22"^^xsd:date .',
            "law:x",
            "schema:legislationDate",
            {"2005-03-22"},
        ),
    ],
)
def test_other_vocabularies(derive: Derive, turtle: str, entity: str, said: str, expected: set[str]) -> None:
    assert values(derive(turtle), entity, said) == expected


@pytest.mark.parametrize(
    ("statements", "label"),
    [
        ('dcterms:title "T" ; dcterms:publisher "P" ; dcterms:date "2015-11-05"^^xsd:date', "T (P, 2015)"),
        ('dcterms:title "T"@en ; dcterms:date "2015"^^xsd:gYear', "T (2015)"),
        ('dcterms:title "T" ; dcterms:publisher "P" ; schema:url <https://example.org/>', "T (P)"),
        ('dcterms:title "T"', "T"),
        (
            'dcterms:publisher "P" ; dcterms:date "2015-11"^^xsd:gYearMonth ; schema:url <https://a.b/>',
            "P, 2015-11",
        ),
        ('dcterms:publisher "P" ; schema:url <https://example.org/a>', "P, https://example.org/a"),
        ("schema:url <https://example.org/a>", "https://example.org/a"),
    ],
)
def test_label_of_a_source(derive: Derive, statements: str, label: str) -> None:
    assert values(derive(f"source:x a interpol:Source ; {statements} ."), "source:x", "rdfs:label") == {label}


def test_label_of_a_claim(derive: Derive) -> None:
    store = derive("""
        session:2 a interpol:AssemblySession ; rdfs:label "2nd session"@en ; rdfs:label "2e session"@fr .
        place:berlin a interpol:Place ; rdfs:label "Berlin"@en ; rdfs:label "Berlin"@fr .
        claim:x a interpol:ConflictingClaim ; interpol:about session:2 ;
            interpol:property interpol:place ; interpol:claimedValue place:berlin .
        claim:y a interpol:ConflictingClaim ; interpol:about session:2 ;
            interpol:property interpol:number ; interpol:claimedValue 3 .
        claim:z a interpol:ConflictingClaim ; interpol:about place:berlin ;
            interpol:property <http://www.w3.org/2002/07/owl#sameAs> ;
            interpol:claimedValue <http://www.wikidata.org/entity/Q64> .
    """)
    assert values(store, "claim:z", "rdfs:label") == {"Berlin – sameAs – Q64"}
    assert values(store, "claim:x", "rdfs:label") == {
        "2nd session – place – Berlin",
        "2e session – lieu – Berlin",
    }
    assert values(store, "claim:y", "rdfs:label") == {"2nd session – number – 3", "2e session – numéro – 3"}


def test_concepts_have_preferred_labels(derive: Derive) -> None:
    store = derive("")
    assert "Président" in values(store, "interpol:President", "skos:prefLabel")
    assert "Crime areas" in values(store, "interpol:CrimeAreaScheme", "skos:prefLabel")


def test_rules_touch_no_ontology_term(ontology: tuple[list[Quad], bytes]) -> None:
    stated, concluded = ontology
    classes = {quad.subject for quad in stated if quad.object == NamedNode(str(OWL.Class))}
    typed = {quad.subject for quad in parse(concluded, RdfFormat.N_TRIPLES) if quad.predicate.value == str(RDF.type)}
    assert len(classes) > 40 and not classes & typed


def graph_with(tmp_path: Path, turtle: str, **rules: str) -> KnowledgeGraph:
    """A graph of one file, with rules of its own."""
    (tmp_path / "data.ttl").write_text(f"@prefix ex: <http://example.org/> .\n{turtle}", encoding="utf-8")
    for name, rule in rules.items():
        (tmp_path / f"{name}.rq").write_text(f"PREFIX ex: <http://example.org/> {rule}", encoding="utf-8")
    return KnowledgeGraph([SourceFile(tmp_path / "data.ttl", "urn:x-data")], rules=tmp_path)


def derived(graph: KnowledgeGraph) -> set[str]:
    stored = {str(quad.triple) for quad in graph.store.quads_for_pattern(None, None, None, DERIVED)}
    assert stored == {str(quad.triple) for quad in graph.exact.quads(DERIVED)}, "the dump says what the store says"
    return {triple.replace("http://example.org/", "") for triple in stored}


def test_rules_run_until_nothing_new_follows(tmp_path: Path) -> None:
    """The first in file-name order needs what the second concludes, and its own conclusions."""
    graph = graph_with(
        tmp_path,
        "ex:a ex:next ex:b . ex:b ex:next ex:c . ex:c ex:next ex:d .",
        a="CONSTRUCT { ?x ex:before ?z } { ?x ex:before ?y . ?y ex:before ?z }",
        b="CONSTRUCT { ?x ex:before ?y } { ?x ex:next ?y }",
    )
    assert derived(graph) == {f"<{x}> <before> <{y}>" for x, y in ("ab", "bc", "cd", "ac", "bd", "ad")}


def test_what_is_stated_is_not_derived(tmp_path: Path) -> None:
    """Not in other letters of the same value, either."""
    graph = graph_with(
        tmp_path,
        'ex:a ex:p 01, "x" ; ex:q _:node . _:node ex:p 1 .',
        a='CONSTRUCT { ?s ex:p 1, 01, "x", "y" } { ?s ex:q ?o }',
        b="CONSTRUCT { ?s ex:p ?value . ?s ex:r ?value } { ?s ex:p ?value }",
    )
    assert '<a> <p> "y"' in derived(graph)
    assert not {triple for triple in derived(graph) if triple.startswith("<a> <p>")} - {'<a> <p> "y"'}


def test_conclusions_about_a_blank_node_name_that_node(tmp_path: Path) -> None:
    graph = graph_with(
        tmp_path, "ex:a ex:q [ ex:p ex:b ] .", a="CONSTRUCT { ?node ex:r ?s } { ?s ex:q ?node . ?node ex:p ?o }"
    )
    query = "SELECT * { GRAPH <urn:x-data> { ?s ?q ?node } GRAPH ?derived { ?node ?r ?s } }"
    found = graph.store.query(query)
    assert isinstance(found, QuerySolutions) and len(list(found)) == 1


def test_a_rule_that_is_no_construct_query_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"a\.rq: a rule is a CONSTRUCT query"):
        graph_with(tmp_path, "ex:a ex:q ex:b .", a="SELECT * { ?s ?p ?o }")
