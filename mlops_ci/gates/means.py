"""Bounds of metrics that are means of losses, and of their paired differences (statistics.md 9, 12, 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds import groups, hall
from mlops_ci.gates.bounds.estimate import Estimate, Unbounded
from mlops_ci.gates.bounds.hall import How, Mean
from mlops_ci.gates.bounds.unpaired import PartlyPaired
from mlops_ci.gates.by_group import FINITE_ONLY, by_group, compact, no_bound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.evaluation.metric import Metric
    from mlops_ci.gates.sample import Sample
    from mlops_ci.records.evaluation import Holdout, Predictions

_TOO_HEAVY = "one {unit} holds {share:.0%} of the squared deviations from the mean: above 25 % no bound is valid"


def single(metric: Metric, sample: Sample, answers: Predictions, *, alpha: float) -> Estimate:
    """The mean loss of one model; the metric must be bounded."""
    losses = _losses(metric, sample, answers)
    how: How = "root" if metric.root else "mean"
    return _estimate(losses, metric.loss_range(sample.holdout.task), sample.holdout, alpha, how=how)


def paired(metric: Metric, sample: Sample, first: Predictions, second: Predictions, *, alpha: float) -> Estimate:
    """The mean of `first`'s losses minus `second`'s, row by row; not of a root, which is no mean."""
    within = metric.loss_range(sample.holdout.task)
    differences = _losses(metric, sample, first) - _losses(metric, sample, second)
    unanswered = sample.unanswered
    if unanswered is None or not unanswered.any():
        return _estimate(differences, within, sample.holdout, alpha, how="paired")
    answered = sample.cut(~unanswered).holdout
    inner = _estimate(differences[~unanswered], within, answered, alpha, how="paired")
    return PartlyPaired(inner=inner, share=float(unanswered.mean()), rival=sample.against)


def _losses(metric: Metric, sample: Sample, answers: Predictions) -> NDArray[np.float64]:
    found: NDArray[np.float64] | None = metric.by_row(sample.holdout.truth, answers)
    if found is None:
        raise TypeError(f"{metric.name} is no mean of losses")
    return found


def _estimate(
    values: NDArray[np.float64],
    within: tuple[float, float],
    holdout: Holdout,
    alpha: float,
    *,
    how: How,
) -> Estimate:
    if len(values) < 2:
        note = "one row says nothing of how much losses vary"
        return Unbounded(value=float(values.mean()) ** (0.5 if how == "root" else 1.0), rows=len(values), note=note)
    by_row = Mean.of(values, within, how=how)
    if alpha < FINITE_ONLY:
        return no_bound(by_row)
    if holdout.group is None:
        share = hall.largest_share(values)
        return by_row if share <= hall.LARGEST_SHARE else no_bound(by_row, _TOO_HEAVY.format(unit="row", share=share))
    return _grouped(by_row, values, holdout.group, alpha, how=how, by_day=holdout.by_day)


def _grouped(
    by_row: Mean, values: NDArray[np.float64], group: NDArray[np.int64], alpha: float, *, how: How, by_day: bool
) -> Estimate:
    codes, number = compact(group, np.ones(len(values), dtype=bool))
    rows = groups.sums(codes, number, np.ones(len(values)))
    left_out = groups.ratio_left_out(groups.sums(codes, number, values), rows)
    share = hall.largest_share(left_out) if number >= groups.FEWEST and np.isfinite(left_out).all() else 0.0
    if share > hall.LARGEST_SHARE:
        return no_bound(by_row, _TOO_HEAVY.format(unit="group", share=share), number)
    if how == "root":
        left_out = np.sqrt(np.maximum(left_out, 0.0))
    changed = int((groups.sums(codes, number, values != 0.0) > 0).sum()) if how == "paired" else number
    return by_group(
        by_row,
        alpha,
        left_out=left_out,
        sizes=rows,
        differing=(changed, changed),
        extremes=(0.0, 0.0),
        by_day=by_day,
    )
