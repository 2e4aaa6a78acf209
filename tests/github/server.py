"""HTTP on 127.0.0.1: what comes in becomes a `Request`, and a `Reply` what goes out."""

from __future__ import annotations

import json
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Request(msgspec.Struct, kw_only=True):
    """A request that came, and what it was answered."""

    method: str
    path: str
    query_text: str
    headers: dict[str, str]
    """By name in small letters."""
    content: bytes
    job: str | None = None
    """`mlops-record.yml: record`; None: not called by a job."""
    status: int = 0
    """0: no answer was given."""

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_text, keep_blank_values=True))

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None


class Reply(NamedTuple):
    """`body`: bytes as they are, everything else as JSON. `cut`: half of it is sent, then the connection closed."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}
    cut: bool = False


class Server(ThreadingHTTPServer):
    """Gives every request to `answer`; None as the answer closes the connection. `fault` is told what broke in it."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Request], Reply | None], fault: Callable[[str], object]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.fault = answer, fault

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            self.fault(f"the fake itself failed: {traceback.format_exc()}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query_text=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            content=self._content(),
        )
        reply = self.server.answer(request)
        if reply:
            self._say(reply)
        if reply is None or reply.cut:
            self.close_connection = True
            with suppress(OSError):  # the other side was faster
                self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":  # as git sends a large push
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _say(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204 and "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if reply.status != 204 and self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if reply.cut else content)
            self.wfile.flush()
