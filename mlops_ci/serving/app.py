"""The ASGI application: one model, its log and its counts.

Nothing here waits but for the body of a request: a small model is asked in less time than a thread takes to wake.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
import traceback
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import bodies, replies
from .counts import Counts
from .errors import Refused
from .log import PredictionLog
from .metrics import Metrics
from .model import Model
from .questions import Ask
from .records import Recorder
from .replies import Reply
from .routes import Routes, State, View
from .validate import Checked, Table

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class Limits(NamedTuple):
    """What one request may hold; whether what cannot be logged may be answered."""

    rows: int = 1_000
    bytes: int = 8 * 2**20
    log_required: bool = False


class App:
    """Answers requests, and counts with its log. `state.draining` is set when no more should come."""

    def __init__(
        self,
        model: Model,
        *,
        counts: Counts | None = None,
        log: PredictionLog | None = None,
        key: bytes = b"",
        token: str = "",
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        serving = model.serving
        labels = {"project": serving.project, "release": serving.release, "digest": model.bundle.digest}
        self.metrics = Metrics(labels, counts or Counts() if log is None else log.counts)
        self.state = State(log, required=limits.log_required)
        self._process = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._model = model
        self._limits = limits
        self._room = bodies.Room(limits.bytes)
        self._recorder = Recorder(serving, model.bundle.digest, key)
        self._routes = Routes(model, self.metrics, self.state, token=token, most_rows=limits.rows)

    async def __call__(self, scope: Mapping[str, Any], receive: bodies.Receive, send: replies.Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        path = scope["path"]
        label = "other"
        try:
            headers = bodies.once(scope["headers"])
            route = self._routes.find(path, scope["method"], headers)
            label = route.label
            if isinstance(route, View):
                reply = route.show()
            else:
                reply = await self._answer(route.ask, headers, receive, began)
        except Refused as refused:
            self.metrics.refused(refused.code)
            reply = replies.refusal(refused, path)
        self.metrics.answered(label, reply.status)
        if self.state.draining:  # who asks again does so over a new connection: to whoever serves then
            reply = reply._replace(headers=(*reply.headers, replies.CLOSE))
        await replies.send(reply, send)

    async def _answer(self, ask: Ask, headers: Mapping[bytes, bytes], receive: bodies.Receive, began: float) -> Reply:
        """Ask the model. Whatever comes of it is in the log before it is told. Raises Refused."""
        given = headers.get(b"x-request-id", b"")
        request = given.decode() if _REQUEST_ID.fullmatch(given) else f"{self._process}-{next(self._numbers)}"
        try:
            body = await bodies.read(receive, headers, self._limits.bytes, self._room)
            table, remembered = ask.read(body, headers)
            checked, answers = self._asked(table)
            reply = ask.write(remembered, answers)
        except Refused as refused:
            self._log_refused(request, began, refused)
            raise
        seconds = time.perf_counter() - began
        self.metrics.took(seconds)
        log = self.state.log
        if log is not None and log.wants():
            log.write(self._recorder.answered(request, seconds * 1000, checked, answers), checked.rows)
            if self.state.unlogged:
                raise Refused("not_logged", "the prediction log cannot be written, and is required", status=503)
        self.metrics.rows(checked.rows)
        return Reply(200, reply.body, reply.content_type, (*reply.headers, (b"x-request-id", request.encode())))

    def _asked(self, table: Table) -> tuple[Checked, list[list[Any]]]:
        try:
            return self._model.answer(table, self._limits.rows)
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - the model is anybody's code
            traceback.print_exc()
            raise Refused("model_failed", "the model failed; the server's output says how", status=500) from None

    def _log_refused(self, request: str, began: float, refused: Refused) -> None:
        seconds = time.perf_counter() - began
        self.metrics.took(seconds)
        log = self.state.log
        if log is not None and log.wants():
            log.write(self._recorder.refused(request, seconds * 1000, refused), 1)
