"""The bundle as an MLflow model: `mlflow.pyfunc.load_model(BUNDLE).predict(frame)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from .bundle import opened
from .errors import Refused, RefusedFrameError
from .frames import cells
from .model import Model
from .trust import trusted
from .validate import by_column


class PyFunc:
    """Answers a DataFrame with a DataFrame: the columns that `/invocations` answers with, in the same order."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Ask about every row. Raises RefusedFrameError, a ValueError, naming row, column and what is allowed."""
        if params:
            raise ValueError("params: this model takes none")
        try:
            _, answers = self._model.answer(by_column(cells(self._model.serving.inputs, frame)))
        except Refused as refused:
            raise RefusedFrameError(refused) from None
        return pd.DataFrame(dict(zip(self._model.outputs, answers, strict=True)), index=frame.index)


def _load_pyfunc(path: str) -> PyFunc:
    """What MLflow calls with the folder of the bundle. Raises BundleError."""
    return PyFunc(Model(opened(Path(path), trust=trusted())))
