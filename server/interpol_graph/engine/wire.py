"""Messages between the front end and an evaluator: a small head and a body in one frame.

A frame is two lengths, the head as JSON, the body, and one closing byte that tells an answer from an obituary: what the
evaluators' parent sends on the same socket when a child has ended.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from struct import Struct
from typing import Any

_LENGTHS = Struct("!IQ")
_ENCODE, _DECODER = json.JSONEncoder(check_circular=False).encode, json.JSONDecoder()
ANSWER, OBITUARY = b"\n", b"!"


def frame(head: dict[str, Any], body: bytes = b"", end: bytes = ANSWER) -> bytes:
    """Return one message as bytes."""
    text = _ENCODE(head).encode()
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body, end))


def receive(door: socket.socket, idle: Callable[[], None] | None = None) -> tuple[dict[str, Any], bytes]:
    """Return (head, body) of the next message.

    idle is called whenever the socket's receive timeout passes without a byte; it may raise to give up.
    Raises EOFError when the other side has closed, or ended within a message.
    """
    got = _some(door, idle)
    size = _LENGTHS.size
    while len(got) < size:
        got += _some(door, idle)
    head_size, body_size = _LENGTHS.unpack_from(got)
    size += head_size
    while len(got) < size:
        got += _some(door, idle)
    head: dict[str, Any] = _DECODER.raw_decode(got[_LENGTHS.size : size].decode())[0]
    body = got[size : size + body_size + 1]  # the sender's obituary may have come right behind
    if len(body) <= body_size:
        body = _rest(door, body, body_size + 1, idle)
    if (body[-1:] == OBITUARY) != ("ended" in head):
        raise EOFError  # the sender died within its answer, and what follows is its obituary
    return head, body[:-1]


def _rest(door: socket.socket, start: bytes, size: int, idle: Callable[[], None] | None) -> bytes:
    whole, there = bytearray(size), len(start)
    whole[:there] = start
    with memoryview(whole) as view:
        while there < size:
            there += _into(door, view[there:], idle)
    return bytes(whole)


def _some(door: socket.socket, idle: Callable[[], None] | None) -> bytes:
    while True:
        try:
            data = door.recv(1 << 16)
        except BlockingIOError:
            if idle:
                idle()
            continue
        if not data:
            raise EOFError
        return data


def _into(door: socket.socket, view: memoryview, idle: Callable[[], None] | None) -> int:
    while True:
        try:
            count = door.recv_into(view)
        except BlockingIOError:
            if idle:
                idle()
            continue
        if not count:
            raise EOFError
        return count
