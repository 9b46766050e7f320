"""The door of a server process, ASGI outside and WSGI inside: no client can hold a thread by being slow.

A repeat is answered from the answer cache in the event loop. Any other request is read whole before a thread works on it,
an answer is sent after the thread has done its work, and a client that goes away is noticed meanwhile. Nor can slow readers
fill the memory: a large answer goes out piece by piece as it is read, a client that takes no piece for long is given up,
and large bodies that come in or wait to be read have bounded room.
"""

import asyncio
import io
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper

from interpol_graph.endpoint import observation, problems
from interpol_graph.endpoint.problems import DEPARTED, DIGEST, PROBLEM, BadRequest, RequestTimeout
from interpol_graph.engine.outcomes import Busy, EngineError
from interpol_graph.serving.answer_cache import AnswerCache, Fields, Key

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Body = bytes | Iterable[bytes]

#: Bytes of a body that are kept here, more than any route reads; of a longer one only the length is handed on.
LARGEST = 4 << 20
#: Bytes of a body that are read at all: a client that is still sending would not see why it is refused.
HEARD = 64 << 20
#: Seconds within which a body must be whole.
BODY_TIMEOUT = 20.0
#: Bodies of one client that may be on their way at once; the oldest is given up for one more.
READING = 128
#: Requests of one client that may be at work or wait at once, more than have places with the evaluators.
AT_WORK = 160
#: How many of them have a thread: the others wait behind their own in the event loop, which costs nobody anything.
IN_THREADS = 64
_FLOOD = Busy(f"{AT_WORK} requests of this client are at work already; try again in a few seconds.")
_REFUSAL = problems.written(_FLOOD)  # made once: a flood is refused in the event loop
#: The type of forms, and the fields that one may have: reading each takes many times its bytes.
FORM, FIELDS = "application/x-www-form-urlencoded", 1000
#: Bytes that one header field may have: what it lists is compared with all that is on offer.
FIELD = 8192
#: Bytes of a large answer that are sent at a time.
PIECE = 1 << 18
#: Seconds within which a client must take the next piece.
STALLED = 30.0
#: Bytes of bodies that come in, and of large answers that wait to be read, that one process may hold.
ROOM_FOR_ALL = 256 << 20
#: Where the environment of a request says that a file is the answer.
FILE = "interpol_graph.file"
#: Where the scope of a request has the time at which it came.
_STARTED = "interpol_graph.started"
#: Seconds after which answers are counted and written to the log.
_FLUSH = 0.1


