"""What can become of a query instead of an answer, and the sentence for each."""

import difflib
import signal
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from interpol_graph.engine.limits import OUT_OF_MEMORY, Settings
from interpol_graph.engine.tokens import Reading
from interpol_graph.graph.faults import fault
from interpol_graph.graph.formats import Format, Kind, Offered, listed, of_kind

_ADVICE = "make it more specific, ask for fewer rows, or download the data from /dumps/."


class EngineError(Exception):
    """There is no answer.

    detail: the sentence that says what was wrong and what would be right; extra: the same as values, for programs;
    facts: what became of the query, for the log.
    """

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = {name: value for name, value in extra.items() if value is not None}
        self.facts: dict[str, Any] = {}


class MalformedQuery(EngineError):
    """The query is not SPARQL 1.1."""


class ForbiddenQuery(EngineError):
    """The query asks for what is never done here."""


class UnknownGraph(EngineError):
    """The query's dataset names a graph that is not here."""


class TooComplex(EngineError):
    """The query is nested too deeply to be evaluated."""


class NoFormat(EngineError):
    """The query's kind of answer has none of the formats that are wanted."""


class Unwritable(NoFormat):
    """The answer cannot be written in the format."""


class OutOfTime(EngineError):
    """The query ran past its time limit and was stopped."""


class OutOfMemory(EngineError):
    """The query ran past its memory limit and was stopped."""


class AnswerTooLarge(EngineError):
    """The answer is larger than what is sent; it is refused whole."""


class Interrupted(EngineError):
    """The evaluator was ended from outside; the query may be sent again."""


class Departed(Interrupted):
    """Whoever asked waits no longer."""


class Busy(EngineError):
    """All evaluators are at work."""


class Unavailable(EngineError):
    """The evaluators cannot be reached: the server starts or stops."""


class EngineFails(EngineError):
    """The engine behind this endpoint is not there, or does not answer as an engine does."""


class EngineSilent(EngineError):
    """The engine behind this endpoint does not answer in time."""


def forbidden(reading: Reading) -> ForbiddenQuery | None:
    """Return the error for a query that says it does what is never done here."""
    if reading.update:
        return read_only(reading.update)
    if reading.service:
        return ForbiddenQuery(
            "SERVICE is not allowed here: this endpoint fetches nothing from other servers. Query them from your own client."
        )
    if reading.labelled:
        return ForbiddenQuery(
            "BNODE with an argument is not evaluated here: several solutions would get the same node, or one of the graph's own. "
            "BNODE() makes a new node for each solution; IRI(CONCAT(…)) names one."
        )
    return None


def read_only(word: str = "") -> ForbiddenQuery:
    """Return the error for an update, which begins with a word."""
    return ForbiddenQuery(f"This endpoint is read-only: updates{f' such as {word}' if word else ''} are not accepted.")


def unknown_graph(named: Iterable[str], known: Collection[str]) -> UnknownGraph | None:
    """Return the error for the first graph that is named and not known."""
    for iri in named:
        if iri not in known:
            return UnknownGraph(
                f"There is no graph <{iri}> here, and none is fetched from elsewhere; the graphs are listed at /dumps/.",
                graph=iri,
                similar=difflib.get_close_matches(iri, known, 3, 0.8),
            )
    return None


def malformed(message: str, query: str) -> MalformedQuery:
    """Return the error for what the query parser said."""
    line, column, reason = fault(message, query)
    place = f"line {line}, column {column}: " if line else ""
    return MalformedQuery(f"The query is not SPARQL 1.1: {place}{reason}.", line=line or None, column=column or None)


def no_format(what: str, formats: Sequence[Offered]) -> NoFormat:
    """Return the error for what is on offer in some formats, and none of them is wanted."""
    offered = [fmt.media_types[0] for fmt in formats]
    return NoFormat(f"{what} is on offer as {listed(formats)}; ask for one by Accept or ?format=.", offered=offered)


def no_answer(kind: Kind) -> NoFormat:
    """Return the error for an answer of a kind for which no format was named."""
    shape = "rows or a boolean" if kind == "results" else "a graph"
    return no_format(f"This query's answer, {shape},", of_kind(kind))


def unwritable(fmt: Format, why: str) -> Unwritable:
    """Return the error for an answer that a format cannot say."""
    others = [other for other in of_kind(fmt.kind) if other != fmt]
    return Unwritable(
        f"The answer cannot be written as {fmt.label}: {why}. Ask for another format: {listed(others)}.",
        format=fmt.name,
        offered=[other.media_types[0] for other in others],
    )


def not_evaluated(why: str) -> ForbiddenQuery:
    """Return the error for a query that is in order and that the engine refuses."""
    return ForbiddenQuery(f"The query could not be evaluated: {why}")


def engine_fails(why: str) -> EngineFails:
    """Return the error for another engine that does not answer, or not as an engine does."""
    return EngineFails(f"The engine behind this endpoint fails: {why}.")


def engine_silent() -> EngineSilent:
    """Return the error for another engine that does not answer in time."""
    return EngineSilent("The engine behind this endpoint does not answer in time; try again in a few seconds.")


def engine_cuts(said: str) -> EngineFails:
    """Return the error for an engine that says of its answer that it is not whole."""
    return EngineFails(f"The engine behind this endpoint cut its answer at a limit of its own ({said}); {_ADVICE}")


def engine_answers(status: int, given: str, wanted: str) -> EngineError:
    """Return the error for an engine's answer of another status or media type than 200 and what was wanted."""
    if status == 504:
        return engine_silent()
    if status in (429, 503):
        return Unavailable(f"The engine behind this endpoint is at its limit: it answers {status}; try again later.")
    return engine_fails(f"it answers {status} with {given}, not 200 with {wanted}")


def too_large(limit: int) -> AnswerTooLarge:
    """Return the error for an answer of more bytes than a limit."""
    return AnswerTooLarge(
        f"The answer is larger than {limit >> 20} MiB, the most that is sent; it is never cut short: {_ADVICE}",
        mebibytes=limit >> 20,
    )


def of_exit(settings: Settings, code: int | None, mebibytes: int) -> EngineError:
    """Return the error for an evaluator that ended: its exit code, or a signal as a negative number, and its growth.

    code is None when nobody saw it end.
    """
    seconds, memory = settings.timeout, settings.memory
    if code == -signal.SIGALRM:
        return OutOfTime(f"The query was stopped after {seconds:g} seconds, its time limit; {_ADVICE}", seconds=seconds)
    overflow = code in (-signal.SIGSEGV, -signal.SIGBUS)
    # An allocator that is refused memory aborts; a stack that is refused a page dies like one that has no end.
    if code in (OUT_OF_MEMORY, -signal.SIGABRT) or (overflow and mebibytes > memory // 2):
        return OutOfMemory(f"The query was stopped at {memory} MiB, its memory limit; {_ADVICE}", mebibytes=memory)
    if overflow:
        return TooComplex("The query is nested too deeply for its evaluator. Use fewer brackets within brackets.")
    how = "" if code is None or code >= 0 else f" by the signal {signal.Signals(-code).name}"
    return Interrupted(f"The query's process was ended from outside{how}, by no fault of the query; send it again.")
