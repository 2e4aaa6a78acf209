"""HTTP for the other edges over httpx: the owner of that library. One request, one answer; who asks decides about more.

Answers, their heads too, are read with a limit and by a deadline, files go to and from the disk piece by piece, and no
redirect is followed by itself: what a request carries goes to the host it was meant for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from mlops_ci import lazy

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazy.library("httpx")

_LONGEST = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
LARGEST_ANSWER = 20_000_000
LARGEST_HEAD, MOST_HEADERS = 100_000, 200
"""Bytes before the body of an answer, what is sent before its status too, and its headers."""
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
        self._incoming = _Incoming(clock)
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
        self._incoming.expect(limits.whole)
        try:
            with self._client.stream(
                method,
                url,
                content=content,
                headers=dict(headers or {}),
                timeout=limits.quiet,
                extensions={"trace": self._incoming.trace},
            ) as response:
                _check_head(response.headers)
                parts = _Parts() if into is None or response.status_code != 200 else into
                parts.restart()
                for part in response.iter_raw() if into else response.iter_bytes():
                    parts.add(part)
                body = parts.all if isinstance(parts, _Parts) else b""
                return Answer(response.status_code, response.headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _broken(error) from error


class _Incoming:
    """What comes over the connections of one client, an answer at a time: counted up to its body, and by a deadline.

    The library bounds one head, not how many 1xx come before it; and a byte now and then is in time for it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._whole = self._deadline = 0.0
        self._head: int | None = None

    def expect(self, seconds: float) -> None:
        self._whole, self._deadline = seconds, self._clock() + seconds

    def trace(self, event: str, told: dict[str, Any]) -> None:
        """Of httpcore, at every step: https://www.encode.io/httpcore/extensions/#trace"""
        step = event.partition(".")[2]
        if step in ("connect_tcp.complete", "start_tls.complete"):
            self._watch(told["return_value"])
        elif step.startswith("receive_response_headers."):
            self._head = 0 if step.endswith(".started") else None

    def _watch(self, stream: Any) -> None:
        read = stream.read

        def counted(most: int, timeout: float | None = None) -> bytes:
            if self._clock() > self._deadline:
                raise httpx.ReadTimeout(f"not whole within {self._whole:.0f} s")
            data: bytes = read(most, timeout)
            if self._head is not None:
                if self._head > LARGEST_HEAD:
                    raise httpx.DecodingError(f"more than {LARGEST_HEAD:,} bytes before an answer")
                self._head += len(data)
            return data

        stream.read = counted


def _check_head(headers: httpx.Headers) -> None:
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if size > LARGEST_HEAD or len(headers.raw) > MOST_HEADERS:
        raise httpx.DecodingError(f"an answer with {len(headers.raw):,} headers of {size:,} bytes")


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
