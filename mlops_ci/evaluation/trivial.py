"""The model that has learnt nothing but how often each answer occurs, as scikit-learn's Dummy estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.records.evaluation import Predictions, Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array


def trivial(task: Task, training: Array, *, classes: int, rows: int) -> Predictions:
    """Always the commonest class (of equals the first), with the shares of the classes as scores, or the mean.

    training: shape (n,), the truth of the training rows, codes below `classes` or values. rows: how many are asked.
    """
    if task is Task.REGRESSION:
        return Predictions(digest="", labels=np.full(rows, training.mean(dtype=np.float64), dtype=np.float32))
    counts = np.bincount(training, minlength=classes)
    shares = (counts / counts.sum()).astype(np.float32)
    labels = np.full(rows, int(counts.argmax()), dtype=np.int32)
    scores = np.full(rows, shares[1]) if task is Task.BINARY else np.tile(shares, (rows, 1))
    return Predictions(digest="", labels=labels, scores=scores)
