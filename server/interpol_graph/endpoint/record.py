"""What is noted about the request at hand, for the log and the metrics."""

from __future__ import annotations

import threading
from typing import Any


class _Notes(threading.local):
    """One thread handles one request from its first byte to its answer."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}


_notes = _Notes()


def begin() -> dict[str, Any]:
    """Forget the last request and return the notes of the new one."""
    _notes.entries = {}
    return _notes.entries


def noted(*names: str) -> dict[str, Any]:
    """Return what has been noted under these names."""
    return {name: _notes.entries[name] for name in names if name in _notes.entries}


def note(**entries: Any) -> None:
    """Note something about the request at hand: query, outcome, ended …"""
    _notes.entries.update(entries)
