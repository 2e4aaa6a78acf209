"""Metrics of the order of scores: ROC AUC and average precision. One sort each, ties in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array


def steps(positive: Array, scores: Array, weight: Array | None = None) -> tuple[Array, Array]:
    """Cumulated false and true positives, one value for each distinct score, highest score first.

    positive: shape (n,) bool; scores: shape (n,); weight: shape (n,) or None. Empty where a score is NaN.
    """
    order = np.argsort(scores)
    ascending = scores[order]
    if len(ascending) == 0 or np.isnan(ascending[-1]):
        return np.empty(0), np.empty(0)
    ends = np.append(np.flatnonzero(ascending[1:] != ascending[:-1]), len(order) - 1)
    hits = positive[order]
    if weight is None:
        true_up_to, rows_up_to = np.cumsum(hits)[ends], ends + 1
    else:
        heavy = weight[order]
        true_up_to, rows_up_to = np.cumsum(np.where(hits, heavy, 0.0))[ends], np.cumsum(heavy)[ends]
    return _from_the_top(rows_up_to - true_up_to), _from_the_top(true_up_to)


def _from_the_top(up_to: Array) -> Array:
    below = np.concatenate([np.zeros(1, dtype=up_to.dtype), up_to[:-1]])
    downward: Array = (up_to[-1] - below)[::-1]
    return downward


def roc_auc(positive: Array, scores: Array, weight: Array | None = None) -> float:
    """P(a positive scores above a negative), ties half (Hanley, McNeil 1982); NaN without rows of both classes."""
    false, true = steps(positive, scores, weight)
    if len(true) == 0 or true[-1] <= 0 or false[-1] <= 0:
        return float("nan")
    twice_area = np.diff(false, prepend=0) @ (2 * true - np.diff(true, prepend=0))
    return float(twice_area / 2 / true[-1] / false[-1])


def roc_auc_macro(truth: Array, scores: Array, weight: Array | None = None) -> float:
    """The mean AUC of each class against the rest; NaN where one of the classes has no row. scores: shape (n, k)."""
    areas = [roc_auc(truth == code, scores[:, code], weight) for code in range(scores.shape[1])]
    return float(np.mean(areas))


def among_the_first(truth: Array, scores: Array, k: int) -> Array:
    """1.0 where the true class is among the `k` highest scores, else 0.0; shape (n,). scores: shape (n, classes).

    Of equal scores the later class counts as the higher, as scikit-learn's top_k_accuracy_score has it.
    """
    own = scores[np.arange(len(truth)), truth][:, None]
    later = np.arange(scores.shape[1]) > truth[:, None]
    before = (scores > own) | ((scores == own) & later)
    return np.asarray(before.sum(axis=1) < k, dtype=np.float64)


def average_precision(positive: Array, scores: Array, weight: Array | None = None) -> float:
    """Σ (recall step) · precision, without interpolation; NaN without positives."""
    false, true = steps(positive, scores, weight)
    if len(true) == 0 or true[-1] <= 0:
        return float("nan")
    flagged = false + true
    precision = np.divide(true, flagged, out=np.zeros(len(true)), where=flagged > 0)
    return float(np.diff(true, prepend=0) @ precision / true[-1])
