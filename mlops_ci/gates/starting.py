"""The gates `init` writes: what a baseline reaches and the rows can see. Never a latency gate: machines differ."""

from __future__ import annotations

from math import ceil, floor, sqrt

import msgspec
import numpy as np

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds.estimate import Estimate, unseen
from mlops_ci.gates.estimates import has_bound, single
from mlops_ci.gates.need import POWER, detectable
from mlops_ci.gates.quantiles import upper_normal
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.values import side
from mlops_ci.records.evaluation import Holdout, Predictions, Task

ALPHA = 0.05
_CHANGED = 0.1
"""Share of predictions that differ between two versions of a model, as assumed for its margin (statistics.md 18)."""
_ALIKE = 0.8
"""Correlation of the AUCs of two versions, as assumed for its margin."""
_WIDEST = 0.1
_WORSE = 1.1


class StartingGate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's text and, for the comment beside it, the reason."""

    text: str
    reason: str


def starting_gates(holdout: Holdout, baseline: Predictions) -> tuple[StartingGate, ...]:
    """An absolute gate and a margin to the champion for the main metric, from a baseline's answers on the holdout.

    Classification: an equal model passes with 80 % power. Regression, or rows too few: gates on the value that is seen.
    """
    sample = Sample(holdout=holdout, candidate=baseline)
    if holdout.task is Task.REGRESSION:
        return _by_value("mae", sample)
    metric = "roc_auc" if holdout.task is Task.BINARY and baseline.scores is not None else "accuracy"
    if side(metric, sample, baseline).value is None:
        return ()
    estimate = single(metric, sample, baseline, alpha=ALPHA) if has_bound(metric, holdout.task) else None
    if estimate is None or estimate.low(ALPHA, passing=True) is None:
        return _by_value(metric, sample)
    return _claims(metric, estimate, sample)


def _claims(metric: str, estimate: Estimate, sample: Sample) -> tuple[StartingGate, ...]:
    reach = _reach(estimate)
    limit = floor((estimate.value - reach) * 1000) / 1000
    found = []
    if limit > _without_a_model(metric, sample):
        reason = (
            f"a quick baseline reaches {estimate.value:.3f}; with {estimate.rows:,} rows "
            f"a model as good passes 4 times out of 5"
        )
        found.append(StartingGate(text=f"{metric} >= {limit:g} @ 95%", reason=reason))
    margin = ceil(_margin(metric, estimate) * 1000) / 1000
    if margin <= _WIDEST:
        reason = f"{margin:g} is the smallest loss these rows can rule out, if the new model is equal"
        found.append(StartingGate(text=f"{metric} - champion.{metric} > -{margin:g} @ 95%", reason=reason))
    return tuple(found) or _by_value(metric, sample)


def _reach(estimate: Estimate) -> float:
    """How far below its own value an equal model's bound lies 4 times out of 5."""
    by_formula = detectable(estimate, estimate.value, ALPHA) or 0.0
    value = estimate.value
    bound = estimate.low(ALPHA, passing=True)
    # Bounds near 0 and 1 are not symmetric: never nearer than this sample's own bound and a power step.
    power_step = upper_normal(1.0 - POWER) * estimate.error(value)
    return max(by_formula, value - (bound if bound is not None else 0.0) + power_step)


def _margin(metric: str, estimate: Estimate) -> float:
    if METRICS[metric].kind == "auc":
        twice = (detectable(estimate, estimate.value, ALPHA) or 0.0) * sqrt(2.0 * (1.0 - _ALIKE))
        return twice + estimate.still(ALPHA)
    widened = 1.0 if estimate.groups is None else estimate.error(estimate.value) / _by_row(estimate)
    reach = upper_normal(ALPHA) + upper_normal(1.0 - POWER)
    return reach * sqrt(_CHANGED / estimate.rows) * max(widened, 1.0) + unseen(estimate.rows, ALPHA)


def _by_row(estimate: Estimate) -> float:
    value = min(max(estimate.value, 0.01), 0.99)
    return sqrt(value * (1.0 - value) / estimate.rows)


def _without_a_model(metric: str, sample: Sample) -> float:
    """What guessing reaches: half for AUC, the share of the commonest class for accuracy."""
    if metric == "roc_auc":
        return 0.5
    return float(np.bincount(sample.holdout.truth).max() / sample.holdout.rows)


def _by_value(metric: str, sample: Sample) -> tuple[StartingGate, ...]:
    value = side(metric, sample, sample.candidate).value
    if value is None or value <= 0.0:
        return ()
    why = (
        "`@` is not yet there for this metric" if sample.holdout.task is Task.REGRESSION else "too few rows for `@ 95%`"
    )
    if METRICS[metric].higher_is_better:
        text, told = f"{metric} >= {floor(value / _WORSE * 1000) / 1000:g}", f"{value:.3f}"
    else:
        text, told = f"{metric} <= {value * _WORSE:.4g}", f"{value:.4g}"
    return (StartingGate(text=text, reason=f"a quick baseline reaches {told}, and 10 % of room; {why}"),)
