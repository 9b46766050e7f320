"""Two thousand queries that nobody wrote, and requests made from the API's own description."""

from __future__ import annotations

import random
import string
from concurrent.futures import ThreadPoolExecutor

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from attacked import CROWDED, Answer, Target
from conftest import ROOT, sampled

pytestmark = pytest.mark.usefixtures("ordinary")

SEEDS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "queries").rglob("*.rq"))]
#: Queries at once, and how often: together two thousand; `make test` asks sixty of them.
BATCH, BATCHES = 20, [3, 97]

#: Words of the language, whole and broken.
_WORDS = """
SELECT ASK CONSTRUCT DESCRIBE WHERE FROM NAMED GRAPH OPTIONAL UNION MINUS FILTER BIND VALUES EXISTS NOT IN AS DISTINCT REDUCED
ORDER BY ASC DESC LIMIT OFFSET GROUP HAVING COUNT SUM AVG MIN MAX SAMPLE GROUP_CONCAT SEPARATOR PREFIX BASE SERVICE SILENT
LATERAL UNDEF true false a REGEX REPLACE SUBSTR STRLEN CONCAT IF COALESCE IRI BNODE UUID RAND NOW STRDT STRLANG
<< >> <<( )>> {| |} && || != <= >= ^^ _:b ?x ?y ?s ?p ?o $z <x:a> <> interpol:number rdf:type 1 -1 1.5 1e400 1.0E-9 'text'
'''long''' "x"@en "x"^^xsd:date "\\u0041" "\\q" \\u007B \\u0053ERVICE
"""
WORDS = [*_WORDS.split(), *string.punctuation, "\n", "\t"]


def mutated(draw: random.Random) -> str:
    """Return a saved question with a few things done to it."""
    query = draw.choice(SEEDS)
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        start = draw.randrange(len(query) + 1)
        end = min(len(query), start + draw.choice((1, 2, 10, 100)))
        other = draw.choice(SEEDS)
        at = draw.randrange(len(other))
        query = draw.choice(
            (
                query[:start] + query[end:],
                query[:start] + query[start:end] * draw.choice((2, 50)) + query[end:],
                query[:start] + draw.choice(WORDS) + query[end:],
                query[:start] + f" {draw.choice(WORDS)} " + query[start:],
                query[:start] + other[at : at + draw.choice((5, 50, 500))] + query[end:],
                query[:start] + chr(draw.choice((0, 9, 0x7F, 0xA0, 0x2028, 0xFEFF, 0xFFFF, 0x1D11E))) + query[start:],
                query[:start] + query[start:end].swapcase() + query[end:],
                "\n".join(draw.sample(query.splitlines(), len(query.splitlines()))),
            )
        )
    return query


def composed(draw: random.Random) -> str:
    """Return words of the language in any order."""
    start = draw.choice(("", "SELECT * {", "ASK {", "SELECT (", "CONSTRUCT {", "DESCRIBE "))
    return start + " ".join(draw.choice(WORDS) for _ in range(draw.randrange(60)))


def noise(draw: random.Random) -> str:
    """Return characters in any order."""
    letters = string.printable + "é€𝄞\u202e\ud800"
    return "".join(draw.choice(letters) for _ in range(draw.randrange(400)))


KINDS = (mutated, mutated, mutated, composed, noise)


def random_settings(examples: int) -> settings:
    """Return settings by which every run makes the same examples."""
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@pytest.mark.parametrize("batches", sampled(BATCHES, BATCHES[:1], "attack"))
def test_random_and_mutated_queries_are_answered_or_refused(attacked: Target, batches: int) -> None:
    asked: list[int] = []

    @random_settings(batches)
    @given(seeds=st.lists(st.integers(0, 1 << 64), min_size=BATCH, max_size=BATCH, unique=True))
    def answered_or_refused(seeds: list[int]) -> None:
        asked.extend(seeds)
        with ThreadPoolExecutor(4) as pool:
            for query, answer in pool.map(lambda seed: ask(attacked, seed), seeds):
                try:
                    answer.checked(CROWDED, statuses={200, 400, 503})
                    if answer.status == 503:
                        limits = ("time limit", "memory limit", "larger than")
                        assert any(word in answer.text for word in limits), answer.text
                except AssertionError as error:
                    error.add_note(f"the query: {query!r}")
                    raise

    answered_or_refused()
    assert len(asked) == batches * BATCH


def ask(attacked: Target, seed: int) -> tuple[str, Answer]:
    """Ask the query that belongs to a number; return it and its answer."""
    draw = random.Random(seed)  # noqa: S311  the same queries in every run
    query = draw.choice(KINDS)(draw)
    return query, draw.choice((attacked.ask, attacked.formed))(query)


def test_after_all_of_them_it_is_well(attacked: Target) -> None:
    attacked.is_well()


@pytest.mark.parametrize("examples", sampled([1, 5], [1], "attack"))
def test_routes_keep_to_their_description(attacked: Target, examples: int) -> None:
    described = schemathesis.openapi.from_url(f"http://{attacked.host}:{attacked.port}/openapi.json")
    operations = list(described.get_all_operations())
    assert operations
    for operation in operations[:: 5 // examples]:  # most are of one kind, the questions
        found = operation.ok()
        assert found is not None, operation

        @random_settings(examples)
        @given(case=found.as_strategy())
        def kept(case: schemathesis.Case) -> None:
            answer = case.call()
            if answer.status_code == 503:  # a question may meet the small limits here where the machine has other work
                assert answer.json()["type"].endswith(("#OutOfTime", "#Busy")), answer.text
                return
            # That a string is an IRI, the description cannot say.
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])

        kept()
