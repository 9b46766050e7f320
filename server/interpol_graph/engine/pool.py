"""The front end's side of the evaluators: lend them out, put long queries in their place, tell how each one ended."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from hashlib import sha256
from typing import IO, Any, Self

from interpol_graph.endpoint import record
from interpol_graph.endpoint.problems import Busy, Interrupted, Unavailable, check_wanted
from interpol_graph.engine import outcomes
from interpol_graph.engine.admission import Full, Places
from interpol_graph.engine.channel import Ended
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.nursery import NotStarted, Process
from interpol_graph.engine.snapshot import Generation
from interpol_graph.engine.turn import Evicted, Turn
from interpol_graph.graph.formats import BY_NAME, Format

__all__ = ["Answer", "Engine", "NotStarted", "Nursery", "Settings"]

#: Queries whose rung is remembered; past this number the memory starts afresh.
_REMEMBERED = 1000


@dataclass
class Answer:
    """A whole answer: its format and bytes, the seconds that evaluation took, and how many rows or statements it has."""

    format: Format
    body: bytes
    seconds: float
    rows: int | None = None


class Nursery:
    """The evaluators of one state of the data, for as long as the `with` block lasts.

    Raises NotStarted when the data cannot be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engines: list[Engine] = []

    def __enter__(self) -> Self:
        self.process = Process(self.settings)
        self.address, self.about = self.process.address, self.process.about
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self.engines:
            engine.close()
        self.process.end()

    def engine(self) -> Engine:
        """Return an engine over these evaluators."""
        engine = Engine(self.address, self.settings, self.about)
        self.engines.append(engine)
        return engine


