"""The application for an ASGI server of your own: `uvicorn --factory mlops_ci_serving.asgi:from_environment`.

https://asgi.readthedocs.io/en/latest/specs/www.html. That server's bounds on slow and large requests hold then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from . import bodies, direct
from .app import App, Pending
from .replies import Reply

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Asgi:
    """Answers `http`, and says yes to `lifespan`."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            asked = self._app.begin(scope["method"], scope["path"], scope["headers"])
            reply = await self._ended(asked, receive) if isinstance(asked, Pending) else asked
            length = (b"content-length", b"%d" % len(reply.body))
            headers = [(b"content-type", reply.content_type), length, *reply.headers]
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})

    async def _ended(self, pending: Pending, receive: Receive) -> Reply:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return self._app.refuse(pending, bodies.unfinished())
            if (reply := self._app.more(pending, message.get("body", b""))) is not None:
                return reply
            more = message.get("more_body", False)
        return self._app.end(pending)


def from_environment() -> Asgi:
    """With the variables of `direct.from_environment`. Raises BundleError."""
    return Asgi(direct.app_from_environment())


async def _live(receive: Receive, send: Send) -> None:
    for what in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{what}.complete"})
