"""Reads a request's body with a bound on what is sent and on what it becomes when it is inflated."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from .errors import Refused

Receive = Callable[[], Awaitable[dict[str, Any]]]
_GZIP = 31  # zlib's number for a gzip header
_AT_ONCE = 8  # of the largest bodies, while they arrive
# What decides who asks, and how a body is read: where two differ, another server may have looked at the other.
_ONCE = (b"authorization", b"content-encoding", b"content-length", b"content-type", b"inference-header-content-length")


class Room:
    """The bytes of bodies that are on their way, over all connections: many slow large ones are not kept waiting."""

    def __init__(self, largest: int) -> None:
        self.left = largest * _AT_ONCE

    def take(self, count: int) -> None:
        """Raises Refused (503) where there are not so many left."""
        if count > self.left:
            header = (b"retry-after", b"1")
            raise Refused("busy", "too many large requests are on their way; ask again", status=503, header=header)
        self.left -= count


def once(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name. Raises Refused where one is there twice that may not be."""
    headers = dict(raw)
    if len(headers) < len(raw):
        names = [name for name, _ in raw]
        for name in _ONCE:
            if names.count(name) > 1:
                raise Refused("header_twice", f"the header {name.decode()} is there {names.count(name)} times")
    return headers


async def read(receive: Receive, headers: Mapping[bytes, bytes], most: int, room: Room) -> bytes:
    """The body, inflated, at most `most` bytes. Raises Refused (400, 413, 415, 503)."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip"):
        raise Refused("wrong_encoding", "content-encoding may be gzip or identity", status=415)
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > most:
        raise _too_large(most)
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        body = await _rest(receive, body, most, room)
    if message["type"] == "http.disconnect":
        raise _left()
    if len(body) > most:
        raise _too_large(most)
    return body if encoding == b"identity" else _inflated(body, most)


async def _rest(receive: Receive, begun: bytes, most: int, room: Room) -> bytes:
    body, piece, more = bytearray(), begun, True
    try:
        while True:
            room.take(len(piece))
            body += piece
            if len(body) > most:
                raise _too_large(most)
            if not more:
                return bytes(body)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _left()
            piece, more = message.get("body", b""), message.get("more_body", False)
    finally:
        room.left += len(body)


def _inflated(body: bytes, most: int) -> bytes:
    """Inflating stops at the limit: a bomb never unfolds."""
    inflating = zlib.decompressobj(_GZIP)
    try:
        inflated = inflating.decompress(body, most + 1)
    except zlib.error as error:
        raise Refused("not_gzip", str(error)) from None
    if len(inflated) > most:
        raise _too_large(most)
    if not inflating.eof or inflating.unused_data:
        raise Refused("not_gzip", "the body is cut off, or goes on after its end")
    return inflated


def _too_large(most: int) -> Refused:
    return Refused("too_large", f"at most {most} bytes a request are allowed, inflated too", status=413)


def _left() -> Refused:
    return Refused("unfinished", "the request did not arrive whole", status=408)
