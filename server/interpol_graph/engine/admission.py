"""Who may be evaluated now: a bounded number at once, fewer of them the longer they work, and a bounded queue for each.

Queries have lanes. All begin in the first; one that has worked for the time of its lane is promoted to the next, if there
is a place. So a query that takes a second never waits behind those that take ten, nor a short one behind either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from interpol_graph.engine.limits import TICK, Lane
from interpol_graph.engine.outcomes import Busy, Departed


class Preempted(Exception):
    """The query took longer than its lane allows, and there was no place in the next."""


def never() -> bool:
    """Tell that whoever asked is still there."""
    return False


def _departed() -> Departed:
    return Departed("The client went away, and nobody waits for its answer.")


class Admission:
    """Counts of the queries that run and of those that wait, by lane.

    queue_timeout: seconds that one waits for a place; busy: the sentence for whoever gets none.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        queue_timeout: float,
        busy: str = "All evaluators are at work on other queries; try again in a few seconds.",
    ) -> None:
        self.lanes, self.queue_timeout, self.busy = lanes, queue_timeout, busy
        #: For each lane, how many are in it or in a longer one, and how many wait for it.
        self.running = [0] * len(lanes)
        self.waiting = [0] * len(lanes)
        #: Told how many wait, whenever that changes.
        self.watch: Callable[[int], None] = lambda _: None
        #: Query → the lane that it needed, if not the first.
        self.remembered: dict[str, int] = {}
        #: Held while the counts change.
        self.changed = threading.Condition(threading.Lock())

    @contextmanager
    def slot(self, lane: int = 0, gone: Callable[[], bool] = never) -> Iterator[Slot]:
        """Hold a place in a lane; `gone` tells whether whoever waits for it has left.

        Raises Busy when the queue is full or the wait too long, Departed.
        """
        if gone():
            raise _departed()
        slot = Slot(self, lane, gone)
        with self.changed:
            if not self._free(lane):
                self._wait(lane, gone)
            self._move(lane, 1)
        try:
            yield slot
        finally:
            with self.changed:
                self._move(slot.lane, -1)
                self.changed.notify_all()

    def remember(self, name: str, lane: int) -> None:
        """Let a query begin in this lane the next time; of a thousand, the memory starts afresh."""
        if len(self.remembered) >= 1000:
            self.remembered.clear()
        self.remembered[name] = lane

    def _wait(self, lane: int, gone: Callable[[], bool]) -> None:
        if self.waiting[lane] >= self.lanes[lane].queue:
            raise Busy(self.busy)
        deadline = time.monotonic() + self.queue_timeout
        self._queue(lane, 1)
        try:
            while not self._free(lane):
                if gone():
                    raise _departed()
                if time.monotonic() >= deadline:
                    raise Busy(self.busy)
                self.changed.wait(TICK)
        finally:
            self._queue(lane, -1)

    def _free(self, lane: int) -> bool:
        return all(self.running[at] < self.lanes[at].most for at in range(lane + 1))

    def _move(self, lane: int, change: int) -> None:
        for at in range(lane + 1):
            self.running[at] += change

    def _queue(self, lane: int, change: int) -> None:
        self.waiting[lane] += change
        self.watch(sum(self.waiting))


@dataclass
class Slot:
    """A place in a lane; `gone` tells whether whoever has it has left."""

    admission: Admission
    lane: int
    gone: Callable[[], bool]

    def promote(self) -> None:
        """Go to the next lane. Raises Preempted when it has no place."""
        admission, longer = self.admission, self.lane + 1
        with admission.changed:
            if admission.running[longer] >= admission.lanes[longer].most:
                raise Preempted
            admission.running[longer] += 1
        self.lane = longer
