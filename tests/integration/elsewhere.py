"""Stores that other machines reach, as mlops.yaml names them, with ways to let them refuse and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from tests.github.server import Reply

if TYPE_CHECKING:
    from tests.between import Between
    from tests.github.fake import FakeGitHub
    from tests.github.server import Request

Verb = Literal["put", "get", "remove"]
_ON_GITHUB: dict[Verb, tuple[str, str]] = {
    "put": ("POST", "/releases/[0-9]+/assets"),
    "get": ("GET", "/storage/.*"),
    "remove": ("DELETE", "/releases/[0-9]+"),
}


class Trouble(NamedTuple):
    """What is answered instead: a status, `None` closes the connection; `cut`: in the middle of the answer."""

    status: int | None = None
    cut: bool = False


class Elsewhere(Protocol):
    """`setting`: what `store:` says."""

    setting: str

    def fails(self, verb: Verb, trouble: Trouble, *, nth: int = 1) -> None:
        """From the nth of such requests on, until `heals`."""

    def heals(self) -> None:
        """All is well again."""


class OnGitHub:
    """In releases of the tests' GitHub."""

    setting = "github-release"

    def __init__(self, hub: FakeGitHub) -> None:
        self._hub = hub

    def fails(self, verb: Verb, trouble: Trouble, *, nth: int = 1) -> None:
        closed = trouble.status is None and not trouble.cut
        self._hub.fail(*_ON_GITHUB[verb], nth=nth, times=99, status=trouble.status, closed=closed, cut=trouble.cut)

    def heals(self) -> None:
        self._hub.faults.clear()


class Behind:
    """Behind a server in which things go wrong."""

    def __init__(self, setting: str, between: Between) -> None:
        self.setting, self._between = setting, between

    def fails(self, verb: Verb, trouble: Trouble, *, nth: int = 1) -> None:
        seen = 0

        def fault(request: Request) -> Reply | str | None:
            nonlocal seen
            seen += _is(verb, request)
            if not _is(verb, request) or seen < nth:
                return "on"
            if trouble.cut:
                return self._between.passed_on(request)._replace(cut=True)
            return Reply(trouble.status, {}) if trouble.status else None

        self._between.fault = fault

    def heals(self) -> None:
        self._between.fault = lambda request: "on"


def _is(verb: Verb, request: Request) -> bool:
    """Of a registry and of S3, which is told of many objects at once what to delete; a manifest alone is no item."""
    match verb:
        case "put":
            return request.method == "PUT"
        case "get":
            return request.method == "GET" and "/manifests/" not in request.path
        case "remove":
            return request.method == "DELETE" or (request.method == "POST" and "delete" in request.query_text)
