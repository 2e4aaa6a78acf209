"""The profile of a table: exact counts, histograms over fixed edges, rounded moments.

Every number is computed from the distinct values of a column, sorted, with their counts; sums are exact
(`math.fsum`). So the same rows in any order give the same bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.records.data import Bins, ColumnProfile, Profile
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
"""Quantile bins of a column whose values do not repeat; ties are merged."""
COMMON = 20

_NUMERIC = {Kind.INTEGER, Kind.FLOAT}


def profile(table: Table, reference: Profile | None = None) -> Profile:
    """One scan of `table`.

    With `reference` a numeric column is counted over the reference's edges, so that the two histograms can be
    compared (statistics.md 16); a column the reference does not have gets edges of its own.
    """
    edges = {column.name: column.bins.edges for column in reference.columns if column.bins} if reference else {}
    columns = tuple(_column(column, edges.get(column.name)) for column in table.columns)
    return Profile(rows=table.rows, columns=columns)


def quantile_edges(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, ...]:
    """The inner edges of at most 10 bins with about equally many rows; a bin is (edge before, edge].

    values: finite, sorted, distinct, shape (k,); counts: their rows. An edge is always a value of the data
    (the smallest with at least i tenths of the rows at or below it); equal edges are merged and the largest value
    is no edge. A constant has the edges around it, so that another constant falls elsewhere.
    """
    if len(values) == 0:
        return ()
    if len(values) == 1:
        constant = float(values[0])
        return (math.nextafter(constant, -math.inf), constant)
    upto = np.cumsum(counts)
    # In whole numbers: i * rows / 10, rounded up, without a float in between.
    ranks = [-(-i * int(upto[-1]) // BINS) for i in range(1, BINS)]
    positions = np.unique(np.searchsorted(upto, ranks, side="left"))
    return tuple(float(values[position]) for position in positions if position < len(values) - 1)


def _column(column: Column, edges: tuple[float, ...] | None) -> ColumnProfile:
    mask = missing(column)
    values, counts = _distinct(column, mask)
    numbers = _numbers(values, counts, edges) if column.kind in _NUMERIC else {}
    low, high = _range(column.kind, values)
    if column.kind is Kind.BOOLEAN:
        numbers = {"mean": _moments(values.astype(np.float64), counts)[0]}
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        rows=len(column.values),
        missing=int(mask.sum()),
        distinct=len(values),
        low=low,
        high=high,
        common=_common(column, values, counts),
        **numbers,  # type: ignore[arg-type]
    )


def _distinct(column: Column, mask: NDArray[np.bool_]) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """The values present, sorted (text: their codes), and how many rows hold each."""
    if column.kind is Kind.TEXT:
        counts = np.bincount(column.values.astype(np.int64) + 1, minlength=1)[1:]
        codes = np.flatnonzero(counts)
        return codes, counts[codes]
    values = column.values[~mask] if mask.any() else column.values
    if column.kind is Kind.FLOAT:
        values = values + 0.0  # type: ignore[operator]  # one zero, as in the canonical form
    return np.unique(values, return_counts=True)


def _numbers(
    values: NDArray[np.generic], counts: NDArray[np.int64], edges: tuple[float, ...] | None
) -> dict[str, object]:
    floats = values.astype(np.float64)
    finite = np.isfinite(floats)
    mean, deviation = _moments(floats[finite], counts[finite])
    if edges is None:
        edges = quantile_edges(floats[finite], counts[finite])
    inside = np.searchsorted(np.array(edges), floats, side="left")
    histogram = np.zeros(len(edges) + 1, dtype=np.int64)
    np.add.at(histogram, inside, counts)
    return {
        "infinite": int(counts[~finite].sum()),
        "mean": mean,
        "deviation": deviation,
        "bins": Bins(edges=edges, counts=tuple(int(count) for count in histogram)),
    }


def _moments(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation (n - 1), rounded; None where there are too few rows or it overflows."""
    rows = int(counts.sum())
    if rows == 0:
        return None, None
    # A power of two is exact, and keeps squares of huge values inside the range of a double.
    _, exponent = math.frexp(float(np.abs(values).max()))
    scaled = np.ldexp(values, -exponent)
    mean = math.fsum((scaled * counts).tolist()) / rows
    squares = math.fsum(((scaled - mean) ** 2 * counts).tolist())
    deviation = _rounded(math.sqrt(squares / (rows - 1)), exponent) if rows > 1 else None
    return _rounded(mean, exponent), deviation


def _rounded(value: float, exponent: int) -> float | None:
    """The value times 2^exponent with 6 significant digits."""
    try:
        result = float(f"{math.ldexp(value, exponent):.6g}")
    except OverflowError:
        return None
    return result + 0.0 if math.isfinite(result) else None


def _range(kind: Kind, values: NDArray[np.generic]) -> tuple[float | str | None, float | str | None]:
    """The smallest and the largest finite value; text and booleans have none."""
    if kind in {Kind.TEXT, Kind.BOOLEAN}:
        return None, None
    if kind in _NUMERIC:
        values = values[np.isfinite(values.astype(np.float64))]
    if len(values) == 0:
        return None, None
    if kind in _NUMERIC:
        return float(values[0]), float(values[-1])
    return _text(kind, values[0]), _text(kind, values[-1])


def _common(column: Column, values: NDArray[np.generic], counts: NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """Only values that more than one row has: a profile goes into the ledger, and ids and names must not."""
    top = [at for at in np.argsort(-counts, kind="stable")[:COMMON] if counts[at] > 1]
    if column.kind is Kind.TEXT:
        return tuple((column.categories[int(values[at])], int(counts[at])) for at in top)
    return tuple((_text(column.kind, values[at]), int(counts[at])) for at in top)


def _text(kind: Kind, value: np.generic) -> str:
    """ISO 8601 for times, in UTC; numbers as Python writes them."""
    if kind is Kind.DATE:
        return str(value)
    if kind is Kind.TIMESTAMP:
        return f"{value}Z"
    return str(value.item()).lower() if kind is Kind.BOOLEAN else str(value.item())
