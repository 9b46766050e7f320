"""What one validation reads and what it reports on: a project, some of its files, those that changed, or foreign ones."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from interpol_graph.graph import paths
from interpol_graph.graph.files import (
    STANDARD_INPUT,
    SourceFile,
    Unreadable,
    absolute,
    data_files,
    given_files,
    graph_of,
    is_rdf,
    project_files,
)
from interpol_graph.validation.changes import Changes, ignored


@dataclass(frozen=True)
class Scope:
    """One validation.

    files: everything that is read together; shown: the files whose findings are reported;
    root: the project whose ontology, rules, shapes and checks apply; shapes: SHACL that applies instead of all those;
    named: the files and folders that all this was found at, judges: those of the rules among them; beyond: files that did
    not change, but whose findings are wanted where a change brought them about.
    """

    files: tuple[SourceFile, ...]
    shown: frozenset[Path]
    root: Path = paths.ROOT
    shapes: tuple[SourceFile, ...] = ()
    named: tuple[Path, ...] = ()
    judges: tuple[Path, ...] = ()
    beyond: frozenset[Path] = frozenset()


class Named(NamedTuple):
    """The files and folders that a user names: data, shapes to judge it by, and what it refers to."""

    data: tuple[Path, ...] = ()
    shapes: tuple[Path, ...] = ()
    context: tuple[Path, ...] = ()

    def moved(self, move: Callable[[Path], Path]) -> "Named":
        """Return the same in other places."""
        return Named(*(tuple(map(move, each)) for each in self))

    def scopes(self) -> list[Scope]:
        """Return the validations that they ask for. Raises Unreadable."""
        scopes = [foreign(self.data, self.shapes)] if self.shapes else chosen(self.data)
        return [beside(each, self.context) for each in scopes] if self.context else scopes


def checkout(path: Path) -> Path | None:
    """Return the folder of the graph's source that a path lies in, or None."""
    for folder in (path, *path.parents):
        if all((folder / name).exists() for name in ("ontology/interpol.ttl", "data", "shapes")):
            return folder
    return None


def around() -> Path:
    """Return the graph's source around the working directory, else the bundled one."""
    return checkout(Path.cwd()) or paths.ROOT


def project(root: Path) -> Scope:
    """Return a whole project: the folders ontology/, data/, shapes/ and queries/checks/ below root."""
    files = tuple(project_files(root))
    judges = tuple(root / folder for folder in ("ontology", "shapes", "queries/checks"))
    return Scope(files, frozenset(file.path for file in files), root, named=(root / "data", *judges), judges=judges)


def chosen(names: Iterable[Path]) -> list[Scope]:
    """Return what to validate when these paths are named; when none is, the graph around the working directory.

    A file of a checkout is checked among all the others of its checkout. Files from elsewhere stand for the data as a
    whole, a folder's files as the graphs that its paths name.
    """
    wanted = [absolute(path) for path in names]
    if not wanted:
        return [project(around())]
    own: dict[Path, Scope] = {}
    elsewhere: dict[Path, list[SourceFile]] = {}
    for path in wanted:
        root = checkout(path)
        whole = project(root or paths.ROOT)
        found = frozenset(member for member in whole.shown if member.is_relative_to(path))
        if root and found:
            own[root] = replace(whole, shown=found | (own[root].shown if root in own else found))
        else:
            elsewhere.setdefault(root or paths.ROOT, []).extend(_as_data(path))
    return [*own.values(), *(_alone(files, root) for root, files in elsewhere.items())]


def foreign(names: Iterable[Path], shapes: Iterable[Path]) -> Scope:
    """Return the validation of any files by any SHACL shapes, and by nothing else."""
    data, judges = (tuple(map(absolute, each)) for each in (names, shapes))
    files = tuple(_searched(data))
    shown = frozenset(file.path for file in files)
    return Scope(files, shown, shapes=tuple(_searched(judges)), named=(*data, *judges), judges=judges)


def beside(scope: Scope, names: Iterable[Path]) -> Scope:
    """Return a scope that reads more files, and reports nothing of them."""
    places, known = tuple(map(absolute, names)), {os.path.realpath(file.path) for file in scope.files}
    more = [file for file in _searched(places) if os.path.realpath(file.path) not in known]
    return replace(scope, files=(*scope.files, *more), named=(*scope.named, *places))


def narrowed(scope: Scope, changes: Changes) -> Scope:
    """Return a scope that reports on what changed, and elsewhere finds what that may break; all of it when the rules changed.

    Without a change of anything that it reads, the scope is empty.
    """

    def within(place: Path) -> bool:
        """Say whether what is read of a place has changed, or is gone; a folder may be a submodule."""
        return any(is_rdf(path) or path.suffix == ".rq" or path.is_dir() for path in changes.within(place))

    if any(changes.touch(judge) or within(judge) for judge in scope.judges):
        return scope
    if not any(changes.touch(file.path) for file in scope.files) and not any(map(within, scope.named)):
        return replace(scope, files=(), shown=frozenset())
    shown = frozenset(filter(changes.touch, scope.shown))
    return replace(scope, shown=shown, beyond=scope.shown - shown)


def check_size(file: SourceFile, mebibytes: int) -> None:
    """Raise Unreadable for a file that is larger than may be validated, or whose name nobody can write."""
    try:
        file.path.name.encode()
        most = mebibytes << 20
        size = file.path.stat().st_size if file.path != STANDARD_INPUT else len(file.content())
        if file.path.suffix.lower() == ".gz" and size <= most:
            with gzip.open(file.path) as content:
                size = len(content.read(most + 1))
    except UnicodeEncodeError as error:
        raise Unreadable(file.path, "has a name that is not UTF-8; rename it") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(file.path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if size > most:
        limit = f"files up to {mebibytes} MiB are validated (--max-size says otherwise)"
        raise Unreadable(file.path, f"has {size / 1024 / 1024:.1f} MiB; {limit}")


def _searched(places: Iterable[Path]) -> list[SourceFile]:
    """Return the RDF files at some places, each once, without those below a folder that git ignores. Raises Unreadable."""
    found: dict[str, SourceFile] = {}
    for place in places:
        files = given_files([place])
        hidden = ignored(place, [file.path for file in files]) if place.is_dir() else frozenset()
        if files and len(hidden) == len(files):
            raise Unreadable(place, "holds no RDF file that git does not ignore")
        found = {file.graph: file for file in files if file.path not in hidden} | found
    return list(found.values())


def _as_data(path: Path) -> list[SourceFile]:
    """Return the files at a path as if it held the data: as the graphs that the paths below it name."""
    found = _searched([path])
    if path.is_dir() and (named := data_files(path)):
        return [file for file in named if file.path in {each.path for each in found}]
    return [SourceFile(file.path, graph_of(Path(file.path.name.removesuffix(".gz")).with_suffix(""))) for file in found]


def _alone(files: list[SourceFile], root: Path) -> Scope:
    whole, shown = project(root), frozenset(file.path for file in files)
    frame = [file for file in whole.files if not file.path.is_relative_to(root / "data")]
    return replace(whole, files=(*frame, *files), shown=shown, named=(*whole.judges, *shown))
