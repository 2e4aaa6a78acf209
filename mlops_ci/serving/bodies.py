"""Reads a request's body with a bound on what is sent and on what it becomes when it is inflated."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .errors import Refused

Receive = Callable[[], Awaitable[dict[str, Any]]]
_GZIP = 31  # zlib's number for a gzip header


async def read(receive: Receive, headers: Mapping[bytes, bytes], most: int) -> bytes:
    """The body, inflated, at most `most` bytes. Raises Refused (413, 415, 400)."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip"):
        raise Refused("wrong_encoding", "content-encoding may be gzip or identity", status=415)
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > most:
        raise _too_large(most)
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        body = await _rest(receive, bytearray(body), most)
    if message["type"] == "http.disconnect":
        raise _left()
    if len(body) > most:
        raise _too_large(most)
    return body if encoding == b"identity" else _inflated(body, most)


async def _rest(receive: Receive, body: bytearray, most: int) -> bytes:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _left()
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        more = message.get("more_body", False)
    return bytes(body)


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
