"""What every metric of labels is made of: per class the hits, the truths and the predictions."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Counts (or sums of weights) over k classes; leading axes, if any, are slices.

    hits, truth, predicted: shape (..., k). rows: shape (...). A label of -1, a class never seen, is in no
    column of `predicted`, so `predicted` may sum to less than `rows`.
    """

    hits: Array
    truth: Array
    predicted: Array
    rows: Array


def count(truth: Array, labels: Array, classes: int, weight: Array | None = None) -> Counts:
    """Counts over all rows. truth, labels: shape (n,) codes below `classes`, labels may be -1; weight: (n,) or None."""
    one = count_by(np.zeros(len(truth), dtype=np.int32), 1, truth, labels, classes=classes, weight=weight)
    return Counts(hits=one.hits[0], truth=one.truth[0], predicted=one.predicted[0], rows=one.rows[0])


def count_by(
    codes: Array, values: int, truth: Array, labels: Array, *, classes: int, weight: Array | None = None
) -> Counts:
    """Counts of each slice at once, shape (values, classes). codes: shape (n,), the slice of each row; -1 is none."""

    def table(of: Array, keep: Array) -> Array:
        cells = codes[keep].astype(np.int64) * classes + of[keep]
        kept = None if weight is None else weight[keep]
        return np.bincount(cells, kept, minlength=values * classes).reshape(values, classes)

    inside = codes >= 0
    of_truth = table(truth, inside)
    return Counts(
        hits=table(truth, inside & (truth == labels)),
        truth=of_truth,
        predicted=table(labels, inside & (labels >= 0)),
        rows=of_truth.sum(axis=-1),
    )


def confusion_matrix(truth: Array, labels: Array, classes: int) -> Array:
    """Shape (classes, classes) int64: rows of truth, columns of predicted labels; rows labelled -1 are in no column."""
    seen = labels >= 0
    cells = truth[seen].astype(np.int64) * classes + labels[seen]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
