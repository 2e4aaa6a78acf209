"""Runs the application under uvicorn, and stops it without losing a request or a record."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

import uvicorn

from . import asgi
from .app import App
from .errors import BundleError
from .metrics import READY
from .protocol import Connection

_LONGEST_GOODBYE = 30  # seconds
_LONGEST_LEAVE = 1.0  # seconds until connections end that nothing is asked over
_BACKLOG = 2048


class Life(NamedTuple):
    """`drain` seconds after a signal no more requests are taken, nor where `parent` is gone."""

    drain: float
    parent: int


class Bounds(NamedTuple):
    """Of one connection: bytes of a body, and seconds until a request has come whole."""

    bytes: int
    seconds: float


class Server(uvicorn.Server):
    """Stops in two steps: `/ready` says no for a while, then running requests are answered and the log is closed.

    `others`: sockets of other processes, for connections that wait while those are busy, or being started again.
    """

    def __init__(self, app: App, life: Life, bounds: Bounds, others: Sequence[socket.socket] = ()) -> None:
        named = {"app": app, "largest_body": bounds.bytes, "slowest": bounds.seconds}
        protocol = type("Bounded", (Connection,), named)
        super().__init__(
            uvicorn.Config(
                asgi.Asgi(app),  # what uvicorn's own protocols would ask
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                log_level="critical",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_LONGEST_GOODBYE,
            )
        )
        self._app = app
        self._life = life
        self._others = others
        self._connection = lambda: protocol(self.server_state)
        self._ends: float | None = None

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """The first signal begins the end, the second does not wait for it."""
        if self._ends is not None:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
        self._app.state.draining = True
        self._ends = time.monotonic() + self._life.drain

    def retire(self, _sig: int, _frame: FrameType | None) -> None:
        """Another process takes the connections from here on; those that are here end with their next answer."""
        self._app.state.draining = self._app.state.replaced = True
        self._ends = time.monotonic() + _LONGEST_LEAVE

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, by uvicorn."""
        now = time.monotonic()
        if self._app.state.replaced:
            self._close()
            self._app.state.tell(self._app.metrics.counts)  # in this order: it is read as being done
        for each in self._others:
            await self._help(each)
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.end_if_slow(now)
            if self._app.state.log is not None:
                self._app.state.log.tick()
            self._app.state.tell(self._app.metrics.counts)
            if os.getppid() != self._life.parent:
                self.handle_exit(signal.SIGTERM, None)
        if self._ends is not None and now >= self._ends:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No more connections wait for this process while it answers its last requests."""
        self._close()
        await super().shutdown(sockets)

    def _close(self) -> None:
        for listening in self.servers:
            listening.close()
        for other in self._others:
            other.close()
        self._others = ()

    async def _help(self, other: socket.socket) -> None:
        """Take the connections that wait there: its process would have taken them at once."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # none is left; or there can be no more open files
            while True:
                connection, _ = other.accept()
                connection.setblocking(False)
                await loop.connect_accepted_socket(self._connection, connection)


def bound_to(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets of one address, which take no connections yet; the kernel deals these out. Raises BundleError."""
    found: list[socket.socket] = []
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        for _ in range(count):
            bound = socket.socket(family, kind, number)
            found.append(bound)
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
            address = bound.getsockname()  # port 0 was any
    except OSError as error:
        raise BundleError(f"{host}:{port}: {error.strerror or error}") from None
    return found


def listen(bound: Sequence[socket.socket]) -> str:
    """Take connections, which wait until somebody accepts them; the address as clients write it. Raises BundleError."""
    host, port = bound[0].getsockname()[:2]
    try:
        for each in bound:
            each.listen(_BACKLOG)
    except OSError as error:
        raise BundleError(f"{host}:{port}: {error.strerror or error}") from None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(server: Server, app: App, bound: socket.socket) -> None:
    """Serve until a signal says otherwise."""
    # What the model and the libraries hold stays for good: the collector need not look at it at every turn.
    gc.collect()
    gc.freeze()
    # A hostile request of millions of lists is no reason to look at all of them again for every few hundred more.
    gc.set_threshold(50_000, 20, 100)
    try:
        server.run(sockets=[bound])
    finally:
        app.metrics.counts[READY] = 0.0
        if app.state.log is not None:
            app.state.log.close()
