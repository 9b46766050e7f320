"""The command `validate`: what to check, how to say it, and the exit code. 0 fine, 1 findings that fail, 2 could not run."""

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, get_args

import click
from pyoxigraph import NamedNode

from interpol_graph.cli import Failure
from interpol_graph.graph import paths
from interpol_graph.graph.files import Unreadable, absolute, given_files, project_files
from interpol_graph.graph.prefixes import expand
from interpol_graph.validation import changes, formats, judgement, report, rules, run, scope, text
from interpol_graph.validation.judgement import Manner
from interpol_graph.validation.report import Report
from interpol_graph.validation.scope import Named

EXISTING, STYLE = click.Path(path_type=Path), click.Choice(sorted(formats.BY_NAME))
JUDGE = click.Choice(get_args(judgement.Judge))


def _option(*names: str, help: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(*names, help=help, show_default=settings.get("default") is not None, **settings)


@click.command("validate")
@click.argument("names", metavar="[PATH]...", nargs=-1, type=EXISTING)
@_option("--shapes", multiple=True, type=EXISTING, help="SHACL shapes instead of the project's own; may be repeated.")
@_option("--context", multiple=True, type=EXISTING, help="More RDF that the data refers to: read, and not reported on.")
@_option("--changed", metavar="BASE", help="Report on what changed since this commit of git, and on what that breaks.")
@_option("--staged", is_flag=True, help="Judge what is staged for the next commit, not the files as they lie there.")
@_option("--shape", "only", multiple=True, metavar="IRI", help="Judge by this shape alone; may be repeated.")
@_option("--focus", multiple=True, metavar="IRI", help="Judge this node alone; may be repeated.")
@_option("--fail-on", type=click.Choice(report.SEVERITIES), default="error", help="The slightest severity that fails.")
@_option("--strict", is_flag=True, help="Refuse shapes that are not well-formed or not supported, instead of a remark.")
@_option("--map", "maps", multiple=True, metavar="IRI=PATH", help="The file of what shapes import; may be repeated.")
@_option("--fetch", is_flag=True, help="Fetch what shapes import and is not at hand; nothing is fetched otherwise.")
@_option("--keep-going", is_flag=True, help="Judge the rest when a file cannot be read; the file is a finding then.")
@_option("--most", type=click.IntRange(1), metavar="N", help="Findings that are shown of one rule.  [default: all]")
@_option("--format", "style", type=STYLE, default="text", help="How findings are written.")
@_option("--output", type=click.File("w", encoding="utf-8", lazy=False), default="-", help="File to write to.")
@_option("--max-size", type=click.IntRange(1), default=judgement.MAX_SIZE, help="Mebibytes that one file may have.")
@_option("--judge", type=JUDGE, default="own", help="Our own engine, with pySHACL for SPARQL constraints; or pySHACL.")
@_option("--rules", "listing", is_flag=True, help="List the rules that findings name, and check nothing.")
def command(
    names: tuple[Path, ...],
    shapes: tuple[Path, ...],
    context: tuple[Path, ...],
    changed: str | None,
    staged: bool,
    only: tuple[str, ...],
    focus: tuple[str, ...],
    maps: tuple[str, ...],
    style: str,
    output: IO[str],
    listing: bool,
    **settings: Any,
) -> None:
    """Validate the graph, files of it, or any RDF files by any shapes."""
    # A run makes many objects and few cycles; looking for them takes a tenth of its time.
    gc.set_threshold(100_000, 20, 20)
    if shapes and not names and not listing:
        example = "interpol-graph validate my.ttl --shapes my-shapes.ttl"
        raise Failure(f"--shapes needs the files to validate by them: {example}")
    with ExitStack() as stack:  # a report is written where the files stand that it is about
        try:
            if listing:
                return _write(_rules(shapes), output)
            if astray := [each for each in maps if "=" not in each]:
                raise Failure(f"--map takes IRI=PATH, not {astray[0]!r}")
            mapped = {iri: absolute(Path(path)) for iri, _, path in (each.rpartition("=") for each in maps)}
            judged, nodes = (frozenset(map(NamedNode, map(expand, each))) for each in (only, focus))
            manner = Manner(only=judged, focus=nodes, maps=mapped, progress=_progress, **settings)
            named = Named(names, shapes, context)
            if changed is None and not staged:
                found = run.every(named.scopes(), manner)
            else:
                found = _of_changes(named, changed, staged, manner, stack)
        except Unreadable as error:
            refusal = report.refusal(error)
            words = [f"{finding.place}: {finding.message}" for finding in refusal.findings]
            if style == "text":
                for finding, line in report.with_lines(refusal.findings[:1]):
                    words[1:1] = text.excerpt(line, finding.line, finding.column) if line else []
            else:
                _write(formats.BY_NAME[style].pieces(refusal), output)
            raise Failure("\n".join(words)) from error
        except (changes.NoChanges, ValueError) as error:
            raise Failure(str(error)) from error
        except Exception as error:  # a traceback would end 1, and 1 says that something was found
            what = f"{type(error).__name__}: {error}"
            raise Failure(f"this is a fault of interpol-graph, and nothing is known of the data: {what}") from error
        _write(formats.BY_NAME[style].pieces(found), output)
        if (told := click.get_current_context().obj) is not None:
            told(found)
        if changed is not None and not found.checked and not found.findings:
            click.echo(f"Nothing that is validated changed against {changed}.", err=True)
        else:
            what = ", ".join(map(str, names)) or f"the graph in {paths.shown(scope.around())}"
            click.echo(f"{what}: {text.closing(found)}", err=True)
    sys.exit(0 if found.conforms else 1)


def _of_changes(named: Named, changed: str | None, staged: bool, manner: Manner, stack: ExitStack) -> Report:
    """Return what there is to say of what changed since a commit, or is staged, and of what that breaks elsewhere.

    stack: keeps the copy of what is staged until the report on it is written.
    """
    named = named.moved(absolute)
    folder = named.data[0] if named.data else Path.cwd()
    if not named.shapes and scope.checkout(folder) is None:
        raise Failure("what changed is judged by shapes, or in a checkout by its rules: name PATH and --shapes")
    # pre-commit says so when it compares two commits.
    base = os.environ.get("PRE_COMMIT_FROM_REF") or "HEAD" if changed is None else changed
    since = changes.since(base, folder if folder.is_dir() else folder.parent, staged)
    if astray := [path for path in named.data if not path.is_relative_to(since.top)]:
        raise Failure(f"{astray[0]} is not in the repository {since.top}, and what changed is known of that alone")
    # In a copy, what does not lie in the working directory is called as from the top.
    own = [path for path in (*named.data, *named.shapes) if path.is_relative_to(since.top)]
    near = Path.cwd().is_relative_to(since.top) and all(path.is_relative_to(Path.cwd()) for path in own)
    now, seen, here = named, since, Path.cwd() if near else since.top
    if staged:
        moved = stack.enter_context(changes.standing(since.top, None, here))
        now, seen = named.moved(moved), since.moved(moved)
        manner = replace(manner, maps={iri: moved(path) for iri, path in manner.maps.items()})
    scopes = now.scopes()
    if changed is not None or since.paths:  # else no commit is being made, and all files are asked for
        scopes = [scope.narrowed(run.with_imports(each, manner), seen) for each in scopes]
    found = run.every(scopes, manner)
    # To judge the earlier tree takes as long again: it is done for what would fail.
    if not any(map(found.fails, found.elsewhere)) or not any(each.beyond for each in scopes):
        return found
    with changes.standing(since.top, since.base, here) as moved:
        broken = {finding.rule for finding in found.elsewhere}
        earlier = run.earlier(named.moved(moved), manner, moved(since.top), broken)
    return report.compared(found, seen.top, earlier)


def _progress(shapes: Sequence[Any]) -> Iterator[Any]:
    """Yield the shapes that data is judged by, and show at a terminal how far it is."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(shapes, label="Judging by shapes", show_pos=True, hidden=hidden, file=sys.stderr) as bar:
        yield from bar


def _write(pieces: Iterable[str], output: IO[str]) -> None:
    """Write a report; colours go to a terminal only, and not there either when NO_COLOR is set."""
    try:
        for piece in pieces:
            click.echo(piece, file=output, nl=False, color=False if os.environ.get("NO_COLOR") else None)
        output.flush()
    except OSError as error:
        raise Failure(f"the report cannot be written: {error.strerror or error}") from error


def _rules(shapes: tuple[Path, ...]) -> Iterator[str]:
    """Yield the table of rules: built-in ones, then those of the given shapes or of the project. Raises Unreadable."""
    root = scope.around()
    files = given_files(map(absolute, shapes))
    if not shapes:
        files = [file for file in project_files(root) if file.graph == run.SHAPES]
    statements = chain.from_iterable(file.quads() for file in files)
    table = rules.known(statements, None if shapes else root / "queries" / "checks")
    for rule in table.values():
        yield f"{rule.name}\t{rule.kind}\t{rule.severity}\t{rule.asks}\n"
