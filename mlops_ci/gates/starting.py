"""The gates `init` writes: what a baseline reaches and the rows can see. Never a latency gate: machines differ."""

from __future__ import annotations

from math import ceil, floor, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation.metric import Metric
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import groups
from mlops_ci.gates.bounds.estimate import Estimate, unseen
from mlops_ci.gates.estimates import has_bound, single
from mlops_ci.gates.need import POWER, detectable
from mlops_ci.gates.quantiles import upper_normal
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.values import side
from mlops_ci.records.evaluation import Holdout, Predictions, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.05
_CHANGED = 0.1
"""Share of predictions that differ between two versions of a model, as assumed for its margin (statistics.md 18)."""
_ALIKE = 0.8
"""Correlation of the AUCs of two versions, as assumed for its margin."""
_WIDEST = 0.1
_ROOM = 1.1


class StartingGate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's text and, for the comment beside it, the reason."""

    text: str
    reason: str
    metric: str
    reached: float = 0.0
    """What the baseline reaches, of the metric."""


def starting_gates(holdout: Holdout, baseline: Predictions) -> tuple[StartingGate, ...]:
    """An absolute gate and a margin to the champion for the main metric, from a baseline's answers on the holdout.

    Classification: an equal model passes with 80 % power. Regression, or rows too few: gates on the value that is seen.
    Empty where the metric is not defined on these rows.
    """
    sample = Sample(holdout=holdout, candidate=baseline)
    if holdout.task is Task.REGRESSION:
        return _regression(sample)
    metric = METRICS["roc_auc" if holdout.task is Task.BINARY and baseline.scores is not None else "accuracy"]
    if side(metric, sample, baseline).value is None:
        return ()
    estimate = single(metric, sample, baseline, alpha=ALPHA) if has_bound(metric, holdout.task) else None
    if estimate is None or estimate.low(ALPHA, passing=True) is None:
        return _by_value(metric, sample)
    return _claims(metric, estimate, sample)


def _claims(metric: Metric, estimate: Estimate, sample: Sample) -> tuple[StartingGate, ...]:
    limit, units = _down(_limit(estimate)), _units(estimate, sample)
    reason = f"a quick baseline reaches {estimate.value:.3f}; a model as good passes 4 times of 5 with {units}"
    guess, what = _without_a_model(metric.name, sample)
    if limit <= guess:
        reason = f"no better than {what} ({guess:.3f}): {units} cannot tell a quick baseline's "
        reason += f"{estimate.value:.3f} from that; raise it as rows come"
    absolute = _gate(f"{metric.name} >= {limit:g} @ 95%", reason, metric.name, estimate.value)
    margin = ceil(_margin(metric, estimate) * 1000) / 1000
    if margin > _WIDEST:
        return (absolute,)
    reason = f"not worse than before; {margin:g} is the smallest loss {units} can rule out for an equal model"
    return absolute, _gate(
        f"{metric.name} - champion.{metric.name} > -{margin:g} @ 95%", reason, metric.name, estimate.value
    )


def _units(estimate: Estimate, sample: Sample) -> str:
    """What decides: the held-out rows, or the groups of them that belong together."""
    if estimate.groups is None:
        return f"{estimate.rows:,} rows"
    return f"{estimate.groups:,} {'days' if sample.holdout.by_day else 'groups of rows'}"


def _limit(estimate: Estimate) -> float:
    """What the bound of an equal model clears 4 times out of 5."""
    visible = detectable(estimate, estimate.value, ALPHA) or 0.0
    # Bounds near 0 and 1 are not symmetric: one step of the bound's own kind, for confidence and power together.
    both = 1.0 - NormalDist().cdf(upper_normal(ALPHA) + upper_normal(1.0 - POWER))
    bound = estimate.low(both, passing=True)
    return max(min(estimate.value - visible, 0.0 if bound is None else bound), 0.0)


def _margin(metric: Metric, estimate: Estimate) -> float:
    if metric.kind == "auc":
        twice = (detectable(estimate, estimate.value, ALPHA) or 0.0) * sqrt(2.0 * (1.0 - _ALIKE))
        return twice + estimate.still(ALPHA)
    widened = 1.0 if estimate.groups is None else estimate.error(estimate.value) / _by_row(estimate)
    reach = upper_normal(ALPHA) + upper_normal(1.0 - POWER)
    return reach * sqrt(_CHANGED / estimate.rows) * max(widened, 1.0) + unseen(estimate.rows, ALPHA)


def _by_row(estimate: Estimate) -> float:
    value = min(max(estimate.value, 0.01), 0.99)
    return sqrt(value * (1.0 - value) / estimate.rows)


def _without_a_model(metric: str, sample: Sample) -> tuple[float, str]:
    """What is reached without a model, and how."""
    truth = sample.holdout.truth.astype(np.float64)
    if metric == "roc_auc":
        return 0.5, "guessing"
    if metric == "mae":
        return float(np.abs(truth - np.median(truth)).mean()), "always answering the median"
    return float(np.bincount(sample.holdout.truth).max() / len(truth)), "always answering the commonest class"


def _by_value(metric: Metric, sample: Sample) -> tuple[StartingGate, ...]:
    """The value and room below it, decided by the value alone: too few rows for a bound."""
    value = side(metric, sample, sample.candidate).value
    if value is None or value <= 0.0:
        return ()
    limit, few = _down(value / _ROOM), "rows" if sample.holdout.group is None else "groups of rows"
    guess, what = _without_a_model(metric.name, sample)
    reason = f"a quick baseline reaches {value:.3f}, and 10 % of room; too few {few} for `@ 95%`"
    if limit <= guess:
        reason = f"no better than {what} ({guess:.3f}); {reason}"
    return (_gate(f"{metric.name} >= {limit:g}", reason, metric.name, value),)


def _regression(sample: Sample) -> tuple[StartingGate, ...]:
    """A limit for the mean absolute error: the baseline's, and the loss that these rows cannot tell from chance."""
    losses = np.abs(sample.holdout.truth - sample.candidate.labels.astype(np.float64))
    value, rows, guess = float(losses.mean()), len(losses), _without_a_model("mae", sample)
    if value <= 0.0 or rows < 2:
        return ()
    chance = (upper_normal(ALPHA) + upper_normal(1.0 - POWER)) * _error_of_mean(losses, sample.holdout.group)
    limit = float(f"{value + chance:.4g}")
    reason = f"a quick baseline reaches {value:.4g}; {rows:,} rows cannot tell {chance:.2g} more from chance"
    if limit >= guess[0]:
        reason = f"no better than {guess[1]} ({guess[0]:.4g}): {reason}; tighten it as rows come"
    return (_gate(f"mae <= {limit:g}", reason, "mae", value),)


def _error_of_mean(losses: NDArray[np.float64], group: NDArray[np.int64] | None) -> float:
    """The standard error of the mean, by group where rows belong together."""
    if group is None:
        return float(losses.std(ddof=1) / sqrt(len(losses)))
    found, codes = np.unique(group, return_inverse=True)
    sums = groups.sums(codes.astype(np.int64), len(found), losses)
    counts = groups.sums(codes.astype(np.int64), len(found), np.ones(len(losses)))
    return groups.jackknife_error(groups.ratio_left_out(sums, counts))


def _gate(text: str, reason: str, metric: str, reached: float) -> StartingGate:
    return StartingGate(text=text, reason=reason, metric=metric, reached=reached)


def _down(value: float) -> float:
    return floor(value * 1000) / 1000
