"""What larger layouts would give, simulated from what one machine was measured to take: the most requests a second within a patience.

    .venv/bin/python benchmarks/simulated.py [--hit US] [--lookup US] [--question US] [--engine US]

Requests come at random (Poisson). nginx answers a repeat and hands anything else to the next of the copies in turn; each machine
has some processors and serves in order of arrival. With an engine, a copy works on a question, and then one of the engine's
machines does. A layout holds as many requests a second as leave 99 of 100 answered in time; a network costs nothing here.
"""

from __future__ import annotations

import argparse
import heapq
import random

#: Processors of a machine; seconds in which 99 of 100 are to be answered; how many requests are simulated each time.
PROCESSORS, PATIENCE, REQUESTS = 2, 0.1, 40_000
#: The share of requests that are repeats; how many of the others are saved questions, the rest being look-ups.
REPEATS, QUESTIONS = (0.0, 0.9, 0.99), 0.1


class Machines:
    """Some machines that take work in turn, each with its processors."""

    def __init__(self, count: int) -> None:
        self.free = [[0.0] * PROCESSORS for _ in range(count)]
        self.turn = 0

    def done(self, arrived: float, seconds: float) -> float:
        """Return when the next machine has done what arrives."""
        self.turn = (self.turn + 1) % len(self.free)
        processors = self.free[self.turn]
        end = max(arrived, processors[0]) + seconds
        heapq.heapreplace(processors, end)
        return end


def late(rate: float, copies: int, engines: int, repeats: float, given: argparse.Namespace) -> bool:
    """Return whether more than one of a hundred requests is answered too late at so many a second."""
    draw, now, missed = random.Random(4), 0.0, 0  # noqa: S311  the same for every layout
    nginx, servers, behind = Machines(1), Machines(copies), Machines(engines or 1)
    for _ in range(REQUESTS):
        now += draw.expovariate(rate)
        at = nginx.done(now, given.hit / 1e6)
        if draw.random() >= repeats:
            question = draw.random() < QUESTIONS
            # How long one takes varies as exponential times do: most are short, a few many times as long.
            seconds = draw.expovariate(1e6 / (given.question if question else given.lookup))
            at = servers.done(at, given.lookup / 1e6 if engines else seconds)
            if engines:
                at = behind.done(at, seconds * given.engine / given.lookup)
        missed += at - now > PATIENCE
    return missed > REQUESTS / 100


def most(*layout: object) -> float:
    """Return the most requests a second that a layout holds."""
    low, high = 1.0, 1e6
    while high / low > 1.02:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if late(middle, *layout) else (middle, high)  # type: ignore[arg-type]
    return low


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hit", type=float, default=28, help="µs of nginx for a repeat (default 28)")
    parser.add_argument("--lookup", type=float, default=1500, help="µs of a copy for a look-up (default 1500)")
    parser.add_argument("--question", type=float, default=10_000, help="µs of a copy for a question (default 10000)")
    parser.add_argument("--engine", type=float, default=300, help="µs of an engine for a look-up (default 300)")
    given = parser.parse_args()
    print(f"{'copies':>6}{'engines':>9}" + "".join(f"{share:>12.0%} repeats" for share in REPEATS))
    for copies, engines in ((1, 0), (3, 0), (10, 0), (30, 0), (3, 1), (10, 3), (30, 10)):
        row = [most(copies, engines, share, given) for share in REPEATS]
        print(f"{copies:>6}{engines or '–':>9}" + "".join(f"{rate:>20,.0f}" for rate in row))


if __name__ == "__main__":
    main()
