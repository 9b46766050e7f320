"""The limits and the data of the evaluators; the defaults stand here and nowhere else."""

from dataclasses import dataclass
from typing import NamedTuple

#: Seconds between two looks at what else has happened, while something is waited for.
TICK = 0.1
#: Bytes that the text of a query may have.
LONGEST_QUERY = 256 << 10
#: A child that was refused memory ends with this code.
OUT_OF_MEMORY = 71


class Lane(NamedTuple):
    """How many queries may be in a lane or a longer one, how many may wait for it, after how many seconds one is longer."""

    most: int
    queue: int
    seconds: float = float("inf")


@dataclass(frozen=True)
class Settings:
    """What to serve and how much one query, and all together, may use."""

    #: Files or folders to serve instead of the bundled graph.
    data: tuple[str, ...] = ()
    #: The folder of the project's own files in the state that was accepted; where they lie, when empty.
    project: str = ""
    #: The URL of an engine that holds the same graph and evaluates instead of the one built in, if one does.
    engine: str | None = None
    #: Seconds that one query may run.
    timeout: float = 10.0
    #: Mebibytes that one query may use beyond the graph itself.
    memory: int = 1024
    #: Mebibytes that one answer may have; a larger one is refused whole.
    answer: int = 64
    #: Mebibytes of answers that one worker keeps in memory.
    cache: int = 64
    #: Proxies in front whose X-Forwarded-* fields are believed; 0 believes none.
    proxies: int = 0
    #: Queries that are evaluated at the same time, per worker.
    evaluators: int = 8
    #: How many of these may be long ones, and as many again take a little longer; the other places are for short queries.
    long: int = 2
    #: Seconds of the processor after which a query takes a little longer than others; after four times that it is long.
    moment: float = 0.25
    #: Queries that may wait for a place in a longer lane, per worker; sixteen times as many for a short one.
    queue: int = 12
    #: Seconds that a query waits for a place before it is turned away.
    queue_timeout: float = 5.0

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes, that of the short queries first."""
        return (
            # All begin here, and one that is short is soon done: more may wait than where queries take long.
            Lane(self.evaluators, 16 * self.queue, self.moment),
            Lane(2 * self.long, self.queue, 4 * self.moment),
            Lane(self.long, self.queue),
        )
