"""Asks a model a few rows at a time, as a server does, and puts the answers together."""

from __future__ import annotations

from typing import Any

import numpy as np

ASKED = ("predict", "predict_proba", "decision_function")


class InBatches:
    """The model, asked `rows` rows at a time; each batch has an index of its own. All else is the model's own."""

    def __init__(self, model: Any, rows: int) -> None:
        self._model = model
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)
        return self._batched(found) if name in ASKED and callable(found) else found

    def _batched(self, method: Any) -> Any:
        def ask(frame: Any) -> Any:
            starts = range(0, max(len(frame), 1), self._rows)
            pieces = [frame.iloc[start : start + self._rows].reset_index(drop=True) for start in starts]
            return np.concatenate([np.asarray(method(piece)) for piece in pieces])

        return ask
