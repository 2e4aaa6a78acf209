"""The hand-over format between the tool and the worker (docs/data.md), as pandas sees it.

A folder with `frame.json` and one `.npy` file per column; docs/worker.md says which dtype a kind becomes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import types
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .failures import Failure

if TYPE_CHECKING:
    from pathlib import Path

_EXACT = 2**53
_NUMBERS = (int, float, np.integer, np.floating, decimal.Decimal)
_MODERN = int(pd.__version__.split(".")[0]) >= 2


def read(folder: Path) -> pd.DataFrame:
    """The table in `folder` as a DataFrame with a default index."""
    description = json.loads((folder / "frame.json").read_text(encoding="utf-8"))
    columns = {column["name"]: _series(folder, column) for column in description["columns"]}
    return pd.DataFrame(columns, index=pd.RangeIndex(description["rows"]))


def kinds(folder: Path) -> dict[str, str]:
    """Column name -> kind, in the order of the table."""
    description = json.loads((folder / "frame.json").read_text(encoding="utf-8"))
    return {column["name"]: column["kind"] for column in description["columns"]}


def _series(folder: Path, column: dict[str, Any]) -> pd.Series:
    values = np.load(folder / column["values"], allow_pickle=False)
    missing = np.load(folder / column["missing"], allow_pickle=False) if column.get("missing") else None
    kind = column["kind"]
    if kind == "text":
        categories = json.loads((folder / column["categories"]).read_text(encoding="utf-8"))
        # Code -1 picks the last one. NaN is what read_csv gives, and what encoders and imputers look for.
        choices = np.array([*categories, np.nan], dtype=object)
        return pd.Series(choices[values], dtype=pd.Series(["text"]).dtype)
    if kind in ("date", "timestamp"):
        return pd.Series(_times(values, kind))
    if missing is None or not missing.any() or kind == "float":
        return pd.Series(values)
    return pd.Series(_with_missing(values, missing, kind))


def _with_missing(values: Any, missing: Any, kind: str) -> Any:
    if kind == "boolean":
        choices = values.astype(object)
        choices[missing] = None
        return choices
    known = values[~missing]
    if len(known) and max(abs(int(known.min())), abs(int(known.max()))) > _EXACT:
        return pd.arrays.IntegerArray(values.astype(np.int64), missing.astype(bool))
    floats = values.astype(np.float64)
    floats[missing] = np.nan
    return floats


def _times(values: Any, kind: str) -> Any:
    if _MODERN:
        return values.astype("datetime64[s]" if kind == "date" else "datetime64[us]")
    return values.astype("datetime64[us]")  # pandas 1 makes nanoseconds of it, or says that it cannot


def write(frame: pd.DataFrame, folder: Path) -> None:
    """Write `frame` (its index is not looked at) into `folder`. Raises Failure naming a column that has no kind."""
    folder.mkdir(parents=True, exist_ok=True)
    _check_names(list(frame.columns))
    columns = [_write_column(folder, number, str(name), frame.iloc[:, number]) for number, name in enumerate(frame)]
    description = {"format": 1, "rows": len(frame), "columns": columns}
    (folder / "frame.json").write_text(json.dumps(description), encoding="utf-8")


def _check_names(names: list[Any]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise Failure("unusable", f"the table has a column named {name!r}, which is not text", "name it with text")
        if names.count(name) > 1:
            raise Failure("unusable", f"the table has {names.count(name)} columns named {name!r}", "rename or drop one")


def save(path: Path, values: Any) -> None:
    """np.save through Python's own file: numpy's `tofile` loses why a write failed, and the last bytes with it."""
    with path.open("wb") as file:
        np.save(types.SimpleNamespace(write=file.write), values, allow_pickle=False)


def _write_column(folder: Path, number: int, name: str, series: pd.Series) -> dict[str, Any]:
    kind, values, missing, categories = column(name, series)
    fields: dict[str, Any] = {"name": name, "kind": kind, "values": f"{number}.npy"}
    save(folder / fields["values"], values)
    if missing is not None and missing.any():
        fields["missing"] = f"{number}.missing.npy"
        save(folder / fields["missing"], missing)
    if kind == "text":
        fields["categories"] = f"{number}.categories.json"
        (folder / fields["categories"]).write_text(json.dumps(categories), encoding="utf-8")
    return fields


def column(name: str, series: pd.Series) -> tuple[str, Any, Any, list[str]]:
    """kind, values, missing (or None) and categories of one column. Raises Failure if it has no kind."""
    dtype = series.dtype
    missing = np.asarray(series.isna(), dtype=bool)
    if isinstance(dtype, pd.CategoricalDtype):
        return column(name, series.astype(_plain(dtype.categories.dtype, has_missing=bool(missing.any()))))
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean", _filled(series, missing, False, np.bool_), missing, []
    if pd.api.types.is_integer_dtype(dtype):
        return "integer", _integers(name, series, missing), missing, []
    if pd.api.types.is_float_dtype(dtype):
        values = np.asarray(series.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan))
        return "float", values, missing, []
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _timestamps(series, missing)
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return _objects(name, series, missing)
    advice = "turn it into a number: .dt.total_seconds()" if dtype.kind == "m" else "turn it into a number or text"
    raise Failure("unusable", f"column {name!r} is {dtype}, which has no place in the table", advice)


def _plain(dtype: Any, *, has_missing: bool) -> Any:
    if dtype.kind == "b":
        return object
    return "Int64" if dtype.kind in "iu" and has_missing else dtype


def _filled(series: pd.Series, missing: Any, fill: Any, dtype: Any) -> Any:
    if not missing.any():
        return series.to_numpy(dtype=dtype)
    values = np.full(len(series), fill, dtype=dtype)
    values[~missing] = series[~missing].to_numpy(dtype=dtype)
    return values


def _integers(name: str, series: pd.Series, missing: Any) -> Any:
    known = series[~missing]
    limits = np.iinfo(np.int64)
    if len(known) and not (limits.min <= int(known.min()) and int(known.max()) <= limits.max):
        raise Failure("unusable", f"column {name!r} holds integers beyond 64 bits with a sign", "make it text")
    return _filled(series, missing, 0, np.int64)


def _timestamps(series: pd.Series, missing: Any) -> tuple[str, Any, Any, list[str]]:
    if type(series.dtype).__name__ == "ArrowDtype":
        series = pd.to_datetime(series.astype(object), utc=True)
    if getattr(series.dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = series.to_numpy().astype("datetime64[us]")
    days = values.astype("datetime64[D]")
    whole_days = bool((missing | (days.astype(values.dtype) == values)).all())
    # Only a column that this format handed over as a date has this unit: pandas itself makes ns or us.
    if np.datetime_data(series.to_numpy().dtype)[0] == "s" and whole_days:
        return "date", days, missing, []
    return "timestamp", values, missing, []


def _objects(name: str, series: pd.Series, missing: Any) -> tuple[str, Any, Any, list[str]]:
    known = series[~missing]
    types = {type(value) for value in known}
    if not types or types <= {str, np.str_}:
        return _text(name, series, missing)
    if types <= {bool, np.bool_}:
        return "boolean", _filled(series, missing, False, np.bool_), missing, []
    if bool not in types and all(issubclass(kind, (int, np.integer)) for kind in types):
        return "integer", _integers(name, series, missing), missing, []
    if bool not in types and all(issubclass(kind, _NUMBERS) for kind in types):
        return "float", _filled(series, missing, np.nan, np.float64), missing, []
    if types == {dt.date}:
        values = np.array([np.datetime64("NaT") if gone else day for day, gone in _pairs(series, missing)], "M8[D]")
        return "date", values, missing, []
    if all(issubclass(kind, dt.datetime) for kind in types):
        return _timestamps(pd.to_datetime(series, utc=True), missing)
    names = ", ".join(sorted(kind.__name__ for kind in types))
    raise Failure("unusable", f"column {name!r} holds values of type {names}", "give the column one type of value")


def _pairs(series: pd.Series, missing: Any) -> list[tuple[Any, bool]]:
    return [(value, bool(gone)) for value, gone in zip(series, missing)]  # noqa: B905 - Python 3.9


def _text(name: str, series: pd.Series, missing: Any) -> tuple[str, Any, Any, list[str]]:
    codes, found = pd.factorize(np.asarray(series.astype(object)))
    categories = sorted(str(value) for value in found)
    try:
        "".join(categories).encode()
    except UnicodeEncodeError:
        raise Failure("unusable", f"column {name!r} holds text that is not valid Unicode", "clean it first") from None
    place = {value: position for position, value in enumerate(categories)}
    order = np.array([*(place[str(value)] for value in found), -1], dtype=np.int32)
    return "text", order[codes].astype(np.int32), missing, categories
