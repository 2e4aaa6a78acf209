"""The target's classes: their names as text, codes and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray


def class_codes(column: Column) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Codes, shape (rows,), -1 where missing, and the classes found: sorted (false before true)."""
    absent = missing(column)
    if column.kind is Kind.TEXT:
        counts = np.bincount(column.values[~absent], minlength=len(column.categories))
        kept = np.flatnonzero(counts)
        places = np.full(len(counts) + 1, -1, dtype=np.int32)  # the last place is for the code -1
        places[kept] = np.arange(len(kept), dtype=np.int32)
        codes = places[np.where(absent, len(counts), column.values)]
        return codes, tuple(column.categories[code] for code in kept)
    found = np.unique(column.values[~absent])
    codes = np.searchsorted(found, column.values).astype(np.int32)
    codes[absent] = -1
    return codes, tuple(_name(value) for value in found.tolist())


def target_shares(column: Column) -> tuple[tuple[str, float], ...]:
    """The share of each class among the rows that have one."""
    codes, names = class_codes(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    total = int(counts.sum())
    return tuple((name, _rounded(int(count) / total)) for name, count in zip(names, counts, strict=True))


def target_centre(column: Column) -> tuple[tuple[str, float], ...]:
    """Mean and median of the values there are."""
    values = column.values[~missing(column)]
    if len(values) == 0:
        return ()
    return ("mean", _rounded(float(values.mean()))), ("median", _rounded(float(np.median(values.astype(np.float64)))))


def _name(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rounded(value: float) -> float:
    """Six significant digits, so that the order of summation cannot show."""
    return float(f"{value:.6g}")
