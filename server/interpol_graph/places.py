"""Who may be evaluated now: a bounded number at once, few of them for long, and a bounded queue before each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Full(Exception):
    """There is no place, and the queue is full or the wait was too long."""


class Places:
    """Counts of the queries that run, of those that run for long, and of those that wait.

    most: queries at once; long: how many of them may run longer than a moment, so that others find a place;
    queue: how many may wait for a place, and as many for a long one; patience: seconds that one waits.
    """

    def __init__(self, most: int, long: int, queue: int, patience: float) -> None:
        self.most, self.long, self.queue, self.patience = most, long, queue, patience
        self.running = self.running_long = 0
        self.waiting = {False: 0, True: 0}
        #: Told how many wait, whenever that changes.
        self.watch: Callable[[int], None] = lambda _: None
        self._changed = threading.Condition(threading.Lock())

    def take(self, long: bool = False) -> None:
        """Take a place, or a long one. Raises Full."""
        with self._changed:
            if self._free(long):
                return self._enter(long)
            if self.waiting[long] >= self.queue:
                raise Full
            self._wait(long, 1)
            deadline = time.monotonic() + self.patience
            try:
                while not self._free(long):
                    if not self._changed.wait(max(0.0, deadline - time.monotonic())) and not self._free(long):
                        raise Full
                self._enter(long)
            finally:
                self._wait(long, -1)

    def promote(self) -> bool:
        """Make the caller's place a long one; tell whether one was free."""
        with self._changed:
            if self.running_long >= self.long:
                return False
            self.running_long += 1
            return True

    def leave(self, long: bool = False) -> None:
        """Give the place back."""
        with self._changed:
            self.running -= 1
            self.running_long -= long
            if self.waiting[False] or self.waiting[True]:
                self._changed.notify_all()

    def _free(self, long: bool) -> bool:
        return self.running < self.most and not (long and self.running_long >= self.long)

    def _enter(self, long: bool) -> None:
        self.running += 1
        self.running_long += long

    def _wait(self, long: bool, change: int) -> None:
        self.waiting[long] += change
        self.watch(sum(self.waiting.values()))
