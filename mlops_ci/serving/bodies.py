"""The body of a request, with a bound on what is sent and on what it becomes when it is inflated."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from .errors import Refused

_GZIP = 31  # zlib's number for a gzip header
_AT_ONCE = 8  # of the largest bodies, while they arrive
# What decides who asks, and how a body is read: where two differ, another server may have looked at the other.
_ONCE = (b"authorization", b"content-encoding", b"content-length", b"content-type", b"inference-header-content-length")


class Room:
    """The bytes of bodies that are on their way, over all connections: many slow large ones are not kept waiting."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.left = largest * _AT_ONCE

    def take(self, count: int) -> None:
        """Raises Refused (503) where there are not so many left."""
        if count > self.left:
            header = (b"retry-after", b"1")
            raise Refused("busy", "too many large requests are on their way; ask again", status=503, header=header)
        self.left -= count


class Body:
    """Gathers the pieces of one body; one that comes in one piece is not on its way, and takes no room."""

    __slots__ = ("_gzip", "_pieces", "_room", "_size", "_taken")

    def __init__(self, headers: Mapping[bytes, bytes], room: Room) -> None:
        """Raises Refused (413, 415) for what the headers announce."""
        self._gzip = b"content-encoding" in headers and _is_gzip(headers[b"content-encoding"])
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > room.largest:
            raise _too_large(room.largest)
        self._room = room
        self._pieces: list[bytes] = []
        self._size = self._taken = 0

    def add(self, piece: bytes) -> None:
        """The next piece. Raises Refused (413, 503)."""
        self._size += len(piece)
        if self._pieces:
            self._room.take(self._size - self._taken)
            self._taken = self._size
        self._pieces.append(piece)
        if self._size > self._room.largest:
            raise _too_large(self._room.largest)

    def whole(self) -> bytes:
        """The body, inflated. Raises Refused (400, 413)."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return _inflated(body, self._room.largest) if self._gzip else body

    def close(self) -> None:
        """Forget it, and give the room back that it took."""
        self._room.left += self._taken
        self._taken = 0
        self._pieces = []


def once(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name. Raises Refused where one is there twice that may not be."""
    headers = dict(raw)
    if len(headers) < len(raw):
        names = [name for name, _ in raw]
        for name in _ONCE:
            if names.count(name) > 1:
                raise Refused("header_twice", f"the header {name.decode()} is there {names.count(name)} times")
    return headers


def unfinished() -> Refused:
    """How a request is refused whose client has left."""
    return Refused("unfinished", "the request did not arrive whole", status=408)


def other_protocol() -> Refused:
    """How a question is refused that wants to go on in another protocol."""
    return Refused("no_upgrade", "only HTTP/1.1 is spoken here; ask without Upgrade")


def _is_gzip(encoding: bytes) -> bool:
    """Raises Refused (415) where it is another one."""
    name = encoding.strip().lower()
    if name not in (b"identity", b"gzip"):
        raise Refused("wrong_encoding", "content-encoding may be gzip or identity", status=415)
    return name == b"gzip"


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