class Door:
    """An ASGI application around a WSGI application that works in `threads` threads.

    cache: the answers that are kept; digest: returns the state of the graph at this moment; proxies: how many stand in
    front and say in X-Forwarded-For who the client is.
    """

    def __init__(
        self, app: WSGIApplication, threads: int, cache: AnswerCache, digest: Callable[[], str], proxies: int = 0
    ) -> None:
        self.app, self.cache, self.digest = app, cache, digest
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.held = 0
        self.proxies = proxies
        #: Client address → the patience with each of its bodies that are not whole yet, the oldest first.
        self.reading: defaultdict[str, dict[asyncio.Timeout, None]] = defaultdict(dict)
        #: Client address → its requests that are at work or wait.
        self.at_work = Counter[str]()
        #: Client address → what lets so many of its requests on as may have a thread.
        self.turns = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(min(threads, IN_THREADS)))

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        scope[_STARTED] = time.perf_counter()
        key, if_none_match = self.cache.key(scope, self.digest()) or (None, None)
        if key and (entry := self.cache.get(key)):
            status, fields, body, facts = entry.answer(scope["method"], if_none_match)
            self._record(scope, status, len(body), facts)
            return await self._send(send, status, fields, body)
        client, taken = self._client(scope), list[int]()
        if self.at_work[client] >= AT_WORK:
            observation.REFUSED.labels(problem=problems.name(_FLOOD)).inc()
            status, fields, body = _REFUSAL
            return await self._send(send, status, fields, body if scope["method"] != "HEAD" else b"")
        self.at_work[client] += 1
        observation.ACTIVE.inc()
        try:
            await self._answer(scope, receive, send, client, taken, key)
        finally:
            observation.ACTIVE.dec()
            self.held -= sum(taken)
            self.at_work[client] -= 1
            if not self.at_work[client]:
                del self.at_work[client]
                self.turns.pop(client, None)

    def _client(self, scope: dict[str, Any]) -> str:
        """Return the address of the client, behind proxies that are believed what they say it is."""
        if not self.proxies:
            return str((scope.get("client") or ("",))[0])
        said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return said.decode("latin-1").split(",")[-self.proxies :][0].strip()

    def _record(self, scope: dict[str, Any], status: int, size: int, facts: dict[str, Any]) -> None:
        """Note for metrics and log how a request was answered; its method may be a word of any length."""
        seconds = time.perf_counter() - scope[_STARTED]
        if observation.record(scope["method"][:20], scope["path"], status, size, seconds, facts):
            asyncio.get_running_loop().call_later(_FLUSH, observation.flush)

    async def _answer(
        self, scope: dict[str, Any], receive: Receive, send: Send, client: str, taken: list[int], key: Key | None
    ) -> None:
        """Let the application answer in a thread, and keep what may be kept."""
        environ, left = _environ(scope), Event()
        environ[DEPARTED] = left.is_set
        facts = environ[observation.FACTS] = {"cache": "miss" if scope["method"] in ("GET", "HEAD") else "passed"}
        try:
            _check(environ, scope)
            await self._read(environ, receive, client, taken)
        except EngineError as problem:
            environ[PROBLEM] = problem
        loop = asyncio.get_running_loop()
        watch = asyncio.ensure_future(_departure(receive, left))
        try:
            async with self.turns[client]:
                status, fields, body = await loop.run_in_executor(self.pool, self._call, environ)
        finally:
            watch.cancel()
        if isinstance(body, bytes) and len(body) > PIECE and not self._take(len(body), taken):
            environ[PROBLEM] = Busy("Too many large answers wait for their readers; try again in a few seconds.")
            status, fields, body = await loop.run_in_executor(self.pool, self._call, environ)
        size = len(body) if isinstance(body, bytes) else int(dict(fields).get(b"content-length", 0))
        self._record(scope, status, size, facts)
        if PROBLEM in environ:
            fields.append((b"connection", b"close"))
        # The data may have been reloaded since the key was made.
        elif key and environ.get(DIGEST) in (None, key[0]) and (status, scope["method"]) == (200, "GET"):
            self.cache.put(key, fields, body, facts)
        await self._send(send, status, fields, body)

    async def _read(self, environ: WSGIEnvironment, receive: Receive, client: str, taken: list[int]) -> None:
        """Read the body into the environment; of one that is too long, only how much was heard.

        taken: what room was taken for it. Raises BadRequest, RequestTimeout, Busy.
        """
        if not (more := environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ):
            return
        body, length, room, reading = bytearray(), 0, PIECE, self.reading[client]
        try:
            async with asyncio.timeout(BODY_TIMEOUT) as patience:
                reading[patience] = None
                if len(reading) > READING:
                    oldest = next(iter(reading))
                    del reading[oldest]
                    oldest.reschedule(0)
                while more and length <= HEARD:
                    message = await receive()
                    if message["type"] == "http.disconnect":  # or its chunks are none, which looks the same from here
                        raise BadRequest("The body cannot be read: its length or its chunks are not in order.")
                    piece, more = message.get("body", b""), message.get("more_body")
                    length += len(piece)
                    body += piece
                    if length > LARGEST:
                        body.clear()
                    if len(body) > room:
                        if not self._take(PIECE, taken):
                            raise Busy("Too many large requests come in at once; try again in a few seconds.")
                        room += PIECE
        except TimeoutError:
            many = f"; no more than {READING} of one client are waited for at once"
            raise RequestTimeout(
                f"The body was not whole within {BODY_TIMEOUT:g} seconds; send it again{many}."
            ) from None
        finally:
            reading.pop(patience, None)
            if not reading:
                self.reading.pop(client, None)
        if environ.get("CONTENT_TYPE", "").lower().startswith(FORM) and body.count(b"&") >= FIELDS:
            raise BadRequest(f"The form has more than {FIELDS} fields, the most that are read here.")
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(length), io.BytesIO(body)

    def _call(self, environ: WSGIEnvironment) -> tuple[int, Fields, Body]:
        """Return status, fields and body of the application's answer; a large file stays the iterator that it is, nothing else."""
        if environ[DEPARTED]():  # while it waited for a thread: of a flood of such, nobody else must wait
            return 499, [], b""
        said: list[Any] = []

        def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]
            said[:] = int(status[:3]), encoded

        body: Any = self.app(environ, start_response)
        if FILE in environ and int(dict(said[1]).get(b"content-length", PIECE + 1)) > PIECE:
            return said[0], said[1], body
        try:
            return said[0], said[1], b"".join(body)
        finally:
            getattr(body, "close", tuple)()

    def _take(self, size: int, taken: list[int]) -> bool:
        """Take room for what is held for a client; tell whether there was enough. One answer always finds room."""
        if self.held and self.held + size > ROOM_FOR_ALL:
            return False
        self.held += size
        taken.append(size)
        return True

    async def _send(self, send: Send, status: int, fields: Fields, body: Body) -> None:
        """Send an answer, a large one no faster than it is read; a client that stands still is cut off."""
        await send({"type": "http.response.start", "status": status, "headers": fields})
        if isinstance(body, bytes) and len(body) <= PIECE:
            return await send({"type": "http.response.body", "body": body})
        # A file has just been written or sent, and lies in the system's memory: a thread would take longer than the reading.
        pieces = FileWrapper(io.BytesIO(body), PIECE) if isinstance(body, bytes) else body
        try:
            for piece in pieces:
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            return  # without an end: the client sees that its answer is not whole
        finally:
            getattr(body, "close", tuple)()
        await send({"type": "http.response.body", "body": b""})


