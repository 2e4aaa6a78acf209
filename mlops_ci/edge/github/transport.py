"""Calls to GitHub's API. What is safe to ask again is asked again: connections that broke, 5xx, rate limits."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from mlops_ci.edge import http
from mlops_ci.edge.github import errors
from mlops_ci.edge.github.access import Access
from mlops_ci.edge.github.rates import rate_limit
from mlops_ci.edge.http import REDIRECTS, Address, Answer, BrokenError, Http, Limits, Sink
from mlops_ci.edge.patience import Patience, Time

_T = TypeVar("_T")

_VERSION = "2022-11-28"
_SECONDS = 40.0
"""For all tries of one call together; one answer may take `_ONE`, so that no call takes a minute."""
_ONE = 15.0
_TRANSFER = 300.0
"""For a file, up or down."""
_MOST_PAGES = 20
_PER_PAGE = 100


class Transport:
    """Calls below one API address, with one token; all tries of a call together may take `seconds`."""

    def __init__(self, access: Access, time: Time | None = None, *, seconds: float = _SECONDS) -> None:
        self._access = access
        self._seconds = seconds
        self._time = time or Time()
        self._http = Http(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": _VERSION,
                "User-Agent": access.user_agent,
            },
            self._time.clock,
        )

    def get(self, path: str, form: type[_T], **query: str | int) -> _T:
        """The answer to a GET as a `form`; GitHubError otherwise."""
        url = http.with_query(self._access.api + path, query)
        return _decoded(self._called("GET", path, url), form, "GET", path)

    def pages(self, path: str, form: type[_T], *, key: str | None = None, **query: str | int) -> list[_T]:
        """All pages of a list; `key`: the name of the list where the answer is an object around it.

        GitHubError where there are more than 2,000 entries: what decides must not rest on a part of a list.
        """
        url = http.with_query(self._access.api + path, {**query, "per_page": _PER_PAGE})
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
            if answer.status not in REDIRECTS:
                return
            url = self._location(answer, path)  # anew for each try: the address holds for a minute
            reason, passing = self._taken(url, into, patience.left)
            if not reason:
                return
            if not (passing and patience.again()):
                raise errors.unreachable("GET", path, reason)

    def _taken(self, url: str, into: Sink, left: float) -> tuple[str, bool]:
        """What went wrong and whether it may pass; without the address, which holds a signature that opens the file."""
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        try:
            answer = self._http.ask("GET", url, headers=headers, into=into, limits=Limits(_ONE, max(1.0, left)))
        except BrokenError as error:
            return error.kind, error.passing
        if answer.status == 200:
            return "", True
        return f"the storage behind it says {answer.status}", answer.status >= 500

    def uploaded(self, url: str, file: Path, form: type[_T], **query: str) -> _T:
        """Send a file to an address GitHub named for it, once: what came of a lost answer has to be looked up."""
        path = _parsed(url, "an upload").path
        where = http.with_query(self._upload_address(url, path), query)
        try:
            with file.open("rb") as content:
                headers = self._own() | {"Content-Type": "application/octet-stream"}
                limits = Limits(_ONE, _TRANSFER)
                answer = self._http.ask("POST", where, headers=headers, content=content, limits=limits)
        except BrokenError as error:
            raise errors.unreachable("POST", path, str(error)) from error
        if answer.status >= 300:
            raise errors.refused("POST", path, status=answer.status, body=answer.body, accepted="")
        return _decoded(answer, form, "POST", path)

    def _upload_address(self, url: str, path: str) -> str:
        """The token goes there, so it has to be a host of the same GitHub: uploads.github.com beside api.github.com."""
        where, api = _parsed(url, path), _parsed(self._access.api, path)
        own = where.scheme == api.scheme and where.host in (api.host, f"uploads.{api.host.removeprefix('api.')}")
        if not own or where.has_user:
            raise errors.not_understood("POST", path, "files are to be sent to another host")
        return url

    def _location(self, answer: Answer, path: str) -> str:
        """Where a GET is redirected to: a short-lived address, mostly on another host."""
        url = answer.headers.get("location", "")
        where = _parsed(url, path)
        if where.host and (where.scheme == "https" or (where.scheme == "http" and self._access.is_loopback)):
            return url
        raise errors.not_understood("GET", path, "it is not redirected to an https address")

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
        headers, content = self._own(accept), None
        if body is not None:
            headers, content = headers | {"Content-Type": "application/json"}, msgspec.json.encode(body)
        while True:
            seconds = min(_ONE, max(1.0, patience.left))
            limits = Limits(seconds, seconds if into is None else _TRANSFER)
            try:
                answer = self._http.ask(method, url, headers=headers, content=content, into=into, limits=limits)
            except BrokenError as error:
                if not (error.passing and (repeatable or not error.sent) and patience.again()):
                    raise errors.unreachable(method, path, str(error)) from error
                continue
            if answer.status < 300 or (into is not None and answer.status in REDIRECTS):
                return answer
            limit = rate_limit(*answer, self._time.now())
            if limit is not None:
                if not patience.again(limit):
                    raise errors.rate_limited(method, path, status=answer.status, body=answer.body, seconds=limit)
            elif not (answer.status >= 500 and repeatable and patience.again()):
                accepted = answer.headers.get("x-accepted-github-permissions", "")
                raise errors.refused(method, path, status=answer.status, body=answer.body, accepted=accepted)

    def _own(self, accept: str = "") -> dict[str, str]:
        """What this GitHub alone is told."""
        return {"Authorization": f"Bearer {self._access.token}"} | ({"Accept": accept} if accept else {})


def _next(answer: Answer, url: str, path: str) -> str | None:
    """The address of the next page, which has to be on the same host: the token goes there."""
    link = http.next_page(answer.headers)
    if link is None:
        return None
    here, following = _parsed(url, path), _parsed(link, path)
    if following[:3] != here[:3] or following.has_user:
        raise errors.not_understood("GET", path, "the next page is on another host")
    return link


def _parsed(url: str, path: str) -> Address:
    found = http.address(url)
    if found is None:
        raise errors.not_understood("GET", path, "it leads to what is no address")
    return found


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
