"""An ONNX model: one session of ONNX Runtime, one thread, so that a small model costs a small call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from . import onnx_file
from .described import Feed, Serving
from .errors import BundleError
from .labels import labelled

DTYPES: dict[str, Any] = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "boolean": np.bool_}
_Tensor = Callable[[Sequence[Sequence[Any]]], Any]


class OnnxEngine:
    """Columns in the order of the inputs -> columns in the order of the outputs."""

    def __init__(self, content: bytes, serving: Serving) -> None:
        wiring = serving.onnx
        assert wiring is not None  # noqa: S101 - described.check
        onnx_file.check(content, serving.model.file)
        places = {each.name: place for place, each in enumerate(serving.inputs)}
        session = _session(content, serving.model.file)
        self.run = session.run
        self._feeds = [
            (feed.name, tensor_of(feed, [places[name] for name in feed.columns], wiring.missing_text))
            for feed in wiring.feeds
        ]
        self.wanted = [wiring.label] if wiring.scores is None else [wiring.label, wiring.scores]
        _compare([name for name, _ in self._feeds], [each.name for each in session.get_inputs()], "inputs", exact=True)
        _compare(self.wanted, [each.name for each in session.get_outputs()], "outputs", exact=False)
        self._label = labelled(serving)

    def __call__(self, columns: Sequence[Sequence[Any]]) -> list[list[Any]]:
        found = self.run(self.wanted, {name: tensor(columns) for name, tensor in self._feeds})
        answers = [self._label(found[0].reshape(-1).tolist())]
        if len(found) > 1:
            answers += found[1].T.tolist()
        return answers


def _session(content: bytes, file: str) -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when it is loaded; nobody's requests are told elsewhere
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has a class of its own for each code
        raise BundleError(f"{file}: ONNX Runtime cannot load it: {str(error)[:500]}") from None


def _compare(named: list[str], found: list[str], what: str, *, exact: bool) -> None:
    if (set(named) != set(found)) if exact else not set(named) <= set(found):
        words = f"the model has the {what} {', '.join(found)}; named are {', '.join(named)}"
        raise BundleError(f"serving.json: onnx: {words}")


def tensor_of(feed: Feed, places: list[int], missing_text: str) -> _Tensor:
    """What makes the tensor [rows, columns] of one feed from all columns."""
    if feed.type == "string":

        def texts(columns: Sequence[Sequence[Any]]) -> Any:
            rows = [[missing_text if value is None else _text(value) for value in columns[place]] for place in places]
            return np.array(rows, dtype=object).T

        return texts
    dtype = DTYPES[feed.type]

    def numbers(columns: Sequence[Sequence[Any]]) -> Any:
        values = list(chain.from_iterable([columns[place] for place in places]))  # flat: far faster than nested
        return np.array(values, dtype=dtype).reshape(len(places), -1).T

    return numbers


def _text(value: Any) -> str:
    """Text as it is, booleans `false` and `true`, integers in decimal digits: the text form of a class."""
    return value if type(value) is str else str(value).lower()
