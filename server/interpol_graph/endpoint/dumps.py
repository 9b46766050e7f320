"""/dumps/ and /graphs: the whole graph and each named graph, literals as in the files, to be resumed and checked.

A file is made once for each state of the data, for all processes of a service, and sent from the disk.
"""

import difflib
import gzip
import hashlib
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Flask, Response, current_app, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as Redirect

from interpol_graph.endpoint import caching, current, negotiation
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.engine.admission import Admission
from interpol_graph.engine.limits import Lane
from interpol_graph.engine.outcomes import Busy, Unavailable, Unwritable
from interpol_graph.graph.downloads import STATED, SUMS, WHOLE, files, graph_file
from interpol_graph.graph.formats import Format, of_kind
from interpol_graph.graph.prefixes import GRAPHS

blueprint = Blueprint("dumps", __name__)

#: Statements up to which files are made for the page that lists them, and how many seconds that may take of each view.
SMALL, MOMENT = 500_000, 0.7
#: How many may wait for a file.
QUEUE = 8
#: Held while a file is made: of many who want one at once, one has it made and few others wait for it. What is slow, or
#: asks the graph, does not keep others waiting: one file of a name, in whatever format or language, takes half of the places.
_MAKING = Admission([Lane(2, QUEUE)], 20, "Other files are being made; try again in a few seconds.")
#: What cannot be made, of any state, and why: to find that out takes as long as to make it.
_REFUSED: dict[Path, tuple[str, dict[str, Any]]] = {}

#: Writes the content of a file.
Make = Callable[[IO[bytes]], object]


def register(app: Flask, state: str | None) -> None:
    """Give the application a folder for its files: that of the service, beside its state, or one of its own."""
    folder = Path(state).with_name("dumps") if state else Path(_own_folder().name)
    folder.mkdir(exist_ok=True)
    app.extensions["dumps"] = folder
    app.register_blueprint(blueprint)


@cache
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="interpol-graph-dumps-")


@blueprint.get("/dumps/")
def dumps() -> Response:
    """List the files."""
    state = current.snapshot()
    checked = _ready() if state.triples <= SMALL else {}
    groups: dict[str, list[tuple[str, str | None, int]]] = defaultdict(list)
    for iri, count in state.graphs.items():
        folder, slash, _ = iri.removeprefix(GRAPHS).partition("/")
        groups[folder if slash and iri.startswith(GRAPHS) else ""].append((iri, graph_file(iri), count))
    sizes = {name: _size(*of) for name, of in _files().items()}
    return current.render(
        "dumps.html", lifetime="no-cache", whole=wholes(), stated=STATED if STATED in sizes else None, graphs=groups,
        sizes=sizes, sums=checked, total=sum(state.graphs.values()), triples=state.triples, space=GRAPHS,
    )  # fmt: skip


@blueprint.get("/dumps/<path:name>")
def file(name: str) -> Response:
    """Send one file; Range and If-None-Match are honoured."""
    if name == SUMS:
        return _sent(name, _sums(), "text/plain; charset=utf-8")
    plain = name.removesuffix(".gz")
    if plain not in _files():
        near = difflib.get_close_matches(name, _files(), 3, 0.4)
        raise NotFound(f"There is no file {name!r}; the files are listed at /dumps/.", similar=near)
    fmt, graph = _files()[plain]
    path, content_type = dumped(fmt, graph), fmt.content_type
    if plain != name:
        path, content_type = made(f"{_key(fmt, graph)} gz", lambda file: _compress(path, file)), "application/gzip"
    response = _sent(name, path, content_type, name.replace("/", "-"))
    response.headers["Link"] = f'<{url_for("dumps.file", name=SUMS)}>; rel="describedby"; type="text/plain"'
    return response


@blueprint.get("/graphs")
def graphs() -> Response | Redirect:
    """Return one graph by the Graph Store HTTP Protocol: ?graph=IRI or ?default. A browser without either is led to the list."""
    known, named = list(current.snapshot().graphs), request.args.getlist("graph")
    if len(named) + ("default" in request.args) != 1:
        if not request.args and negotiation.wants_html():
            return redirect(url_for("dumps.dumps"), 303)
        raise BadParameter("Which graph? Name one, and only one: ?default, or ?graph= with an IRI listed at /dumps/.")
    iri = named[0] if named else None
    if iri is not None and iri not in known:
        similar = difflib.get_close_matches(iri, known, 3, 0.6)
        raise NotFound(f"There is no graph <{iri}> here; the graphs are listed at /dumps/.", similar=similar)
    fmt = negotiation.require(of_kind("graph"), "A graph")
    response = _sent(f"graphs {iri or ''} {fmt.name}", dumped(fmt, iri), fmt.content_type)
    response.vary.add("Accept")
    return response


