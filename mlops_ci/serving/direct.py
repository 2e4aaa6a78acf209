"""The application without a server of its own: for platforms that hand over one request at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from .app import App, Limits, Pending
from .bundle import opened
from .errors import BundleError
from .log import PredictionLog
from .model import Model
from .replies import Reply
from .trust import trusted

_PACKAGE = Path(__file__).resolve().parent


class Answer(NamedTuple):
    """Status, headers with names in small letters, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Direct:
    """Answers requests as the server does, one after the other; threads may ask at the same time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, headers: Iterable[tuple[str, str]], body: Callable[[], bytes]) -> Answer:
        """One request; its body is fetched when its size is known to be allowed."""
        named = [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in headers]
        with self._lock:
            asked = self._app.begin(method, path, named)
            reply = self._ended(asked, body()) if isinstance(asked, Pending) else asked
        found = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
        fixed = {"content-type": reply.content_type.decode(), "content-length": str(len(reply.body))}
        return Answer(reply.status, fixed | found, reply.body)

    def _ended(self, pending: Pending, body: bytes) -> Reply:
        return self._app.more(pending, body) or self._app.end(pending)


def from_environment() -> Direct:
    """With the variables of `app_from_environment`. Raises BundleError."""
    return Direct(app_from_environment())


def app_from_environment() -> App:
    """The bundle that this runtime lies in (MLOPS_CI_BUNDLE names another). Raises BundleError.

    MLOPS_CI_DIGEST, MLOPS_CI_TRUST, MLOPS_CI_RELEASE, MLOPS_CI_LOG, MLOPS_CI_LOG_KEY as for the server,
    MLOPS_CI_TOKEN the bearer token to ask for, MLOPS_CI_MAX_ROWS the rows a request.
    """
    told = os.environ.get
    bundle = Path(told("MLOPS_CI_BUNDLE") or _PACKAGE.parents[1])
    rows = told("MLOPS_CI_MAX_ROWS") or str(Limits().rows)
    if not rows.isdecimal() or int(rows) == 0:
        raise BundleError(f"MLOPS_CI_MAX_ROWS: {rows!r} is no whole number above 0")
    folder = told("MLOPS_CI_LOG")
    return App(
        Model(opened(bundle, told("MLOPS_CI_DIGEST", ""), trusted()), told("MLOPS_CI_RELEASE", "")),
        log=PredictionLog(Path(folder)) if folder else None,
        key=told("MLOPS_CI_LOG_KEY", "").encode(),
        token=told("MLOPS_CI_TOKEN", ""),
        limits=Limits(rows=int(rows)),
    )
