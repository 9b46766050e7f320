"""The command `serve`: what to serve, where, and within which limits. 0 stopped in order, 2 could not run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from interpol_graph import keeper, queries
from interpol_graph.failure import Failure
from interpol_graph.nursery import NotStarted
from interpol_graph.settings import Settings

DEFAULT = Settings()


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="RDF file or folder to serve instead of the bundled graph; may be repeated.",
)
@click.option(
    "--timeout",
    default=DEFAULT.timeout,
    show_default=True,
    type=click.FloatRange(0.05),
    help="Seconds that one query may run.",
)
@click.option(
    "--memory",
    default=DEFAULT.memory,
    show_default=True,
    type=click.IntRange(16),
    help="Mebibytes that one query may use.",
)
@click.option(
    "--answer",
    default=DEFAULT.answer,
    show_default=True,
    type=click.IntRange(1),
    help="Mebibytes that one answer may have.",
)
@click.option(
    "--evaluators",
    default=DEFAULT.evaluators,
    show_default=True,
    type=click.IntRange(1),
    help="Queries that a worker evaluates at once.",
)
@click.option(
    "--long",
    default=DEFAULT.long,
    show_default=True,
    type=click.IntRange(1),
    help="How many of them may take longer than a moment.",
)
@click.option(
    "--proxies",
    default=DEFAULT.proxies,
    show_default=True,
    type=click.IntRange(0),
    help="Proxies in front whose X-Forwarded-* fields are believed.",
)
@click.option(
    "--log/--no-log", default=True, show_default=True, help="Write a line for each request to standard error."
)
def command(host: str, port: int, workers: int, data: tuple[Path, ...], log: bool, **limits: Any) -> None:
    """Serve the graph: SPARQL endpoint, pages and dumps."""
    from interpol_graph import service  # granian takes a while; other commands need not wait for it

    settings = Settings(data=tuple(str(path) for path in data), **limits)
    try:
        queries.saved()
        address = service.check_port(host, port)
    except (queries.BadQuestion, service.PortTaken) as error:
        raise Failure(str(error)) from error
    click.echo(f"Loading {'the bundled graph' if not data else ', '.join(settings.data)} …")
    folder = Path(tempfile.mkdtemp(prefix="interpol-graph-"))
    main_process = False
    try:
        keeper.keep((folder / "state").exists, lambda why: service.told("restarted", why=why))
        main_process = True

        def ready(about: dict[str, Any]) -> None:
            size = sum(about["graphs"].values())
            click.echo(
                f"Loaded {size:,} statements in {len(about['graphs'])} graphs. Serving on http://{host}:{port}/ (Ctrl+C ends)."
            )

        service.run(settings, folder, (address, port), workers, log, ready)
    except NotStarted as error:
        raise Failure(str(error)) from error
    finally:
        if not main_process:  # it may be needed by the next main process
            shutil.rmtree(folder, ignore_errors=True)
