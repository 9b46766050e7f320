"""Work that several threads want at the same moment is done once, and all get its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from interpol_graph.engine.limits import TICK

Result = TypeVar("Result")

#: How many may wait, for all work together: each of them takes a thread.
MOST = 16


class Crowded(Exception):
    """Too many wait already."""


class _Flight(Generic[Result]):
    """One piece of work under way."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.result: Result | None = None
        self.error: Exception | None = None


class Flights(Generic[Result]):
    """The work under way, by its key.

    alone: errors that concern only the one who met them; of those who waited, one then does the work anew.
    look: is called now and then while somebody waits, and may raise to give up.
    """

    def __init__(self, alone: tuple[type[Exception], ...] = (), look: Callable[[], None] = lambda: None) -> None:
        self.alone, self.look = alone, look
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, _Flight[Result]] = {}
        self._waiting = 0

    def join(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, or raise what it raises; while it is at work, others with this key wait for it.

        Raises Crowded when too many wait.
        """
        with self._lock:
            flight = self._under_way.get(key)
            if flight is None:
                mine = self._under_way[key] = _Flight()
            elif self._waiting >= MOST:
                raise Crowded
            else:
                self._waiting += 1
        if flight is None:
            return self._fly(key, mine, work)
        try:
            while not flight.over.wait(TICK):
                self.look()
        finally:
            with self._lock:
                self._waiting -= 1
        if flight.result is not None:
            return flight.result
        if flight.error is None or isinstance(flight.error, self.alone):
            return self.join(key, work)
        raise flight.error

    def _fly(self, key: Hashable, flight: _Flight[Result], work: Callable[[], Result]) -> Result:
        try:
            flight.result = work()
            return flight.result
        except Exception as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._under_way[key]
            flight.over.set()
