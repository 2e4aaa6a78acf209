"""The application: one model, its log and its counts. It knows nothing of connections.

A request comes in three calls: its head (`begin`), pieces of its body (`more`), its end (`end`). Nothing waits:
a small model is asked in less time than a thread, or a task, takes to wake.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from . import bodies, replies
from .complaints import Complaints
from .counts import Counts
from .errors import Refused
from .log import PredictionLog
from .metrics import Metrics
from .model import Model
from .questions import Ask
from .records import Recorder
from .replies import Reply
from .routes import Question, Routes, State, View
from .validate import Checked, Table

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class Limits(NamedTuple):
    """What one request may hold; whether what cannot be logged may be answered."""

    rows: int = 1_000
    bytes: int = 8 * 2**20
    log_required: bool = False


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A question whose body is on its way: it ends with `App.end`, or with `App.refuse`. `request` is its id."""

    label: str
    path: str
    ask: Ask
    headers: Mapping[bytes, bytes]
    began: float
    request: bytes
    body: bodies.Body


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
        self.complaints = Complaints()
        self._process = secrets.token_hex(6).encode()
        self._numbers = itertools.count(1)
        self._model = model
        self._most_rows = limits.rows
        self._room = bodies.Room(limits.bytes)
        self._recorder = Recorder(serving, model.bundle.digest, key)
        self._routes = Routes(model, self.metrics, self.state, token=token, most_rows=limits.rows)
        self.paths = self._routes.paths

    def begin(self, method: str, path: str, raw: Sequence[tuple[bytes, bytes]]) -> Pending | Reply:
        """The head of a request, names of headers in small letters: what it asks, or what it is told at once."""
        began = time.perf_counter()
        label = "other"
        try:
            headers = bodies.once(raw)
            route = self._routes.find(path, method, headers)
            label = route.label
            if isinstance(route, View):
                return self._told(label, route.show())
        except Refused as refused:
            return self._refused(label, path, refused)
        return self._pending(route, path, headers, began)

    def more(self, pending: Pending, piece: bytes) -> Reply | None:
        """A piece of its body; a reply where it is refused for it, which ends it."""
        try:
            pending.body.add(piece)
        except Refused as refused:
            return self.refuse(pending, refused)
        return None

    def end(self, pending: Pending) -> Reply:
        """The body is whole: ask the model. Whatever comes of it is in the log before it is told."""
        try:
            table, remembered = pending.ask.read(pending.body.whole(), pending.headers)
            checked, answers = self._asked(table)
            reply = pending.ask.write(remembered, answers)
        except Refused as refused:
            return self.refuse(pending, refused)
        pending.body.close()
        seconds = time.perf_counter() - pending.began
        self.metrics.took(seconds)
        log = self.state.log
        if log is not None and log.wants():
            log.write(self._recorder.answered(pending.request, seconds * 1000, checked, answers), len(checked.rows))
            if self.state.unlogged:
                words = "the prediction log cannot be written, and is required"
                return self._refused(pending.label, pending.path, Refused("not_logged", words, status=503))
        self.metrics.rows(len(checked.rows))
        headers = (*reply.headers, (b"x-request-id", pending.request))
        return self._told(pending.label, Reply(200, reply.body, reply.content_type, headers))

    def refuse(self, pending: Pending, refused: Refused) -> Reply:
        """It ends here; it is in the log, without values."""
        pending.body.close()
        self._log_refused(pending.request, pending.began, refused)
        return self._refused(pending.label, pending.path, refused)

    def _pending(self, route: Question, path: str, headers: Mapping[bytes, bytes], began: float) -> Pending | Reply:
        request = headers.get(b"x-request-id")
        if request is None or not _REQUEST_ID.fullmatch(request):
            request = b"%b-%d" % (self._process, next(self._numbers))
        try:
            body = bodies.Body(headers, self._room)
        except Refused as refused:
            self._log_refused(request, began, refused)
            return self._refused(route.label, path, refused)
        return Pending(route.label, path, route.ask, headers, began, request, body)

    def _asked(self, table: Table) -> tuple[Checked, list[list[Any]]]:
        try:
            return self._model.answer(table, self._most_rows)
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - the model is anybody's code
            self.complaints.tell()
            raise Refused("model_failed", "the model failed; the server's output says how", status=500) from None

    def _log_refused(self, request: bytes, began: float, refused: Refused) -> None:
        seconds = time.perf_counter() - began
        self.metrics.took(seconds)
        log = self.state.log
        if log is not None and log.wants():
            log.write(self._recorder.refused(request, seconds * 1000, refused), 1)

    def _refused(self, label: str, path: str, refused: Refused) -> Reply:
        self.metrics.refused(refused.code)
        return self._told(label, replies.refusal(refused, path))

    def _told(self, label: str, reply: Reply) -> Reply:
        self.metrics.answered(label, reply.status)
        return reply
