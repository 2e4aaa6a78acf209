"""What goes back over the wire."""

from __future__ import annotations

import msgspec

from .errors import Refused

JSON = b"application/json"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Status, body, content type and further headers of one answer; `last`: the connection ends with it."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    last: bool = False


def as_json(value: object, status: int = 200) -> Reply:
    """A reply of JSON."""
    return Reply(status, msgspec.json.encode(value))


def refusal(refused: Refused, path: str) -> Reply:
    """What a request is told that is not answered: an object, or one text where the Open Inference Protocol rules."""
    if path.startswith("/v2"):
        body: object = {"error": f"{refused.where}: {refused.message}" if refused.where else refused.message}
    else:
        body = {"error": {"code": refused.code, "message": refused.message, "where": refused.where}}
    headers = (refused.header,) if refused.header else ()
    # A request that came whole, or whose rest can be read and thrown away, leaves a connection that is good for more.
    return Reply(refused.status, msgspec.json.encode(body), headers=headers, last=refused.status == 408)
