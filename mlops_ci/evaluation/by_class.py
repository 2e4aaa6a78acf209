"""How every class fares, where there are more than two: what the macro averages hide."""

from __future__ import annotations

import numpy as np

from mlops_ci.evaluation.classification import f1_by_class
from mlops_ci.evaluation.counts import Counts, count
from mlops_ci.records.evaluation import ClassCounts, ClassValue, Holdout, Predictions

_MOST = 12


def by_class(holdout: Holdout, predictions: Predictions, rival: Predictions | None) -> tuple[ClassValue, ...]:
    """The classes with the lowest F1 of `predictions`, at most 12, the lowest first, beside the rival's counts.

    Classes that are neither in the truth nor predicted have no F1 and come last; equal ones stay in their order.
    """
    classes = len(holdout.classes)
    ours = count(holdout.truth, predictions.labels, classes)
    theirs = None if rival is None else count(holdout.truth, rival.labels, classes)
    worst = np.argsort(f1_by_class(ours), kind="stable")[:_MOST]  # what is not a number sorts last
    return tuple(
        ClassValue(
            name=holdout.classes[code],
            candidate=_of(ours, code),
            champion=None if theirs is None else _of(theirs, code),
        )
        for code in worst.tolist()
    )


def _of(counts: Counts, code: int) -> ClassCounts:
    return ClassCounts(rows=int(counts.truth[code]), predicted=int(counts.predicted[code]), hits=int(counts.hits[code]))
