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
from .one_row import OneRow, Tensor, by_column
from .validate import picker

DTYPES: dict[str, Any] = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "boolean": np.bool_}
_Tensor = Callable[[Sequence[Sequence[Any]]], Any]


class OnnxEngine:
    """Rows in the order of the inputs -> columns in the order of the outputs."""

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
        self._one = _one_row(session, wiring.feeds, places, self.wanted)

    def __call__(self, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        if len(rows) == 1 and self._one is not None:
            found = self._one.ask(rows[0])
        else:
            found = by_column(self.run(self.wanted, {name: tensor(rows) for name, tensor in self._feeds}))
        answers = [self._label(found[0].tolist())]
        if len(found) > 1:
            answers += found[1].tolist()
        return answers


def _session(content: bytes, file: str) -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when it is loaded; nobody's requests are told elsewhere
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_mem_pattern = False  # a plan for one number of rows; requests have any, and it costs each of them
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has a class of its own for each code
        raise BundleError(f"{file}: ONNX Runtime cannot load it: {str(error)[:500]}") from None


def _one_row(session: Any, feeds: Sequence[Feed], places: dict[str, int], wanted: list[str]) -> OneRow | None:
    """What asks about one row; None where there are texts, which cannot be bound."""
    types = {each.name: each.type for each in session.get_outputs()}
    if any(feed.type == "string" for feed in feeds) or any("string" in types[name] for name in wanted):
        return None
    inputs = [
        Tensor(feed.name, picker([places[name] for name in feed.columns]), DTYPES[feed.type], len(feed.columns))
        for feed in feeds
    ]
    return OneRow(session, inputs, wanted)


def _compare(named: list[str], found: list[str], what: str, *, exact: bool) -> None:
    if (set(named) != set(found)) if exact else not set(named) <= set(found):
        words = f"the model has the {what} {', '.join(found)}; named are {', '.join(named)}"
        raise BundleError(f"serving.json: onnx: {words}")


def tensor_of(feed: Feed, places: list[int], missing_text: str) -> _Tensor:
    """What makes the tensor [rows, places] of one feed from all values of rows."""
    pick, width = picker(places), len(places)
    if feed.type == "string":

        def texts(rows: Sequence[Sequence[Any]]) -> Any:
            values = [missing_text if value is None else _text(value) for row in rows for value in pick(row)]
            return np.array(values, dtype=object).reshape(-1, width)

        return texts
    dtype = DTYPES[feed.type]

    def numbers(rows: Sequence[Sequence[Any]]) -> Any:
        values = list(chain.from_iterable(map(pick, rows)))  # flat: far faster than nested
        return np.array(values, dtype=dtype).reshape(-1, width)

    return numbers


def _text(value: Any) -> str:
    """Text as it is, booleans `false` and `true`, integers in decimal digits: the text form of a class."""
    return value if type(value) is str else str(value).lower()
