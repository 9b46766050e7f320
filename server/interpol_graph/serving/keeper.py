"""Stays behind the server's main process and starts it anew when it dies, and lets orphaned workers end in order."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

#: Through this variable the main process tells its workers where the state of the service is written.
HANDOVER = "INTERPOL_GRAPH_SERVICE"
#: Exit codes that no new start would change: all is well; it could not run.
_FINAL = (0, 2)
#: Seconds that orphaned workers go on serving while a new main process starts.
_GRACE = 60.0


def keep(served: Callable[[], bool], told: Callable[[str], object]) -> None:
    """Return in a child process; the caller's own process stays behind, starts a new child when one dies, and exits at last.

    served tells whether a child has ever come so far that it served; told is given a sentence about each new start.
    """
    child = 0
    stopping = False

    def forward(number: int, _: object) -> None:
        nonlocal stopping
        stopping = stopping or number != signal.SIGHUP
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM if number == signal.SIGINT else number)

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        signal.signal(number, forward)
    while True:
        child = os.fork()
        if child == 0:
            for number, handler in before.items():
                signal.signal(number, handler)
            return
        began = time.monotonic()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if stopping:
            sys.exit(0)
        if code in _FINAL or not served():
            sys.exit(code if code >= 0 else 1)
        told(f"the server's main process ended with {code}; a new one is started")
        if time.monotonic() - began < 5:
            time.sleep(1)
            if stopping:
                sys.exit(0)


def end_with_parent(state: Path) -> None:
    """Let this worker end in order when its parent has died: once `state` tells of a successor that serves."""
    parent, stamp = os.getppid(), state.read_bytes()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            with suppress(OSError):
                if state.read_bytes().partition(b"\n")[0] != stamp.partition(b"\n")[0]:
                    time.sleep(2)  # the successor's workers have to open the port first
                    break
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
