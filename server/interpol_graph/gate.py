"""The door of a server process, ASGI outside and WSGI inside: no client can hold a thread by being slow.

A request is read whole before a thread works on it, an answer is sent after the thread has done its work, and a client
that goes away is noticed meanwhile. Nor can slow readers fill the memory: a large answer goes out piece by piece as it is
read, a client that takes no piece for long is given up, and large answers that wait to be read have bounded room.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from interpol_graph import visitor
from interpol_graph.errors import BadRequest, Busy, Problem, RequestTimeout, document

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: Bytes of a body that are kept here, more than any route reads; of a longer one only the length is handed on.
LARGEST = 4 << 20
#: Bytes of a body that are read at all: a client that is still sending would not see why it is refused.
HEARD = 64 << 20
#: Seconds within which a body must be whole.
PATIENCE = 20.0
#: Bytes of a large answer that are sent at a time.
PIECE = 1 << 18
#: Seconds within which a client must take the next piece.
STALLED = 30.0
#: Bytes of large answers that may wait in one process to be read.
UNREAD = 256 << 20


class Gone(Exception):
    """The client has closed the connection."""


class Gate:
    """An ASGI application around a WSGI application that works in `threads` threads.

    ready: tells of a request whether its answer lies in memory; it is then sent sooner than a thread would wake up.
    """

    def __init__(self, app: WSGIApplication, threads: int, ready: Callable[[WSGIEnvironment], bool]) -> None:
        self.app, self.ready = app, ready
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.unread = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            environ = await _environ(scope, receive)
        except TimeoutError:
            return await _refuse(
                send, RequestTimeout(f"The body was not whole within {PATIENCE:g} seconds; send it again.")
            )
        except Gone:  # or its chunks are none, which looks the same from here
            return await _refuse(
                send, BadRequest("The body cannot be read: its length or its chunks are not in order.")
            )
        left = threading.Event()
        if self.ready(environ):  # what is kept is there once for all its readers
            return await self._send(send, *self._answer(environ, left))
        work = asyncio.get_running_loop().run_in_executor(self.pool, self._answer, environ, left)
        watch = asyncio.ensure_future(_departure(receive))
        try:
            await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                left.set()
            status, fields, body = await work
        finally:
            watch.cancel()
        size = len(body) if isinstance(body, bytes) and len(body) > PIECE else 0
        if size and self.unread and self.unread + size > UNREAD:
            return await _refuse(
                send, Busy("Too many large answers wait for their readers; try again in a few seconds.")
            )
        self.unread += size
        try:
            await self._send(send, status, fields, body)
        finally:
            self.unread -= size

    async def _send(
        self, send: Send, status: int, fields: list[tuple[bytes, bytes]], body: bytes | Iterable[bytes]
    ) -> None:
        """Send an answer, a large one no faster than it is read; a client that stands still is cut off."""
        await send({"type": "http.response.start", "status": status, "headers": fields})
        if isinstance(body, bytes) and len(body) <= PIECE:
            return await send({"type": "http.response.body", "body": body})
        try:
            async for piece in self._pieces(body):
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            return  # without an end: the client sees that its answer is not whole
        finally:
            getattr(body, "close", tuple)()
        await send({"type": "http.response.body", "body": b""})

    async def _pieces(self, body: bytes | Iterable[bytes]) -> AsyncIterator[bytes]:
        """Yield a body in pieces; a file is read in a thread."""
        if isinstance(body, bytes):
            for start in range(0, len(body), PIECE):
                yield body[start : start + PIECE]
            return
        loop, pieces = asyncio.get_running_loop(), iter(body)
        while (piece := await loop.run_in_executor(self.pool, next, pieces, None)) is not None:
            yield piece

    def _answer(
        self, environ: WSGIEnvironment, left: threading.Event
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes | Iterable[bytes]]:
        """Return status, header fields and body of the application's answer; a large body stays the iterator that it is."""
        visitor.attend(left)
        said: list[Any] = []

        def start(status: str, fields: list[tuple[str, str]], _: object = None) -> Any:
            said[:] = (
                int(status[:3]),
                [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields],
            )

        body = self.app(environ, start)
        if isinstance(body, list | tuple):
            return said[0], said[1], b"".join(body)
        return said[0], said[1], body


async def _environ(scope: dict[str, Any], receive: Receive) -> WSGIEnvironment:
    """Return the WSGI environment of a request, its body read. Raises TimeoutError, Gone."""
    host, port = scope.get("server") or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": _read_pieces,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}" if key in environ else text
    declared = environ.get("CONTENT_LENGTH", "0")
    body = b""
    if declared != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        body, length = await asyncio.wait_for(_read(receive), PATIENCE)
        environ["CONTENT_LENGTH"] = str(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return environ


async def _read(receive: Receive) -> tuple[bytes, int]:
    """Return the body and its length; of one that is too long, no body and how much was heard. Raises Gone."""
    body, length = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        length += len(message.get("body", b""))
        if length > LARGEST:
            body.clear()
        else:
            body += message.get("body", b"")
        if not message.get("more_body") or length > HEARD:
            return bytes(body), length


async def _departure(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, problem: Problem) -> None:
    """Answer in place of the application."""
    body = json.dumps(document(problem)).encode()
    fields = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    fields.append((b"content-length", str(len(body)).encode()))
    fields += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.code, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _read_pieces(file: Any, _: int = 0) -> Iterator[bytes]:
    """Yield a file in pieces large enough that the way between threads does not matter."""
    with file:
        while piece := file.read(PIECE):
            yield piece
