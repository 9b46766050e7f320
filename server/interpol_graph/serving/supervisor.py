"""The server's main process: workers in front, evaluators behind, each replaced when it dies, the data when they change."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from interpol_graph.endpoint import journal
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.nursery import NotStarted, Process
from interpol_graph.graph import paths
from interpol_graph.serving import keeper

#: The folder in which the workers count; prometheus_client reads this variable when it is imported.
_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds after which what is still asked of replaced data is given up.
_FAREWELL = 60.0
#: What may be wrong with data, or with a machine that is out of memory, processes or disk for a while.
_FOR_A_WHILE = (NotStarted, OSError, ValueError)


class PortTaken(Exception):
    """Nothing can listen at the address; the message says why."""


def check_port(host: str, port: int) -> str:
    """Return the host as a number after making sure that nobody listens at it. Raises PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise PortTaken(f"{host} is no address of this machine: {error.strerror}") from error
    except OSError as error:
        raise PortTaken(
            f"cannot listen at {host}:{port}: {os.strerror(error.errno or 0)}; choose another with --port"
        ) from error
    return str(address[0])


def valid(settings: Settings, root: Path) -> str | None:
    """Return what is wrong with the project's files below root, or None. Foreign data only have to be readable."""
    if settings.data:
        return None
    command = [sys.executable, "-m", "interpol_graph", "validate", str(root), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as check:  # noqa: S603
        os.setpriority(os.PRIO_PROCESS, check.pid, 10)  # queries come first
        report, said = check.communicate()
    if check.returncode == 0:
        return None
    try:
        errors = [finding for finding in json.loads(report)["findings"] if finding["severity"] == "error"]
        first = errors[0]
    except (ValueError, LookupError):
        return (said.strip().splitlines() or ["validation could not run"])[-1]
    place = ":".join(str(first[name]) for name in ("file", "line", "column") if first[name])
    rest = f" ({len(errors)} errors in all; see interpol-graph validate)" if len(errors) > 1 else ""
    return f"{place}: {first['message']} {first['mend'] or ''}".strip() + rest


@dataclass
class Supervisor:
    """Keeps evaluators behind the workers: a new process when one dies, other data when they have changed.

    The workers read from the state file which evaluators to ask; those that were replaced end with their last query.
    """

    settings: Settings
    folder: Path
    check: Callable[[Settings, Path], str | None] = valid
    reload: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _replaced: list[tuple[Process, float]] = field(default_factory=list)

    def start(self) -> dict[str, Any]:
        """Start the first evaluators and the watch over them; return what they say of the graph. Raises NotStarted."""
        # A main process that takes the place of another serves what was accepted, whatever lies on the disk now.
        files = self.accepted.resolve() if self.accepted.exists() else self._copied()
        self.process = self._started(files)
        self._accept(files)
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        return self.process.about

    def stop(self) -> None:
        """End all evaluators."""
        self._stop.set()
        self._thread.join()
        for process in (self.process, *(process for process, _ in self._replaced)):
            process.end()

    @property
    def state(self) -> Path:
        """The file that names the evaluators."""
        return self.folder / "state"

    @property
    def accepted(self) -> Path:
        """The link to the copy of the project's files that is served."""
        return self.folder / "accepted"

    def _copied(self) -> Path:
        """Return a copy of the project's files: what is validated is what is loaded, now and after a crash."""
        copy = Path(tempfile.mkdtemp(prefix="project-", dir=self.folder))
        try:
            for name in () if self.settings.data else ("ontology", "data", "shapes", "queries"):
                shutil.copytree(paths.ROOT / name, copy / name)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            raise NotStarted(f"the files cannot be copied: {error}") from error
        return copy

    def _started(self, files: Path) -> Process:
        """Return new evaluators over a copy of the project's files, or over foreign data, and let the workers ask them."""
        process = Process(replace(self.settings, project=str(files)), str(self.folder))
        try:
            content = {"address": process.address, "about": process.about}
            fresh = self.state.with_suffix(".new")
            fresh.write_text(f"{os.getpid()}\n{json.dumps(content)}", encoding="utf-8")
            fresh.replace(self.state)
        except BaseException:
            process.end()
            raise
        return process

    def _accept(self, files: Path) -> None:
        before = self.accepted.resolve() if self.accepted.exists() else files
        fresh = self.folder / "accepted.new"
        fresh.symlink_to(files)
        fresh.replace(self.accepted)
        if before != files:
            shutil.rmtree(before, ignore_errors=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            try:
                if not self.process.alive:
                    self._replace()
                elif self.reload.is_set():
                    self.reload.clear()
                    self._reload()
            except _FOR_A_WHILE as error:
                journal.write(event="evaluators not started", why=str(error))
                self._stop.wait(1)
            for process, deadline in list(self._replaced):
                if not process.alive or time.monotonic() > deadline:
                    self._replaced.remove((process, deadline))
                    process.end()

    def _replace(self) -> None:
        code = self.process.process.returncode
        dead, self.process = self.process, self._started(self.accepted.resolve())
        dead.end()
        journal.write(event="evaluators replaced", code=code, digest=self.process.about["digest"])

    def _reload(self) -> None:
        files = self.folder
        try:
            files = self._copied()
            if wrong := self.check(self.settings, files):
                raise NotStarted(wrong)
            old, self.process = self.process, self._started(files)
        except _FOR_A_WHILE as error:
            if files != self.folder:
                shutil.rmtree(files, ignore_errors=True)
            journal.write(
                event="reload refused", why=str(error).replace(f"{files}/", ""), digest=self.process.about["digest"]
            )
            return
        self._accept(files)
        self._replaced.append((old, time.monotonic() + max(_FAREWELL, 2 * self.settings.timeout)))
        journal.write(event="reloaded", digest=self.process.about["digest"])


def _as_new() -> None:
    """Let a worker that is still loading be stopped: it is forked with the handlers of the main process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def run(
    settings: Settings,
    folder: Path,
    at: tuple[str, int],
    workers: int,
    log: bool,
    prepare: Callable[[], None],
    ready: Callable[[Any], None],
) -> None:
    """Serve at an address until told to stop; `prepare` begins what may be done while the graph is loaded, `ready` is given
    what the evaluators say of it.

    Raises NotStarted when the data cannot be loaded.
    """
    # A slow client costs a descriptor: as many as the system allows.
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    counters = folder / "metrics"
    counters.mkdir(exist_ok=True)
    os.environ[_COUNTERS] = str(counters)
    supervisor = Supervisor(settings, folder)
    prepare()
    ready(supervisor.start())
    try:
        handover = {"state": str(supervisor.state), "settings": asdict(settings), "log": log}
        os.environ[keeper.HANDOVER] = json.dumps(handover)
        server = Granian(
            "interpol_graph.app:worker",
            address=at[0],
            port=at[1],
            workers=workers,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            factory=True,
            http1_settings=HTTP1Settings(header_read_timeout=10_000),
            respawn_failed_workers=True,
            # A worker that is told to stop may finish what it has begun.
            workers_kill_timeout=int(settings.timeout + len(settings.rungs) * settings.patience) + 5,
            log_level=LogLevels.error,
        )
        os.register_at_fork(after_in_child=_as_new)
        server.on_startup(lambda: signal.signal(signal.SIGHUP, lambda *_: supervisor.reload.set()))
        server.serve()
    finally:
        supervisor.stop()
