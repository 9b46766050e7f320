"""The command `serve`: what to serve, where, and within which limits. 0 stopped in order, 2 could not run."""

import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from interpol_graph.cli import Failure
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import NotStarted
from interpol_graph.graph import questions
from interpol_graph.serving import supervisor

FOLDER = click.Path(exists=True, file_okay=False)


def limits(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each setting that an operator may choose."""
    for setting in reversed([setting for setting in fields(Settings) if setting.metadata]):
        kind = click.FloatRange if isinstance(setting.default, float) else click.IntRange
        least, meaning = setting.metadata["least"], setting.metadata["meaning"]
        command = click.option(f"--{setting.name}", default=setting.default, type=kind(least), help=meaning)(command)
    return command


@click.command("serve", context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=2, type=click.IntRange(1, 64), help="Server processes.")
@click.option("--data", multiple=True, type=click.Path(path_type=Path), help="RDF files or folders to serve instead.")
@click.option("--engine", metavar="URL", help="SPARQL engine that holds the graph and evaluates in place of this one.")
@click.option("--release", metavar="DIR", type=FOLDER, help="Release that the engine holds: its counts and dumps.")
@limits
@click.option("--log/--no-log", default=True, help="Write a line for each request to standard error.")
def command(host: str, port: int, workers: int, data: tuple[Path, ...], log: bool, **chosen: Any) -> None:
    """Serve the graph: SPARQL endpoint, pages and dumps."""
    settings = Settings(data=tuple(str(path) for path in data), **chosen)
    if settings.engine and data:
        raise Failure("--data is what this server loads, --engine has everything loaded elsewhere; give one of them")
    if settings.release and not settings.engine:
        raise Failure("--release goes with --engine: without it the files are made of the graph that is loaded")
    try:
        with tempfile.TemporaryDirectory(prefix="interpol-graph-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            # What tidies up temporary folders leaves one alone that is locked (tmpfiles.d(5)), and what lies in it.
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
            # A stop while the graph is loaded leaves nothing behind, either.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            _make_counters(folder / "metrics", workers)
            address = supervisor.check_port(host, port)
            click.echo(f"Loading {', '.join(settings.data) or settings.engine or 'the bundled graph'} …")
            keeper = supervisor.Supervisor(settings, folder)
            keeper.listen()
            # The workers are forked from this process: what is read while the graph is loaded they need not wait for.
            with ThreadPoolExecutor(1) as beside:
                application = beside.submit(_read_ahead)
                sizes = keeper.start()["graphs"]
            try:
                application.result()
                loaded = f"Loaded {sum(sizes.values()):,} statements in {len(sizes)} graphs."
                click.echo(f"{loaded} Serving on http://{host}:{port}/ (Ctrl+C ends).")
                supervisor.run(keeper, address, port, workers, log)
            finally:
                keeper.stop()
    except (questions.BadQuestion, NotStarted) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        where = error.filename or tempfile.gettempdir()
        raise Failure(f"cannot serve: {error.strerror or error}, at {where}") from error


def _read_ahead() -> None:
    """Import the application and its server and read the saved questions. Raises BadQuestion."""
    import_module("interpol_graph.app")
    import_module("granian")
    questions.saved()


def _make_counters(folder: Path, workers: int) -> None:
    """Make the files that processes count in, with all their room: the kernel ends who writes where a disk has none left."""
    folder.mkdir()
    for process in ("main", *(f"worker{number}" for number in range(workers))):
        for kind in ("counter", "histogram", "gauge_livesum"):
            with (folder / f"{kind}_{process}.db").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 1 << 19)
    # prometheus_client reads it when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
