"""One state of the data, and what can be asked of it: a query's whole answer or an error that says why not, and dumps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

from interpol_graph.engine import outcomes
from interpol_graph.engine.admission import Admission, Preempted, Slot, never
from interpol_graph.engine.channel import Connection, Ended, Message
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import Departed, EngineError, Interrupted
from interpol_graph.graph.formats import BY_NAME, Format


@dataclass
class Answer:
    """A whole answer: its format and bytes, the seconds that evaluation took, and how many rows or statements it has.

    volatile: the next evaluation may differ; facts: what became of the query, for the log: its hash, rows, preempted.
    """

    format: Format
    body: bytes
    seconds: float
    rows: int | None
    facts: dict[str, Any]
    volatile: bool = False


@dataclass(eq=False)
class Snapshot:
    """One state of the data.

    address: the socket of the evaluators that hold it; digest: its SHA-256 name; graphs: graph IRI → number of
    statements; default: the IRIs of the graphs whose union is the default graph; triples: how many statements that has; loaded: when, in
    seconds since 1970; successor: returns the snapshot of evaluators that hold the same data in place of those that are gone, before a
    deadline. Raises Unavailable when there are none.
    """

    address: str
    digest: str
    graphs: dict[str, int]
    default: list[str]
    triples: int
    loaded: int
    settings: Settings
    admission: Admission
    successor: Callable[[Snapshot, float], Snapshot]
    #: Connections that nobody uses, the last used last, and how many of them nobody needed since the last `shrink`.
    idle: list[Connection] = field(default_factory=list)
    spare: int = 0
    over: bool = False

    def query(
        self,
        text: str,
        *,
        results: Format | None = BY_NAME["json"],
        graph: Format | None = BY_NAME["turtle"],
        default: Sequence[str] = (),
        named: Sequence[str] = (),
        gone: Callable[[], bool] = never,
        client: str = "",
    ) -> Answer:
        """Evaluate a query and return its answer in `results` or in `graph`, by the form of the query.

        default, named: IRIs that make the dataset instead of the endpoint's own (SPARQL 1.1 Protocol, 2.1.4);
        gone: tells whether whoever asked has left; client: who that is, as far as it is known. Raises EngineError.
        """
        request = {
            "query": text,
            "results": results and results.name,
            "graph": graph and graph.name,
            "default": list(default),
            "named": list(named),
        }
        name = hash_of(text)
        return self._ask(request, (name, client) if client else (name,), gone)

    def dump(self, output: IO[bytes], fmt: Format, graph: str | None = None, gone: Callable[[], bool] = never) -> None:
        """Write one graph, or the whole, literals exactly as in the files, to a file in which nothing else stands.

        gone: tells whether whoever asked has left; once begun, a dump is made to the end. Raises EngineError.
        """
        request = {"dump": fmt.name, "graph": graph}
        output.write(self._ask(request, (hash_of(f"dump {fmt.name} {graph}"),), gone, output).body)

    def _ask(
        self, request: dict[str, Any], claims: Sequence[str], gone: Callable[[], bool], output: IO[bytes] | None = None
    ) -> Answer:
        """Evaluate in a place: at first in one for short queries, if it takes too long for that, in one for longer ones.

        claims: the name of what is asked, and of who asks.
        """
        admission, name = self.admission, claims[0]
        lane, facts = admission.remembered.get(name, 0), dict[str, Any](query=name)
        try:
            while True:
                with admission.slot(lane, gone, claims) as slot:
                    # While it waited, another of its kind may have shown how long it takes.
                    known = admission.remembered.get(name, 0)
                    try:
                        if known > lane:
                            raise Preempted
                        head, body = self._exchange(request, slot, output)
                        break
                    except Preempted:
                        lane = max(slot.lane + 1, known)
                        admission.remember(name, lane)
                        facts["preempted"] = True
            if "error" in head:
                raise getattr(outcomes, head["error"])(head["detail"], **head["extra"])
        except EngineError as error:
            error.facts = facts | error.facts
            raise
        seconds, rows = head["seconds"], head.get("rows")
        if lane and seconds < admission.lanes[lane - 1].seconds:
            admission.remembered.pop(name, None)  # it was long for want of a processor
        if rows is not None:
            facts["rows"] = rows
        return Answer(BY_NAME[head["format"]], body, seconds, rows, facts, head.get("volatile", False))

    def _exchange(self, request: dict[str, Any], slot: Slot, output: IO[bytes] | None) -> Message:
        """Ask an evaluator that is alive: one that nobody uses, a new one, or one of those that have taken their place."""
        snapshot, deadline = self, time.monotonic() + self.settings.queue_timeout

        def waiting() -> None:
            if slot.gone():
                raise Departed("The client went away, and nobody waits for its answer.")
            if time.monotonic() > deadline:
                raise Ended(None, 0)

        while True:
            try:
                connection, used = snapshot.connection(waiting)
            except (OSError, Ended):
                snapshot = self.successor(snapshot, deadline)
                continue
            try:
                head, body = self._converse(request, slot, output, connection)
            except Ended as ended:
                connection.close()
                error = outcomes.of_exit(self.settings, *ended.args)
                if isinstance(error, Interrupted) and used:
                    continue  # it died while nobody used it: a fresh one takes the query
                error.facts["ended"] = type(error).__name__
                raise error from None
            except BaseException:
                connection.close()
                raise
            if head.get("last") or connection.demoted:
                connection.close()
            else:
                snapshot.idle.append(connection)
                if snapshot.over:
                    snapshot.close()
            return head, body

    def _converse(
        self, request: dict[str, Any], slot: Slot, output: IO[bytes] | None, connection: Connection
    ) -> Message:
        """Return the answer of an evaluator, all of a dump but the last piece written. Raises Ended, Preempted, Departed."""
        # Another engine's work is not seen from here; then the time that goes by is what counts.
        spent = time.monotonic if self.settings.engine else connection.spent
        before = spent()
        # The evaluator's own timer ends a query; the margin only covers its sending.
        deadline = float("inf") if output else time.monotonic() + self.settings.timeout + 5

        def tick() -> None:
            # A file is made to the end, for whoever asks next: its client may have had less patience than it takes.
            if slot.gone() and not output:
                error = Departed("The client went away, and its query was stopped.")
                error.facts["ended"] = "Departed"
                raise error
            # What counts is its work: on a busy machine a short query takes long, too.
            if spent() - before >= self.admission.lanes[slot.lane].seconds:
                slot.promote()
                connection.demote()
            if time.monotonic() > deadline:
                raise Ended(None, 0)

        if slot.lane:
            connection.demote()
        head, body = connection.ask(request, tick)
        if output:
            output.seek(0)  # an evaluator before this one may have written
            output.truncate()
            while head.get("more"):
                output.write(body)
                tick()
                head, body = connection.receive(tick)
        return head, body

    def connection(self, idle: Callable[[], None]) -> tuple[Connection, bool]:
        """Return a connection and whether it was used before; idle is called while there is none. Raises OSError, Ended."""
        with suppress(IndexError):
            connection = self.idle.pop()
            self.spare = min(self.spare, len(self.idle))
            return connection, True
        return Connection(self.address, idle), False

    def shrink(self) -> None:
        """Close what nobody has needed since the last call: each evaluator has made its own what it has read of the graph."""
        for _ in range(self.spare):
            with suppress(IndexError):
                self.idle.pop(0).close()
        self.spare = len(self.idle)

    def close(self) -> None:
        """Close what is free; what is in use is closed when it comes back."""
        self.over = True
        while self.idle:
            with suppress(IndexError):
                self.idle.pop().close()


def hash_of(query: str) -> str:
    """Return the name of a query in the log: the beginning of its SHA-256."""
    return sha256(query.encode("utf-8", "surrogatepass")).hexdigest()[:16]
