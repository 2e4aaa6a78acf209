"""A column read as another kind: ids of a file brought to the kinds of the data's ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.times import as_time, iso
from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=$|[T ])")
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_TYPES = {
    Kind.BOOLEAN: "bool",
    Kind.INTEGER: "int64",
    Kind.FLOAT: "float64",
    Kind.DATE: "datetime64[D]",
    Kind.TIMESTAMP: "datetime64[us]",
}


def as_kind(column: Column, kind: Kind) -> Column:
    """The column with every value read as `kind`, missing where it cannot be: `2012/01/01` or a midnight is a date,
    `1.0` an integer, 7 the text 7. Days before months are not guessed.
    """
    if column.kind is kind:
        return column
    texts, codes = _texts(column)
    if kind is Kind.TEXT:
        categories = tuple(sorted(set(texts)))
        place = {text: code for code, text in enumerate(categories)}
        lookup = np.array([*(place[text] for text in texts), -1], dtype=np.int32)
        return Column(name=column.name, kind=kind, values=lookup[codes], missing=column.missing, categories=categories)
    read = [_READERS[kind](text.strip()) for text in texts]
    blank: Any = np.datetime64("NaT") if kind in (Kind.DATE, Kind.TIMESTAMP) else np.nan if kind is Kind.FLOAT else 0
    values = np.array([*(blank if value is None else value for value in read), blank], dtype=_TYPES[kind])
    unread = np.array([*(value is None for value in read), True])[codes]
    return Column(name=column.name, kind=kind, values=values[codes], missing=unread if unread.any() else None)


def _texts(column: Column) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The distinct values as texts, and where each row's stands; -1 is missing."""
    if column.kind is Kind.TEXT:
        return column.categories, column.values.astype(np.intp)
    there = ~missing(column)
    distinct, inverse = np.unique(column.values[there], return_inverse=True)
    codes = np.full(len(there), -1, dtype=np.intp)
    codes[there] = inverse
    return tuple(_text(value, column.kind) for value in distinct), codes


def _text(value: Any, kind: Kind) -> str:
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        exact = np.datetime_as_string(value)
        return iso(value) if kind is Kind.DATE or exact.endswith(".000000") else str(exact)
    if kind is Kind.BOOLEAN:
        return "true" if value else "false"
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _integer(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        real = _float(text)
        if real is None or not real.is_integer():
            return None
        number = int(real)
    return number if -(2**63) <= number < 2**63 else None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _timestamp(text: str) -> np.datetime64 | None:
    return as_time(_YEAR_FIRST.sub(lambda day: f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}", text))


def _date(text: str) -> np.datetime64 | None:
    time = _timestamp(text)
    day = None if time is None else time.astype("datetime64[D]")
    return day if day == time else None


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.BOOLEAN: lambda text: _BOOLEANS.get(text.lower()),
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}
