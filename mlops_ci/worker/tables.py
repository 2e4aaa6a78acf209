"""Which columns of a table a model is trained on and asked with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import Failure

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5
_INSIDE = ("best_estimator_", "estimator", "model", "regressor_", "classifier")


def feature_names(model: Any) -> list[str] | None:
    """The columns the model names as its own, looked up in pipelines and wrappers too; None if it names none."""
    for attribute in ("feature_names_in_", "feature_names_"):
        names = _attribute(model, attribute)
        if names is not None and len(names) and all(isinstance(name, str) for name in names):
            return [str(name) for name in names]
    steps = _attribute(model, "steps")
    if steps:
        # Only the first: later ones name what the first made of the columns.
        return feature_names(steps[0][1])
    for attribute in _INSIDE:
        inner = _attribute(model, attribute)
        if inner is not None and hasattr(inner, "predict") and inner is not model:
            return feature_names(inner)
    return None


def _attribute(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001 - a property of an estimator that is not fitted raises what it likes
        return None


def without(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The table without the columns named, those that are there."""
    return frame.drop(columns=[name for name in names if name in frame.columns])


def select(frame: pd.DataFrame, model: Any, *, target: str, ids: list[str]) -> pd.DataFrame:
    """The columns to ask the model with: those it names, else all but target and ids. Raises Failure."""
    names = feature_names(model)
    if names is None:
        return without(frame, [target, *ids])
    if target in names:
        raise Failure(
            "unusable",
            f"the model was trained with the target {target!r} among its features",
            "drop the target before fit: frame.drop(columns=[…])",
        )
    gone = [name for name in names if name not in frame.columns or name in ids]
    if gone:
        shown = ", ".join(map(repr, gone[:_SHOWN])) + (", …" if len(gone) > _SHOWN else "")
        raise Failure(
            "unusable",
            f"the model asks for columns it is not given: {shown}",
            "ids are left out of training"
            if set(gone) <= set(ids)
            else "put the preprocessing into the model: a Pipeline that starts from the table's own columns",
        )
    return frame[names]


def predictions(request: dict[str, Any]) -> pd.DataFrame:
    """What was judged, aligned with the held-out rows: `label`, and `score` (binary) or `score_<class>`.

    Asks: predictions and holdout (folders), target, task, classes.
    """
    import numpy as np
    import pandas as pd

    from . import classes, frames

    folder, known = Path(request["predictions"]), request["classes"]
    labels = np.load(folder / "labels.npy", allow_pickle=False)
    if request["task"] == "regression":
        return pd.DataFrame({"label": labels})
    kind = frames.kinds(Path(request["holdout"]))[request["target"]]
    values = [classes.class_value(text, kind) for text in known] + [None]
    found = {"label": pd.Series([values[code] for code in labels])}
    if (folder / "scores.npy").is_file():
        scores = np.load(folder / "scores.npy", allow_pickle=False)
        names = ["score"] if scores.ndim == 1 else [f"score_{text}" for text in known]
        found.update(zip(names, np.atleast_2d(scores.T)))  # noqa: B905 - Python 3.9
    return pd.DataFrame(found)
