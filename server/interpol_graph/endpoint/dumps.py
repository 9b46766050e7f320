"""/dumps/: the whole graph and each named graph as files that can be resumed and checked."""

from __future__ import annotations

import difflib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from flask import Blueprint, Response, request, send_file, url_for

from interpol_graph.endpoint import headers
from interpol_graph.endpoint.problems import Busy, NotFound, PreconditionFailed, Unavailable, Unwritable, check_wanted
from interpol_graph.engine.admission import Full, Places
from interpol_graph.graph.formats import BY_NAME, DUMPS, Format
from interpol_graph.graph.prefixes import GRAPHS
from interpol_graph.site import pages

blueprint = Blueprint("dumps", __name__)

#: The name of the files that hold the whole graph, and of the list of checksums.
WHOLE, SUMS = "interpol", "SHA256SUMS"
_TURTLE = BY_NAME["turtle"]
#: How many may wait for a file.
QUEUE = 8
#: Held while a file is made: of many who want one at once, one has it made and few others wait for it.
_MAKING = Places([1], [QUEUE], 20)
#: What cannot be made, of any state: to find that out takes as long as to make it.
_REFUSED: dict[Path, Unwritable] = {}
#: Held while the folder is made: a second one would be taken away with all that the first thread wrote there.
_OPENING = threading.Lock()


@blueprint.get("/dumps/")
def dumps() -> Response:
    """List the files."""
    whole = [(fmt, WHOLE + fmt.suffix, _size(WHOLE + fmt.suffix)) for fmt in DUMPS]
    graphs = [(iri, graph_file(iri), count) for iri, count in pages.engine().graphs.items()]
    page = pages.render("dumps.html", whole=whole, graphs=graphs, total=sum(pages.engine().graphs.values()))
    page.headers["Cache-Control"] = "no-cache"  # the sizes of files appear when they are made
    return page


@blueprint.get("/dumps/<path:name>")
def file(name: str) -> Response:
    """Send one file; Range and If-None-Match are honoured."""
    if name == SUMS:
        path, media_type = _sums(), "text/plain"
    elif name in _files():
        fmt, graph = _files()[name]
        path, media_type = kept(name, lambda file: pages.engine().dump(file, fmt, graph)), fmt.media_types[0]
    else:
        near = difflib.get_close_matches(name, _files(), 5, 0.4)
        raise NotFound(f"There is no file {name!r}; the files are listed at /dumps/.", similar=near)
    etag = headers.tag(pages.engine().digest, "dumps", name)
    check_if_match(etag)
    download = None if name == SUMS else name.replace("/", "-")
    response = send_file(path, media_type, download_name=download, as_attachment=name != SUMS, etag=etag)
    # The time of writing says nothing about the content, and differs from process to process.
    response.headers.pop("Last-Modified", None)
    response.headers["Cache-Control"] = headers.CACHED
    response.headers["Link"] = f'<{url_for("dumps.file", name=SUMS)}>; rel="describedby"; type="text/plain"'
    return response


def check_if_match(etag: str) -> None:
    """Refuse a request whose If-Match does not hold; the other conditions are left to werkzeug.

    etag: the strong tag, without quotes. It would take If-Match last and know no `*` (RFC 9110, 13.1.1 and 13.2.2).
    """
    if held := request.if_match:
        if not held.star_tag and not held.is_strong(etag):
            raise PreconditionFailed("If-Match names no tag that this file has; ask without it for the file's own.")
        request.environ.pop("HTTP_IF_MATCH")


def graph_file(iri: str) -> str | None:
    """Return the name of the file of a named graph; None for one outside our namespace, or called as the whole is."""
    name = iri.removeprefix(GRAPHS)
    return name + _TURTLE.suffix if iri.startswith(GRAPHS) and name != WHOLE else None


def _files() -> dict[str, tuple[Format, str | None]]:
    """Return file name → (format, graph or None for the whole)."""
    whole: dict[str, tuple[Format, str | None]] = {WHOLE + fmt.suffix: (fmt, None) for fmt in DUMPS}
    return whole | {name: (_TURTLE, iri) for iri in pages.engine().graphs if (name := graph_file(iri))}


def _sums() -> Path:
    """Return where the checksums of all files lie, as sha256sum writes them."""
    if (path := _path(SUMS)).exists():
        return path
    lines = []
    for name, (fmt, graph) in sorted(_files().items()):
        with suppress(Unwritable):
            path = kept(name, lambda file, fmt=fmt, graph=graph: pages.engine().dump(file, fmt, graph))  # type: ignore[misc]
            with path.open("rb") as content:
                lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {name}\n")
    return kept(SUMS, lambda file: file.writelines(line.encode() for line in lines))


def _folder() -> Path:
    """Return the folder for made files: that of the service, for all its processes, or one that goes with this process."""
    if state := pages.engine().state:
        folder = Path(state).with_name("dumps")
        folder.mkdir(exist_ok=True)
        return folder
    with _OPENING:
        return Path(_opened().name)


@cache
def _opened() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="interpol-graph-dumps-")


def _path(name: str) -> Path:
    return _folder() / pages.engine().digest / hashlib.sha256(name.encode()).hexdigest()


def _size(name: str) -> int | None:
    """Return the size of a file in bytes if it has been made already."""
    path = _path(name)
    return path.stat().st_size if path.exists() else None


def _make_room(folder: Path) -> None:
    """Make the folder of a state of the data; files of states before the last one go."""
    if not folder.exists():
        before = sorted(folder.parent.iterdir(), key=lambda other: other.stat().st_mtime)
        folder.mkdir(exist_ok=True)
        for other in before[:-1]:
            shutil.rmtree(other, ignore_errors=True)  # another process may be about it, too


def kept(name: str, make: Callable[[IO[bytes]], None]) -> Path:
    """Return where a file lies, made first if need be by what writes it; it appears whole or not at all."""
    try:
        path = _path(name)
        if not path.exists():
            if refusal := _REFUSED.get(path):
                raise Unwritable(refusal.detail, **refusal.extra)
            _MAKING.take(look=check_wanted)
            try:
                if not path.exists():
                    _made(path, make)
            finally:
                _MAKING.leave()
    except Full:
        raise Busy("Other files are being made; try again in a few seconds.") from None
    except OSError as error:
        raise Unavailable(f"The file cannot be made: {error.strerror or error}.") from error
    return path


def _made(path: Path, make: Callable[[IO[bytes]], None]) -> None:
    _make_room(path.parent)
    unfinished = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115
    try:
        with unfinished:
            make(unfinished)
        os.replace(unfinished.name, path)
    except BaseException as error:
        Path(unfinished.name).unlink(missing_ok=True)
        if isinstance(error, Unwritable):
            _REFUSED[path] = error
        raise
