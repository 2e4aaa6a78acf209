"""One call to GitHub's API over httpx: the owner of that library.

Answers are read with a limit and by a deadline. What is safe to ask again is asked again: connections that broke, 5xx,
rate limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import msgspec

from mlops_ci import lazy
from mlops_ci.edge.github import errors
from mlops_ci.edge.github.access import Access
from mlops_ci.edge.github.patience import Patience, Time, rate_limit

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazy.library("httpx")

_T = TypeVar("_T")

_VERSION = "2022-11-28"
_SECONDS = 40.0
"""For all tries of one call together; one answer may take `_ONE`, so that no call takes a minute."""
_ONE = 15.0
_TRANSFER = 300.0
"""For a file, up or down."""
_LARGEST_ANSWER = 20_000_000
_MOST_PAGES = 20
_PER_PAGE = 100
_REDIRECTS = (301, 302, 303, 307, 308)


class Answer(NamedTuple):
    """What GitHub said to one call."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sink(Protocol):
    """Where the bytes of a file go, piece by piece; `restart`: they come anew from the first."""

    def restart(self) -> object: ...

    def add(self, part: bytes, /) -> object: ...


class Transport:
    """Calls below one API address, with one token; all tries of a call together may take `seconds`."""

    def __init__(self, access: Access, time: Time | None = None, *, seconds: float = _SECONDS) -> None:
        self._access = access
        self._seconds = seconds
        self._time = time or Time()
        self._client = httpx.Client(
            headers={
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": _VERSION,
                "User-Agent": access.user_agent,
            },
            timeout=_ONE,
            follow_redirects=False,
        )

    def get(self, path: str, form: type[_T], **query: str | int) -> _T:
        """The answer to a GET as a `form`; GitHubError otherwise."""
        url = httpx.URL(self._access.api + path, params=query) if query else self._access.api + path
        return _decoded(self._called("GET", path, str(url)), form, "GET", path)

    def pages(self, path: str, form: type[_T], *, key: str | None = None, **query: str | int) -> list[_T]:
        """All pages of a list; `key`: the name of the list where the answer is an object around it.

        GitHubError where there are more than 2,000 entries: what decides must not rest on a part of a list.
        """
        url = str(httpx.URL(self._access.api + path, params={**query, "per_page": _PER_PAGE}))
        found: list[_T] = []
        for _ in range(_MOST_PAGES):
            answer = self._called("GET", path, url)
            found += _listed(answer, form, key, path)
            following = _next(answer, url, path)
            if following is None:
                return found
            url = following
        raise errors.not_understood("GET", path, f"more than {_MOST_PAGES} pages of {_PER_PAGE}")

    def send(self, method: str, path: str, body: object, form: type[_T], *, repeatable: bool) -> _T:
        """Change something. `repeatable`: doing it twice is as good as once, so a lost answer is asked for again."""
        answer = self._called(method, path, self._access.api + path, body=body, repeatable=repeatable)
        return _decoded(answer, form, method, path)

    def delete(self, path: str, *, gone: int = 404) -> None:
        """Remove something; what is gone already is no error. `gone`: the status GitHub says that with."""
        try:
            self._called("DELETE", path, self._access.api + path)
        except errors.GitHubError as error:
            if error.status != gone:
                raise

    def fetched(self, path: str, into: Sink, *, accept: str = "") -> None:
        """Give `into` the bytes that a GET of `path` answers with, or is redirected to on a host not told the token.

        `accept`: what kind of answer is asked for, where GitHub has several.
        """
        patience = Patience(self._time, _TRANSFER)
        while True:
            answer = self._called("GET", path, self._access.api + path, accept=accept, into=into)
            if answer.status not in _REDIRECTS:
                return
            url = self._location(answer, path)  # anew for each try: the address holds for a minute
            try:
                into.restart()
                self._streamed(url, into, patience.deadline)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not (_is_passing(error) and patience.again()):
                    raise errors.unreachable("GET", path, _without_address(error)) from None
            else:
                return

    def uploaded(self, url: str, file: Path, form: type[_T], **query: str) -> _T:
        """Send a file to an address GitHub named for it, once: what came of a lost answer has to be looked up."""
        path = _parsed(url, "an upload").path
        where = self._upload_address(url, path).copy_merge_params(query)
        try:
            with file.open("rb") as content:
                answer = self._asked("POST", str(where), content, _TRANSFER, kind="application/octet-stream")
        except httpx.HTTPError as error:
            raise errors.unreachable("POST", path, str(error) or type(error).__name__) from error
        if answer.status >= 300:
            raise errors.refused("POST", path, status=answer.status, body=answer.body, accepted="")
        return _decoded(answer, form, "POST", path)

    def _upload_address(self, url: str, path: str) -> httpx.URL:
        """The token goes there, so it has to be a host of the same GitHub: uploads.github.com beside api.github.com."""
        where, api = _parsed(url, path), httpx.URL(self._access.api)
        own = where.scheme == api.scheme and where.host in (api.host, f"uploads.{api.host.removeprefix('api.')}")
        if not own or where.userinfo:
            raise errors.not_understood("POST", path, "files are to be sent to another host")
        return where

    def _location(self, answer: Answer, path: str) -> str:
        """Where a GET is redirected to: a short-lived address, mostly on another host."""
        url = answer.headers.get("location", "")
        where = _parsed(url, path)
        if where.host and (where.scheme == "https" or (where.scheme == "http" and self._access.is_loopback)):
            return url
        raise errors.not_understood("GET", path, "it is not redirected to an https address")

    def _streamed(self, url: str, into: Sink, deadline: float) -> None:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        with self._client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            for part in response.iter_raw():
                into.add(part)
                if self._time.clock() > deadline:
                    raise httpx.ReadTimeout(f"not whole within {_TRANSFER:.0f} s")

    def _called(
        self,
        method: str,
        path: str,
        url: str,
        *,
        body: object = None,
        repeatable: bool = True,
        accept: str = "",
        into: Sink | None = None,
    ) -> Answer:
        """The answer of 2xx, after as many tries as it takes and may take; `into`: a file, or a redirect to one."""
        patience = Patience(self._time, self._seconds)
        content = None if body is None else msgspec.json.encode(body)
        while True:
            try:
                answer = self._asked(method, url, content, patience.left, accept=accept, into=into)
            except httpx.HTTPError as error:
                if not (_is_passing(error) and (repeatable or _never_sent(error)) and patience.again()):
                    raise errors.unreachable(method, path, str(error) or type(error).__name__) from error
                continue
            if answer.status < 300 or (into is not None and answer.status in _REDIRECTS):
                return answer
            limit = rate_limit(*answer, self._time.now())
            if limit is not None:
                if not patience.again(limit):
                    raise errors.rate_limited(method, path, status=answer.status, body=answer.body, seconds=limit)
            elif not (answer.status >= 500 and repeatable and patience.again()):
                accepted = answer.headers.get("x-accepted-github-permissions", "")
                raise errors.refused(method, path, status=answer.status, body=answer.body, accepted=accepted)

    def _asked(
        self,
        method: str,
        url: str,
        content: bytes | IO[bytes] | None,
        left: float,
        *,
        kind: str = "application/json",
        accept: str = "",
        into: Sink | None = None,
    ) -> Answer:
        """One try, which may take `left` seconds, and without a file `_ONE`. A file goes `into`, and no further."""
        headers = {"Authorization": f"Bearer {self._access.token}"} | ({"Accept": accept} if accept else {})
        if content is not None:
            headers["Content-Type"] = kind
        whole = kind == "application/json" and into is None
        seconds = min(_ONE, max(1.0, left))
        deadline = self._time.clock() + (seconds if whole else _TRANSFER)
        with self._client.stream(method, url, content=content, headers=headers, timeout=seconds) as response:
            parts = _Parts() if into is None or response.status_code != 200 else into
            parts.restart()
            for part in response.iter_bytes():
                parts.add(part)
                if self._time.clock() > deadline:
                    raise httpx.ReadTimeout(f"no whole answer within {seconds if whole else _TRANSFER:.0f} s")
            return Answer(response.status_code, response.headers, parts.all if isinstance(parts, _Parts) else b"")


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
        if self._size > _LARGEST_ANSWER:
            raise httpx.DecodingError(f"an answer of more than {_LARGEST_ANSWER:,} bytes")

    @property
    def all(self) -> bytes:
        return b"".join(self._parts)


