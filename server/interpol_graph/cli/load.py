"""The command `load`: the graph put into another engine, which `serve --engine` then asks. 0 it is there, 1 it is not the same there, 2 could not run."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import click
from pyoxigraph import Literal, RdfFormat, parse
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from interpol_graph.cli import Failure
from interpol_graph.engine import upload
from interpol_graph.engine.outcomes import EngineError, engine_fails
from interpol_graph.engine.remote import STATE, UNION, client
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.files import Unreadable, given_files
from interpol_graph.graph.prefixes import RDF, shorten
from interpol_graph.graph.store import KnowledgeGraph


@click.command("load")
@click.argument("url")
@click.option("--data", multiple=True, type=click.Path(path_type=Path), help="RDF files or folders to load instead.")
@click.option("--whole", is_flag=True, help="Replace all that the engine holds in one step, by a file of N-Quads.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds that the engine may be silent.")
def command(url: str, data: tuple[Path, ...], whole: bool, timeout: float) -> None:
    """Put the graph into the engine whose Graph Store is at URL, and compare what it holds.

    Graph by graph; what is there already is not sent again. Credentials are taken from INTERPOL_GRAPH_ENGINE_AUTH:
    'Basic USER:PASSWORD', 'Digest USER:PASSWORD' or 'Bearer TOKEN'.
    """
    try:
        graph = KnowledgeGraph(given_files(data), None) if data else KnowledgeGraph(graph_files(), named=False)
        with client(url, timeout) as asking:
            differing = _load(graph, upload.GraphStore(asking, url), whole)
    except (Unreadable, EngineError, ValueError) as error:
        raise Failure(str(error)) from error
    about = graph.about
    click.echo(f"{url} holds {about['triples']:,} statements in {len(about['graphs'])} graphs: state {about['digest']}")
    if differing:
        click.echo("\n".join(["The engine keeps some values otherwise than they were sent:", *differing]), err=True)
        raise SystemExit(1)


def _load(graph: KnowledgeGraph, store: upload.GraphStore, whole: bool) -> list[str]:
    """Make an engine hold a graph, and say so in it last of all; return which graphs it holds otherwise. Raises EngineError."""
    texts = {name.value: graph.exact.texts[name] for name in graph.graphs}
    texts[UNION] = graph.exact.united(*graph.default_graphs)
    texts[STATE] = f"<{STATE}> <{RDF}value> {Literal(json.dumps(graph.about))} .\n".encode()
    before: Any = [json.loads(quad.object.value) for quad in parse(store.get(STATE), RdfFormat.TURTLE)]
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    differing, done = [], 0
    with Progress(*columns) as progress:
        task = progress.add_task(shorten(STATE), total=sum(map(len, texts.values())))
        advance = partial(progress.advance, task)
        if whole:
            quads = (text.replace(b" .\n", f" <{name}> .\n".encode()) for name, text in texts.items())
            store.put(None, b"".join(quads), advance)
        else:
            former = {name for state in before for name in state["graphs"]} - texts.keys()
            for name in (STATE, *former):
                store.drop(name)
        for name, text in texts.items():
            progress.update(task, description=shorten(name), completed=done)
            wanted, found = upload.compared(text), upload.compared(store.get(name))
            if found != wanted and not whole:
                store.put(name, text, advance)
                found = upload.compared(store.get(name))
            if found != wanted:
                if len(found) != len(wanted):
                    raise engine_fails(f"it holds {len(found):,} statements in <{name}>, not {len(wanted):,}")
                sent, kept = next(pair for pair in zip(wanted, found, strict=True) if pair[0] != pair[1])
                differing.append(f"<{name}>, for one: {sent}\n  is kept as {kept}")
            done += len(text)
        progress.update(task, completed=done)
    return differing
