"""One call to GitHub's API over httpx: the owner of that library.

Answers are read with a limit and by a deadline. What is safe to ask again is asked again, a few times and for less
than a minute in all: connections that broke, 5xx, rate limits
(https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from mlops_ci import lazy
from mlops_ci.edge.github import errors
from mlops_ci.edge.github.access import Access

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazy.library("httpx")

_T = TypeVar("_T")

_VERSION = "2022-11-28"
_TRIES = 5
_SECONDS = 40.0
"""For all tries of one call together; one answer may take `_ONE`."""
_ONE = 15.0
_CONNECT = 10.0
_DOWNLOAD = 300.0
_LARGEST_ANSWER = 20_000_000
_MOST_PAGES = 20
_PER_PAGE = 100
_REDIRECTS = (301, 302, 303, 307, 308)
_SECONDARY_LIMIT = b"secondary rate limit"
_SECONDARY_WAIT = 60.0


class Answer(NamedTuple):
    """What GitHub said to one call."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Calls below one API address, with one token. `sleep`, `clock` and `now` stand in for time in tests."""

    def __init__(
        self,
        access: Access,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._access = access
        self._sleep, self._clock, self._now = sleep, clock, now
        self._client = httpx.Client(
            headers={
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": _VERSION,
                "User-Agent": access.user_agent,
            },
            timeout=httpx.Timeout(_ONE, connect=_CONNECT),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

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
            following = self._next(answer, url)
            if following is None:
                return found
            url = following
        raise errors.not_understood("GET", path, f"more than {_MOST_PAGES} pages of {_PER_PAGE}")

    def send(self, method: str, path: str, body: object, form: type[_T], *, repeatable: bool) -> _T:
        """Change something. `repeatable`: doing it twice is as good as once, so a lost answer is asked for again."""
        answer = self._called(method, path, self._access.api + path, body=body, repeatable=repeatable)
        return _decoded(answer, form, method, path)

    def delete(self, path: str) -> None:
        """Remove something; what is gone already is no error."""
        try:
            self._called("DELETE", path, self._access.api + path)
        except errors.GitHubError as error:
            if error.status != 404:
                raise

    def _located(self, path: str) -> str:
        """Where a GET is redirected to: a short-lived address, mostly on another host."""
        answer = self._called("GET", path, self._access.api + path, redirects=True)
        url = answer.headers.get("location", "")
        parts = urlsplit(url)
        if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and self._access.is_loopback)):
            return url
        raise errors.not_understood("GET", path, "it is not redirected to an https address")

    def fetched(self, path: str, into: Callable[[bytes], object], *, restart: Callable[[], object]) -> None:
        """Give the bytes GitHub redirects a GET of `path` to, piece by piece, to `into`; `restart`: from the start.

        The other host is not told the token.
        """
        deadline = self._clock() + _DOWNLOAD
        for left in reversed(range(_TRIES)):
            url = self._located(path)  # anew for each try: the address holds for a minute
            try:
                restart()
                self._streamed(url, into, deadline)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not (_is_passing(error) and left and self._waited(2.0 ** (_TRIES - left - 1), deadline)):
                    raise errors.unreachable("GET", path, _without_address(error)) from None
            else:
                return

    def _streamed(self, url: str, into: Callable[[bytes], object], deadline: float) -> None:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        with self._client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            for part in response.iter_raw():
                into(part)
                if self._clock() > deadline:
                    raise httpx.ReadTimeout(f"not whole within {_DOWNLOAD:.0f} s")

    def _called(
        self,
        method: str,
        path: str,
        url: str,
        *,
        body: object = None,
        repeatable: bool = True,
        redirects: bool = False,
    ) -> Answer:
        """The answer of 2xx (or a redirect, if asked for), after as many tries as it takes and may take."""
        deadline = self._clock() + _SECONDS
        for left in reversed(range(_TRIES)):
            try:
                answer = self._asked(method, url, body, deadline)
            except httpx.HTTPError as error:
                never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if not ((repeatable or never_sent) and left and self._waited(2.0 ** (_TRIES - left - 1), deadline)):
                    raise errors.unreachable(method, path, str(error) or type(error).__name__) from error
                continue
            if answer.status < 300 or (redirects and answer.status in _REDIRECTS):
                return answer
            wait = self._wait(answer, repeatable, _TRIES - left)
            if wait is None or not left:
                raise _refused(method, path, answer)
            if not self._waited(wait, deadline):
                raise _given_up(method, path, answer, wait)
        raise AssertionError("the last try returns or raises")

    def _asked(self, method: str, url: str, body: object, deadline: float) -> Answer:
        headers = {"Authorization": f"Bearer {self._access.token}"}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        seconds = max(1.0, min(_ONE, deadline - self._clock()))
        deadline = self._clock() + seconds
        timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT))
        with self._client.stream(method, url, content=content, headers=headers, timeout=timeout) as response:
            parts, size = [], 0
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > _LARGEST_ANSWER:
                    raise httpx.DecodingError(f"an answer of more than {_LARGEST_ANSWER:,} bytes")
                if self._clock() > deadline:
                    raise httpx.ReadTimeout(f"no whole answer within {seconds:.0f} s")
            return Answer(response.status_code, response.headers, b"".join(parts))

    def _wait(self, answer: Answer, repeatable: bool, tries: int) -> float | None:
        """Seconds until asking again makes sense; None: it does not."""
        limited = self._limited(answer)
        if limited is not None:
            return limited
        return 2.0 ** (tries - 1) if answer.status >= 500 and repeatable else None

    def _limited(self, answer: Answer) -> float | None:
        """Seconds a rate limit lasts, or None where the answer is none: such a call was not carried out."""
        if answer.status not in (403, 429):
            return None
        after = _seconds(answer.headers.get("retry-after", ""))
        if after is not None:
            return after
        reset = _seconds(answer.headers.get("x-ratelimit-reset", ""))
        if answer.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
            return max(1.0, reset - self._now() + 1.0)
        if answer.status == 429 or _SECONDARY_LIMIT in answer.body.lower():
            return _SECONDARY_WAIT
        return None

    def _waited(self, seconds: float, deadline: float) -> bool:
        """Wait, unless it would take longer than a call may take in all."""
        if self._clock() + seconds >= deadline:
            return False
        self._sleep(seconds)
        return True

    def _next(self, answer: Answer, url: str) -> str | None:
        """The address of the next page, which has to be on the same host: the token goes there."""
        link = httpx.Response(200, headers={"link": answer.headers.get("link", "")}).links.get("next")
        if link is None:
            return None
        following = urljoin(url, link.get("url", ""))
        if _origin(following) != _origin(url):
            raise errors.not_understood("GET", urlsplit(url).path, "the next page is on another host")
        return following


def _seconds(header: str) -> float | None:
    """A whole number of seconds; None for anything else, as for a date."""
    return float(header) if header.isascii() and header.isdigit() and len(header) <= 12 else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _is_passing(error: Exception) -> bool:
    """Whether asking again may help: a broken connection or 5xx, not an answer like 403 or 404."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


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
    if key is None:
        return _decoded(answer, list[form], "GET", path)  # type: ignore[valid-type]
    around: dict[str, Any] = _decoded(answer, dict[str, msgspec.Raw], "GET", path)
    if key not in around:
        raise errors.not_understood("GET", path, f"it holds no `{key}`")
    inside = answer._replace(body=bytes(around[key]))
    return _decoded(inside, list[form], "GET", path)  # type: ignore[valid-type]


def _refused(method: str, path: str, answer: Answer) -> errors.GitHubError:
    accepted = answer.headers.get("x-accepted-github-permissions", "")
    return errors.refused(method, path, status=answer.status, body=answer.body, accepted=accepted)


def _given_up(method: str, path: str, answer: Answer, wait: float) -> errors.GitHubError:
    if answer.status >= 500:
        return _refused(method, path, answer)
    return errors.rate_limited(method, path, status=answer.status, body=answer.body, seconds=wait)
