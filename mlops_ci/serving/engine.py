"""What answers: columns of checked values in, columns of answers out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .bundle import Bundle
from .described import Output
from .engine_estimator import estimator_engine
from .engine_onnx import OnnxEngine
from .errors import Refused

# Columns in the order of the inputs -> columns in the order of the outputs, all of one length.
Columns = Sequence[Sequence[Any]]
Engine = Callable[[Columns], list[list[Any]]]


def loaded(bundle: Bundle) -> Engine:
    """The engine of the bundle's format; no other format's file is ever opened. Raises BundleError."""
    serving = bundle.serving
    if serving.model.format == "onnx":
        ask: Engine = OnnxEngine(bundle.model, serving)
    else:
        ask = estimator_engine(bundle.model, serving, bundle.code)
    outputs = serving.outputs

    def answer(columns: Columns) -> list[list[Any]]:
        answers = ask(columns)
        for output, values in zip(outputs, answers, strict=True):
            if output.kind == "float" and not math.isfinite(sum(values)):
                _refuse(output, values)
        return answers

    return answer


def _refuse(output: Output, values: list[float]) -> None:
    """JSON has no NaN and no infinity, and nobody could act on one. A sum alone may overflow."""
    for row, value in enumerate(values):
        if not math.isfinite(value):
            raise Refused(
                "no_finite_answer", f"the model has no finite {output.name} for these values", where=f"row {row}"
            )
