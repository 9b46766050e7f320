"""The command line: serve, validate, query, dump, fmt. Exit codes: 0 fine, 1 findings, 2 could not run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO

import click
from pyoxigraph import QueryTriples

from interpol_graph.cli import Failure
from interpol_graph.graph import paths, questions
from interpol_graph.graph.files import Unreadable, project_files
from interpol_graph.graph.formats import BY_NAME, DUMPS, Format, Kind, of_kind
from interpol_graph.graph.prefixes import BASE, GRAPHS, prefixes, shorten
from interpol_graph.graph.store import KnowledgeGraph, default_graph

ANSWER = click.Choice([fmt.name for fmt in (*of_kind("results"), *of_kind("graph"))])
DUMP = click.Choice([fmt.name for fmt in DUMPS])
#: What may hold the letters of a keyword and is none.
_IRI_OR_VARIABLE = re.compile(r'<[^\x00-\x20<>"{}|^`\\]*>|[?$]\w+')
#: What makes a query one of named graphs: a keyword, or an escape that may stand for its letters.
_NAMES_GRAPHS = re.compile(r"(?<!para)graph|from|\\", re.IGNORECASE)
#: In Turtle, what may hold the letters of a name and is none, or a name.
_TOKEN = re.compile(r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|<[^>\s]*>|#.*|\w+:[\w-]+')


class Commands(click.Group):
    """The commands; those that need half of the package have modules of their own, which the others do not wait for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, "serve", "validate"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in ("serve", "validate"):
            command: click.Command = import_module(f"interpol_graph.cli.{name}").command
            return command
        return super().get_command(ctx, name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="interpol-graph")
def main() -> None:
    """The INTERPOL graph: serve it, validate it, query it, dump it."""


@main.command()
@click.argument("name", metavar="NAME|FILE|-")
@click.option("--param", "-p", multiple=True, metavar="KEY=VALUE", help="Value of a parameter; may be repeated.")
@click.option("--format", "style", type=ANSWER, help="Format of the answer.  [default: csv or turtle]")
@click.option("--endpoint", metavar="URL", help="SPARQL endpoint to ask instead of the bundled graph.")
def query(name: str, param: tuple[str, ...], style: str | None, endpoint: str | None) -> None:
    """Answer a saved question by its name, a query from a file, or one from standard input."""
    for item in param:
        if "=" not in item:
            raise Failure(f"--param takes KEY=VALUE, such as day=2015-11-05, not {item!r}")
    text = _query_text(name, dict(item.split("=", 1) for item in param))
    fmt = BY_NAME[style] if style else None
    answer = _ask_endpoint(endpoint, text, fmt) if endpoint else _in_a_child(lambda: _ask_bundled(text, fmt))
    sys.stdout.buffer.write(answer)


