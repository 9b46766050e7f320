"""The server's main process: workers in front, evaluators behind, each replaced when it dies, the data when they change."""

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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted
from interpol_graph.graph import paths

#: Bytes that the names of evaluators and of their graphs take, or some more.
_ROOM = 1 << 16
#: What may be wrong with data, or with a machine that is out of memory, processes or disk for a while.
_FOR_A_WHILE = (NotStarted, OSError, ValueError, RuntimeError, MemoryError)


def check_port(host: str, port: int) -> str:
    """Return the host as a number after making sure that nobody listens at it. Raises NotStarted."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        why = f"{error.strerror}; choose another with --host or --port"
        raise NotStarted(f"cannot listen at {host}:{port}: {why}") from error
    return str(address[0])


def valid(settings: Settings, root: Path) -> str | None:
    """Return what is wrong with the project's files below root, or None. Foreign data and other engines only have to be readable."""
    if settings.data or settings.engine:
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


class Supervisor:
    """Keeps evaluators behind the workers: a new process when one dies, other data when they have changed.

    The workers read from the state file which evaluators to ask; those that were replaced end with their last query.
    """

    def __init__(self, settings: Settings, folder: Path, check: Callable[[Settings, Path], str | None] = valid) -> None:
        self.settings, self.folder, self.check = settings, folder, check
        #: The file that names the evaluators.
        self.state = folder / "state"
        #: What becomes that file in turn, each with all its room: where a disk is full, new evaluators can still be named.
        self._spare = [folder / "state-0", folder / "state-1"]
        for spare in self._spare:
            spare.write_bytes(bytes(_ROOM))
        self.reload, self._stop = threading.Event(), threading.Event()
        #: Those that were replaced, and when each is given up.
        self._replaced: list[tuple[EvaluatorProcess, float]] = []
        self._files = self._copied()

    def start(self) -> dict[str, Any]:
        """Start the first evaluators and the watch over them; return what they say of the graph. Raises NotStarted."""
        # A slow client costs a descriptor, and a query at work another: as many as the system allows.
        with suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.process = self._started(self._files)
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        return self.process.about

    def listen(self) -> None:
        """Let SIGHUP ask for a reload, while the graph is being loaded, too."""
        signal.signal(signal.SIGHUP, lambda *_: self.reload.set())

    def stop(self) -> None:
        """End all evaluators."""
        self._stop.set()
        self._thread.join()
        for process in (self.process, *(process for process, _ in self._replaced)):
            process.close()

    def _copied(self) -> Path:
        """Return a copy of the project's files: what is validated is what is loaded, now and after a crash."""
        copy = Path(tempfile.mkdtemp(prefix="project-", dir=self.folder))
        try:
            for name in () if self.settings.data or self.settings.engine else ("ontology", "data", "shapes", "queries"):
                shutil.copytree(paths.ROOT / name, copy / name)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            # Of many files that cannot be copied, the first says enough.
            why = error.args[0][0][2] if isinstance(error, shutil.Error) else error
            raise NotStarted(f"the files cannot be copied: {why}") from error
        return copy

    def _started(self, files: Path) -> EvaluatorProcess:
        """Return new evaluators over a copy of the project's files, or over foreign data, and let the workers ask them."""
        process = EvaluatorProcess(replace(self.settings, project=str(files)), str(self.folder))
        try:
            text = json.dumps({"address": process.address, "about": process.about})
            fresh = self.state.with_suffix(".new")
            with self._spare[0].open("r+b") as file:
                file.write(text.encode().ljust(_ROOM))
                file.truncate()  # what was longer before must not stand behind it
            fresh.hardlink_to(self._spare[0])
            fresh.replace(self.state)
            self._spare.reverse()
        except BaseException:
            process.close()
            raise
        return process

    def _watch(self) -> None:
        beside = ThreadPoolExecutor(1)  # a check takes seconds, in which evaluators may die
        checked: Future[tuple[Path, str | None]] | None = None
        while not self._stop.wait(0.1):
            try:
                if not self.process.alive:
                    self._replace(self._files, "evaluators replaced", code=self.process.process.returncode)
                elif checked and checked.done():
                    done, checked = checked, None
                    self._reload(done)
                elif not checked and self.reload.is_set():
                    checked = beside.submit(self._checked)
            except _FOR_A_WHILE as error:
                _log(event="evaluators not started", why=str(error))
                self._stop.wait(1)
            for process, deadline in list(self._replaced):
                if not process.alive or time.monotonic() > deadline:
                    self._replaced.remove((process, deadline))
                    process.close()
        beside.shutdown()

    def _replace(self, files: Path, event: str, **facts: Any) -> None:
        old, self.process = self.process, self._started(files)
        self._replaced.append((old, time.monotonic() + max(60, 2 * self.settings.timeout)))
        _log(event=event, **facts, digest=self.process.about["digest"])

    def _checked(self) -> tuple[Path, str | None]:
        """Return a copy of the project's files, and what is wrong with them, if anything is. Raises NotStarted."""
        self.reload.clear()
        files = self._copied()
        try:
            return files, self.check(self.settings, files)
        except _FOR_A_WHILE as error:
            return files, str(error)

    def _reload(self, checked: Future[tuple[Path, str | None]]) -> None:
        files = None
        try:
            files, wrong = checked.result()
            if wrong:
                raise NotStarted(wrong)
            self._replace(files, "reloaded")
            files, self._files = self._files, files
        except _FOR_A_WHILE as error:
            why = str(error).replace(f"{files}/", "")
            _log(event="reload refused", why=why, digest=self.process.about["digest"])
        if files:  # those refused, or those that were served before
            shutil.rmtree(files, ignore_errors=True)


def _log(**facts: Any) -> None:
    from interpol_graph.endpoint import observation  # with Flask, which the graph's process does not wait for

    observation.log(**facts)


def _as_new() -> None:
    """Let a worker that is still loading be stopped: it is forked with the handlers of the main process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def run(supervisor: Supervisor, address: str, port: int, workers: int, log: bool) -> None:
    """Serve what a supervisor has started at an address until told to stop; log: whether each request is written down."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    settings = supervisor.settings
    handover = {"state": str(supervisor.state), "settings": asdict(settings), "log": log}
    os.environ["INTERPOL_GRAPH_SERVICE"] = json.dumps(handover)
    server = Granian(
        "interpol_graph.app:worker",
        address=address,
        port=port,
        workers=workers,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        factory=True,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        respawn_failed_workers=True,
        # Connections are cheap, and so no client shall be able to take them all.
        backpressure=1 << 14,
        # A worker that is told to stop may finish what it has begun.
        workers_kill_timeout=int(settings.timeout + settings.queue_timeout) + 5,
        log_level=LogLevels.error,
    )
    os.register_at_fork(after_in_child=_as_new)
    server.on_startup(supervisor.listen)
    server.serve()