@dataclass
class Engine:
    """Evaluates queries within limits: a whole answer, or a Problem that says why not.

    address: the evaluators' socket; about: what the evaluators said of their graph (digest, graphs, default);
    state: the file in which a supervisor names the evaluators that have taken their place.
    """

    address: str
    settings: Settings
    about: InitVar[dict[str, Any]]
    state: str | None = None
    places: Places = field(init=False)

    def __post_init__(self, about: dict[str, Any]) -> None:
        settings = self.settings
        rungs = settings.rungs
        self.places = Places([rung.most for rung in rungs], [rung.queue for rung in rungs], settings.patience)
        self._generation = Generation(self.address, about)
        self._stamp = 0
        self._pinned = threading.local()
        self._refreshing = threading.Lock()
        self._rungs: dict[str, int] = {}

    @classmethod
    def of_state(cls, state: str, settings: Settings) -> Self:
        """Return an engine over the evaluators that a supervisor names in a file."""
        found = _read(state)
        return cls(found["address"], settings, found["about"], state)

    def refresh(self) -> None:
        """Look whether the data have been reloaded; what this thread asks until the next call is of one state."""
        if self.state:
            with suppress(OSError):
                if os.stat(self.state).st_mtime_ns != self._stamp:
                    self._reread(self.state)
        self._pinned.generation = self._generation

    def _reread(self, state: str) -> None:
        with self._refreshing:
            stamp = os.stat(state).st_mtime_ns
            if stamp == self._stamp:
                return
            found = _read(state)
            old, self._stamp = self._generation, stamp
            if found["address"] != old.address:
                self._generation = Generation(found["address"], found["about"])
                old.close()

    @property
    def known(self) -> dict[str, Any]:
        """What the evaluators said of the state that this thread asks."""
        return self._now.about

    def close(self) -> None:
        """Close the connections; evaluators that are at work answer first."""
        self._generation.close()

    @property
    def _now(self) -> Generation:
        pinned: Generation = getattr(self._pinned, "generation", self._generation)
        return pinned

    @property
    def digest(self) -> str:
        """The SHA-256 name of the state of the graph."""
        return str(self._now.about["digest"])

    @property
    def graphs(self) -> dict[str, int]:
        """Graph IRI → number of statements."""
        return dict(self._now.about["graphs"])

    def query(
        self,
        query: str,
        *,
        results: Format | None = BY_NAME["json"],
        graph: Format | None = BY_NAME["turtle"],
        default: Sequence[str] = (),
        named: Sequence[str] = (),
    ) -> Answer:
        """Evaluate a query and return its answer in `results` or in `graph`, by the form of the query.

        default, named: IRIs that make the dataset instead of the endpoint's own (SPARQL 1.1 Protocol, 2.1.4).
        Raises MalformedQuery, ForbiddenQuery, TooComplex, NotAcceptable, OutOfTime, OutOfMemory, AnswerTooLarge,
        Interrupted, Busy, Unavailable.
        """
        request = {
            "query": query,
            "results": results and results.name,
            "graph": graph and graph.name,
            "default": list(default),
            "named": list(named),
        }
        return self._asked(request, query)

    def dump(self, output: IO[bytes], fmt: Format, graph: str | None = None) -> None:
        """Write one graph, or the whole, literals exactly as in the files, to a file in which nothing else stands."""
        output.write(self._asked({"dump": fmt.name, "graph": graph}, f"dump {fmt.name} {graph}", output).body)

    def _asked(self, request: dict[str, Any], text: str, output: IO[bytes] | None = None) -> Answer:
        name = hash_of(text)
        record.note(query=name)
        head, body = self._placed(request, name, output)
        if "error" in head:
            raise outcomes.refusal(head, text, self.settings)
        return Answer(BY_NAME[head["format"]], body, head.get("seconds", 0.0), head.get("rows"))

    def _placed(self, request: dict[str, Any], name: str, output: IO[bytes] | None) -> tuple[dict[str, Any], bytes]:
        """Evaluate in a place: at first in one for short queries, if it takes too long for that, in one for longer ones."""
        rung = self._rungs.get(name, 0)
        while True:
            try:
                self.places.take(rung, check_wanted)
            except Full:
                raise Busy("All evaluators are at work on other queries; try again in a few seconds.") from None
            turn = Turn(self.settings, self.places, rung, "dump" in request)
            started = time.monotonic()
            try:
                answer = self._exchange(request, turn, output)
            except Evicted:
                rung = turn.rung + 1
                self._remember(name, rung)
                record.note(evicted=True)
                continue
            finally:
                self.places.leave(turn.rung)
            if rung and time.monotonic() - started < self.settings.rungs[rung - 1].seconds:
                self._rungs.pop(name, None)  # it was long for want of a processor
            return answer

    def _remember(self, name: str, rung: int) -> None:
        if len(self._rungs) >= _REMEMBERED:
            self._rungs.clear()
        self._rungs[name] = rung

    def _exchange(self, request: dict[str, Any], turn: Turn, output: IO[bytes] | None) -> tuple[dict[str, Any], bytes]:
        patience = time.monotonic() + self.settings.patience
        while True:
            generation = self._now
            try:
                connection, used = generation.connection()
            except (OSError, Ended) as error:
                self._succeed(generation, patience, error)
                continue
            turn.begin(connection)
            try:
                head, body = connection.ask(request, turn.tick)
                if output:
                    output.seek(0)  # an evaluator before this one may have written
                    output.truncate()
                    while head.get("more"):
                        output.write(body)
                        turn.tick()
                        head, body = connection.receive(turn.tick)
            except Ended as ended:
                connection.close()
                problem = outcomes.end(ended.code, ended.mebibytes, self.settings)
                if isinstance(problem, Interrupted) and used:
                    continue  # it died while nobody used it: a fresh one takes the query
                record.note(ended=type(problem).__name__)
                raise problem from None
            except BaseException:
                connection.close()
                raise
            if head.get("last") or connection.demoted:
                connection.close()
            else:
                generation.keep(connection)
            return head, body

    def _succeed(self, gone: Generation, patience: float, error: Exception) -> None:
        """Wait until evaluators that are gone have successors of the same data. Raises Unavailable."""
        self.refresh()
        while self._now is gone and self.state and time.monotonic() < patience:
            time.sleep(0.05)
            self.refresh()
        if self._now is gone or self._now.about["digest"] != gone.about["digest"]:
            raise Unavailable("The graph cannot be reached just now; try again in a few seconds.") from error


def hash_of(query: str) -> str:
    """Return the name of a query in the log: the beginning of its SHA-256."""
    return sha256(query.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read(state: str) -> dict[str, Any]:
    """Return what a supervisor wrote: the line after its process number."""
    with open(state, encoding="utf-8") as file:
        return dict(json.loads(file.read().partition("\n")[2]))
