"""What an evaluator's refusal or end means to whoever asked: the one place where ends become sentences."""

from __future__ import annotations

import signal
from typing import Any

from interpol_graph.endpoint.problems import (
    AnswerTooLarge,
    ForbiddenQuery,
    Interrupted,
    MalformedQuery,
    NotAcceptable,
    OutOfMemory,
    OutOfTime,
    Problem,
    TooComplex,
    Unavailable,
    Unwritable,
)
from interpol_graph.engine.evaluator import OUT_OF_MEMORY
from interpol_graph.engine.limits import Settings
from interpol_graph.graph.formats import BY_NAME, of_kind
from interpol_graph.graph.syntax import fault

_ADVICE = "make it more specific, ask for fewer rows, or download the data from /dumps/."


def refusal(head: dict[str, Any], query: str, settings: Settings) -> Problem:
    """Return the problem for what an evaluator answered instead of a result."""
    if head["error"] == "format":
        formats = of_kind(head["kind"])
        shape = "rows or a boolean" if head["kind"] == "results" else "a graph"
        names = ", ".join(f"{fmt.name} ({fmt.media_types[0]})" for fmt in formats)
        return NotAcceptable(
            f"This query answers with {shape}, on offer as {names}; ask for one by Accept or ?format=.",
            offered=[fmt.media_types[0] for fmt in formats],
        )
    if head["error"] == "unwritable":
        fmt = BY_NAME[head["format"]]
        others = [other for other in of_kind(fmt.kind) if other != fmt]
        names = ", ".join(f"{other.name} ({other.media_types[0]})" for other in others)
        return Unwritable(
            f"The answer cannot be written as {fmt.label}: {head['message']}. Ask for another format: {names}.",
            format=fmt.name,
            offered=[other.media_types[0] for other in others],
        )
    if head["error"] == "size":
        return AnswerTooLarge(
            f"The answer is larger than {settings.answer} MiB, the most that is sent; it is never cut short: {_ADVICE}",
            mebibytes=settings.answer,
        )
    if head["error"] == "syntax":
        return malformed(head["message"], query)
    if head["error"] == "engine":
        return Unavailable(f"The engine behind this endpoint fails: {head['message']}.")
    return ForbiddenQuery(f"The query could not be evaluated: {head['message']}")


def malformed(message: str, query: str) -> MalformedQuery:
    """Return the problem for what the query parser said."""
    found = fault(message, query)
    if not found.line:
        return MalformedQuery(f"The query is not SPARQL 1.1: {found.reason}.")
    return MalformedQuery(
        f"The query is not SPARQL 1.1: line {found.line}, column {found.column}: {found.reason}.",
        line=found.line,
        column=found.column,
    )


def end(code: int | None, mebibytes: int, settings: Settings) -> Problem:
    """Return the problem for an evaluator that ended: its exit code, or a signal as a negative number, and its growth.

    code is None when nobody saw it end.
    """
    if code == -signal.SIGALRM:
        return OutOfTime(
            f"The query was stopped after {settings.timeout:g} seconds, its time limit; "
            "make it more specific or download the data from /dumps/.",
            seconds=settings.timeout,
        )
    overflow = code in (-signal.SIGSEGV, -signal.SIGBUS)
    # An allocator that is refused memory aborts; a stack that is refused a page dies like one that has no end.
    if code in (OUT_OF_MEMORY, -signal.SIGABRT) or (overflow and mebibytes > settings.memory // 2):
        return OutOfMemory(
            f"The query was stopped at {settings.memory} MiB, its memory limit; {_ADVICE}", mebibytes=settings.memory
        )
    if overflow:
        return TooComplex(
            "The query is nested too deeply to be evaluated: its evaluator ran out of stack. Use fewer brackets within brackets."
        )
    how = "" if code is None or code >= 0 else f" by the signal {signal.Signals(-code).name}"
    return Interrupted(
        f"The process that evaluated the query was ended from outside{how}, through no fault of the query; send it again."
    )
