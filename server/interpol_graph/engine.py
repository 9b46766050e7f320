"""The front end's side of the evaluators: start them, lend them out, replace those that a limit killed."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Client, Connection
from typing import Any, Self

from interpol_graph.errors import (
    Busy,
    ForbiddenQuery,
    MalformedQuery,
    NotAcceptable,
    OutOfMemory,
    OutOfTime,
    Unavailable,
)
from interpol_graph.formats import BY_NAME, Format, of_kind
from interpol_graph.syntax import fault


@dataclass(frozen=True)
class Settings:
    """The limits and the data of the evaluators; the defaults stand here and nowhere else."""

    #: Files or folders to serve instead of the bundled graph.
    data: tuple[str, ...] = ()
    #: Seconds that one query may run.
    timeout: float = 10.0
    #: Mebibytes that one query may use beyond the graph itself.
    memory: int = 1024
    #: Queries that are evaluated at the same time, per worker.
    evaluators: int = 4
    #: Seconds that a query waits for a free evaluator before it is turned away.
    patience: float = 5.0


@dataclass
class Answer:
    """A whole answer: its format, its bytes, and the seconds that evaluation took."""

    format: Format
    body: bytes
    seconds: float


class NotStarted(Exception):
    """The evaluators did not start; the message says why."""


class Nursery:
    """The evaluator process and its socket, for as long as the `with` block lasts.

    Raises NotStarted when the data cannot be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix="interpol-graph-")
        self.address = os.path.join(self.folder, "evaluators")
        command = [
            sys.executable,
            "-m",
            "interpol_graph.evaluator",
            self.address,
            json.dumps(asdict(self.settings)),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.about: dict[str, Any] = (
            json.loads(line) if line else {"error": "the evaluator process ended while loading"}
        )
        if "error" in self.about:
            self.__exit__()
            raise NotStarted(self.about["error"])
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def engine(self) -> Engine:
        """Return an engine over these evaluators."""
        return Engine(self.address, self.settings, self.about)


@dataclass
class Engine:
    """Evaluates queries within limits: a whole answer, or a Problem that says why not.

    address: the evaluators' socket; about: what the evaluators said of their graph (digest, graphs, default).
    """

    address: str
    settings: Settings
    about: dict[str, Any]
    _idle: queue.LifoQueue[Connection | None] = field(init=False)

    def __post_init__(self) -> None:
        self._idle = queue.LifoQueue()
        for _ in range(self.settings.evaluators):
            self._idle.put(None)  # a place; its evaluator is forked when first needed

    @property
    def digest(self) -> str:
        """The SHA-256 name of the state of the graph."""
        return str(self.about["digest"])

    @property
    def graphs(self) -> dict[str, int]:
        """Graph IRI → number of statements."""
        return dict(self.about["graphs"])

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
        Raises MalformedQuery, ForbiddenQuery, NotAcceptable, OutOfTime, OutOfMemory, Busy.
        """
        request = {
            "query": query,
            "results": results and results.name,
            "graph": graph and graph.name,
            "default": list(default),
            "named": list(named),
        }
        return self._ask(request)

    def dump(self, fmt: Format, graph: str | None = None) -> bytes:
        """Return one graph, or the whole, literals exactly as in the files."""
        return self._ask({"dump": fmt.name, "graph": graph}).body

    def _ask(self, request: dict[str, Any]) -> Answer:
        try:
            connection = self._idle.get(timeout=self.settings.patience)
        except queue.Empty:
            raise Busy("All evaluators are at work on other queries; try again in a few seconds.") from None
        started = time.monotonic()
        try:
            connection, head, body = self._exchange(connection, request)
        except (EOFError, OSError):
            self._idle.put(None)
            if "dump" not in request and time.monotonic() - started >= self.settings.timeout * 0.98:
                raise OutOfTime(
                    f"The query was stopped after {self.settings.timeout:g} seconds, its time limit; "
                    "make it more specific or download the data from /dumps/.",
                    seconds=self.settings.timeout,
                ) from None
            raise OutOfMemory(
                f"The query was stopped at {self.settings.memory} MiB, its memory limit; make it more specific, "
                "ask for fewer rows, or download the data from /dumps/.",
                mebibytes=self.settings.memory,
            ) from None
        except BaseException:
            self._idle.put(None)
            raise
        self._idle.put(connection)
        if "error" in head:
            raise self._problem(head, request)
        return Answer(BY_NAME[head["format"]], body, head.get("seconds", 0.0))

    def _exchange(
        self, connection: Connection | None, request: dict[str, Any]
    ) -> tuple[Connection, dict[str, Any], bytes]:
        message = json.dumps(request).encode()
        if connection is not None:
            try:
                connection.send_bytes(message)
            except OSError:  # it died while idle: a fresh one takes the query
                connection.close()
                connection = None
        if connection is None:
            try:
                connection = Client(self.address, family="AF_UNIX")
            except OSError as error:
                raise Unavailable("The graph cannot be reached just now; try again in a few seconds.") from error
            connection.send_bytes(message)
        try:
            # The evaluator's own timer ends it; the margin only covers its sending.
            if not connection.poll(None if "dump" in request else self.settings.timeout + 5):
                raise EOFError
            head = json.loads(connection.recv_bytes())
            return connection, head, connection.recv_bytes()
        except BaseException:
            with suppress(OSError):
                connection.close()
            raise

    @staticmethod
    def _problem(head: dict[str, Any], request: dict[str, Any]) -> Exception:
        if head["error"] == "format":
            formats = of_kind(head["kind"])
            shape = "rows or a boolean" if head["kind"] == "results" else "a graph"
            names = ", ".join(f"{fmt.name} ({fmt.media_types[0]})" for fmt in formats)
            return NotAcceptable(
                f"This query answers with {shape}, on offer as {names}; ask for one by Accept or ?format=.",
                offered=[fmt.media_types[0] for fmt in formats],
            )
        if head["error"] == "syntax":
            return malformed(head["message"], request["query"])
        return ForbiddenQuery(f"The query could not be evaluated: {head['message']}")


def malformed(message: str, query: str) -> MalformedQuery:
    """Return the error for what the query parser said."""
    found = fault(message, query)
    if not found.line:
        return MalformedQuery(f"The query is not SPARQL 1.1: {found.reason}.")
    return MalformedQuery(
        f"The query is not SPARQL 1.1: line {found.line}, column {found.column}: {found.reason}.",
        line=found.line,
        column=found.column,
    )
