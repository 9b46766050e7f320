"""The command `validate`: what to check, how to say it, and the exit code. 0 fine, 1 errors found, 2 could not run."""

from __future__ import annotations

import gc
import os
import sys
from itertools import chain
from pathlib import Path
from typing import IO, get_args

import click

from interpol_graph.cli import Failure
from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable, given_files, project_files
from interpol_graph.validation import formats, report, rules, run, scope, text
from interpol_graph.validation.report import Report
from interpol_graph.validation.scope import Scope

EXISTING = click.Path(path_type=Path)


@click.command("validate")
@click.argument("names", metavar="[PATH]...", nargs=-1, type=EXISTING)
@click.option(
    "--shapes",
    multiple=True,
    type=EXISTING,
    help="SHACL shapes to use instead of the project's own; may be repeated.",
)
@click.option(
    "--changed",
    metavar="BASE",
    help="Report only on files that git says changed against this commit, such as HEAD or origin/main.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(sorted(formats.BY_NAME)),
    default="text",
    show_default=True,
    help="How findings are written.",
)
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="File to write to.")
@click.option(
    "--max-size",
    type=click.IntRange(1),
    default=scope.MAX_SIZE,
    show_default=True,
    help="Mebibytes that one file may have; a larger one is refused.",
)
@click.option(
    "--judge",
    type=click.Choice(get_args(run.Judge)),
    default="own",
    show_default=True,
    help="Who judges by shapes: our own engine, and pySHACL where they ask SPARQL queries; or pySHACL everything.",
)
@click.option("--rules", "listing", is_flag=True, help="List the rules that findings name, and check nothing.")
def command(
    names: tuple[Path, ...],
    shapes: tuple[Path, ...],
    changed: str | None,
    style: str,
    output: IO[str],
    max_size: int,
    judge: run.Judge,
    listing: bool,
) -> None:
    """Validate the graph, files of it, or any RDF files by any shapes."""
    # A run makes many objects and few cycles; looking for them takes a tenth of its time.
    gc.set_threshold(100_000, 20, 20)
    try:
        if listing:
            return _list_rules(shapes, output)
        scopes = _scopes(names, shapes, changed)
        for chosen in scopes:
            scope.check_sizes(chosen, max_size)
        found = report.merged([run.run(chosen, judge) for chosen in scopes])
    except Unreadable as error:
        refusal, words = report.refusal(error), [str(error)]
        if style == "text":
            ((_, line),) = refusal.with_lines()
            words += text.excerpt(line, error.line, error.column) if line else []
        else:
            _write(style, refusal, output)
        raise Failure("\n".join(words)) from error
    except scope.NoChanges as error:
        raise Failure(str(error)) from error
    _write(style, found, output)
    click.echo(_closing(names, changed, found), err=True)
    sys.exit(0 if found.conforms else 1)


def _scopes(names: tuple[Path, ...], shapes: tuple[Path, ...], changed: str | None) -> list[Scope]:
    if shapes and not names:
        example = "interpol-graph validate my.ttl --shapes my-shapes.ttl"
        raise Failure(f"--shapes needs the files to validate by them: {example}")
    whole = [scope.foreign(names, shapes)] if shapes else scope.chosen(names)
    if changed is None:
        return whole
    folder = names[0].resolve() if names else Path.cwd()
    changes = scope.changed(changed, folder if folder.is_dir() else folder.parent)
    return [scope.narrowed(chosen, changes) for chosen in whole]


def _write(style: str, found: Report, output: IO[str]) -> None:
    """Write a report; colours go to a terminal only, and not there either when NO_COLOR is set."""
    written = formats.BY_NAME[style].write(found)
    click.echo(written, file=output, nl=False, color=False if os.environ.get("NO_COLOR") else None)


def _closing(names: tuple[Path, ...], changed: str | None, found: Report) -> str:
    if changed is not None and not found.checked:
        return f"Nothing that is validated changed against {changed}."
    what = ", ".join(str(name) for name in names) or f"the graph in {paths.shown(scope.around())}"
    return f"{what}: {text.closing(found)}"


def _list_rules(shapes: tuple[Path, ...], output: IO[str]) -> None:
    """Write the table of rules: built-in ones, then those of the given shapes or of the project."""
    root = scope.around()
    files = given_files(path.resolve() for path in shapes)
    if not shapes:
        files = [file for file in project_files(root) if file.graph == run.SHAPES]
    statements = chain.from_iterable(file.quads() for file in files)
    table = rules.known(statements, None if shapes else root / "queries" / "checks")
    for rule in table.values():
        click.echo(f"{rule.name}\t{rule.kind}\t{rule.severity}\t{rule.asks}", file=output)
