"""Whole answers kept in memory, at most so many bytes of them, the longest unused given up first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from interpol_graph.endpoint.fields import Fields


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer as it is sent: header fields and body, the fields of its 304, and what the log says of it."""

    fields: Fields
    body: bytes
    etag: str
    unchanged: Fields
    notes: dict[str, Any]


class Answers:
    """Answers by request, for all threads of a process; `room` is in bytes."""

    def __init__(self, room: int) -> None:
        self.room, self.used = room, 0
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Kept | None:
        """Return the answer to a request if it is kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, answer: Kept, weight: int) -> None:
        """Keep an answer of so many bytes, key included, unless it would take more than an eighth of the room."""
        if weight > self.room // 8:
            return
        with self._lock:
            if key in self._kept:
                self.used -= self._kept.pop(key)[1]
            self._kept[key] = answer, weight
            self.used += weight
            while self.used > self.room:
                self.used -= self._kept.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._kept)
