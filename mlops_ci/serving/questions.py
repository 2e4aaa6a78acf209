"""The two ways to ask the model: MLflow's `/invocations`, and the Open Inference Protocol's `infer`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import Any, Protocol

import msgspec

from . import binary, forms, tensors
from .errors import Refused
from .exact import Exact
from .model import Model
from .named import named
from .replies import JSON, Reply
from .validate import Table

_encode = msgspec.json.Encoder().encode


class Ask(Protocol):
    """A protocol reads a body as a table (and what it has to remember), and writes the answers."""

    def read(self, body: bytes, headers: Mapping[bytes, bytes]) -> tuple[Table, Any]:
        """The table in a body with these headers. Raises Refused."""

    def write(self, remembered: Any, answers: list[list[Any]], /) -> Reply:
        """The response."""


class Invocations:
    """As `mlflow models serve` asks and answers: predictions are rows by name."""

    def __init__(self, model: Model, most_rows: int) -> None:
        self._inputs = model.serving.inputs
        signature = model.signature
        exact = Exact(signature.names, signature.exact)
        self._expected = forms.Expected(signature.names, signature.known, most_rows, exact)
        self._row = named(model.outputs)

    def read(self, body: bytes, headers: Mapping[bytes, bytes]) -> tuple[Table, None]:
        content_type = _content_type(headers)
        if content_type in (JSON, b""):
            return forms.from_json(body, self._expected), None
        if content_type == b"text/csv":
            return forms.from_csv(body, self._inputs, self._expected.most), None
        raise _wrong_content_type("application/json or text/csv", content_type)

    def write(self, _: None, answers: list[list[Any]], /) -> Reply:
        return Reply(200, _encode({"predictions": list(starmap(self._row, zip(*answers, strict=True)))}))


class OpenInference:
    """As KServe, Triton and others ask and answer: tensors by name, one a column."""

    def __init__(self, model: Model, version: str) -> None:
        self._serving = model.serving
        self._version = version

    def read(self, body: bytes, headers: Mapping[bytes, bytes]) -> tuple[Table, tensors.Question]:
        content_type = _content_type(headers)
        if content_type not in (JSON, binary.CONTENT_TYPE, b""):
            raise _wrong_content_type("application/json or application/octet-stream", content_type)
        asked = tensors.question(body, headers, self._serving.outputs)
        return tensors.table(asked, self._serving.inputs), asked

    def write(self, remembered: tensors.Question, answers: list[list[Any]], /) -> Reply:
        return tensors.answer(remembered, self._serving, self._version, answers)


def _content_type(headers: Mapping[bytes, bytes]) -> bytes:
    given = headers.get(b"content-type", b"")
    return given if given == JSON else given.partition(b";")[0].strip().lower()


def _wrong_content_type(allowed: str, found: bytes) -> Refused:
    words = f"content-type may be {allowed}; found {found[:100].decode('latin-1')!r}"
    return Refused("wrong_content_type", words, status=415)
