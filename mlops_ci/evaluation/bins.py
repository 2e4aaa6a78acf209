"""Columns as bins, and what a bin says about a target: for checks, for the baseline of `init`, for finding slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Coded(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A column as bins. codes: shape (n,), -> 0..levels-1, the last level is for missing values.

    edges: ordered columns (numbers, times), shape (levels - 2,), ascending: bin i holds values in (edge before, edge].
    """

    codes: NDArray[np.int64]
    levels: int
    ordered: bool
    edges: NDArray[np.float64] = msgspec.field(default_factory=lambda: np.empty(0))


def coded(column: Column, *, learn: NDArray[np.bool_], most: int) -> Coded:
    """At most `most` quantile bins of the `learn` rows, shape (n,) bool; of text its values; one more for missing."""
    values = column.values
    absent = np.zeros(len(values), dtype=bool) if column.missing is None else np.asarray(column.missing)
    if column.kind is Kind.TEXT:
        levels = len(column.categories) + 1
        return Coded(codes=np.where(absent, levels - 1, values).astype(np.int64), levels=levels, ordered=False)
    numbers = as_numbers(values)
    known = numbers[learn & ~absent & np.isfinite(numbers)]
    edges = _edges(known, most) if len(known) else np.empty(0)
    codes = np.searchsorted(edges, numbers, side="left")
    codes[absent] = len(edges) + 1
    return Coded(codes=codes.astype(np.int64), levels=len(edges) + 2, ordered=True, edges=edges)


def _edges(known: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    # A value of the data and not a mean of two: a column with few values keeps them apart.
    edges = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1], method="lower"))
    largest = known.max()
    if edges[0] < largest:
        return edges
    below = known[known < largest]  # nearly all are the largest value: the others are a bin
    return below.max(keepdims=True) if len(below) else edges


def as_numbers(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Values of a column that is no text as floats; times in microseconds since 1970."""
    wide = values.astype("datetime64[us]").view(np.int64) if values.dtype.kind == "M" else values
    return wide.astype(np.float64)


def rates(
    column: Coded, target: NDArray[np.float64], rows: NDArray[np.bool_], *, prior_rows: float
) -> NDArray[np.float64]:
    """Shape (levels,): the mean target of each bin among `rows`, drawn to the overall mean by `prior_rows` rows."""
    codes, chosen = column.codes[rows], target[rows]
    counts = np.bincount(codes, minlength=column.levels)
    sums = np.bincount(codes, weights=chosen, minlength=column.levels)
    overall = float(chosen.mean()) if len(chosen) else 0.0
    return np.asarray((sums + prior_rows * overall) / (counts + prior_rows))


def encoded(
    column: Coded, target: NDArray[np.float64], *, train: NDArray[np.bool_], fold: NDArray[np.bool_], prior_rows: float
) -> NDArray[np.float64]:
    """Shape (n,): the rate of a row's bin among `train` rows; for a row of theirs, among the other half by `fold`."""
    found = np.asarray(rates(column, target, train, prior_rows=prior_rows)[column.codes])
    for half in (fold, ~fold):
        own = train & half
        found[own] = rates(column, target, train & ~half, prior_rows=prior_rows)[column.codes[own]]
    return found


def least_squares(
    features: NDArray[np.float64], target: NDArray[np.float64], *, ridge: float = 1e-6
) -> NDArray[np.float64]:
    """Coefficients about the means, shape (columns,); ridge: as a share of the mean square of a column."""
    centred = features - features.mean(axis=0)
    spread = centred.T @ centred
    weight = ridge * np.trace(spread) / max(len(spread), 1) + 1e-300
    return np.asarray(np.linalg.solve(spread + weight * np.eye(len(spread)), centred.T @ (target - target.mean())))
