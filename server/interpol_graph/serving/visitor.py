"""Whether the client for whom this thread works is still there."""

from __future__ import annotations

import threading


class _Here(threading.local):
    """One thread works for one client at a time."""

    left: threading.Event | None = None


_here = _Here()


def attend(left: threading.Event) -> None:
    """Work for a client from now on; `left` is set when it goes away."""
    _here.left = left


def is_gone() -> bool:
    """Return whether the client has gone away, so that nobody waits for what is being done."""
    return _here.left is not None and _here.left.is_set()
