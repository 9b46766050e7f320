"""Starts the process that holds the graph and its evaluators, and ends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from interpol_graph.engine.limits import Settings


class NotStarted(Exception):
    """The evaluators did not start; the message says why."""


class Process:
    """The evaluators' process over one state of the data: `address` is its socket, `about` what it said of its graph.

    Raises NotStarted when the data cannot be loaded.
    """

    def __init__(self, settings: Settings, folder: str | None = None) -> None:
        self.folder = tempfile.mkdtemp(prefix="interpol-graph-", dir=folder)
        self.address = os.path.join(self.folder, "evaluators")
        command = [sys.executable, "-m", "interpol_graph.engine.forkserver", self.address, json.dumps(asdict(settings))]
        # A child that is out of memory would need some to print where; it would not end before its time.
        environment = {**os.environ, "RUST_BACKTRACE": "0"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.about: dict[str, Any] = (
            json.loads(line) if line else {"error": "the evaluator process ended while loading"}
        )
        if "error" in self.about:
            self.end()
            raise NotStarted(self.about["error"])

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it now, with all that it evaluates."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdin.write(b"end\n")
            self.process.stdin.flush()
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
