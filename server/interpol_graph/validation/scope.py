"""What one validation reads and what it reports on: a project, some of its files, those that changed, or foreign ones."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable, data_files, given_files, graph_of, project_files

#: Mebibytes that one file may have: past that, memory is what a validation would run out of first.
MAX_SIZE = 32


class NoChanges(Exception):
    """What changed cannot be told; the message says why."""


@dataclass(frozen=True)
class Scope:
    """One validation.

    files: everything that is read together; shown: the files whose findings are reported;
    root: the project whose ontology, rules, shapes and checks apply; shapes: SHACL that applies instead of all those.
    """

    files: tuple[SourceFile, ...]
    shown: frozenset[Path]
    root: Path = paths.ROOT
    shapes: tuple[SourceFile, ...] = ()


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
    return Scope(files, frozenset(file.path for file in files), root)


def chosen(names: Iterable[Path]) -> list[Scope]:
    """Return what to validate when these paths are named; when none is, the graph around the working directory.

    A file of a checkout is checked among all the others of its checkout. Files from elsewhere stand for the data as a
    whole, a folder's files as the graphs that its paths name.
    """
    wanted = [path.resolve() for path in names]
    if not wanted:
        return [project(around())]
    own: dict[Path, set[Path]] = {}
    elsewhere: dict[Path, list[SourceFile]] = {}
    for path in wanted:
        root = checkout(path)
        members = project(root).shown if root else frozenset()
        found = {member for member in members if member.is_relative_to(path)}
        if root and found:
            own.setdefault(root, set()).update(found)
        else:
            elsewhere.setdefault(root or paths.ROOT, []).extend(_as_data(path))
    return [
        *(replace(project(root), shown=frozenset(found)) for root, found in own.items()),
        *(_alone(files, root) for root, files in elsewhere.items()),
    ]


def foreign(names: Iterable[Path], shapes: Iterable[Path]) -> Scope:
    """Return the validation of any files by any SHACL shapes, and by nothing else."""
    files, judges = (tuple(given_files(path.resolve() for path in paths)) for paths in (names, shapes))
    return Scope(files, frozenset(file.path for file in files), shapes=judges)


def narrowed(scope: Scope, changes: frozenset[Path]) -> Scope:
    """Return a scope that reports only on what changed; on everything when the rules themselves changed."""
    judges = [scope.root / folder for folder in ("ontology", "shapes", "queries/checks")]
    if scope.shapes:
        judges = [file.path.resolve() for file in scope.shapes]
    if any(path.is_relative_to(judge) for path in changes for judge in judges):
        return scope
    return replace(scope, shown=frozenset(path for path in scope.shown if path.resolve() in changes))


def changed(base: str, folder: Path) -> frozenset[Path]:
    """Return the files around a folder that git says changed against a commit, untracked ones included.

    Raises NoChanges outside a git checkout, or when the commit is unknown.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel", failure=f"{folder} is not in a git checkout").strip())
    unknown = f"git knows no commit {base!r} here; fetch it first (a shallow clone holds only the newest)"
    commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", base + "^{commit}", failure=unknown)
    listed = _git(top, "diff", "--name-only", "-z", "--no-renames", commit.strip(), "--", failure="git diff failed")
    listed += _git(top, "ls-files", "-z", "--others", "--exclude-standard", failure="git ls-files failed")
    return frozenset((top / name).resolve() for name in listed.split("\0") if name)


def check_sizes(scope: Scope, mebibytes: int) -> None:
    """Raise Unreadable for a file that is larger than may be validated."""
    for file in (*scope.files, *scope.shapes):
        try:
            size, most = file.path.stat().st_size, mebibytes << 20
            if file.path.suffix.lower() == ".gz" and size <= most:
                with gzip.open(file.path) as content:
                    size = len(content.read(most + 1))
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(file.path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if size > most:
            reason = f"has {size / 1024 / 1024:.1f} MiB; files up to {mebibytes} MiB are validated (--max-size says otherwise)"
            raise Unreadable(file.path, reason)


def _git(folder: Path, *arguments: str, failure: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise NoChanges("git is not installed, and without it nobody knows what changed")
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NoChanges(failure + (f": {said[0]}" if said else ""))
    return done.stdout


def _as_data(path: Path) -> list[SourceFile]:
    found = given_files([path])
    if path.is_dir() and (named := data_files(path)):
        return named
    return [SourceFile(file.path, graph_of(Path(file.path.name.removesuffix(".gz")).with_suffix(""))) for file in found]


def _alone(files: list[SourceFile], root: Path) -> Scope:
    frame = [file for file in project_files(root) if not file.path.is_relative_to(root / "data")]
    return Scope((*frame, *files), frozenset(file.path for file in files), root)
