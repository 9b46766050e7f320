"""The limits and the data of the evaluators; the defaults stand here and nowhere else."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


def limit(default: float, least: float, meaning: str) -> Any:
    """Return a setting that an operator may choose: its default, the least that it may be, what it means."""
    return field(default=default, metadata={"least": least, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """What to serve and how much one query, and all together, may use."""

    #: Files or folders to serve instead of the bundled graph.
    data: tuple[str, ...] = ()
    #: The folder of the project's own files in the state that was accepted; where they lie, when empty.
    project: str = ""
    #: The URL of an engine that holds the graph and evaluates instead of the one built in, if one does.
    engine: str | None = None
    #: The folder of a release: what an engine is asked about lies there as files.
    release: str | None = None
    timeout: float = limit(10.0, 0.05, "Seconds that one query may run.")
    #: Beyond the graph itself.
    memory: int = limit(1024, 16, "Mebibytes that one query may use.")
    answer: int = limit(64, 1, "Mebibytes that one answer may have.")
    cache: int = limit(64, 0, "Mebibytes of answers that a worker keeps to give again.")
    evaluators: int = limit(8, 1, "Queries that a worker evaluates at once.")
    #: As many again take a little longer; the other places are for short queries.
    long: int = limit(2, 1, "How many of them may be long ones.")
    proxies: int = limit(0, 0, "Proxies in front whose X-Forwarded-* fields are believed.")
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