def _environ(scope: dict[str, Any]) -> WSGIEnvironment:
    """Return the WSGI environment of a request (PEP 3333), its body still to come."""
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
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": lambda file, _=0: environ.update({FILE: True}) or FileWrapper(file, PIECE),
    }
    for name, value in scope["headers"]:
        # What has an underscore would stand for the field with hyphens, which a proxy in front has set; and where HTTP/1.0
        # names no host, the HTTP library names an empty one.
        if b"_" in name or (name == b"host" and not value and scope["http_version"] != "1.1"):
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _check(environ: WSGIEnvironment, scope: dict[str, Any]) -> None:
    """Raise BadRequest for what is no request of HTTP, though the HTTP library takes it for one."""
    hosts = sum(name == b"host" for name, _ in scope["headers"])
    if hosts > 1 or (not hosts and scope["http_version"] == "1.1"):
        raise BadRequest(f"A request names its host in one field Host, not in {hosts} (RFC 9112, 3.2).")
    for name in [name for name, value in environ.items() if name.startswith("HTTP_") and len(value) > FIELD]:
        size = len(environ.pop(name))  # whoever writes the refusal must not read it either
        raise BadRequest(f"The field {name[5:].replace('_', '-').title()} has {size} bytes; at most {FIELD} are read.")
    if not scope["method"].isupper():
        raise BadRequest("Methods are written in capital letters: GET, not get (RFC 9110, 9.1).")


async def _departure(receive: Receive, left: Event) -> None:
    """Set `left` when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
    left.set()
