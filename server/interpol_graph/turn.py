"""What happens while one query is evaluated: it becomes a long one, or nobody waits for it any more."""

from __future__ import annotations

import time

from interpol_graph import record, visitor
from interpol_graph.connection import TICK, Connection, Ended
from interpol_graph.errors import Interrupted
from interpol_graph.places import Places
from interpol_graph.settings import Settings


class Evicted(Exception):
    """The query took longer than a moment, and there was no long place."""


class Turn:
    """One query's time at an evaluator; `tick` is called again and again while no answer comes."""

    def __init__(self, settings: Settings, places: Places, long: bool, dump: bool) -> None:
        self.settings, self.places, self.long, self.dump = settings, places, long, dump
        self.started = time.monotonic()
        self.connection: Connection
        self.before: float | None = None

    def tick(self) -> None:
        """Promote a query that takes longer than a moment; give up when the client is gone, or when there is no end."""
        settings, spent = self.settings, self.connection.spent()
        if self.before is None:
            self.before = spent - TICK  # the first look: it has worked no longer than one has waited
        if visitor.is_gone():
            record.note(ended="Departed")
            raise Interrupted("The client went away, and its query was stopped.")
        # What counts is its work: on a busy machine a short query takes long, too.
        if not self.long and spent - self.before < settings.moment:
            return
        if not self.long:
            if not self.places.promote():
                raise Evicted
            self.long = True
        self.connection.demote()
        # The evaluator's own timer ends it; the margin only covers its sending.
        if not self.dump and time.monotonic() - self.started > settings.timeout + 5:
            raise Ended(None, 0)
