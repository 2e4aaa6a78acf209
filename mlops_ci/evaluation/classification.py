"""Metrics of labels, as functions of Counts; each gives shape (...) with NaN where it is not defined.

Definitions are scikit-learn's (https://scikit-learn.org/stable/modules/model_evaluation.html) with one difference:
where a denominator is empty the answer is NaN, "not defined", and never a stand-in zero. Of two classes the last is
the positive one. Macro averages go over the classes found in truth or predictions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array, Counts

_ROUNDING = 1e-13
"""Below this a difference of sums of weights, as a share of the whole, is what rounding leaves of 0."""


def accuracy(counts: Counts) -> Array:
    return _ratio(counts.hits.sum(axis=-1), counts.rows)


def precision(counts: Counts) -> Array:
    return _ratio(counts.hits[..., -1], counts.predicted[..., -1])


def recall(counts: Counts) -> Array:
    return _ratio(counts.hits[..., -1], counts.truth[..., -1])


def specificity(counts: Counts) -> Array:
    return _ratio(counts.hits[..., 0], counts.truth[..., 0])


def false_positive_rate(counts: Counts) -> Array:
    """The share of the negatives that are called positive, 1 − specificity where every label is a class."""
    return _ratio(counts.predicted[..., -1] - counts.hits[..., -1], counts.truth[..., 0])


def selection_rate(counts: Counts) -> Array:
    """The share of the rows that are called positive, whatever they are."""
    return _ratio(counts.predicted[..., -1], counts.rows)


def f1_by_class(counts: Counts) -> Array:
    """Shape (..., classes); NaN for a class that is neither true nor predicted."""
    return _ratio(2 * counts.hits, counts.truth + counts.predicted)


def f1(counts: Counts) -> Array:
    return f1_by_class(counts)[..., -1]


def balanced_accuracy(counts: Counts) -> Array:
    """The mean recall of the classes that the truth holds."""
    return _mean(_ratio(counts.hits, counts.truth), counts.truth > 0)


def precision_macro(counts: Counts) -> Array:
    """A class that is never predicted counts as 0."""
    return _mean(_ratio(counts.hits, counts.predicted), _present(counts))


def recall_macro(counts: Counts) -> Array:
    """A class that is predicted but never true counts as 0; `balanced_accuracy` leaves it out."""
    return _mean(_ratio(counts.hits, counts.truth), _present(counts))


def f1_macro(counts: Counts) -> Array:
    return _mean(f1_by_class(counts), _present(counts))


def f1_weighted(counts: Counts) -> Array:
    """F1 of each class, averaged by the rows that the truth holds of it."""
    weighted = np.where(counts.truth > 0, f1_by_class(counts) * counts.truth, 0.0)
    return _ratio(weighted.sum(axis=-1), counts.rows)


def mcc(counts: Counts) -> Array:
    """Matthews correlation R_K (Gorodkin 2004). 0 where all predictions are one class; NaN where the truth is."""
    rows = counts.rows.astype(np.float64)
    truth, predicted = counts.truth.astype(np.float64), counts.predicted.astype(np.float64)
    unseen = rows - predicted.sum(axis=-1)
    covariance = counts.hits.sum(axis=-1) * rows - (truth * predicted).sum(axis=-1)
    of_truth = rows**2 - (truth**2).sum(axis=-1)
    of_predicted = rows**2 - (predicted**2).sum(axis=-1) - unseen**2
    value = np.where(
        of_predicted > _ROUNDING * rows**2, _ratio(covariance, np.sqrt(np.maximum(of_truth * of_predicted, 0))), 0.0
    )
    return np.where(of_truth > _ROUNDING * rows**2, value, np.nan)


def cohen_kappa(counts: Counts) -> Array:
    """Agreement beyond chance, unweighted (Cohen 1960)."""
    chance = _ratio((counts.truth.astype(np.float64) * counts.predicted).sum(axis=-1), counts.rows.astype(float) ** 2)
    return np.where(1.0 - chance > _ROUNDING, _ratio(accuracy(counts) - chance, 1.0 - chance), np.nan)


def _present(counts: Counts) -> Array:
    return (counts.truth + counts.predicted) > 0


def _mean(values: Array, present: Array) -> Array:
    total = np.where(present, np.nan_to_num(values), 0.0).sum(axis=-1)
    return _ratio(total, present.sum(axis=-1))


def _ratio(numerator: Array, denominator: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, np.true_divide(numerator, denominator), np.nan)