def made(name: str, make: Make) -> Path:
    """Return where a file lies, made first if need be by what writes it; it appears whole or not at all.

    name: what the file is of, and behind a space in which format or language. Raises Busy, Departed, Unavailable when the disk takes no file, Unwritable.
    """
    try:
        path = _path(name)
        if not path.exists():
            if refused := _REFUSED.get(path):
                raise Unwritable(refused[0], **refused[1])
            with _MAKING.slot(gone=current.gone(), claims=(name.partition(" ")[0],)):
                if not path.exists():
                    _make(path, make)
    except OSError as error:
        raise Unavailable(f"The file cannot be made: {error.strerror or error}.") from error
    return path


def _sent(name: str, path: Path, content_type: str, download: str | None = None) -> Response:
    """Return a file as an answer that can be resumed: its tag is strong."""
    etag = caching.tag(current.snapshot().digest, "dumps", name)
    # The time of writing would say nothing about the content; that of loading is the same in all processes.
    loaded = datetime.fromtimestamp(current.snapshot().loaded, UTC)
    caching.check(etag, loaded)
    if request.if_none_match.contains_weak(etag):
        request.environ.pop("HTTP_RANGE", None)  # what is known whole is not sent in part (RFC 9110, 13.2.2)
    response = send_file(path, content_type, download is not None, download, etag=etag, last_modified=loaded)
    response.headers["Content-Type"] = content_type
    response.headers["Cache-Control"] = caching.CACHED
    return response


def _ready() -> dict[str, str]:
    """Make files for a moment, and return the checksums once all are there."""
    end = time.monotonic() + MOMENT
    with suppress(Unavailable, Busy):  # without room on the disk, or in a crowd, the page lists what there is
        for fmt, graph in _files().values():
            if time.monotonic() > end:
                return {}
            with suppress(Unwritable):
                dumped(fmt, graph)
        return sums()
    return {}


def wholes() -> list[tuple[Format, str, int | None]]:
    """Return format, name and size, if it has been made already, of every file that holds the whole."""
    return [(fmt, name, _size(fmt, graph)) for name, (fmt, graph) in _files().items() if graph is None]


def dumped(fmt: Format, graph: str | None = None) -> Path:
    """Return where a graph, or the whole, lies in a format. Raises as `made` does."""
    snapshot, gone = current.snapshot(), current.gone()
    return made(_key(fmt, graph), lambda file: snapshot.dump(file, fmt, graph, gone))


def _key(fmt: Format, graph: str | None) -> str:
    return f"{graph or WHOLE} {fmt.name}"


def _compress(path: Path, output: IO[bytes]) -> None:
    """Write a file compressed; equal content gives equal bytes."""
    with path.open("rb") as content, gzip.GzipFile("", "wb", 6, output, mtime=0) as compressed:
        shutil.copyfileobj(content, compressed, 1 << 20)


def _files() -> dict[str, tuple[Format, str | None]]:
    """Return file name → (format, graph or None for the whole); what another engine holds is a file here by a release only."""
    settings = current_app.extensions["pool"].settings
    return files(current.snapshot().graphs, current.own(), not settings.engine or bool(settings.release))


def sums() -> dict[str, str]:
    """Return file name → SHA-256 of every file. Raises as `made` does."""
    lines = (line.split() for line in _sums().read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def _sums() -> Path:
    """Return where the checksums of all files lie, as sha256sum writes them."""
    if (path := _path(SUMS)).exists():
        return path
    lines = []
    for name, (fmt, graph) in sorted(_files().items()):
        with suppress(Unwritable), dumped(fmt, graph).open("rb") as content:
            lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {name}\n".encode())
    return made(SUMS, lambda file: file.writelines(lines))


def _path(name: str) -> Path:
    folder: Path = current_app.extensions["dumps"]
    return folder / current.snapshot().digest / hashlib.sha256(name.encode()).hexdigest()


def _size(fmt: Format, graph: str | None) -> int | None:
    """Return the size of a file in bytes if it has been made already."""
    path = _path(_key(fmt, graph))
    return path.stat().st_size if path.exists() else None


def _make(path: Path, make: Make) -> None:
    _make_room(path.parent)
    unfinished = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115
    try:
        with unfinished:
            make(unfinished)
        os.replace(unfinished.name, path)
    except BaseException as error:
        Path(unfinished.name).unlink(missing_ok=True)
        if isinstance(error, Unwritable):
            _REFUSED[path] = error.detail, error.extra
        raise


def _make_room(folder: Path) -> None:
    """Make the folder of a state of the data; files of states before the last one go."""
    with suppress(FileExistsError):  # whoever makes it makes room, too: of a crowd of threads and processes, one
        folder.mkdir()
        others = (other for other in folder.parent.iterdir() if other != folder)
        for other in sorted(others, key=lambda other: other.stat().st_mtime)[:-1]:
            shutil.rmtree(other, ignore_errors=True)
