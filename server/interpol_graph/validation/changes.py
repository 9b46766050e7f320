"""What git says: which files changed against a commit, which it ignores, and all of them as they stand in a commit or the index."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The variables that a hook inherits and that would lead away from the repository in which files lie.
_LEADING = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
)  # fmt: skip


class NoChanges(Exception):
    """What changed cannot be told; the message says why."""


@dataclass(frozen=True)
class Changes:
    """What changed in a repository: its top folder, the commit against which, and the paths, those that are gone included."""

    top: Path
    base: str
    paths: frozenset[Path]

    def touch(self, path: Path) -> bool:
        """Say whether a file changed, or what it is a link to, or lies in a submodule that did."""
        return not self.paths.isdisjoint((path, *path.parents, Path(os.path.realpath(path))))

    def within(self, place: Path) -> list[Path]:
        """Return the changed paths at or below a place; the submodule that it lies in counts, too."""
        above = [path for path in place.parents if path in self.paths and path.is_dir()]
        return above + [path for path in self.paths if path.is_relative_to(place)]

    def moved(self, move: Callable[[Path], Path]) -> "Changes":
        """Return the same changes in a copy of the repository."""
        return Changes(move(self.top), self.base, frozenset(map(move, self.paths)))


def since(base: str, folder: Path, staged: bool = False) -> Changes:
    """Return what changed around a folder since the work left a commit: the work tree, or what is staged in its place.

    base: a commit; MAIN...HEAD is MAIN, too. Raises NoChanges outside a git checkout, or when it knows no such commit.
    """
    above = _git(folder, "rev-parse", "--show-toplevel", failure=f"{folder} is not in a git checkout")
    while above:  # a submodule, unless the command is run in it
        top = Path(above)
        above = "" if Path.cwd().is_relative_to(top) else _git(top, "rev-parse", "--show-superproject-working-tree")
    name = base.removesuffix("HEAD").rstrip(".") if base.endswith(("..HEAD", "...")) else base
    commit = _git(top, "hash-object", "-t", "tree", os.devnull)  # nothing, for a repository without a commit
    if base != "HEAD" or _git(top, "rev-list", "--max-count=1", "--all"):
        verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"]
        unknown = f"git knows no commit {base!r} here; fetch it first (a shallow clone holds only the newest)"
        apart = f"{base!r} and HEAD have no commit in common here; fetch more of the history (fetch-depth: 0)"
        commit = _git(top, "merge-base", _git(top, *verify, failure=unknown), "HEAD", failure=apart)
    what, index = (["--cached"], _index()) if staged else ([], {})
    asked = ("--ignore-submodules=none", "--name-only", "-z", "--no-renames", commit, "--")
    listed = _git(top, "diff", *what, *asked, **index)
    if not staged:
        listed += _git(top, "ls-files", "-z", "--others", "--exclude-standard")
    found = frozenset(Path(os.path.realpath(top / name)) for name in listed.split("\0") if name)
    for path in found:
        if path.is_dir() and not any(path.iterdir()):
            raise NoChanges(f"{path} is a submodule that moved, and is not here: run git submodule update --init first")
    return Changes(top, commit, found)


def ignored(folder: Path, files: Collection[Path]) -> frozenset[Path]:
    """Return those of some files in a folder that git ignores; none where there is no git."""
    program = shutil.which("git")
    if program is None or not files:
        return frozenset()
    names = b"\0".join(os.fsencode(path) for path in files)
    command = [program, "check-ignore", "-z", "--stdin"]
    done = subprocess.run(command, cwd=folder, env=_environment(), input=names, capture_output=True)  # noqa: S603
    return frozenset(Path(os.fsdecode(name)) for name in done.stdout.split(b"\0") if name)


@contextmanager
def standing(top: Path, commit: str | None, here: Path) -> Iterator[Callable[[Path], Path]]:
    """Stand in a copy of a repository as it is in a commit, or in the index for None, and say where a path is there.

    here: the folder to stand in, as it is called in the work tree. Raises NoChanges for a submodule that lacks its commit,
    and for a file in conflict.
    """
    with tempfile.TemporaryDirectory(prefix="interpol-graph-") as folder:
        tree = Path(folder).resolve() / "tree"
        _write(top, commit, tree)
        (tree / ".git").touch()  # a top it is, and no part of a repository around

        def moved(path: Path) -> Path:
            return tree / path.relative_to(top) if path.is_relative_to(top) else path

        moved(here).mkdir(parents=True, exist_ok=True)
        with chdir(moved(here)):
            yield moved


def _write(top: Path, commit: str | None, tree: Path) -> None:
    """Write a repository as it is in a commit, or in the index for None, into a folder, its submodules as they are there."""
    tree.mkdir(parents=True, exist_ok=True)
    index = _index()
    if commit:
        index = {"GIT_INDEX_FILE": f"{tree}.index"}
        _git(top, "read-tree", commit, failure=f"{top} has no commit {commit} here; fetch more of its history", **index)
    _git(top, "checkout-index", "--all", f"--prefix={tree}/", **index)
    for entry in _git(top, "ls-files", "-z", "--stage", **index).split("\0"):
        about, _, name = entry.partition("\t")
        if about and not about.endswith(" 0"):
            raise NoChanges(f"{top / name} is in conflict: settle it, and stage it with git add")
        if about.startswith("160000 ") and (top / name / ".git").exists():
            _write(top / name, about.split()[1], tree / name)


def _index() -> dict[str, str]:
    """Return the setting of the index that a hook is to judge, which need not be that of the repository."""
    name = os.environ.get("GIT_INDEX_FILE")
    return {"GIT_INDEX_FILE": str(Path(name).absolute())} if name else {}


def _environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _LEADING} | more


def _git(folder: Path, *arguments: str, failure: str = "git failed", **environment: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise NoChanges("git is not installed, and without it nobody knows what changed")
    command, settings = [program, *arguments], _environment(**environment)
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True)  # noqa: S603
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise NoChanges(failure + (f": {said[0]}" if said else ""))
    return os.fsdecode(done.stdout).removesuffix("\n")
