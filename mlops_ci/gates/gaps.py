"""The gap between slices as one estimate: by row, or by groups that may span slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds.gap import Gap
from mlops_ci.gates.bounds.groups import FEWEST
from mlops_ci.gates.estimates import single, without_each_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.evaluation.metric import Metric
    from mlops_ci.gates.values import SliceSample

_AT_ONCE = 2_000_000
"""Numbers of the table slices x groups that are held in memory."""


def gap(metric: Metric, judged: Sequence[SliceSample], *, alpha: float) -> Gap:
    """Of two slices or more. alpha: level of the pass side."""
    parts = tuple(single(metric, one.sample, one.sample.candidate, alpha=alpha) for one in judged)
    holdout = judged[0].sample.holdout
    if holdout.group is None:
        return Gap(parts=parts)
    found = [without_each_group(metric, one.sample, one.sample.candidate) for one in judged]
    groups = np.unique(np.concatenate([seen for seen, _ in found]))
    errors, counted = _jackknife(found, np.array([part.value for part in parts]), groups)
    if holdout.by_day and counted.max() < FEWEST:
        # Nobody said that rows of one day belong together: by row, unless a slice's own days are seen to be alike.
        return Gap(parts=parts)
    # Pairs with fewer groups than are needed are there by row, or without a bound.
    errors, counted = np.where(counted < FEWEST, 0.0, errors), np.maximum(counted, 2)
    return Gap(parts=parts, errors=errors, counted=counted, groups=len(groups), by_day=holdout.by_day)


def _jackknife(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Standard errors of all differences of two slices and the groups either is in, each of shape (s, s).

    A group is left out of both slices at once, so what is common to its rows cancels as it does in the difference.
    """
    slices = len(found)
    products, together = np.zeros((slices, slices)), np.zeros((slices, slices))
    sums, seen = np.zeros(slices), np.zeros(slices)
    width = max(_AT_ONCE // slices, 1)
    for start in range(0, len(groups), width):
        moved, there = _table(found, values, groups[start : start + width])
        products += moved @ moved.T
        together += there @ there.T
        sums += moved.sum(axis=1)
        seen += there.sum(axis=1)
    counted = (seen[:, None] + seen[None, :] - together).astype(np.int64)
    squares = np.diag(products)[:, None] + np.diag(products)[None, :] - 2.0 * products
    centred = squares - (sums[:, None] - sums[None, :]) ** 2 / counted
    return np.sqrt(np.maximum(centred, 0.0) * (counted - 1) / counted), counted


def _table(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each group moves each slice's value when it is left out, and whether it is there: shape (s, groups)."""
    moved, there = np.zeros((len(found), len(groups))), np.zeros((len(found), len(groups)))
    for row, (seen, left_out) in enumerate(found):
        inside = (seen >= groups[0]) & (seen <= groups[-1])
        places = np.searchsorted(groups, seen[inside])
        moved[row, places] = left_out[inside] - values[row]
        there[row, places] = 1.0
    return moved, there
