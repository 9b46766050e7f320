"""The command `query`: a saved question by its name, or any query, answered as a table, or as data where nobody reads."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import click

from interpol_graph.cli import Failure
from interpol_graph.graph import paths, questions, rows
from interpol_graph.graph.formats import BY_NAME, Format, of_kind
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
        click.echo(_list(lang), nl=False)
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
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and style is None else 0
    wanted = BY_NAME[style] if style else None

    def work() -> bytes:
        from interpol_graph.engine import client
        from interpol_graph.engine.outcomes import EngineError

        try:
            query = client.filled(question, {"lang": lang} | values, endpoint) if question else text
            results, graph = _formats(wanted, "json" if width else "csv")
            answer = client.ask(query, results=results, graph=graph, endpoint=endpoint)
        except BadQuestion as error:
            raise Failure(str(error)) from error
        except EngineError as error:
            raise Failure(error.detail) from error
        return table(rows.read(answer), question, lang, width) if width and answer.startswith(b"{") else answer

    sys.stdout.buffer.write(_in_a_child(work))


def _asked(name: str) -> tuple[Question | None, str]:
    """Return the question of a name or file if it has a header, and the text. Raises Failure."""
    saved = paths.QUERIES / f"{name}.rq"
    file = saved if saved.parent == paths.QUERIES and saved.is_file() else Path(name)
    try:
        if name != "-" and not file.is_file():
            questions.named(name)
        text = sys.stdin.read() if name == "-" else file.read_text(encoding="utf-8")
        return questions.read(file) if name != "-" and "#+" in text else None, text
    except BadQuestion as error:
        told = f"{error} Nor is it a file; --list shows the questions." if not file.is_file() else str(error)
        raise Failure(told) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{name} cannot be read as UTF-8 text: {error}") from error


def _formats(wanted: Format | None, default: str) -> tuple[Format | None, Format | None]:
    """Return the format for rows and the one for a graph."""
    if wanted is None:
        return BY_NAME[default], BY_NAME["turtle"]
    return (wanted, None) if wanted.kind == "results" else (None, wanted)


def table(found: Sequence[rows.Row], question: Question | None, language: str, width: int) -> bytes:
    """Return rows as a table for a terminal of some width: labels stand for things, and empty columns are left out."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from interpol_graph.site.phrases import PHRASES

    speech = "fr" if language == "fr" else "en"
    titles = question.columns if question else {}
    cells = [{name: _cell(row, name) for name in questions.shown(row)} for row in found]
    shown = Table(box=SIMPLE_HEAD)
    columns = [name for name in (cells[0] if cells else ()) if any(row[name] for row in cells)]
    for name in columns:
        numbers = all(isinstance(row[name], int | float | None) for row in found)
        title = Text(titles[name][speech] if name in titles else name)
        shown.add_column(title, justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        shown.add_row(*(Text(row[name]) for name in columns))
    console = Console(file=StringIO(), force_terminal=not os.environ.get("NO_COLOR"), width=width)
    if question:
        console.print(Text(question.title[speech], style="bold"))
    if found:
        console.print(shown)
    said = PHRASES["rows" if found else "answer.none"][speech]
    console.print(Text(said.format(n=len(found))))
    written: StringIO = console.file  # type: ignore[assignment]
    return written.getvalue().encode()


def _cell(row: rows.Row, name: str) -> str:
    value = row[name] if row.get(f"{name}Label") is None else row[f"{name}Label"]
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else shorten(str(value))


def _list(language: str) -> str:
    """Return the names and titles of the saved questions, by subject."""
    from interpol_graph.site.questions import by_subject

    speech = "fr" if language == "fr" else "en"
    longest = max(map(len, questions.saved()), default=0)
    return "\n".join(
        "".join([f"{subject}\n", *(f"  {one.name:<{longest}}  {one.title[speech]}\n" for one in group)])
        for subject, group in by_subject(speech)
    )


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
