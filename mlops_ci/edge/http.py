"""HTTP for the other edges over httpx: the owner of that library. One request, one answer; who asks decides about more.

Answers are read with a limit and by a deadline, files go to and from the disk piece by piece, and no redirect is
followed by itself: what a request carries goes to the host it was meant for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from mlops_ci import lazy

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazy.library("httpx")

_LONGEST = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
LARGEST_ANSWER = 20_000_000
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REDIRECTS = (301, 302, 303, 307, 308)


class Answer(NamedTuple):
    """What was said to one request. `body` is empty where it went into a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Address(NamedTuple):
    """The parts of an address that say where it leads."""

    scheme: str
    host: str
    port: int | None
    path: str
    has_user: bool

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK


class Sink(Protocol):
    """Where the bytes of a file go, piece by piece; `restart`: they come anew from the first."""

    def restart(self) -> object: ...

    def add(self, part: bytes, /) -> object: ...


class BrokenError(Exception):
    """There is no whole answer. `passing`: asking again may help; `sent`: the request may have been carried out."""

    def __init__(self, reason: str, *, kind: str = "", passing: bool, sent: bool) -> None:
        super().__init__(reason)
        self.kind = kind or reason
        """The same without an address: one can hold a signature that opens a file."""
        self.passing = passing
        self.sent = sent


class Limits(NamedTuple):
    """`quiet`: the longest time without a byte, seconds; `whole`: for all of them."""

    quiet: float
    whole: float


class Http:
    """Requests with headers that all of them have; a header of one replaces that of all."""

    def __init__(self, headers: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._client = httpx.Client(headers=dict(headers), follow_redirects=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        limits: Limits,
        headers: Mapping[str, str] | None = None,
        content: bytes | IO[bytes] | None = None,
        into: Sink | None = None,
    ) -> Answer:
        """One try; a body of 200 goes `into`, where that is given. BrokenError otherwise."""
        deadline = self._clock() + limits.whole
        try:
            with self._client.stream(
                method, url, content=content, headers=dict(headers or {}), timeout=limits.quiet
            ) as response:
                parts = _Parts() if into is None or response.status_code != 200 else into
                parts.restart()
                for part in response.iter_raw() if into else response.iter_bytes():
                    parts.add(part)
                    if self._clock() > deadline:
                        raise httpx.ReadTimeout(f"not whole within {limits.whole:.0f} s")
                body = parts.all if isinstance(parts, _Parts) else b""
                return Answer(response.status_code, response.headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _broken(error) from error


class _Parts:
    """An answer as it arrives, kept in memory up to a limit."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def restart(self) -> None:
        self._parts, self._size = [], 0

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > LARGEST_ANSWER:
            raise httpx.DecodingError(f"an answer of more than {LARGEST_ANSWER:,} bytes")

    @property
    def all(self) -> bytes:
        return b"".join(self._parts)


def plain(text: str, longest: int = _LONGEST) -> str:
    """A text of the outside on one line, without control signs, cut to `longest` characters."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def address(url: str) -> Address | None:
    """None where a text is no address."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    return Address(parts.scheme, parts.host, parts.port, parts.path, bool(parts.userinfo))


def with_query(url: str, query: Mapping[str, str | int]) -> str:
    return str(httpx.URL(url).copy_merge_params(query)) if query else url


def joined(url: str, reference: str) -> str | None:
    """Where a reference in an answer from `url` leads; None where it is none."""
    try:
        return str(httpx.URL(url).join(reference))
    except httpx.InvalidURL:
        return None


def next_page(headers: Mapping[str, str]) -> str | None:
    """The reference to the next page that a Link header holds."""
    links = httpx.Response(200, headers={"link": headers.get("link", "")}).links
    return links["next"]["url"] if "next" in links else None


def _broken(error: Exception) -> BrokenError:
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return BrokenError(
        str(error) or type(error).__name__,
        kind=type(error).__name__,
        passing=isinstance(error, httpx.TransportError),
        sent=not never_sent,
    )
