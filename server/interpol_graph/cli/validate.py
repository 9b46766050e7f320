"""The command `validate`: what to check, how to say it, and the exit code. 0 fine, 1 findings that fail, 2 could not run."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, get_args

import click

from interpol_graph.cli import Failure
from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable, given_files, project_files
from interpol_graph.graph.prefixes import expand
from interpol_graph.validation import changes, formats, judgement, report, rules, run, scope, text
from interpol_graph.validation.judgement import Manner
from interpol_graph.validation.report import Report
from interpol_graph.validation.scope import Scope

EXISTING = click.Path(path_type=Path)


def _option(*names: str, help: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(*names, help=help, show_default=settings.get("default") is not None, **settings)


@click.command("validate")
@click.argument("names", metavar="[PATH]...", nargs=-1, type=EXISTING)
@_option(
    "--shapes", multiple=True, type=EXISTING, help="SHACL shapes to use instead of the project's own; may be repeated."
)
@_option("--context", multiple=True, type=EXISTING, help="More RDF that the data refers to: read, and not reported on.")
@_option(
    "--changed", metavar="BASE", help="Report on what git says changed since this commit, and on what that breaks."
)
@_option("--staged", is_flag=True, help="Judge what is staged for the next commit, not the files as they lie there.")
@_option("--shape", multiple=True, metavar="IRI", help="Judge by this shape alone; may be repeated.")
@_option("--focus", multiple=True, metavar="IRI", help="Judge this node alone; may be repeated.")
@_option("--fail-on", type=click.Choice(report.SEVERITIES), default="error", help="The slightest severity that fails.")
@_option("--strict", is_flag=True, help="Refuse shapes that are not well-formed or not supported, instead of a remark.")
@_option("--map", "map_", multiple=True, metavar="IRI=PATH", help="The file of what shapes import; may be repeated.")
@_option("--fetch", is_flag=True, help="Fetch what shapes import and is not at hand; nothing is fetched otherwise.")
@_option("--keep-going", is_flag=True, help="Judge the rest when a file cannot be read; the file is a finding then.")
@_option("--most", type=click.IntRange(1), metavar="N", help="Findings that are shown of one rule.  [default: all]")
@_option(
    "--format", "style", type=click.Choice(sorted(formats.BY_NAME)), default="text", help="How findings are written."
)
@_option("--output", type=click.File("w", encoding="utf-8", lazy=False), default="-", help="File to write to.")
@_option("--max-size", type=click.IntRange(1), default=judgement.MAX_SIZE, help="Mebibytes that one file may have.")
@_option(
    "--judge",
    type=click.Choice(get_args(judgement.Judge)),
    default="own",
    help="Who judges by shapes: our own engine, and pySHACL where they ask SPARQL queries; or pySHACL everything.",
)
@_option("--rules", "listing", is_flag=True, help="List the rules that findings name, and check nothing.")
def command(
    names: tuple[Path, ...],
    shapes: tuple[Path, ...],
    context: tuple[Path, ...],
    changed: str | None,
    staged: bool,
    shape: tuple[str, ...],
    focus: tuple[str, ...],
    fail_on: str,
    strict: bool,
    map_: tuple[str, ...],
    fetch: bool,
    keep_going: bool,
    most: int | None,
    style: str,
    output: IO[str],
    max_size: int,
    judge: judgement.Judge,
    listing: bool,
) -> None:
    """Validate the graph, files of it, or any RDF files by any shapes."""
    # A run makes many objects and few cycles; looking for them takes a tenth of its time.
    gc.set_threshold(100_000, 20, 20)
    if shapes and not names:
        example = "interpol-graph validate my.ttl --shapes my-shapes.ttl"
        raise Failure(f"--shapes needs the files to validate by them: {example}")
    with ExitStack() as stack:  # a report is written where the files stand that it is about
        try:
            if listing:
                return _list_rules(shapes, output)
            only, nodes = (frozenset(map(expand, each)) for each in (shape, focus))
            maps = tuple((iri, Path(path).resolve()) for iri, _, path in (each.rpartition("=") for each in map_))
            manner = Manner(judge, strict, keep_going, only, nodes, maps, fetch, most, max_size)
            found = _found(stack, (names, shapes, context), changed, staged, manner)
        except Unreadable as error:
            refusal = report.refusal(error)
            words = [f"{finding.place}: {finding.message}" for finding in refusal.findings]
            if style == "text":
                for finding, line in report.with_lines(refusal.findings[:1]):
                    words[1:1] = text.excerpt(line, finding.line, finding.column) if line else []
            else:
                _write(style, refusal, output)
            raise Failure("\n".join(words)) from error
        except (changes.NoChanges, ValueError) as error:
            raise Failure(str(error)) from error
        except Exception as error:  # a traceback would end 1, and 1 says that something was found
            what = f"{type(error).__name__}: {error}"
            raise Failure(f"this is a fault of interpol-graph, and nothing is known of the data: {what}") from error
        _write(style, found := replace(found, fail_on=fail_on), output)
        if (told := click.get_current_context().obj) is not None:
            told(found)
        click.echo(_closing(names, changed, found), err=True)
    sys.exit(0 if found.conforms else 1)


#: The files and folders that are named: data, shapes, context.
Named = tuple[Sequence[Path], Sequence[Path], Sequence[Path]]


def _found(stack: ExitStack, named: Named, changed: str | None, staged: bool, manner: Manner) -> Report:
    """Return what there is to say of what is named, or of what changed in it and of what that breaks.

    stack: keeps the files until the report is written.
    """
    if changed is None and not staged:
        return _judged(_scopes(named), manner)
    here, (names, shapes, context) = Path.cwd(), ([scope.absolute(path) for path in each] for each in named)
    folder = names[0] if names else here
    if not shapes and scope.checkout(folder) is None:
        raise Failure(
            "what changed is judged by shapes, or in a checkout of the graph by its rules: name PATH and --shapes"
        )
    # pre-commit says so when it compares two commits.
    base = os.environ.get("PRE_COMMIT_FROM_REF") or "HEAD" if changed is None else changed
    since = changes.since(base, folder if folder.is_dir() else folder.parent, staged)
    now: Named = (names, shapes, context)
    everything = staged and changed is None and not since.paths  # no commit is being made: all files are asked for
    top = since.top
    if staged:
        moved = stack.enter_context(changes.standing(top, None, here))
        now, top = (moved(names), moved(shapes), moved(context)), moved([top])[0]
        since = replace(since, paths=frozenset(moved(since.paths)))
    scopes = _scopes(now)
    scopes = scopes if everything else [scope.narrowed(each, since) for each in scopes]
    found = _judged(scopes, manner)
    if found.elsewhere and any(each.beyond for each in scopes):
        with changes.standing(since.top, since.base, here) as moved:
            then = tuple([path for path in moved(each) if path.exists()] for each in (names, shapes, context))
            try:
                earlier = (
                    _judged(_scopes((then[0], then[1], then[2])), replace(manner, most=None))
                    if then[0] or not names
                    else None
                )
            except Unreadable:  # it was no better then, and nobody knows how much worse
                earlier = None
            known = Counter(
                report.known_by(finding, moved([since.top])[0]) for finding in (earlier.findings if earlier else ())
            )
        found = report.compared(found, top, known)
    return found


def _judged(scopes: Sequence[Scope], manner: Manner) -> Report:
    return report.merged([run.run(each, manner, _progress) for each in scopes])


def _scopes(named: Named) -> list[Scope]:
    names, shapes, context = named
    scopes = [scope.foreign(names, shapes)] if shapes else scope.chosen(names)
    return [scope.beside(each, context) for each in scopes] if context else scopes


def _progress(shapes: Sequence[Any]) -> Iterator[Any]:
    """Yield the shapes that data is judged by; what takes long is told of at a terminal."""
    begun, told = time.monotonic(), False
    for number, shape in enumerate(shapes, 1):
        yield shape
        if sys.stderr.isatty() and time.monotonic() - begun > 2:
            told = True
            click.echo(f"\rjudged by {number} of {len(shapes)} shapes", err=True, nl=False)
    if told:
        click.echo(err=True)


def _write(style: str, found: Report, output: IO[str]) -> None:
    """Write a report; colours go to a terminal only, and not there either when NO_COLOR is set."""
    try:
        for piece in formats.BY_NAME[style].pieces(found):
            click.echo(piece, file=output, nl=False, color=False if os.environ.get("NO_COLOR") else None)
        output.flush()
    except OSError as error:
        raise Failure(f"the report cannot be written: {error.strerror or error}") from error


def _closing(names: tuple[Path, ...], changed: str | None, found: Report) -> str:
    if changed is not None and not found.checked and not found.findings:
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
