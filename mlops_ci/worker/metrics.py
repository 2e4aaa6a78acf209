"""The job `metric`: the project's function on the held-out rows and a model's answers about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import entrypoints, fit
from .failures import Failure, user_code

_ARGUMENTS = ("holdout", "predictions")
_WANTED = "return one number, or one number for each row of holdout"
_ROWS = "rows.npy"


def run(request: dict[str, Any]) -> dict[str, Any]:
    """name, function, holdout (folder), predictions (folder), task, classes, target, output (folder).

    Answers `value`, one number for all rows, or None where there is one a row: float32 in output/rows.npy.
    """
    fit.need_pandas("a metric")
    import numpy as np

    from . import frames, tables

    setting = f"metrics.{request['name']}"
    fit.seed_everything(0)
    function = entrypoints.load(request["function"], setting=setting, arguments=_ARGUMENTS)
    holdout = frames.read(Path(request["holdout"]))
    predictions = tables.predictions(request)
    index = holdout.index.copy()
    fit.seed_everything(0)
    with user_code(f"the metric {request['name']}"):
        found = function(holdout, predictions)
    try:
        values = _numbers(found, index)
    except Failure as failure:
        message = f"{request['function']} {failure.message}"
        raise Failure("unusable", message, failure.advice or _WANTED, where=setting) from None
    if values.ndim == 0:
        return {"value": float(values), "rows": len(index)}
    output = Path(request["output"])
    output.mkdir(parents=True, exist_ok=True)
    frames.save(output / _ROWS, np.ascontiguousarray(values))
    return {"value": None, "rows": len(index)}


def _numbers(found: Any, index: Any) -> Any:
    """What the function returned as float64, one number, or float32, one for each row. Raises Failure."""
    import numpy as np

    if found is None:
        raise Failure("unusable", "returned nothing")
    values = np.asarray(_in_order(found, index))
    if values.dtype.kind not in "biuf" or (values.ndim == 0 and values.dtype.kind == "b"):
        raise Failure("unusable", f"returned a {type(found).__name__} that is no number ({values.dtype})")
    if values.ndim == 0:
        value = values.astype(np.float64)
        if not np.isfinite(value):
            raise Failure("unusable", f"returned {float(value)}")
        return value
    if values.shape != (len(index),):
        raise Failure("unusable", f"returned shape {values.shape} for {len(index)} rows")
    with np.errstate(over="ignore"):
        kept = values.astype(np.float64).astype(np.float32)
    bad = int((~np.isfinite(kept)).sum())
    if bad:
        raise Failure("unusable", f"returned NaN or infinity for {bad} of {len(index)} rows")
    return kept


def _in_order(found: Any, index: Any) -> Any:
    """The values in the order of the rows: a Series in another order is put back by its index."""
    import pandas as pd

    if not isinstance(found, pd.Series) or found.index.equals(index) or len(found) != len(index):
        return found
    if found.index.is_unique and index.isin(found.index).all():
        return found.reindex(index)
    message = "returned a Series whose index is not that of holdout"
    raise Failure("unusable", message, "keep the index of holdout or predictions, or return an array in their order")
