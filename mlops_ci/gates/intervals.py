"""How sure a metric's value is, for people to read beside it: two one-sided bounds by the method its gate would use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import metrics_for
from mlops_ci.gates.estimates import has_bound, single
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.values import side
from mlops_ci.records.evaluation import Holdout, Interval, Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric

CONFIDENCE = 0.95


def intervals(holdout: Holdout, answers: Predictions, metrics: Mapping[str, Metric]) -> dict[str, Interval]:
    """Metric -> its bounds, each at 95 %; without those that are not defined on the rows or have no valid bound."""
    sample, alpha = Sample(holdout=holdout, candidate=answers), 1.0 - CONFIDENCE
    found: dict[str, Interval] = {}
    for metric in metrics_for(holdout.task, metrics):
        if not has_bound(metric, holdout.task) or side(metric, sample, answers).value is None:
            continue
        estimate = single(metric, sample, answers, alpha=alpha)
        low, high = estimate.low(alpha, passing=False), estimate.high(alpha, passing=False)
        if low is not None and high is not None:
            found[metric.name] = Interval(low=low, high=high, confidence=CONFIDENCE, method=estimate.method)
    return found