def _query_text(name: str, values: dict[str, str]) -> str:
    saved = paths.QUERIES / f"{name}.rq"
    file = saved if saved.parent == paths.QUERIES and saved.is_file() else Path(name)
    if name != "-" and not file.is_file():
        names = ", ".join(path.stem for path in sorted(paths.QUERIES.glob("*.rq")))
        raise Failure(f"there is no saved question and no file {name!r}; saved are: {names}")
    try:
        text = sys.stdin.read() if name == "-" else file.read_text(encoding="utf-8")
        if name != "-" and "#+" in text:
            return questions.read(file).filled(values)
    except questions.BadQuestion as error:
        raise Failure(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{name} cannot be read as UTF-8 text: {error}") from error
    if values:
        raise Failure("--param is for saved questions; this query has no #+ header that declares parameters")
    return text


def _in_a_child(work: Callable[[], bytes]) -> bytes:
    """Return what `work` returns in a child process: a query that runs out of stack or memory, or is interrupted, ends there.

    Raises Failure as `work` does, and when the child was ended.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            with open(writer, "wb") as pipe:
                try:
                    pipe.write(b"+" + work())
                except Failure as error:
                    pipe.write(b"-" + error.message.encode())
        finally:
            os._exit(0)
    os.close(writer)
    try:
        with open(reader, "rb") as pipe:
            answer = pipe.read()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if answer.startswith(b"+"):
        return answer[1:]
    raise Failure(answer[1:].decode() or "the query is nested too deeply, or needs more memory than there is")


def _ask_bundled(text: str, fmt: Format | None) -> bytes:
    """Return the answer of the bundled graph. Raises Failure."""
    from interpol_graph.engine import outcomes, tokens
    from interpol_graph.engine.results import Output, write

    try:
        if refusal := outcomes.forbidden(tokens.read(text)):
            raise refusal
        named = _NAMES_GRAPHS.search(_IRI_OR_VARIABLE.sub("", text))
        store = KnowledgeGraph(project_files()).store if named else default_graph(project_files())
        answer = store.query(text, base_iri=BASE, prefixes=prefixes())
        kind: Kind = "graph" if isinstance(answer, QueryTriples) else "results"
        fmt = fmt or BY_NAME["turtle" if kind == "graph" else "csv"]
        if fmt.kind != kind:
            raise outcomes.no_format(kind)
        write(answer, fmt, body := Output(fmt))
        return body.getvalue()
    except SyntaxError as error:
        raise Failure(outcomes.malformed(error.msg, text).detail) from error
    except outcomes.EngineError as error:
        raise Failure(error.detail) from error
    except (Unreadable, ValueError, OSError, RuntimeError) as error:
        raise Failure(f"the query could not be evaluated: {error}") from error


def _ask_endpoint(endpoint: str, text: str, fmt: Format | None) -> bytes:
    """Return the raw answer of a remote endpoint, fetched through SPARQLWrapper."""
    from SPARQLWrapper import SPARQLWrapper
    from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

    from interpol_graph import __version__

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
@click.option("--format", "style", type=DUMP, default="turtle", show_default=True, help="Format of the dump.")
@click.option(
    "--graph", metavar="NAME", help="One named graph, such as sessions or operations/2023, instead of the whole."
)
@click.option("--output", type=click.File("wb"), default="-", help="File to write to.")
def dump(style: str, graph: str | None, output: IO[bytes]) -> None:
    """Write the graph, or one named graph, literals exactly as in the files."""
    rules = paths.RULES if graph in (None, "derived") else None
    try:
        knowledge = KnowledgeGraph(project_files(), rules, named=False)
    except Unreadable as error:
        raise Failure(str(error)) from error
    name = next((g for g in knowledge.graphs if g.value == GRAPHS + (graph or "")), None)
    if graph and name is None:
        known = ", ".join(sorted({"derived", *(g.value.removeprefix(GRAPHS) for g in knowledge.graphs)}))
        raise Failure(f"there is no graph {graph!r}; graphs are: {known}")
    knowledge.dump(output, BY_NAME[style], name)


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
    old = [file for target in targets if target.is_dir() or target.suffix == ".ttl" for file in _renewed(target, check)]
    for file in old:
        click.echo(f"{paths.shown(file)}: deprecated terms{'' if check else ' replaced'}")
    command = [program, *(["--check"] if check else []), *map(str, targets)]
    sys.exit(1 if subprocess.run(command).returncode or (check and old) else 0)  # noqa: S603


def _renewed(target: Path, check: bool) -> Iterator[Path]:
    """Yield the Turtle files that use deprecated terms of ours; replace these by their successors, but for a check."""
    ontology = default_graph(file for file in project_files() if file.path.parent == paths.ONTOLOGY)
    # A term with two successors, or with one that points the other way, is no matter of one word.
    replaced = ontology.query(
        """SELECT ?old ?new { ?old owl:deprecated true ; dcterms:isReplacedBy ?new
        FILTER NOT EXISTS { ?old owl:inverseOf ?new }
        FILTER NOT EXISTS { ?old dcterms:isReplacedBy ?other FILTER(?other != ?new) } }""",
        prefixes=prefixes(),
    )
    names = {shorten(row["old"].value): shorten(row["new"].value) for row in replaced}  # type: ignore[union-attr]
    for file in sorted(target.rglob("*.ttl")) if target.is_dir() else [target]:
        try:
            text = file.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise Failure(f"{file} cannot be read: {error.strerror or error}") from error
        new = _TOKEN.sub(lambda found: names.get(found[0], found[0]), text)
        if new != text and file.resolve().parent != paths.ONTOLOGY:  # there the old terms are declared
            yield file
            if not check:
                file.write_bytes(new.encode("utf-8", "surrogateescape"))
