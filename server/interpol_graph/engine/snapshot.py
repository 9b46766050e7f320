"""One state of the data, and the free connections to the evaluators that hold it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from interpol_graph.engine.channel import Connection


@dataclass
class Generation:
    """The socket of the evaluators, what they said of their graph, and connections that nobody uses."""

    address: str
    about: dict[str, Any]
    idle: list[Connection] = field(default_factory=list)
    over: bool = False

    def connection(self) -> tuple[Connection, bool]:
        """Return a connection and whether it was used before. Raises OSError."""
        with suppress(IndexError):
            return self.idle.pop(), True
        return Connection(self.address), False

    def keep(self, connection: Connection) -> None:
        """Take a connection back for the next query."""
        self.idle.append(connection)
        if self.over:
            self.close()

    def close(self) -> None:
        """Close what is free; what is in use is closed when it comes back."""
        self.over = True
        while self.idle:
            with suppress(IndexError):
                self.idle.pop().close()
