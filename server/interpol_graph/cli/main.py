"""The command line: serve, validate, query, dump, fmt. Exit codes: 0 fine, 1 findings, 2 could not run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

import click

from interpol_graph import __version__
from interpol_graph.cli import serve, validate
from interpol_graph.cli.failure import Failure
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.outcomes import EngineError
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted
from interpol_graph.graph import paths, questions
from interpol_graph.graph.files import Unreadable, project_files
from interpol_graph.graph.formats import BY_NAME, DUMPS, Format, of_kind
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.graph.store import KnowledgeGraph

DEFAULT = Settings()
EXISTING = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """The INTERPOL graph: serve it, validate it, query it, dump it."""


main.add_command(serve.command)
main.add_command(validate.command)


@main.command()
@click.argument("name", metavar="NAME|FILE|-")
@click.option("--param", "-p", multiple=True, metavar="KEY=VALUE", help="Value of a parameter; may be repeated.")
@click.option(
    "--format",
    "style",
    type=click.Choice([f.name for f in (*of_kind("results"), *of_kind("graph"))]),
    help="Format of the answer.  [default: csv or turtle]",
)
@click.option("--endpoint", metavar="URL", help="SPARQL endpoint to ask instead of the bundled graph.")
def query(name: str, param: tuple[str, ...], style: str | None, endpoint: str | None) -> None:
    """Answer a saved question by its name, a query from a file, or one from standard input."""
    text = _query_text(name, dict(_pair(item) for item in param))
    fmt = BY_NAME[style] if style else None
    if endpoint:
        sys.stdout.buffer.write(_ask_endpoint(endpoint, text, fmt))
        return
    try:
        with EvaluatorProcess(Settings(evaluators=1, timeout=3600.0)) as process:
            answer = (
                process.pool()
                .snapshot()
                .query(
                    text,
                    results=BY_NAME["csv"] if fmt is None else fmt if fmt in of_kind("results") else None,
                    graph=BY_NAME["turtle"] if fmt is None else fmt if fmt in of_kind("graph") else None,
                )
            )
    except (NotStarted, EngineError) as error:
        raise Failure(str(error)) from error
    sys.stdout.buffer.write(answer.body)


def _pair(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not equals:
        raise Failure(f"--param takes KEY=VALUE, such as day=2015-11-05, not {item!r}")
    return key, value


def _query_text(name: str, values: dict[str, str]) -> str:
    try:
        if name in questions.saved():
            return questions.saved()[name].filled(values)
        if name != "-" and not Path(name).is_file():
            raise Failure(f"there is no saved question and no file {name!r}; saved are: {', '.join(questions.saved())}")
        if name != "-" and "#+" in Path(name).read_text(encoding="utf-8"):
            return questions.read(Path(name)).filled(values)
    except questions.BadQuestion as error:
        raise Failure(str(error)) from error
    if values:
        raise Failure("--param is for saved questions; this query has no #+ header that declares parameters")
    return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")


def _ask_endpoint(endpoint: str, text: str, fmt: Format | None) -> bytes:
    """Return the raw answer of a remote endpoint, fetched through SPARQLWrapper."""
    from SPARQLWrapper import SPARQLWrapper
    from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

    wrapper = SPARQLWrapper(endpoint, agent=f"interpol-graph/{__version__}")
    wrapper.setQuery(text)
    wrapper.setMethod("POST")
    graph = wrapper.queryType in ("CONSTRUCT", "DESCRIBE")
    wanted = fmt or BY_NAME["turtle" if graph else "csv"]
    wrapper.setOnlyConneg(True)
    wrapper.addCustomHttpHeader("Accept", wanted.media_types[0])
    try:
        return bytes(wrapper.query().response.read())
    except SPARQLWrapperException as error:
        raise Failure(f"{endpoint} refused the query: {error}") from error
    except OSError as error:
        raise Failure(f"{endpoint} cannot be reached: {error}") from error


@main.command()
@click.option(
    "--format",
    "style",
    type=click.Choice([f.name for f in DUMPS]),
    default="turtle",
    show_default=True,
    help="Format of the dump.",
)
@click.option(
    "--graph",
    metavar="NAME",
    help="One named graph, such as sessions or operations/2023, instead of the whole.",
)
@click.option("--output", type=click.File("wb"), default="-", help="File to write to.")
def dump(style: str, graph: str | None, output: IO[bytes]) -> None:
    """Write the graph, or one named graph, literals exactly as in the files."""
    try:
        knowledge = KnowledgeGraph(project_files())
    except Unreadable as error:
        raise Failure(str(error)) from error
    name = next((g for g in knowledge.graphs if g.value == GRAPHS + (graph or "")), None)
    if graph and name is None:
        known = ", ".join(g.value.removeprefix(GRAPHS) for g in knowledge.graphs)
        raise Failure(f"there is no graph {graph!r}; graphs are: {known}")
    knowledge.dump(output, BY_NAME[style], name)


@main.command()
@click.option("--check", is_flag=True, help="Change nothing; end 1 when a file is not formatted.")
@click.argument("names", metavar="[PATH]...", nargs=-1, type=EXISTING)
def fmt(check: bool, names: tuple[Path, ...]) -> None:
    """Format Turtle files in place; without PATH, those of the project."""
    program = shutil.which(
        "turtlefmt", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if program is None:
        raise Failure("turtlefmt is not installed; install it with: pip install 'interpol-graph[fmt]'")
    targets = names or tuple(paths.ROOT / folder for folder in ("ontology", "data", "shapes"))
    for target in targets:
        if not target.exists():
            raise Failure(f"{target} does not exist")
    command = [program, *(["--check"] if check else []), *map(str, targets)]
    sys.exit(1 if subprocess.run(command).returncode else 0)  # noqa: S603
