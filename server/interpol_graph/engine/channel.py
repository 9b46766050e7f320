"""Messages between the server and an evaluator, and the connection to one: closing it kills the evaluator.

A message is two lengths, a small head as JSON, a body, and one closing byte that tells an answer from an exit report:
what the evaluators' parent sends on the same socket when a child has ended.
"""

import errno
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from interpol_graph.engine.limits import TICK

#: The head of a message, and its body.
Message = tuple[dict[str, Any], bytes]

ANSWER, EXIT_REPORT = b"\n", b"!"
_LENGTHS = struct.Struct("!IQ")
#: Bytes that are received at a time.
_AT_ONCE = 1 << 16
#: What makes a process number the number of its clock (clock_getcpuclockid).
_SCHEDULED = 2


class Ended(Exception):
    """The evaluator ended: by which exit code or signal (negative; None when nobody saw it), and how many MiB larger."""


def frame(head: dict[str, Any], body: bytes = b"", end: bytes = ANSWER) -> bytes:
    """Return one message as bytes."""
    text = json.dumps(head).encode()
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body, end))


class Channel:
    """Messages over a socket."""

    def __init__(self, door: socket.socket) -> None:
        self.door, self._rest = door, b""

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send one message."""
        self.door.sendall(frame(head, body))

    def receive(self, idle: Callable[[], None] = lambda: None) -> Message:
        """Return the next message.

        idle is called whenever the socket's receive timeout passes without a byte; it may raise to give up.
        Raises EOFError when the other side has closed, or ended within a message.
        """
        head_size, body_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, idle))
        content = self._exactly(head_size + body_size + 1, idle)
        try:
            head: dict[str, Any] = json.loads(content[:head_size])
        except ValueError:
            raise EOFError from None
        if content[-1:] != (EXIT_REPORT if "ended" in head else ANSWER):
            raise EOFError  # the sender died within its answer, and what follows is its exit report, or a part of that
        return head, content[head_size:-1]

    def _exactly(self, size: int, idle: Callable[[], None]) -> bytes:
        """Return so many bytes; what came with them stays for the next message."""
        pieces, missing = [self._rest], size - len(self._rest)
        while missing > 0:
            try:
                pieces.append(self.door.recv(_AT_ONCE))
            except BlockingIOError:
                idle()
                continue
            if not pieces[-1]:
                raise EOFError
            missing -= len(pieces[-1])
        content = b"".join(pieces)
        self._rest = content[size:]
        return content[:size]


class Connection(Channel):
    """A child of the evaluators at an address; idle is called while it is forked.

    Raises OSError when there is nobody, Ended when it is gone at once.
    """

    def __init__(self, address: str, idle: Callable[[], None]) -> None:
        super().__init__(socket.socket(socket.AF_UNIX))
        self.demoted = False
        try:
            for pause in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self.door.setsockopt(socket.SOL_SOCKET, pause, struct.pack("ll", 0, int(TICK * 1e6)))
            # As long as all places before the door are taken; any other error is met when the first message is read.
            while self.door.connect_ex(address) == errno.EAGAIN:
                idle()
            self.door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bytes(16))
            hello, _ = self.receive(idle)
        except BaseException:
            self.door.close()
            raise
        self.pid = int(hello["pid"])

    def ask(self, request: dict[str, Any], idle: Callable[[], None]) -> Message:
        """Return the answer; idle is called while it is waited for. Raises Ended."""
        with suppress(OSError):  # it has ended; there may be an exit report to receive
            self.send(request)
        return self.receive(idle)

    def receive(self, idle: Callable[[], None] = lambda: None) -> Message:
        """Return the next message; idle is called while it is waited for. Raises Ended."""
        try:
            head, body = super().receive(idle)
        except (EOFError, ConnectionError):
            raise Ended(None, 0) from None
        if "ended" in head:
            raise Ended(head["ended"], head["mebibytes"])
        return head, body

    def demote(self) -> None:
        """Let the child stand back behind short queries when both want the processor; it cannot come forward again."""
        if not self.demoted:
            self.demoted = True
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.pid, 10)

    def spent(self) -> float:
        """Return the seconds that the child has had of the processor in its life."""
        try:
            return time.clock_gettime((~self.pid << 3) | _SCHEDULED)
        except OSError:  # it has ended, and its exit report is on its way
            return 0.0

    def close(self) -> None:
        """Close it; its evaluator is killed if it is still at work."""
        with suppress(OSError):
            self.door.close()
