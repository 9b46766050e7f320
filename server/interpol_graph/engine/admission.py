"""Who may be evaluated now: a bounded number at once, fewer of them the longer they work, and a bounded queue for each.

Queries have lanes. All begin in the first; one that has worked for the time of its lane is promoted to the next, if there
is a place. So a query that takes a second never waits behind those that take ten, nor a short one behind either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from interpol_graph.engine.channel import Connection, Ended
from interpol_graph.engine.limits import TICK, Lane
from interpol_graph.engine.outcomes import Busy, Departed

#: Queries whose lane is remembered; past this number the memory starts afresh.
_REMEMBERED = 1000


class Preempted(Exception):
    """The query took longer than its lane allows, and there was no place in the next."""


def never() -> bool:
    """Tell that whoever asked is still there."""
    return False


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
        self.take(lane, gone)
        slot = Slot(self, lane)
        try:
            yield slot
        finally:
            self.leave(slot.lane)

    def take(self, lane: int = 0, gone: Callable[[], bool] = never) -> None:
        """Take a place in a lane, to be given back. Raises Busy, Departed."""
        with self.changed:
            if self._free(lane):
                return self._move(lane, 1)
            if self.waiting[lane] >= self.lanes[lane].queue:
                raise Busy(self.busy)
            self._wait(lane, 1)
            deadline = time.monotonic() + self.queue_timeout
            try:
                while not self._free(lane):
                    if gone():
                        raise Departed("The client went away, and nobody waits for its answer.")
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise Busy(self.busy)
                    self.changed.wait(min(left, TICK))
                self._move(lane, 1)
            finally:
                self._wait(lane, -1)

    def leave(self, lane: int = 0) -> None:
        """Give the place back."""
        with self.changed:
            self._move(lane, -1)
            if any(self.waiting):
                self.changed.notify_all()

    def remember(self, name: str, lane: int) -> None:
        """Let a query begin in this lane the next time."""
        if len(self.remembered) >= _REMEMBERED:
            self.remembered.clear()
        self.remembered[name] = lane

    def _free(self, lane: int) -> bool:
        return all(self.running[at] < self.lanes[at].most for at in range(lane + 1))

    def _move(self, lane: int, change: int) -> None:
        for at in range(lane + 1):
            self.running[at] += change

    def _wait(self, lane: int, change: int) -> None:
        self.waiting[lane] += change
        self.watch(sum(self.waiting))


class Slot:
    """A place in a lane."""

    def __init__(self, admission: Admission, lane: int) -> None:
        self.admission, self.lane = admission, lane

    def promote(self) -> None:
        """Go to the next lane. Raises Preempted when it has no place."""
        admission, longer = self.admission, self.lane + 1
        with admission.changed:
            if admission.running[longer] >= admission.lanes[longer].most:
                raise Preempted
            admission.running[longer] += 1
        self.lane = longer


class RunningQuery:
    """One query at an evaluator; `tick` is called again and again while no answer comes.

    gone: tells whether whoever asked has left; deadline: when its evaluator is given up; elsewhere: another engine
    evaluates.
    """

    def __init__(
        self, slot: Slot, connection: Connection, gone: Callable[[], bool], deadline: float, elsewhere: bool
    ) -> None:
        self.slot, self.connection, self.gone, self.deadline = slot, connection, gone, deadline
        # Another engine's work is not seen from here; then the time that goes by is what counts.
        self.spent = time.monotonic if elsewhere else connection.spent
        self.before: float | None = None
        if slot.lane:
            connection.demote()

    def tick(self) -> None:
        """Promote a query that takes longer than its lane allows; give up when nobody waits for it, or at no end.

        Raises Preempted, Departed, Ended.
        """
        spent = self.spent()
        if self.before is None:
            self.before = spent - TICK  # the first look: it has worked no longer than one has waited
        if self.gone():
            error = Departed("The client went away, and its query was stopped.")
            error.facts["ended"] = "Departed"
            raise error
        # What counts is its work: on a busy machine a short query takes long, too.
        if spent - self.before >= self.slot.admission.lanes[self.slot.lane].seconds:
            self.slot.promote()
            self.connection.demote()
        if time.monotonic() > self.deadline:
            raise Ended(None, 0)
