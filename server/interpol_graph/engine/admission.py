"""Who may be evaluated now: a bounded number at once, fewer of them the longer they work, and a bounded queue for each.

Queries have lanes. All begin in the first; one that has worked for the time of its lane is promoted to the next, if there
is a place. So a query that takes a second never waits behind those that take ten, nor a short one behind either.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from interpol_graph.engine.limits import TICK, Lane
from interpol_graph.engine.outcomes import Busy, Departed

_BUSY = "All evaluators are at work on other queries; try again in a few seconds."


class Preempted(Exception):
    """The query took longer than its lane allows, and there was no place in the next."""


def never() -> bool:
    """Tell that whoever asked is still there."""
    return False


class Admission:
    """Counts of the queries that run and of those that wait, by lane.

    queue_timeout: seconds that one waits for a place; busy: the sentence for whoever gets none.
    """

    def __init__(self, lanes: Sequence[Lane], queue_timeout: float, busy: str = _BUSY) -> None:
        self.lanes, self.queue_timeout, self.busy = lanes, queue_timeout, busy
        #: For each lane, how many are in it or in a longer one, and how many wait for it.
        self.running = [0] * len(lanes)
        self.waiting = [0] * len(lanes)
        #: Claim (a query's name, a client's) → how many of its queries run, and wait, in the first lane.
        self.active, self.queued = Counter[str](), Counter[str]()
        #: Told how many wait, whenever that changes.
        self.watch: Callable[[int], None] = lambda _: None
        #: Query → the lane that it needed, if not the first.
        self.remembered: dict[str, int] = {}
        #: Held while the counts change.
        self.changed = threading.Condition(threading.Lock())

    @contextmanager
    def slot(self, lane: int = 0, gone: Callable[[], bool] = never, claims: Collection[str] = ()) -> Iterator["Slot"]:
        """Hold a place in a lane; `gone` tells whether whoever waits for it has left.

        claims: whose place it is. Of the first lane one claim gets half of the places and three quarters of the queue: no
        crowd takes all. Raises Busy when the queue is full or the wait too long, Departed.
        """
        slot = Slot(self, lane, gone, () if lane else claims)
        with self.changed:
            if not self._free(slot):
                self._wait(slot)
            self._move(lane, 1)
            self.active.update(slot.claims)
        try:
            yield slot
        finally:
            with self.changed:
                self._move(slot.lane, -1)
                _leave(self.active, slot.claims)
                self.changed.notify(4)  # to wake all takes longer than a short query; the others look for themselves

    def remember(self, name: str, lane: int) -> None:
        """Let a query begin in this lane the next time; of a thousand, the memory starts afresh."""
        if len(self.remembered) >= 1000:
            self.remembered.clear()
        self.remembered[name] = lane

    def _wait(self, slot: "Slot") -> None:
        lane, queue = slot.lane, self.lanes[slot.lane].queue
        share = (3 * queue + 3) // 4
        if self.waiting[lane] >= queue or any(self.queued[claim] >= share for claim in slot.claims):
            raise Busy(self.busy)
        deadline = time.monotonic() + self.queue_timeout
        self._queue(lane, 1)
        self.queued.update(slot.claims)
        try:
            while not slot.gone():
                if self._free(slot):
                    return
                if time.monotonic() >= deadline:
                    raise Busy(self.busy)
                self.changed.wait(TICK)
            raise Departed("The client went away, and nobody waits for its answer.")
        finally:
            self._queue(lane, -1)
            _leave(self.queued, slot.claims)

    def _free(self, slot: "Slot") -> bool:
        if any(self.running[at] >= self.lanes[at].most for at in range(slot.lane + 1)):
            return False
        return all(self.active[claim] < (self.lanes[0].most + 1) // 2 for claim in slot.claims)

    def _move(self, lane: int, change: int) -> None:
        for at in range(lane + 1):
            self.running[at] += change

    def _queue(self, lane: int, change: int) -> None:
        self.waiting[lane] += change
        self.watch(sum(self.waiting))


def _leave(counter: Counter[str], claims: Collection[str]) -> None:
    """Count each claim once less, and forget those of none."""
    for claim in claims:
        counter[claim] -= 1
        if not counter[claim]:
            del counter[claim]


@dataclass
class Slot:
    """A place in a lane; `gone` tells whether whoever has it has left."""

    admission: Admission
    lane: int
    gone: Callable[[], bool]
    claims: Collection[str]

    def promote(self) -> None:
        """Go to the next lane. Raises Preempted when it has no place."""
        admission, longer = self.admission, self.lane + 1
        with admission.changed:
            if admission.running[longer] >= admission.lanes[longer].most:
                raise Preempted
            admission.running[longer] += 1
            _leave(admission.active, self.claims)
        self.lane, self.claims = longer, ()
