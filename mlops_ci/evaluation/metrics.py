"""Every metric a gate can name, in the order reports show them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_ci.evaluation import classification, probabilities, ranking, regression
from mlops_ci.evaluation.metric import Formula, Losses, Metric
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_ci.evaluation.counts import Array, Counts

_BINARY = frozenset({Task.BINARY})
_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})
_VALUES = frozenset({Task.REGRESSION})


def metrics_for(task: Task, metrics: Mapping[str, Metric] | None = None) -> tuple[Metric, ...]:
    """The metrics of a task, in order; `metrics`: name -> Metric, left out the built-in ones."""
    known = METRICS if metrics is None else metrics
    return tuple(metric for metric in known.values() if task in metric.tasks)


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


def _calibration_error(truth: Array, _labels: Array, scores: Array | None, weight: Array | None) -> float:
    given = _given(scores)
    if given.ndim == 1:
        return probabilities.expected_calibration_error(truth == 1, given, weight)
    return probabilities.expected_calibration_error(given.argmax(axis=1) == truth, given.max(axis=1), weight)


def _given(scores: Array | None) -> Array:
    return np.empty(0) if scores is None else scores


def _of_labels(name: str, meaning: str, rate: Callable[[Counts], Array], *, low: float = 0.0) -> Metric:
    return Metric(name=name, meaning=meaning, tasks=_CLASSES, kind="other", low=low, rate=rate)


def _of_errors(name: str, meaning: str, function: Callable[[Array, Array], Array], **fields: Any) -> Metric:
    shared: dict[str, Any] = {"tasks": _VALUES, "kind": "mean", "higher_is_better": False, "high": inf}
    return Metric(name=name, meaning=meaning, losses=_of_values(function), **(shared | fields))


def _top(k: int) -> Metric:
    return Metric(
        name=f"top_{k}_accuracy",
        meaning=f"share of rows whose true class is among the {k} that score highest",
        tasks=frozenset({Task.MULTICLASS}),
        kind="proportion",
        needs_scores=True,
        losses=_of_scores(lambda truth, scores: ranking.among_the_first(truth, scores, k)),
    )


def _pinball(percent: int) -> Metric:
    meaning = f"mean pinball loss of predictions of the {percent} % quantile"
    return _of_errors(
        f"pinball_{percent}", meaning, lambda truth, predicted: regression.pinball(truth, predicted, percent / 100)
    )


_ALL = (
    Metric(
        name="roc_auc",
        meaning="chance that a positive scores above a negative; more classes: mean of each against the rest",
        tasks=_CLASSES,
        kind="auc",
        denominator="rows of the rarer class",
        needs_scores=True,
        formula=_roc_auc,
    ),
    Metric(
        name="pr_auc",
        meaning="average precision: precision over every step of recall, without interpolation",
        tasks=_BINARY,
        kind="other",
        denominator="positives",
        needs_scores=True,
        formula=_of_positives(ranking.average_precision),
    ),
    Metric(
        name="accuracy",
        meaning="share of rows whose label is right",
        tasks=_CLASSES,
        kind="proportion",
        rate=classification.accuracy,
    ),
    *(_top(k) for k in (2, 3, 5)),
    Metric(
        name="balanced_accuracy",
        meaning="mean recall of the classes that the rows hold",
        tasks=_CLASSES,
        kind="other",
        rate=classification.balanced_accuracy,
    ),
    Metric(
        name="precision",
        meaning="share of the rows predicted positive that are",
        tasks=_BINARY,
        kind="proportion",
        denominator="predicted positives",
        rate=classification.precision,
    ),
    Metric(
        name="recall",
        meaning="share of the positives that are found",
        tasks=_BINARY,
        kind="proportion",
        denominator="positives",
        rate=classification.recall,
    ),
    Metric(
        name="false_positive_rate",
        meaning="share of the negatives that are predicted positive",
        tasks=_BINARY,
        kind="proportion",
        higher_is_better=False,
        denominator="negatives",
        rate=classification.false_positive_rate,
    ),
    # How many are chosen is neither good nor bad; that it differs between groups is what gates ask about.
    Metric(
        name="selection_rate",
        meaning="share of the rows that are predicted positive, neither good nor bad",
        tasks=_BINARY,
        kind="proportion",
        rate=classification.selection_rate,
    ),
    Metric(
        name="specificity",
        meaning="share of the negatives that are predicted negative",
        tasks=_BINARY,
        kind="proportion",
        denominator="negatives",
        rate=classification.specificity,
    ),
    Metric(
        name="f1",
        meaning="harmonic mean of precision and recall",
        tasks=_BINARY,
        kind="f1",
        denominator="positives or predicted positives",
        rate=classification.f1,
    ),
    _of_labels("precision_macro", "mean precision of the classes", classification.precision_macro),
    _of_labels("recall_macro", "mean recall of the classes", classification.recall_macro),
    _of_labels("f1_macro", "mean F1 of the classes", classification.f1_macro),
    _of_labels("f1_weighted", "mean F1 of the classes, weighted by their rows", classification.f1_weighted),
    _of_labels("mcc", "Matthews correlation of truth and labels", classification.mcc, low=-1.0),
    _of_labels("cohen_kappa", "agreement of truth and labels beyond chance", classification.cohen_kappa, low=-1.0),
    Metric(
        name="log_loss",
        meaning="mean of −ln of the true class's probability; at most 15.9 a row, what 32-bit floats can say",
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
        meaning="mean squared error of the probabilities; of more than two classes the sum over them",
        tasks=_CLASSES,
        kind="mean",
        higher_is_better=False,
        high=2.0,
        high_of_two=1.0,
        needs_scores=True,
        needs_probabilities=True,
        losses=_of_scores(probabilities.brier_losses),
    ),
    Metric(
        name="ece",
        meaning="expected calibration error, 15 bins of the probability; more classes: of the likeliest one",
        tasks=_CLASSES,
        kind="other",
        higher_is_better=False,
        needs_scores=True,
        needs_probabilities=True,
        formula=_calibration_error,
    ),
    _of_errors("mae", "mean absolute error", regression.absolute_errors),
    _of_errors("mse", "mean squared error", regression.squared_errors, power=2),
    _of_errors("rmse", "root of the mean squared error", regression.squared_errors, power=2, root=True),
    Metric(
        name="median_ae",
        meaning="median absolute error",
        tasks=_VALUES,
        kind="other",
        higher_is_better=False,
        high=inf,
        formula=_value_formula(regression.median_ae),
    ),
    Metric(
        name="r2",
        meaning="share of the target's variance that is explained; below 0 the mean would do better",
        tasks=_VALUES,
        kind="other",
        low=-inf,
        formula=_value_formula(regression.r2),
    ),
    _of_errors("mape", "mean of the absolute error as a share of the truth", regression.relative_errors),
    # Best at 0: above is predicting too much. "Lower is better" is what a limit on predicting too much means.
    _of_errors("mean_error", "mean of predicted − truth, best at 0", regression.errors, low=-inf),
    *(_pinball(percent) for percent in (10, 50, 90)),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
