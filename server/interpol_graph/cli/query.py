"""The command `query`: a saved question by its name, or any query, answered as a table, or as data where nobody reads."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

from interpol_graph.cli import Failure
from interpol_graph.graph import paths, questions, rows
from interpol_graph.graph.formats import BY_NAME, of_kind
from interpol_graph.graph.prefixes import shorten
from interpol_graph.graph.questions import LANGUAGES, BadQuestion, Question

ANSWER = click.Choice([fmt.name for fmt in (*of_kind("results"), *of_kind("graph"))])


@click.command("query")
@click.argument("name", metavar="NAME|FILE|-", required=False)
@click.option("--param", "-p", multiple=True, metavar="KEY=VALUE", help="Value of a parameter; may be repeated.")
@click.option("--lang", type=click.Choice(list(LANGUAGES)), default="en", help="Language of labels.", show_default=True)
@click.option("--format", "style", type=ANSWER, help="Format of the answer.  [default: a table, or csv, or turtle]")
@click.option("--endpoint", metavar="URL", help="SPARQL endpoint to ask instead of the bundled graph.")
@click.option("--list", "listed", is_flag=True, help="List the saved questions by subject.")
def command(
    name: str | None, param: tuple[str, ...], lang: str, style: str | None, endpoint: str | None, listed: bool
) -> None:
    """Answer a saved question by its name, a query from a file, or one from standard input.

    On a terminal the answer is a table; elsewhere, and with --format, it is data.
    """
    if listed:
        from interpol_graph.site.questions import by_subject

        speech = "fr" if lang == "fr" else "en"
        for subject, group in by_subject(speech):
            click.echo("\n".join([subject, *(f"  {one.name:<40} {one.title[speech]}" for one in group), ""]))
        return
    if name is None:
        raise click.UsageError("Name a saved question, a file or -; --list shows the questions.")
    for item in param:
        if "=" not in item:
            raise Failure(f"--param takes KEY=VALUE, such as day=2015-11-05, not {item!r}")
    question, text = _asked(name)
    values = dict(item.split("=", 1) for item in param)
    if question is None and values:
        raise Failure("--param is for saved questions; this query has no #+ header that declares parameters")
    person = sys.stdout.isatty() and style is None

    def work() -> bytes:
        from interpol_graph.engine import client
        from interpol_graph.engine.outcomes import EngineError

        results, graph = (BY_NAME[style or default] for default in ("json" if person else "csv", "turtle"))
        try:
            query = client.filled(question, {"lang": lang} | values, endpoint) if question else text
            answer = client.ask(query, endpoint, results, graph)
        except (EngineError, ValueError) as error:  # a bad question, or what is no URL
            raise Failure(str(error)) from error
        if not person or not answer.startswith(b"{"):  # a graph
            return answer
        show(rows.read(answer), question, lang)
        return b""

    sys.stdout.buffer.write(_in_a_child(work))


def _asked(name: str) -> tuple[Question | None, str]:
    """Return the question of a name or file if it has a header, and the text. Raises Failure."""
    saved = paths.QUERIES / f"{name}.rq"
    file = saved if saved.parent == paths.QUERIES and saved.is_file() else Path(name)
    try:
        if name != "-" and not file.is_file():
            questions.named(name)
        content = sys.stdin.buffer.read() if name == "-" else file.read_bytes()
        text = content.decode("utf-8-sig")
        return questions.read(file) if name != "-" and "#+" in text else None, text
    except BadQuestion as error:
        told = f"{error} Nor is it a file; --list shows the questions." if not file.is_file() else str(error)
        raise Failure(told) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{name} cannot be read as UTF-8 text: {error}") from error


def show(found: list[rows.Row], question: Question | None, language: str) -> None:
    """Print rows as a table as wide as the terminal: labels stand for things, and empty columns are left out."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from interpol_graph.site.phrases import PHRASES

    speech = "fr" if language == "fr" else "en"
    table, console, cells = Table(box=SIMPLE_HEAD), Console(), []
    for name in questions.shown(found[0] if found else ()):
        values = [row[name] if row.get(f"{name}Label") is None else row[f"{name}Label"] for row in found]
        if any(value is not None for value in values):
            numbers = all(isinstance(row[name], int | float | None) for row in found)
            title = question.columns[name][speech] if question and question.columns else name
            table.add_column(Text(title), justify="right" if numbers else "left", overflow="fold")
            cells.append([Text("" if value is None else shorten(str(value))) for value in values])
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    if question:
        console.print(Text(question.title[speech], style="bold"))
    if found:
        console.print(table)
    console.print(Text(PHRASES["rows" if found else "answer.none"][speech].format(n=len(found))))


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
                except (AttributeError, LookupError, TypeError, ValueError) as error:
                    pipe.write(f"-this is a fault of interpol-graph: {type(error).__name__}: {error}".encode())
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
