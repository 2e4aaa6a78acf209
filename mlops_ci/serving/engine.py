"""What answers: columns of checked values in, columns of answers out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .bundle import Bundle
from .described import Output
from .engine_estimator import estimator_engine
from .engine_onnx import OnnxEngine
from .engine_pyfunc import pyfunc_engine
from .errors import Refused

# Rows in the order of the inputs -> columns in the order of the outputs, all of one length.
Rows = Sequence[Sequence[Any]]


class Engine:
    """Asks the model. `ask` is the same without a look at what it answers."""

    def __init__(self, bundle: Bundle) -> None:
        """The engine of the bundle's format; no other format's file is ever opened. Raises BundleError."""
        serving = bundle.serving
        self._count = len(serving.outputs)
        self._numbers = [(place, each) for place, each in enumerate(serving.outputs) if each.kind == "float"]
        self.ask: Callable[[Rows], list[list[Any]]]
        if isinstance(bundle.model, Path):
            self.ask = pyfunc_engine(bundle.model, serving, bundle.code)
        elif serving.model.format == "onnx":
            self.ask = OnnxEngine(bundle.model, serving)
        else:
            self.ask = estimator_engine(bundle.model, serving, bundle.code)

    def __call__(self, rows: Rows) -> list[list[Any]]:
        """Columns of answers. Raises Refused where one is not finite."""
        answers = self.ask(rows)
        if len(answers) != self._count:
            raise ValueError(f"{len(answers)} columns of answers; the signature has {self._count}")
        for place, output in self._numbers:
            if not math.isfinite(sum(answers[place])):
                _refuse(output, answers[place])
        return answers


def _refuse(output: Output, values: list[float]) -> None:
    """JSON has no NaN and no infinity, and nobody could act on one. A sum alone may overflow."""
    for row, value in enumerate(values):
        if not math.isfinite(value):
            raise not_finite(output, row)


def not_finite(output: Output, row: int) -> Refused:
    """How a row is refused for which the model has no number."""
    words = f"the model has no finite {output.name} for these values"
    return Refused("no_finite_answer", words, where=f"row {row}", row=row)
