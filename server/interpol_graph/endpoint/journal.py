"""The log: a line of JSON on standard error for everything that is worth one."""

from __future__ import annotations

import json
import os
import select
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

#: The descriptor of standard error.
_LOG = 2


def write(**facts: Any) -> bool:
    """Write a line with the time and some facts; return False when nobody takes it now.

    A reader of the log that stands still, or is gone, must not make the service stand still.
    """
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **facts}
    with suppress(OSError):  # it is gone, or its disk is full
        if select.select([], [_LOG], [], 0)[1]:
            os.write(_LOG, json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
            return True
    return False
