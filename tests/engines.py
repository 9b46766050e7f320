"""Other engines, started empty on loopback and stopped: Oxigraph's server (PyPI) and Virtuoso (Debian's virtuoso-opensource-7-bin)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import free_port

#: What Virtuoso is told of itself; everything else is as it comes.
_INI = """[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
NumberOfBuffers = {buffers}
MaxDirtyBuffers = {dirty}
DirsAllowed = {folder}
MaxQueryMem = 1G
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
[SPARQL]
ResultSetMaxRows = 10000000
"""


@dataclass
class Engine:
    """A running engine: where it answers queries and keeps graphs, with which credentials; its process."""

    name: str
    query: str
    store: str
    auth: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the environment says of the credentials."""
        return {"INTERPOL_GRAPH_ENGINE_AUTH": self.auth} if self.auth else {}


@contextmanager
def oxigraph(folder: Path, port: int | None = None, before: Sequence[str] = ()) -> Iterator[Engine]:
    """Run Oxigraph's server on a folder of its own; before: the command that starts it, if one does."""
    port, program = port or free_port(), Path(sys.executable).with_name("oxigraph")
    command = [*before, str(program), "serve", "--location", str(folder / "store"), "--bind", f"127.0.0.1:{port}"]
    base = f"http://127.0.0.1:{port}"
    with _running("oxigraph", command, folder, base + "/query") as process:
        yield Engine("oxigraph", base + "/query", base + "/store", "", process, folder)


@contextmanager
def virtuoso(folder: Path, buffers: int = 50_000) -> Iterator[Engine]:
    """Run Virtuoso on a folder of its own; buffers: of 8 KiB each, about a tenth more in memory."""
    program = shutil.which("virtuoso-t")
    assert program, "virtuoso-t is not installed: apt-get install virtuoso-opensource-7-bin"
    port, sql, ini = free_port(), free_port(), folder / "virtuoso.ini"
    ini.write_text(_INI.format(folder=folder, port=port, sql=sql, buffers=buffers, dirty=buffers * 3 // 4))
    base = f"http://127.0.0.1:{port}"
    command = [program, "+foreground", "+configfile", str(ini)]
    with _running("virtuoso", command, folder, base + "/sparql") as process:
        auth = "Digest dba:dba"
        yield Engine("virtuoso", base + "/sparql", base + "/sparql-graph-crud-auth", auth, process, folder)


ENGINES = {"oxigraph": oxigraph, "virtuoso": virtuoso}


@contextmanager
def _running(name: str, command: list[str], folder: Path, query: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block ends; it begins when the engine answers."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        for _ in range(600):
            assert process.poll() is None, f"{name} ended: {log.read_text(errors='replace')[-2000:]}"
            try:
                urllib.request.urlopen(f"{query}?query=ASK%20%7B%7D", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait(30)
