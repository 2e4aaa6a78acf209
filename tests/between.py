"""A server between the code and another one, in which things go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.github.server import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = ("location", "docker-content-digest", "content-type", "www-authenticate", "link", "etag", "last-modified")


class Between:
    """Passes requests on, unless `fault` answers: a Reply, None to close the connection, or "on"."""

    def __init__(self, behind: str) -> None:
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Reply | str | None] = lambda request: "on"
        self.wrong: list[str] = []
        self._behind = httpx.Client(base_url=behind)
        self.server = Server(self._answer, self.wrong.append)
        self.server.start()

    @property
    def address(self) -> str:
        return self.server.url.removeprefix("http://")

    def passed_on(self, request: Request) -> Reply:
        query = f"?{request.query_text}" if request.query_text else ""
        told = self._behind.request(
            request.method, request.path + query, headers=request.headers, content=request.content
        )
        headers = {key: told.headers[key] for key in _KEPT if key in told.headers}
        if request.method == "HEAD" and "content-length" in told.headers:
            headers["Content-Length"] = told.headers["content-length"]
        return Reply(told.status_code, told.content, headers)

    def asked(self, method: str, end: str = "") -> list[Request]:
        return [each for each in self.requests if each.method == method and end in each.path]

    def stop(self) -> None:
        """What broke in the test's own servers is an error of the test."""
        self.server.stop()
        self._behind.close()
        assert not self.wrong, self.wrong

    def _answer(self, request: Request) -> Reply | None:
        self.requests.append(request)
        said = self.fault(request)
        return self.passed_on(request) if isinstance(said, str) else said
