"""What this machine lets any server reach: one that reads no question and answers with two bytes, in the same loop."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.serving.load import full
from bench.serving.running import free_port, running

_SERVER = """
import asyncio, sys, uvloop

class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.write = transport.write
    def data_received(self, _):
        self.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}")

async def main():
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

uvloop.run(main())
"""


def floor(folder: Path, body: bytes, *, seconds: int) -> dict[int, float]:
    """Connections -> requests a second, with bodies as the others get them."""
    folder.mkdir()
    (folder / "bodies.jsonl").write_bytes(body + b"\n")
    (folder / "server.py").write_text(_SERVER, encoding="utf-8")
    port = free_port()
    with running([sys.executable, "server.py", str(port)], folder, {}, "/", port, body) as server:
        return {number: full(server, folder, connections=number, seconds=seconds).rate for number in (1, 8)}
