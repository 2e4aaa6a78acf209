"""HTTP as uvicorn speaks it, with two bounds that it does not have: how long and how large a request may be.

uvicorn and httptools keep what they are sent until a request is whole; without a bound a client that
never ends a header, or sends one byte a minute, would be served for ever.
"""

from __future__ import annotations

import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LARGEST_HEAD = 64 * 2**10
_SLOWEST = 30.0  # seconds for a whole request


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request is too large (431, 413) or does not arrive (408), or that reads no answers."""

    largest_body = 8 * 2**20
    slowest = _SLOWEST

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._piece = self._received = 0
        self._most = _LARGEST_HEAD
        self._since: float | None = time.monotonic()
        self._unread_since: float | None = None

    def data_received(self, data: bytes) -> None:
        """Parse, then count: the piece in which a request begins or ends is not part of its size."""
        self._piece = len(data)
        super().data_received(data)
        self._received += len(data)
        if self._received > self._most and not self.transport.is_closing():
            self._end(
                b"431 Request Header Fields Too Large" if self._most == _LARGEST_HEAD else b"413 Content Too Large"
            )

    def on_message_begin(self) -> None:
        """The first line of a request has begun."""
        self._received = -self._piece
        self._since = time.monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The body may begin. Chunks have frames: they may take as much as the body again."""
        self._most = _LARGEST_HEAD + 2 * self.largest_body
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._received = -self._piece
        self._most = _LARGEST_HEAD
        self._since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is with the transport, which takes no more while too much of others is unread."""
        self._unread_since = None
        super().on_response_complete()

    def end_if_slow(self, now: float) -> None:
        """Called every second or so."""
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self.slowest:
            self.transport.abort()  # to close it would wait for ever for a client that does not read
        if self._since is not None and now - self._since > self.slowest and not self.transport.is_closing():
            self._end(b"408 Request Timeout")

    def _end(self, status: bytes) -> None:
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
        self.transport.close()
