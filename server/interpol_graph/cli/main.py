"""The command line: serve, validate, query, dump, release, load, fmt. Exit codes: 0 fine, 1 findings, 2 could not run."""

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import click

from interpol_graph.cli import Failure
from interpol_graph.graph import paths
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.files import Unreadable, project_files
from interpol_graph.graph.formats import BY_NAME, DUMPS
from interpol_graph.graph.prefixes import GRAPHS, prefixes, shorten
from interpol_graph.graph.reifiers import REIFIERS
from interpol_graph.graph.store import KnowledgeGraph

DUMP = click.Choice([fmt.name for fmt in DUMPS])
#: In Turtle, what may hold the letters of a name and is none, or a name.
_STRING = r"""("{3}|'{3})(?:\\.|[^\\])*?\1|(["'])(?:\\.|(?!\2)[^\\\n])*\2"""
_TOKEN = re.compile(rf"{_STRING}|<[^>\s]*>|#.*|\w[\w.-]*:[\w:%-]+(?:\.+[\w:%-]+)*")


class Commands(click.Group):
    """The commands; those that need half of the package have modules of their own, which the others do not wait for."""

    apart = ("load", "mcp", "query", "release", "serve", "validate")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *self.apart])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in self.apart:
            command: click.Command = import_module(f"interpol_graph.cli.{name}").command
            return command
        return super().get_command(ctx, name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="interpol-graph")
def main() -> None:
    """The INTERPOL graph: serve it, validate it, query it, dump it."""


@main.command()
@click.option("--format", "style", type=DUMP, default="turtle", show_default=True, help="Format of the dump.")
@click.option("--graph", metavar="NAME", help="One named graph, such as sessions or operations/2023; or reifiers.")
@click.option("--output", type=click.File("wb"), default="-", help="File to write to.")
def dump(style: str, graph: str | None, output: IO[bytes]) -> None:
    """Write the graph, or one named graph, literals exactly as in the files; or, in RDF 1.2, which document states which value."""
    rules = paths.RULES if graph in (None, "derived") else None
    try:
        knowledge = KnowledgeGraph(graph_files(), rules, named=False)
    except Unreadable as error:
        raise Failure(str(error)) from error
    names = {g.value.removeprefix(GRAPHS): g for g in knowledge.graphs} | {"reifiers": REIFIERS}
    name = names.get(graph or "")
    if graph and name is None:
        known = ", ".join(sorted({"derived", *names}))
        raise Failure(f"there is no graph {graph!r}; graphs are: {known}")
    try:
        knowledge.dump(output, BY_NAME[style], name)
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever reads has enough, which click tells
            raise
        told = "the dump cannot be written" if error.errno else "the format cannot say this"
        raise Failure(f"{told}: {error.strerror or error}") from error


@main.command()
@click.option("--check", is_flag=True, help="Change nothing; end 1 when a file is not formatted.")
@click.argument("names", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
def fmt(check: bool, names: tuple[Path, ...]) -> None:
    """Format Turtle files in place, deprecated terms replaced by their successors; without PATH, those of the project."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("turtlefmt", path=beside)
    if program is None:
        raise Failure("turtlefmt is not installed; install it with: pip install 'interpol-graph[fmt]'")
    targets = names or tuple(paths.ROOT / folder for folder in ("ontology", "data", "shapes"))
    for target in targets:
        if not target.exists():
            raise Failure(f"{target} does not exist")
    try:
        old = list(_renewed(targets, check))
    except Unreadable as error:
        raise Failure(str(error)) from error
    for file in old:
        click.echo(f"{paths.shown(file)}: deprecated terms{'' if check else ' replaced'}")
    command = [program, *(["--check"] if check else []), *map(str, targets)]
    sys.exit(1 if subprocess.run(command).returncode or (check and old) else 0)  # noqa: S603


def _renewed(targets: Iterable[Path], check: bool) -> Iterator[Path]:
    """Yield the Turtle files that use deprecated terms of ours; replace these by their successors, but for a check."""
    files = [file for file in project_files() if b"owl:deprecated" in file.content()]
    # A term with two successors, or with one that points the other way, is no matter of one word.
    replaced: Any = KnowledgeGraph(files, rules=None).store.query(
        """SELECT ?old ?new ?where { ?old dcterms:isReplacedBy ?new GRAPH ?where { ?old owl:deprecated true }
        FILTER NOT EXISTS { ?old owl:inverseOf ?new }
        FILTER NOT EXISTS { ?old dcterms:isReplacedBy ?other FILTER(?other != ?new) } }""",
        prefixes=prefixes(),
    )
    rows, graphs = list(replaced), {file.path: file.graph for file in files}
    searched = (sorted(target.rglob("*.ttl")) if target.is_dir() else [target] for target in targets)
    for file in (file for files in searched for file in files if file.suffix == ".ttl"):
        try:
            text = file.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise Failure(f"{file} cannot be read: {error.strerror or error}") from error
        own = graphs.get(file.resolve())  # where an old term is declared, it stays
        names = {shorten(old.value): shorten(new.value) for old, new, where in rows if where.value != own}
        if (new := _renamed(text, names)) != text:
            yield file
            if not check:
                file.write_bytes(new.encode("utf-8", "surrogateescape"))


def _renamed(turtle: str, names: dict[str, str]) -> str:
    return _TOKEN.sub(lambda found: names.get(found[0], found[0]), turtle)
