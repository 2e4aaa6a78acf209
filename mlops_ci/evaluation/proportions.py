"""Which rows a metric counts, and which of those are successes: what bounds, pairs and `min_rows` are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array
    from mlops_ci.evaluation.metric import Metric

_POSITIVE, _NEGATIVE = 1, 0


def masks(metric: Metric, truth: Array, labels: Array, scores: Array | None) -> tuple[Array, Array]:
    """(member, success), two bool arrays of shape (n,), success within member: the metric is Σ success / Σ member.

    For metrics that are proportions. KeyError for another one.
    """
    if metric.losses is not None:
        return np.ones(len(truth), dtype=bool), np.asarray(metric.losses(truth, labels, scores) > 0)
    right, flagged, all_rows = truth == labels, labels == _POSITIVE, np.ones(len(truth), dtype=bool)
    member, success = {
        "accuracy": (all_rows, right),
        "precision": (flagged, right),
        "recall": (truth == _POSITIVE, right),
        "specificity": (truth == _NEGATIVE, right),
        "false_positive_rate": (truth == _NEGATIVE, flagged),
        "selection_rate": (all_rows, flagged),
    }[metric.name]
    return member, member & success


def confusion_masks(truth: Array, labels: Array) -> tuple[Array, Array, Array]:
    """(true positives, false positives, false negatives), bool arrays of shape (n,), for two classes.

    F1 = 2p / (1 + p) with p = TP / (TP + FP + FN).
    """
    actual, flagged = truth == _POSITIVE, labels == _POSITIVE
    return actual & flagged, flagged & ~actual, actual & ~flagged


def denominators(metric: Metric, truth: Array, labels: Array, *, classes: int, codes: Array, parts: int) -> Array:
    """The rows in the metric's denominator (statistics.md 4) in each part: positives for recall, … Shape (parts,).

    codes: shape (n,), the part each row is in, below `parts`.
    """
    if metric.denominator == "rows":
        return np.bincount(codes, minlength=parts)
    if metric.denominator == "rows of the rarer class":
        table = np.bincount(codes * classes + truth, minlength=parts * classes).reshape(parts, classes)
        return np.asarray(table.min(axis=1))
    actual, flagged = truth == _POSITIVE, labels == _POSITIVE
    counted = {
        "positives": actual,
        "negatives": truth == _NEGATIVE,
        "predicted positives": flagged,
        "positives or predicted positives": actual | flagged,
    }
    return np.bincount(codes[counted[metric.denominator]], minlength=parts)
