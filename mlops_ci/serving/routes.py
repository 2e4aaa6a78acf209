"""Which paths there are, what each may be asked, and by whom."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import VERSION, binary, openapi, tensors
from .counts import Counts
from .errors import Refused
from .log import PredictionLog
from .metrics import CONTENT_TYPE, FAILING, READY, Metrics
from .model import Model
from .questions import Ask, Invocations, OpenInference
from .replies import Reply, as_json

_PLAIN = re.compile(r"(/[\w.-]+)+", re.ASCII)


class State:
    """Whether requests should come here: not while stopping, nor without the log where it is required.

    `draining`: no connection stays here. `replaced`: another process answers at the same address, which is ready.
    """

    def __init__(self, log: PredictionLog | None, *, required: bool = False) -> None:
        self.log = log
        self.draining = self.replaced = False
        self._required = required

    @property
    def unlogged(self) -> bool:
        """The log is required, and the last record could not be written."""
        return self._required and self.log is not None and self.log.failing

    @property
    def ready(self) -> bool:
        return (self.replaced or not self.draining) and not self.unlogged

    def tell(self, counts: Counts) -> None:
        """Note it where other processes see it."""
        counts[READY] = float(self.ready and not self.draining)
        counts[FAILING] = float(self.log is not None and self.log.failing)


class View(NamedTuple):
    """A path that is read; `label` is its name in the metrics. `open`: without the token."""

    label: str
    show: Callable[[], Reply]
    open: bool = False
    methods: tuple[str, ...] = ("GET", "HEAD")


class Question(NamedTuple):
    """A path that the model is asked at."""

    label: str
    ask: Ask
    open: bool = False
    methods: tuple[str, ...] = ("POST",)


Route = View | Question


class Routes:
    """All paths of one model. Those of orchestrators are open; the others ask for the token, where there is one."""

    def __init__(self, model: Model, metrics: Metrics, state: State, *, token: str, most_rows: int) -> None:
        self._token = b"Bearer " + token.encode() if token else b""
        self._name = model.serving.project
        version = model.serving.release or model.bundle.digest[7:19]
        alive, runtime = as_json({"status": "alive"}), Reply(200, VERSION.encode(), b"text/plain; charset=utf-8")
        described = as_json(_metadata(model))
        schema = as_json(openapi.document(model.serving, version, most_rows, secured=bool(token)))
        self._routes: dict[str, Route] = {
            "/health": View("/health", lambda: alive, open=True),
            "/ping": View("/ping", lambda: alive, open=True),
            "/version": View("/version", lambda: runtime),
            "/ready": View("/ready", lambda: _ready(state), open=True),
            "/metadata": View("/metadata", lambda: described),
            "/metrics": View("/metrics", lambda: _metrics(metrics, state)),
            "/openapi.json": View("/openapi.json", lambda: schema),
            "/invocations": Question("/invocations", Invocations(model, most_rows)),
            **_open_inference(model, version, state),
        }

    @property
    def paths(self) -> dict[bytes, str]:
        """Those that are written in a request as they are, by how they are written."""
        return {path.encode(): path for path in self._routes if _PLAIN.fullmatch(path)}

    def find(self, path: str, method: str, headers: Mapping[bytes, bytes]) -> Route:
        """The route of a path. Raises Refused: 404, 405, 401."""
        route = self._routes.get(path)
        if route is None:
            raise Refused("unknown_path", self._unknown(path), status=404)
        if method not in route.methods:
            allowed = ", ".join(route.methods)
            header = (b"allow", allowed.encode())
            raise Refused("wrong_method", f"{method} is not allowed here; {allowed} is", status=405, header=header)
        if self._token and not route.open:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, self._token):
                challenge = (b"www-authenticate", b"Bearer")
                raise Refused("unauthorized", "a bearer token is needed", status=401, header=challenge)
        return route

    def _unknown(self, path: str) -> str:
        if path.startswith("/v2/models/"):
            return f"there is no such model, version or question; the model here is {self._name}"
        return (
            f"there is nothing here; {', '.join(path for path in self._routes if not path.startswith('/v2'))} and /v2"
        )


def _open_inference(model: Model, version: str, state: State) -> dict[str, Route]:
    """The paths of the Open Inference Protocol: the model's own come with and without its version."""
    server = as_json({"name": "mlops-ci", "version": VERSION, "extensions": [binary.EXTENSION]})
    described = as_json(tensors.metadata(model.serving, version))
    ask = OpenInference(model, version)
    routes: dict[str, Route] = {
        "/v2": View("/v2", lambda: server),
        "/v2/health/live": View("/v2/health/live", lambda: as_json({"live": True}), open=True),
        "/v2/health/ready": View("/v2/health/ready", lambda: _ready(state), open=True),
    }
    base = f"/v2/models/{model.serving.project}"
    for path in (base, f"{base}/versions/{version}"):
        routes[path] = View("/v2/models", lambda: described)
        routes[f"{path}/ready"] = View("/v2/models/ready", lambda: _ready(state, model.serving.project), open=True)
        routes[f"{path}/infer"] = Question("/v2/models/infer", ask)
    return routes


def _ready(state: State, name: str = "") -> Reply:
    body: dict[str, Any] = {"name": name} if name else {}
    return as_json(body | {"ready": state.ready}, 200 if state.ready else 503)


def _metadata(model: Model) -> dict[str, Any]:
    serving = model.serving
    return {
        "project": serving.project,
        "release": serving.release,
        "digest": model.bundle.digest,
        "fingerprint": model.fingerprint,
        "commit": serving.commit,
        "task": serving.task,
        "format": serving.model.format,
        "inputs": serving.inputs,
        "ids": serving.ids,
        "outputs": serving.outputs,
        "classes": serving.classes,
    }


def _metrics(metrics: Metrics, state: State) -> Reply:
    state.tell(metrics.counts)
    return Reply(200, metrics.text(logged=state.log is not None).encode(), CONTENT_TYPE.encode())
