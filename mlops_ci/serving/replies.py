"""What goes back over the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from .errors import Refused

Send = Callable[[dict[str, Any]], Awaitable[None]]
JSON = b"application/json"
CLOSE = (b"connection", b"close")


class Reply(NamedTuple):
    """Status, body, content type and further headers of one answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def send(reply: Reply, to: Send) -> None:
    """Hand a reply to the server."""
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await to({"type": "http.response.start", "status": reply.status, "headers": headers})
    await to({"type": "http.response.body", "body": reply.body})


def as_json(value: object, status: int = 200) -> Reply:
    """A reply of JSON."""
    return Reply(status, msgspec.json.encode(value))


def refusal(refused: Refused, path: str) -> Reply:
    """What a request is told that is not answered: an object, or one text where the Open Inference Protocol rules."""
    if path.startswith("/v2"):
        body: object = {"error": f"{refused.where}: {refused.message}" if refused.where else refused.message}
    else:
        body = {"error": {"code": refused.code, "message": refused.message, "where": refused.where}}
    headers = [refused.header] if refused.header else []
    if refused.status == 408:
        headers.append(CLOSE)  # of the others the rest is read and thrown away, or the answer would not arrive
    return as_json(body, refused.status)._replace(headers=tuple(headers))
