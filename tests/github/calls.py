"""One request as routes see it, and what they answer with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.github.server import Reply


class Call(NamedTuple):
    """One request that was understood and allowed. `login` is whose token asks."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    login: str
    is_job: bool
    accept: str = ""
    content: bytes = b""
    """Where it is a file: `body` is None."""


class RefusedError(Exception):
    """An answer of 400 and above, as GitHub words it."""

    def __init__(self, status: int, message: str, *errors: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        if errors:
            self.body["errors"] = [{"resource": "fake", "code": "custom", "message": each} for each in errors]
        self.body["status"] = str(status)


def one(known: Mapping[int, Any], number: str) -> Any:
    if not number.isdecimal() or int(number) not in known:
        raise RefusedError(404, "Not Found")
    return known[int(number)]


def page(call: Call, found: list[Any], key: str | None = None) -> Reply:
    """One page of a list; the server makes a Link header of the number of the next page."""
    size = min(int(call.query.get("per_page", 30)), 100)
    number = int(call.query.get("page", 1))
    shown = found[(number - 1) * size : number * size]
    headers = {"next-page": str(number + 1)} if number * size < len(found) else {}
    return Reply(200, {"total_count": len(found), key: shown} if key else shown, headers)


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
