"""The two ways to ask the model: MLflow's `/invocations`, and the Open Inference Protocol's `infer`."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from . import forms, tensors
from .errors import Refused
from .model import Model
from .validate import Table


class Ask(Protocol):
    """A protocol reads a body as a table (and what it has to remember), and writes the answers."""

    def read(self, body: bytes, content_type: str) -> tuple[Table, Any]:
        """The table in a body of this content type. Raises Refused."""

    def write(self, remembered: Any, answers: list[list[Any]], /) -> bytes:
        """The body of the response."""


class Invocations:
    """As `mlflow models serve` asks and answers: predictions are rows by name."""

    def __init__(self, model: Model) -> None:
        self._inputs = model.serving.inputs
        self._names = model.signature.names
        self._outputs = model.outputs

    def read(self, body: bytes, content_type: str) -> tuple[Table, None]:
        if content_type in ("application/json", ""):
            return forms.from_json(body, self._names), None
        if content_type == "text/csv":
            return forms.from_csv(body, self._inputs), None
        raise _wrong_content_type("application/json or text/csv", content_type)

    def write(self, _: None, answers: list[list[Any]], /) -> bytes:
        names = self._outputs
        rows = [dict(zip(names, row, strict=True)) for row in zip(*answers, strict=True)]
        return msgspec.json.encode({"predictions": rows})


class OpenInference:
    """As KServe, Triton and others ask and answer: tensors by name, one a column."""

    def __init__(self, model: Model, version: str) -> None:
        self._serving = model.serving
        self._version = version

    def read(self, body: bytes, content_type: str) -> tuple[Table, tensors.Question]:
        if content_type not in ("application/json", ""):
            raise _wrong_content_type("application/json", content_type)
        asked = tensors.question(body, self._serving.outputs)
        return tensors.table(asked, self._serving.inputs), asked

    def write(self, remembered: tensors.Question, answers: list[list[Any]], /) -> bytes:
        return tensors.answer(remembered, self._serving, self._version, answers)


def _wrong_content_type(allowed: str, found: str) -> Refused:
    return Refused("wrong_content_type", f"content-type may be {allowed}; found {found[:100]!r}", status=415)