def _next(answer: Answer, url: str, path: str) -> str | None:
    """The address of the next page, which has to be on the same host: the token goes there."""
    link = httpx.Response(200, headers={"link": answer.headers.get("link", "")}).links.get("next")
    if link is None:
        return None
    here, following = httpx.URL(url), _parsed(link["url"], path)
    if (following.scheme, following.netloc) != (here.scheme, here.netloc):
        raise errors.not_understood("GET", path, "the next page is on another host")
    return str(following)


def _parsed(url: str, path: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise errors.not_understood("GET", path, "it leads to what is no address") from error


def _is_passing(error: Exception) -> bool:
    """Whether asking again may help: a broken connection or 5xx, not an answer like 403, or one that is too large."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def _never_sent(error: Exception) -> bool:
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _without_address(error: Exception) -> str:
    """What went wrong, without the address: it holds a signature that opens the file."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the storage behind it says {error.response.status_code}"
    return type(error).__name__


def _decoded(answer: Answer, form: type[_T], method: str, path: str) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.not_understood(method, path, str(error)) from error


def _listed(answer: Answer, form: type[_T], key: str | None, path: str) -> list[_T]:
    if key is not None:
        around = _decoded(answer, dict[str, msgspec.Raw], "GET", path)
        answer = answer._replace(body=bytes(around.get(key, b"")))
    return _decoded(answer, list[form], "GET", path)  # type: ignore[valid-type]
