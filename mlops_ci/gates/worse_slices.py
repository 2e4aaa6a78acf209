"""Slices found by search, confirmed on rows that were not searched: is the model worse there than elsewhere?

One-sided at 95 %, corrected for the number of slices asked about (Bonferroni; statistics.md 4: slices that a search
found need a correction). Shares of wrong answers: Fisher's exact test. Mean absolute errors: Student's t on the
variances of both means, with the degrees of freedom of the smaller part. Where rows belong together also the jackknife
over groups, in which a group leaves slice and rest at once.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import fisher, groups
from mlops_ci.gates.estimates import single
from mlops_ci.gates.quantiles import upper_t
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.gates.sample import Sample

ALPHA = 0.05
MEANS = "two-means-t/1"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A slice beside the other rows: accuracy, or the mean absolute error."""

    rows: int
    value: float
    elsewhere: float
    low: float | None
    high: float | None
    """One-sided 95 % bounds of the value, None where there are none."""
    method: str
    worse: bool
    """Shown at the corrected level."""


class _Spread(msgspec.Struct, frozen=True):
    """Standard errors of a slice's mean loss and of its difference to the rest; degrees of freedom, 0: unknown."""

    own: float
    apart: float
    degrees: int


def compare(sample: Sample, slices: Sequence[NDArray[np.bool_]]) -> tuple[Comparison, ...]:
    """Each slice beside the other rows of the sample. slices: shape (n,) bool, two rows or more in and out of each."""
    one = _means if sample.holdout.task is Task.REGRESSION else _accuracy
    return tuple(one(sample, rows, ALPHA / len(slices)) for rows in slices)


def _accuracy(sample: Sample, rows: NDArray[np.bool_], alpha: float) -> Comparison:
    wrong = sample.holdout.truth != sample.candidate.labels
    inside = sample.cut(rows)
    own = single(METRICS["accuracy"], inside, inside.candidate, alpha=ALPHA)
    chance = fisher.more_than_elsewhere(int(wrong[rows].sum()), int(rows.sum()), int(wrong.sum()), len(rows))
    group = sample.holdout.group
    return Comparison(
        rows=int(rows.sum()),
        value=own.value,
        elsewhere=1.0 - float(wrong[~rows].mean()),
        low=own.low(ALPHA, passing=True),
        high=own.high(ALPHA, passing=True),
        method=_method(fisher.NAME, group),
        worse=chance <= alpha and (group is None or _above(wrong.astype(np.float64), rows, group, alpha)),
    )


def _means(sample: Sample, rows: NDArray[np.bool_], alpha: float) -> Comparison:
    losses = np.abs(sample.holdout.truth.astype(np.float64) - sample.candidate.labels.astype(np.float64))
    group = sample.holdout.group
    value = float(losses[rows].mean())
    spread = _by_row(losses, rows) if group is None else _by_group(losses, rows, group)
    reach = upper_t(ALPHA, spread.degrees) * spread.own if spread.degrees else None
    return Comparison(
        rows=int(rows.sum()),
        value=value,
        elsewhere=float(losses[~rows].mean()),
        low=None if reach is None else max(value - reach, 0.0),
        high=None if reach is None else value + reach,
        method=_method(MEANS, group),
        worse=_above(losses, rows, None, alpha) and (group is None or _above(losses, rows, group, alpha)),
    )


def _method(by_row: str, group: NDArray[np.int64] | None) -> str:
    return by_row if group is None else f"{by_row}, {groups.FIRST}"


def _above(losses: NDArray[np.float64], rows: NDArray[np.bool_], group: NDArray[np.int64] | None, alpha: float) -> bool:
    """Whether the lower bound at alpha of the mean loss inside minus outside is above 0."""
    spread = _by_row(losses, rows) if group is None else _by_group(losses, rows, group)
    difference = float(losses[rows].mean() - losses[~rows].mean())
    return spread.degrees > 0 and difference > upper_t(alpha, spread.degrees) * spread.apart


def _by_row(losses: NDArray[np.float64], rows: NDArray[np.bool_]) -> _Spread:
    own, other = (float(part.std(ddof=1) / sqrt(len(part))) for part in (losses[rows], losses[~rows]))
    return _Spread(own, sqrt(own**2 + other**2), int(min(rows.sum(), (~rows).sum())) - 1)


def _by_group(losses: NDArray[np.float64], rows: NDArray[np.bool_], group: NDArray[np.int64]) -> _Spread:
    found, codes = np.unique(group, return_inverse=True)
    counts = [groups.sums(codes, len(found), part) for part in (rows, ~rows)]
    if min(int((of > 0).sum()) for of in counts) < groups.FEWEST:
        return _Spread(0.0, 0.0, 0)
    inside, outside = (
        groups.ratio_left_out(groups.sums(codes, len(found), losses * part), of)
        for part, of in zip((rows, ~rows), counts, strict=True)
    )
    there = counts[0] > 0
    apart = groups.jackknife_error(inside - outside)
    return _Spread(groups.jackknife_error(inside[there]), apart, int(there.sum()) - 1)
