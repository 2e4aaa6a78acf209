"""A model of MLflow: opened by MLflow, which runs the code it was saved with, and asked with a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .described import Serving
from .engine_estimator import bring, placed, places_of
from .errors import BundleError
from .labels import labelled

_HALF = 0.5


def pyfunc_engine(
    folder: Path, serving: Serving, code: Path | None = None
) -> Callable[[Sequence[Sequence[Any]]], list[list[Any]]]:
    """Rows in the order of the inputs -> columns in the order of the outputs. Raises BundleError.

    code: where the modules of the project lie that the model imports.
    """
    from .frames import frame  # pandas, which other formats do without

    bring(code)
    # It runs what it says: only a bundle that was released as one gets there.
    model = _loaded(folder)
    label, classes = labelled(serving), serving.classes
    if serving.model.predicts == "probabilities":

        def shares(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
            found = np.asarray(model.predict(frame(serving.inputs, rows))).astype(np.float32)  # as it was judged
            both = _by_class(found)
            most = both.argmax(axis=1) if both is found else both[:, 1] >= _HALF
            return [label([classes[place] for place in most.tolist()]), *both.T.tolist()]

        return shares
    raw = model.get_raw_model() if len(serving.outputs) > 1 else None
    own = getattr(raw, "classes_", None)
    places = list(range(len(classes))) if own is None else places_of(np.asarray(own), serving)

    def ask(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        asked = frame(serving.inputs, rows)
        answers = [label(np.asarray(model.predict(asked)).reshape(-1).tolist())]
        return answers if raw is None else [*answers, *placed(_by_class(np.asarray(raw.predict_proba(asked))), places)]

    return ask


def _loaded(folder: Path) -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported
    try:
        import mlflow.pyfunc

        return mlflow.pyfunc.load_model(str(folder))
    except Exception as error:  # noqa: BLE001 - a loader is anybody's code
        words = f"{type(error).__name__}: {str(error)[:500]}"
        raise BundleError(f"{folder.name}: it cannot be opened here: {words}") from None


def _by_class(scores: Any) -> Any:
    """Probabilities of shape [rows, classes]: of two classes a model may say the second's alone."""
    if scores.ndim > 1 and scores.shape[1] > 1:
        return scores
    column = scores.reshape(-1)
    return np.column_stack([1 - column, column])
