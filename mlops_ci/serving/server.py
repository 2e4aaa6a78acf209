"""Runs the application under uvicorn, and stops it without losing a request or a record."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

import uvicorn

from . import asgi
from .app import App
from .errors import BundleError
from .metrics import READY
from .protocol import Connection

_LONGEST_GOODBYE = 30  # seconds


class Life(NamedTuple):
    """`say` is called when requests are taken; `drain` seconds after a signal none are, or when `parent` is gone."""

    say: Callable[[], None]
    drain: float = 1.0
    parent: int | None = None


class Bounds(NamedTuple):
    """Of one connection: bytes of a body, and seconds until a request has come whole."""

    bytes: int
    seconds: float


class Server(uvicorn.Server):
    """Stops in two steps: `/ready` says no for a while, then running requests are answered and the log is closed."""

    def __init__(self, app: App, life: Life, bounds: Bounds) -> None:
        named = {"app": app, "largest_body": bounds.bytes, "slowest": bounds.seconds}
        super().__init__(
            uvicorn.Config(
                asgi.Asgi(app),  # what uvicorn's own protocols would ask
                http=type("Bounded", (Connection,), named),
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
        self._ends: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where, once it is true."""
        await super().startup(sockets)
        self._life.say()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """The first signal begins the end, the second does not wait for it."""
        if self._ends is not None:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
        self._app.state.draining = True
        self._ends = time.monotonic() + self._life.drain

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, by uvicorn."""
        now = time.monotonic()
        if counter % 10 == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.end_if_slow(now)
            if self._app.state.log is not None:
                self._app.state.log.tick()
            self._app.state.tell(self._app.metrics.counts)
            if self._life.parent is not None and os.getppid() != self._life.parent:
                self.handle_exit(signal.SIGTERM, None)
        if self._ends is not None and now >= self._ends:
            self.should_exit = True
        return await super().on_tick(counter)


def listen(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket bound to an address; `shared` lets other processes bind it too. Raises BundleError."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, number)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        raise BundleError(f"{host}:{port}: {error.strerror or error}") from None
    return bound


def run(app: App, bound: socket.socket, life: Life, bounds: Bounds) -> None:
    """Serve until a signal says otherwise."""
    server = Server(app, life, bounds)
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
