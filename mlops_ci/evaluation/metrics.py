"""Every metric a gate can name, in the order reports show them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.evaluation import classification, probabilities, ranking, regression
from mlops_ci.evaluation.metric import Formula, Losses, Metric
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.evaluation.counts import Array

_BINARY = frozenset({Task.BINARY})
_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})
_VALUES = frozenset({Task.REGRESSION})


def metrics_for(task: Task) -> tuple[Metric, ...]:
    """The metrics of a task, in order."""
    return tuple(metric for metric in METRICS.values() if task in metric.tasks)


def _of_scores(function: Callable[[Array, Array], Array]) -> Losses:
    return lambda truth, _labels, scores: function(truth, _given(scores))


def _of_values(function: Callable[[Array, Array], Array]) -> Losses:
    return lambda truth, labels, _scores: function(truth, labels)


def _of_positives(function: Callable[[Array, Array, Array | None], float]) -> Formula:
    return lambda truth, _labels, scores, weight: function(truth == 1, _given(scores), weight)


def _value_formula(function: Callable[[Array, Array, Array | None], float]) -> Formula:
    return lambda truth, labels, _scores, weight: function(truth, labels, weight)


def _roc_auc(truth: Array, _labels: Array, scores: Array | None, weight: Array | None) -> float:
    given = _given(scores)
    if given.ndim == 1:
        return ranking.roc_auc(truth == 1, given, weight)
    return ranking.roc_auc_macro(truth, given, weight)


def _given(scores: Array | None) -> Array:
    return np.empty(0) if scores is None else scores


_ALL = (
    Metric(
        name="roc_auc",
        tasks=_CLASSES,
        kind="auc",
        denominator="rows of the rarer class",
        needs_scores=True,
        formula=_roc_auc,
    ),
    Metric(
        name="pr_auc",
        tasks=_BINARY,
        kind="other",
        denominator="positives",
        needs_scores=True,
        formula=_of_positives(ranking.average_precision),
    ),
    Metric(name="accuracy", tasks=_CLASSES, kind="proportion", rate=classification.accuracy),
    Metric(name="balanced_accuracy", tasks=_CLASSES, kind="other", rate=classification.balanced_accuracy),
    Metric(
        name="precision",
        tasks=_BINARY,
        kind="proportion",
        denominator="predicted positives",
        rate=classification.precision,
    ),
    Metric(name="recall", tasks=_BINARY, kind="proportion", denominator="positives", rate=classification.recall),
    Metric(
        name="specificity", tasks=_BINARY, kind="proportion", denominator="negatives", rate=classification.specificity
    ),
    Metric(
        name="false_positive_rate",
        tasks=_BINARY,
        kind="proportion",
        higher_is_better=False,
        denominator="negatives",
        rate=classification.false_positive_rate,
    ),
    # How many are chosen is neither good nor bad; that it differs between groups is what gates ask about.
    Metric(name="selection_rate", tasks=_BINARY, kind="proportion", rate=classification.selection_rate),
    Metric(name="f1", tasks=_BINARY, kind="f1", denominator="positives or predicted positives", rate=classification.f1),
    Metric(name="precision_macro", tasks=_CLASSES, kind="other", rate=classification.precision_macro),
    Metric(name="recall_macro", tasks=_CLASSES, kind="other", rate=classification.recall_macro),
    Metric(name="f1_macro", tasks=_CLASSES, kind="other", rate=classification.f1_macro),
    Metric(name="f1_weighted", tasks=_CLASSES, kind="other", rate=classification.f1_weighted),
    Metric(name="mcc", tasks=_CLASSES, kind="other", low=-1.0, rate=classification.mcc),
    Metric(name="cohen_kappa", tasks=_CLASSES, kind="other", low=-1.0, rate=classification.cohen_kappa),
    Metric(
        name="log_loss",
        tasks=_CLASSES,
        kind="mean",
        higher_is_better=False,
        high=inf,
        unit="nats",
        needs_scores=True,
        needs_probabilities=True,
        losses=_of_scores(probabilities.log_losses),
    ),
    Metric(
        name="brier",
        tasks=_CLASSES,
        kind="mean",
        higher_is_better=False,
        high=2.0,
        needs_scores=True,
        needs_probabilities=True,
        losses=_of_scores(probabilities.brier_losses),
    ),
    Metric(
        name="ece",
        tasks=_BINARY,
        kind="other",
        higher_is_better=False,
        needs_scores=True,
        needs_probabilities=True,
        formula=_of_positives(probabilities.expected_calibration_error),
    ),
    Metric(
        name="mae",
        tasks=_VALUES,
        kind="mean",
        higher_is_better=False,
        high=inf,
        losses=_of_values(regression.absolute_errors),
    ),
    Metric(
        name="rmse",
        tasks=_VALUES,
        kind="other",
        higher_is_better=False,
        high=inf,
        formula=_value_formula(regression.rmse),
    ),
    Metric(
        name="median_ae",
        tasks=_VALUES,
        kind="other",
        higher_is_better=False,
        high=inf,
        formula=_value_formula(regression.median_ae),
    ),
    Metric(name="r2", tasks=_VALUES, kind="other", low=-inf, formula=_value_formula(regression.r2)),
    Metric(
        name="mape",
        tasks=_VALUES,
        kind="mean",
        higher_is_better=False,
        high=inf,
        losses=_of_values(regression.relative_errors),
    ),
    # Best at 0: above is predicting too much. "Lower is better" is what a limit on predicting too much means.
    Metric(
        name="mean_error",
        tasks=_VALUES,
        kind="mean",
        higher_is_better=False,
        low=-inf,
        high=inf,
        losses=_of_values(regression.errors),
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
