"""The evaluators as one process of the server asks them, and the process that holds their graph."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from interpol_graph.engine.admission import Admission
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import Unavailable
from interpol_graph.engine.snapshot import Snapshot

#: Seconds after which is looked again whether the data have been reloaded.
_KNOWN = 0.02


class NotStarted(Exception):
    """There is nothing to serve, or nowhere to serve it; the message says why."""


class EvaluatorPool:
    """Lends the evaluators out, some to short queries and some to long ones.

    address: the evaluators' socket; about: what the evaluators said of their graph (digest, graphs, default);
    state: the file in which a supervisor names the evaluators that have taken their place.
    """

    def __init__(self, address: str, settings: Settings, about: dict[str, Any], state: str | None = None) -> None:
        self.settings, self.state = settings, state
        self.admission = Admission(settings.lanes, settings.queue_timeout)
        self._now = self._of(address, about)
        self._stamp, self._known_until = 0, 0.0
        self._looking = threading.Lock()

    @classmethod
    def of_state(cls, state: str, settings: Settings) -> Self:
        """Return a pool of the evaluators that a supervisor names in a file."""
        return cls(settings=settings, state=state, **_read(state))

    def snapshot(self) -> Snapshot:
        """Look whether the data have been reloaded, and return their present state; whoever keeps it asks one state."""
        if self.state and time.monotonic() > self._known_until:
            with suppress(OSError), self._looking:
                self._known_until = time.monotonic() + _KNOWN
                stamp = os.stat(self.state).st_mtime_ns
                if stamp != self._stamp:
                    found, before, self._stamp = _read(self.state), self._now, stamp
                    if found["address"] != before.address:
                        self._now = self._of(**found)
                        before.close()
        return self._now

    def close(self) -> None:
        """Close the connections; evaluators that are at work answer first."""
        self._now.close()

    def _of(self, address: str, about: dict[str, Any]) -> Snapshot:
        return Snapshot(address, **about, settings=self.settings, admission=self.admission, successor=self._successor)

    def _successor(self, lost: Snapshot, deadline: float) -> Snapshot:
        while (found := self.snapshot()) is lost and self.state and time.monotonic() < deadline:
            time.sleep(0.05)
        if found is lost or found.digest != lost.digest:
            raise Unavailable("The graph cannot be reached just now; try again in a few seconds.")
        return found


def _read(state: str) -> dict[str, Any]:
    """Return what a supervisor wrote: address and about."""
    return dict(json.loads(Path(state).read_bytes()))


class EvaluatorProcess(ExitStack):
    """The process that holds one state of the data: `address` is its socket, `about` what it said of its graph.

    When it is closed it ends, with all that it evaluates. folder: where its socket lies. Raises NotStarted when the data
    cannot be loaded.
    """

    def __init__(self, settings: Settings, folder: str | None = None) -> None:
        super().__init__()
        self.settings = settings
        own = tempfile.TemporaryDirectory(prefix="interpol-graph-", dir=folder, ignore_cleanup_errors=True)
        self.address = os.path.join(self.enter_context(own), "evaluators")
        command = [sys.executable, "-m", "interpol_graph.engine.forkserver", self.address, json.dumps(asdict(settings))]
        # A child that is out of memory would need some to print where; it would not end before its time.
        environment = {**os.environ, "RUST_BACKTRACE": "0"}
        # A session of its own: what is meant for the terminal's processes must not cut answers off.
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        self.callback(self._end)
        assert self.process.stdout is not None
        try:
            line = self.process.stdout.readline()
        except BaseException:  # a stop while it loads
            self.close()
            raise
        self.about: dict[str, Any] = json.loads(line or '{"error": "the evaluator process ended while loading"}')
        if "error" in self.about:
            self.close()
            raise NotStarted(self.about["error"])

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def pool(self) -> EvaluatorPool:
        """Return a pool of these evaluators, which is closed when they end."""
        return self.enter_context(closing(EvaluatorPool(self.address, self.settings, self.about)))

    def _end(self) -> None:
        with self.process:
            if self.alive:
                os.killpg(self.process.pid, signal.SIGKILL)
