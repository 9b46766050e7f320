"""Three copies of the server behind nginx, as server/layouts/nginx.conf says, on ports of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, free_port, started, stopped

LAYOUT = ROOT / "server" / "layouts" / "nginx.conf"


@dataclass
class Copies:
    """The address of nginx, its folder and process, and the copies behind it."""

    url: str
    folder: Path
    nginx: subprocess.Popen[str]
    servers: list[subprocess.Popen[str]]


@contextmanager
def copies(more: str = "") -> Iterator[Copies]:
    """Run them; more: what nginx is to do besides, as its configuration says it."""
    program = shutil.which("nginx")
    assert program, "nginx is not installed: apt-get install nginx"
    ports = {old: free_port() for old in (8000, 8001, 8002, 8003)}
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda place: f"127.0.0.1:{ports[int(place[1])]}", LAYOUT.read_text())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ig-")))
        folder.chmod(0o755)  # started by root, nginx works as somebody else
        (folder / "tmp").mkdir()
        (folder / "nginx.conf").write_text(text.replace("listen", more + "listen", 1))
        servers = []
        for port in list(ports.values())[1:]:
            options = ["--port", str(port), "--workers", "1", "--proxies", "1", "--no-log"]
            command = [sys.executable, "-m", "interpol_graph", "serve", *options]
            servers.append(started(command, f"http://127.0.0.1:{port}/healthz"))
            stack.callback(stopped, servers[-1])
        url = f"http://127.0.0.1:{ports[8000]}"
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        nginx = started(command, f"{url}/healthz", start_new_session=True)
        stack.callback(stopped, nginx)
        yield Copies(url, folder, nginx, servers)
