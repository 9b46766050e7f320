"""What happens while one query is evaluated: it climbs to a longer rung, or nobody waits for it any more."""

from __future__ import annotations

import time

from interpol_graph.endpoint import record
from interpol_graph.endpoint.problems import Interrupted
from interpol_graph.engine.admission import Places
from interpol_graph.engine.channel import TICK, Connection, Ended
from interpol_graph.engine.limits import Settings
from interpol_graph.serving import visitor


class Evicted(Exception):
    """The query took longer than its rung allows, and there was no place on the next."""


class Turn:
    """One query's time at an evaluator; `tick` is called again and again while no answer comes."""

    def __init__(self, settings: Settings, places: Places, rung: int, dump: bool) -> None:
        self.settings, self.places, self.rung, self.dump = settings, places, rung, dump
        self.started = time.monotonic()
        self.connection: Connection
        self.before: float | None = None

    def begin(self, connection: Connection) -> None:
        """Begin at an evaluator, perhaps after another one was gone."""
        self.connection, self.before = connection, None
        if self.rung:
            connection.demote()

    def tick(self) -> None:
        """Let a query climb that takes longer than its rung allows; give up when the client is gone, or at no end."""
        settings = self.settings
        # Another engine's work is not seen from here; then the time that goes by is what counts.
        spent = time.monotonic() if settings.engine else self.connection.spent()
        if self.before is None:
            self.before = spent - TICK  # the first look: it has worked no longer than one has waited
        # A file is made to the end, for whoever asks next: its client may have had less patience than it takes.
        if not self.dump and visitor.is_gone():
            record.note(ended="Departed")
            raise Interrupted("The client went away, and its query was stopped.")
        # What counts is its work: on a busy machine a short query takes long, too.
        if spent - self.before >= settings.rungs[self.rung].seconds:
            if not self.places.climb(self.rung + 1):
                raise Evicted
            self.rung += 1
            self.connection.demote()
        # The evaluator's own timer ends it; the margin only covers its sending.
        if not self.dump and time.monotonic() - self.started > settings.timeout + 5:
            raise Ended(None, 0)
