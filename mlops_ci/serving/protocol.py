"""HTTP/1.1 over one connection, for uvicorn's server: httptools parses, the application answers as soon as it is asked.

An answer goes out in one write, in the same turn of the loop in which its request came whole. What uvicorn's own
protocol does not have are bounds on how long and how large a request may be, and on answers that nobody reads.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

import httptools

from . import bodies
from .app import App, Pending
from .replies import Reply

if TYPE_CHECKING:
    from uvicorn.server import ServerState

_LARGEST_HEAD = 64 * 2**10
_MOST_UNREAD = 2**20  # bytes of answers that wait for a client that goes on asking
_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_BUSY = Reply(503, b"too many connections", b"text/plain; charset=utf-8", last=True)
_INVALID = Reply(400, b"Invalid HTTP request received.", b"text/plain; charset=utf-8", last=True)
_FAILED = Reply(500, b"Internal Server Error", b"text/plain; charset=utf-8", last=True)


class Connection(asyncio.Protocol):
    """Ends itself where a request is too large (431, 413) or does not arrive (408), or where answers are not read."""

    app: ClassVar[App]
    largest_body: ClassVar[int] = 8 * 2**20
    slowest: ClassVar[float] = 30.0  # seconds for a whole request, and until an answer is read
    longest_idle: ClassVar[float] = 75.0  # seconds; longer than load balancers keep an idle connection
    most: ClassVar[int] = 1_000  # connections

    def __init__(self, server_state: ServerState, **_: Any) -> None:
        self._server = server_state
        self._connections: set[Any] = server_state.connections  # uvicorn names its own protocols only
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._pending: Pending | None = None
        self._ends = False  # after the answer to the request that is being read
        self._piece = self._received = 0
        self._most = _LARGEST_HEAD
        self._since: float | None = time.monotonic()  # a request, or a new connection, is being waited for
        self._idle_since: float | None = None
        self._unread_since: float | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)
        if self._pending is not None:
            self.app.refuse(self._pending, bodies.unfinished())
            self._pending = None

    def pause_writing(self) -> None:
        """More answers wait than the client reads: no more of it is read."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def shutdown(self) -> None:
        """Called when the server stops: what has been asked is answered."""
        if self._pending is None:
            self._transport.close()
        self._ends = True

    def data_received(self, data: bytes) -> None:
        """Parse, then count: the piece in which a request begins or ends is not part of its size."""
        if self._transport.is_closing():
            return
        self._piece = len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()  # it has its answer; what follows would be of another protocol
        except httptools.HttpParserCallbackError:
            self.app.complaints.tell()
            self._write(_FAILED)
        except httptools.HttpParserError:
            if not self._transport.is_closing():
                self._write(_INVALID)
        self._received += len(data)
        if self._received > self._most and not self._transport.is_closing():
            self._write(Reply(431 if self._most == _LARGEST_HEAD else 413, b"", last=True))

    def on_message_begin(self) -> None:
        """The first line of a request has begun."""
        self._received = -self._piece
        self._since = time.monotonic()
        self._idle_since = None
        self._url = b""
        self._headers = []
        if self._transport.get_write_buffer_size() > _MOST_UNREAD:
            self._transport.close()  # once what was answered is read; the rest was not asked

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The body may begin. Chunks have frames: they may take as much as the body again."""
        self._most = _LARGEST_HEAD + 2 * self.largest_body
        if self._transport.is_closing():
            return
        if len(self._connections) > self.most:
            self._write(_BUSY)
            return
        path = self.app.paths.get(self._url) or _path(self._url)
        if path is None:
            self._write(_INVALID)
            return
        asked = self.app.begin(self._parser.get_method().decode("ascii"), path, self._headers)
        if isinstance(asked, Reply):
            self._write(asked)
            return
        if self._parser.should_upgrade():  # httptools takes what follows for the other protocol: the body is lost
            self._write(self.app.refuse(asked, bodies.other_protocol()))
            return
        self._pending = asked
        if b"expect" in asked.headers and asked.headers[b"expect"].lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of it; that of a request which has its answer is thrown away."""
        if self._pending is not None and (reply := self.app.more(self._pending, body)) is not None:
            self._pending = None
            self._write(reply)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._received = -self._piece
        self._most = _LARGEST_HEAD
        self._since = None
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._write(self.app.end(pending))

    def end_if_slow(self, now: float) -> None:
        """Called every second or so."""
        transport = self._transport
        if transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self.slowest:
            transport.abort()  # to close it would wait for ever for a client that does not read
        if transport.is_closing():
            return
        if self._since is not None:
            if now - self._since > self.slowest:
                self._write(Reply(408, b"", last=True))
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since > self.longest_idle:
            transport.close()

    def _write(self, reply: Reply) -> None:
        """An answer, whole; the connection ends with it where either side wants that."""
        if self._transport.is_closing():
            return
        last = self._ends or reply.last or self.app.state.draining or not self._keeps()
        lines = [_LINES[reply.status]]
        for name, value in self._server.default_headers:  # the date
            lines += (name, b": ", value, b"\r\n")
        lines += (b"content-type: ", reply.content_type, b"\r\ncontent-length: %d\r\n" % len(reply.body))
        for name, value in reply.headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"connection: close\r\n\r\n" if last else b"\r\n")
        if self._parser.get_method() != b"HEAD":
            lines.append(reply.body)
        self._transport.write(b"".join(lines))
        if last:
            self._transport.close()

    def _keeps(self) -> bool:
        return self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0"


def _path(url: bytes) -> str | None:
    """The path that is asked for; None where there is none."""
    try:
        path = httptools.parse_url(url).path.decode("ascii")
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError, AttributeError):
        return None
    return unquote(path) if "%" in path else path
