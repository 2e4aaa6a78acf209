"""A client that asks as fast as it is answered, and remembers every question and what came of it."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from typing import Any, NamedTuple

_ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": "snow"}
_DATATYPES = {"carrier": "BYTES", "hour": "INT64", "distance": "FP64", "remark": "BYTES"}
MOST_ROWS = 10


class Asked(NamedTuple):
    """One request. `status` is None where no whole answer came; `answers` are those for its rows, none if refused."""

    rows: int
    status: int | None
    answers: tuple[dict[str, Any], ...] = ()


class Client:
    """Asks over one connection after the other until the load ends: single rows, batches, tensors, what is refused."""

    def __init__(self, port: int, number: int, stopping: threading.Event) -> None:
        self.asked: dict[str, Asked] = {}
        self.seconds: list[float] = []
        self._port = port
        self._number = number
        self._stopping = stopping
        self._random = random.Random(number)
        self._connection: socket.socket | None = None
        self._read = b""

    def run(self) -> None:
        while not self._stopping.is_set():
            if self._connection is None and not self._connect():
                time.sleep(0.01)
                continue
            name = f"{self._number}-{len(self.asked)}"
            path, question, rows = self._question()
            began = time.perf_counter()
            try:
                status, content = self._ask(path, json.dumps(question).encode(), name)
            except (OSError, EOFError):
                self.asked[name] = Asked(rows, None)
                self._close()
            else:
                self.seconds.append(time.perf_counter() - began)
                self.asked[name] = Asked(rows, status, _answers(json.loads(content)) if status == 200 else ())
        self._close()

    def _connect(self) -> bool:
        """Nobody was asked where nobody listens: all workers are being started again, or the server has ended."""
        try:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        except OSError:
            return False
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True

    def _question(self) -> tuple[str, dict[str, Any], int]:
        kind = self._random.random()
        row = _ROW | {"hour": self._random.randrange(24), "distance": self._random.randrange(20_000) / 10}
        if kind < 0.05:
            row["hour"] = 99
        if kind < 0.85:
            return "/invocations", {"instances": [row]}, 1
        if kind < 0.95:
            return "/invocations", {"dataframe_records": [row] * MOST_ROWS}, MOST_ROWS
        tensors = [{"name": n, "shape": [1], "datatype": _DATATYPES[n], "data": [v]} for n, v in row.items()]
        return "/v2/models/flights/infer", {"inputs": tensors}, 1

    def _ask(self, path: str, body: bytes, name: str) -> tuple[int, bytes]:
        """Status and body. Raises OSError, EOFError: no answer, or a part of one."""
        assert self._connection is not None
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nx-request-id: {name}\r\ncontent-length: {len(body)}\r\n\r\n"
        self._connection.sendall(head.encode() + body)
        while b"\r\n\r\n" not in self._read:
            self._more(self._connection)
        lines, _, self._read = self._read.partition(b"\r\n\r\n")
        length = int(lines.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(self._read) < length:
            self._more(self._connection)
        content, self._read = self._read[:length], self._read[length:]
        if b"connection: close" in lines:
            self._close()
        return int(lines[9:12]), content

    def _more(self, connection: socket.socket) -> None:
        piece = connection.recv(65536)
        if not piece:
            raise EOFError
        self._read += piece

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._read = None, b""


def _answers(content: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The answer for every row, by output."""
    if "predictions" in content:
        return tuple(content["predictions"])
    tensors = content["outputs"]
    rows = zip(*(tensor["data"] for tensor in tensors), strict=True)
    return tuple(dict(zip((tensor["name"] for tensor in tensors), row, strict=True)) for row in rows)
