"""One evaluator as the front end sees it: a socket to a child that evaluates, and closing it is killing it."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from interpol_graph.engine import wire

#: Seconds between two looks at what else has happened while an answer is waited for.
TICK = 0.1
#: What makes a process number the number of its clock (clock_getcpuclockid).
_SCHEDULED = 2


class Ended(Exception):
    """The evaluator ended: by which exit code or signal (negative), how much larger; code is None when nobody saw it."""

    def __init__(self, code: int | None, mebibytes: int) -> None:
        super().__init__(code, mebibytes)
        self.code, self.mebibytes = code, mebibytes


class Connection:
    """A child of the evaluators at an address. Raises OSError when there is nobody."""

    def __init__(self, address: str) -> None:
        self.door = socket.socket(socket.AF_UNIX)
        self.demoted = False
        try:
            self.door.connect(address)
            self.door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(TICK * 1e6)))
            hello, _ = self.receive(None)
        except BaseException:
            self.door.close()
            raise
        self.pid = int(hello["pid"])

    def ask(self, request: dict[str, Any], idle: Callable[[], None]) -> tuple[dict[str, Any], bytes]:
        """Return (head, body) of the answer; idle is called while it is waited for. Raises Ended."""
        try:
            self.door.sendall(wire.frame(request))
        except OSError:
            raise Ended(None, 0) from None
        return self.receive(idle)

    def demote(self) -> None:
        """Let the child stand back behind short queries when both want the processor; it cannot come forward again."""
        if not self.demoted:
            self.demoted = True
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.pid, 10)

    def spent(self) -> float:
        """Return the seconds that the child has had of the processor in its life, or where nobody tells, those gone by."""
        try:
            return time.clock_gettime((~self.pid << 3) | _SCHEDULED)
        except OSError:
            return time.monotonic()

    def close(self) -> None:
        """Close it; its evaluator is killed if it is still at work."""
        with suppress(OSError):
            self.door.close()

    def receive(self, idle: Callable[[], None] | None) -> tuple[dict[str, Any], bytes]:
        """Return (head, body) of the next message; idle is called while it is waited for. Raises Ended."""
        try:
            head, body = wire.receive(self.door, idle)
        except (EOFError, ConnectionError):
            raise Ended(None, 0) from None
        if "ended" in head:
            raise Ended(head["ended"], head["mebibytes"])
        return head, body
