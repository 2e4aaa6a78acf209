"""Two answers to one question: which rows differ, and how much worse the second is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Predictions, Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array
    from mlops_ci.evaluation.metric import Metric

_ROUNDING = 1e-5
"""What the order of a sum in 32-bit floats may change, as a share of a score: no other answer."""


def differing(one: Predictions, other: Predictions, task: Task) -> Array:
    """Shape (n,) bool: where the label, the value or a score is another one, beyond rounding."""
    if task is Task.REGRESSION:
        return _apart(one.labels, other.labels)
    found = np.asarray(one.labels != other.labels)
    if (one.scores is None) != (other.scores is None):
        return np.ones(len(found), dtype=bool)
    if one.scores is None or other.scores is None:
        return found
    apart = _apart(one.scores, other.scores)
    return found | (apart if apart.ndim == 1 else apart.any(axis=1))


def _apart(one: Array, other: Array) -> Array:
    exact = one.astype(np.float64)
    usual = float(np.abs(exact).mean()) if exact.size else 0.0
    return np.asarray(np.abs(exact - other) > _ROUNDING * (np.abs(exact) + usual))


def main_metric(task: Task, truth: Array, answers: Predictions, classes: tuple[str, ...]) -> Metric:
    """What a model is measured by where nobody named a metric: ROC AUC, else accuracy; for regression the MAE."""
    if task is Task.REGRESSION:
        return METRICS["mae"]
    ranking = METRICS["roc_auc"]
    return (
        ranking if ranking.compute(truth, answers.labels, answers.scores, classes) is not None else METRICS["accuracy"]
    )


def worsening(metric: Metric, before: float, after: float) -> float | None:
    """How much worse `after` is: of a metric that has a best value the loss, of an error its growth as a share of it.

    None where there was no error before.
    """
    if metric.higher_is_better:
        return before - after
    return (after - before) / before if before else None
