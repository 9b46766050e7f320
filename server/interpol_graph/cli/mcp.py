"""The command `mcp`: the graph for assistants, over the Model Context Protocol. 0 ended in order, 2 could not run."""

from contextlib import ExitStack
from typing import Any

import click

from interpol_graph.cli import Failure
from interpol_graph.cli.serve import limits
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted


@click.command("mcp", context_settings={"show_default": True})
@click.option("--endpoint", metavar="URL", help="Address of a server of this graph to ask, instead of the bundled one.")
@click.option("--port", type=click.IntRange(1, 65535), help="Serve HTTP at 127.0.0.1:PORT/mcp instead of stdio.")
@limits
def command(endpoint: str | None, port: int | None, **settings: Any) -> None:
    """Serve the graph to an assistant, over the Model Context Protocol: stdio, or HTTP with --port."""
    try:
        import httpx2

        from interpol_graph.cli.tools import Tools, server_of
    except ImportError as error:
        raise Failure("the package mcp is not installed; install it with: pip install 'interpol-graph[mcp]'") from error
    with ExitStack() as stack:
        transport = None
        if not endpoint:
            from interpol_graph.app import create_app

            try:
                process = stack.enter_context(EvaluatorProcess(Settings(**settings)))
            except NotStarted as error:
                raise Failure(str(error)) from error
            transport = httpx2.WSGITransport(create_app(process.pool()))
        base = (endpoint or "http://localhost").rstrip("/").removesuffix("/sparql")
        client = stack.enter_context(httpx2.Client(base_url=base, transport=transport, timeout=60))
        server = server_of(Tools(client))
        if port:
            server.run("streamable-http", port=port, stateless_http=True, json_response=True)
        else:
            server.run("stdio")
