"""Who may be evaluated now: a bounded number at once, fewer of them the longer they work, and a bounded queue for each.

Queries stand on rungs. All begin on the lowest; one that has worked for the time of its rung climbs to the next, if there
is a place. So a query that takes a second never waits behind those that take ten, nor a short one behind either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

#: Seconds between two looks at what else has happened.
MOMENT = 0.25


class Full(Exception):
    """There is no place, and the queue is full or the wait was too long."""


class Places:
    """Counts of the queries that run and of those that wait, by rung.

    most: for each rung, how many queries may stand on it or higher; queue: for each rung, how many may wait for it;
    patience: seconds that one waits.
    """

    def __init__(self, most: Sequence[int], queue: Sequence[int], patience: float) -> None:
        self.most, self.queue, self.patience = tuple(most), tuple(queue), patience
        #: For each rung, how many stand on it or higher, and how many wait for it.
        self.running = [0] * len(self.most)
        self.waiting = [0] * len(self.most)
        #: Told how many wait, whenever that changes.
        self.watch: Callable[[int], None] = lambda _: None
        self._changed = threading.Condition(threading.Lock())

    def take(self, rung: int = 0, look: Callable[[], None] = lambda: None) -> None:
        """Take a place on a rung. look is called now and then while it is waited for, and may raise to give up. Raises Full."""
        with self._changed:
            if self._free(rung):
                return self._move(rung, 1)
            if self.waiting[rung] >= self.queue[rung]:
                raise Full
            self._wait(rung, 1)
            deadline = time.monotonic() + self.patience
            try:
                while not self._free(rung):
                    look()
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise Full
                    self._changed.wait(min(left, MOMENT))
                self._move(rung, 1)
            finally:
                self._wait(rung, -1)

    def climb(self, rung: int) -> bool:
        """Let a query that stands on the rung below climb to this one; tell whether there was a place."""
        with self._changed:
            if self.running[rung] >= self.most[rung]:
                return False
            self.running[rung] += 1
            return True

    def leave(self, rung: int = 0) -> None:
        """Give the place back."""
        with self._changed:
            self._move(rung, -1)
            if any(self.waiting):
                self._changed.notify_all()

    def _free(self, rung: int) -> bool:
        return all(self.running[at] < self.most[at] for at in range(rung + 1))

    def _move(self, rung: int, change: int) -> None:
        for at in range(rung + 1):
            self.running[at] += change

    def _wait(self, rung: int, change: int) -> None:
        self.waiting[rung] += change
        self.watch(sum(self.waiting))
