"""Columns as the DataFrame that the model was trained on: the dtype of each kind is that of the worker's frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .described import Input

_EXACT = 2**53


def frame(inputs: Sequence[Input], rows: Sequence[Sequence[Any]]) -> Any:
    """A DataFrame of checked rows (docs/serving.md has the table of dtypes)."""
    columns = zip(*rows, strict=True)
    series = {each.name: _series(each.kind, values) for each, values in zip(inputs, columns, strict=True)}
    return pd.DataFrame(series)


def cells(inputs: Sequence[Input], frame: Any) -> dict[str, list[Any]]:
    """The columns of anyone's DataFrame as JSON values: what is missing is None, times are text."""
    dates = {each.name for each in inputs if each.kind == "date"}
    return {
        str(name): [_cell(value, date=name in dates) for value in frame[name].astype(object)] for name in frame.columns
    }


def _series(kind: str, values: Sequence[Any]) -> Any:
    missing = None in values
    if kind == "text":
        return pd.Series([np.nan if value is None else value for value in values], dtype=pd.Series(["text"]).dtype)
    if kind == "float":
        return pd.Series(np.array(values, dtype=np.float64))
    if kind == "boolean":
        return pd.Series(np.array(values, dtype=object if missing else np.bool_))
    if kind == "integer":
        return pd.Series(_integers(values) if missing else np.array(values, dtype=np.int64))
    unit = "s" if kind == "date" else "us"
    return pd.Series(np.array(values, dtype=f"datetime64[{unit}]"))


def _integers(values: Sequence[Any]) -> Any:
    if any(value is not None and abs(value) > _EXACT for value in values):
        return pd.array(values, dtype="Int64")
    return np.array(values, dtype=np.float64)


def _cell(value: Any, *, date: bool) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dt.datetime) and date and value.time() == dt.time():
        return value.date().isoformat()  # pandas has no type for dates
    return value.isoformat() if isinstance(value, dt.date) else value
