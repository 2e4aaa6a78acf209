"""Runs the application under uvicorn, and stops it without losing a request or a record."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
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
            for listening in self.servers:
                listening.close()
            self._app.state.tell(self._app.metrics.counts)  # in this order: it is read as being done
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


def bound_to(host: str, port: int) -> socket.socket:
    """A socket that has an address and takes no connections yet. Raises BundleError."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, number)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise BundleError(f"{host}:{port}: {error.strerror or error}") from None
    return bound


def listen(bound: socket.socket) -> str:
    """Take connections, which wait until somebody accepts them; the address as clients write it. Raises BundleError."""
    host, port = bound.getsockname()[:2]
    try:
        bound.listen(_BACKLOG)
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
