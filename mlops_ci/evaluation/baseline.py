"""A quick model of bins, for the first gates of a project: what any real model should reach. numpy only, no tuning.

Each column is cut into quantile bins (text: its values), missing values are a bin of their own. Classes: naive Bayes,
a bin's share of a class drawn to the share among all rows, so a value never seen says nothing. Numbers: a ridge
regression on the bins' means, which a training row takes from the other half of the rows. At most 50,000 training
rows and 200 columns are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from mlops_ci.evaluation import bins
from mlops_ci.records.evaluation import Predictions, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.records.tables import Column

ROWS = 50_000
COLUMNS = 200
_BINS = 32
_ROWS_A_BIN = 25
_PRIOR_ROWS = 5.0
_RIDGE = 1e-3
_MOST_SHARES = 2_000_000
"""Values of one column times classes; a text column with more says little of any of them."""
_MOST_SCORES = 2_000_000
"""Scores of one pass over held-out rows: rows times classes."""


def baseline(
    columns: Sequence[Column], truth: NDArray[np.generic], held: NDArray[np.bool_], *, task: Task, classes: int
) -> Predictions:
    """Answers on the `held` rows, in their order, of a model that learned from the other rows.

    columns, truth, held: over the same n rows. truth: codes of `classes` classes, or values. Rows come in an order
    that says nothing about them (a snapshot's is by hashed id), so the first 50,000 are as good as any.
    """
    train = np.flatnonzero(~held)[:ROWS]
    rows = np.concatenate([train, np.flatnonzero(held)])
    learn = np.arange(len(rows)) < len(train)
    most = int(np.clip(len(train) // _ROWS_A_BIN, 2, _BINS))
    coded = [bins.coded(_at(column, rows), learn=learn, most=most) for column in columns[:COLUMNS]]
    coded = [column for column in coded if column.levels * max(classes, 1) <= _MOST_SHARES]
    if task is Task.REGRESSION:
        return Predictions(digest="", labels=_values(coded, truth[rows].astype(np.float64), learn).astype(np.float32))
    scores = _scores(coded, truth[train].astype(np.int64), len(rows), classes)
    positive = scores[:, 1].astype(np.float32) if task is Task.BINARY else scores.astype(np.float32)
    return Predictions(digest="", labels=scores.argmax(axis=1).astype(np.int32), scores=positive)


def _scores(coded: Sequence[bins.Coded], truth: NDArray[np.int64], rows: int, classes: int) -> NDArray[np.float64]:
    """Naive Bayes: each class's probability for the rows after those of `truth`, shape (rows - len(truth), classes)."""
    shares = (np.bincount(truth, minlength=classes) + 1.0) / (len(truth) + classes)
    evidence = [np.log(_shares(column, truth, shares) / shares) for column in coded]
    found = np.empty((rows - len(truth), classes))
    step = max(1, _MOST_SCORES // classes)
    for start in range(0, len(found), step):
        part = found[start : start + step]
        part[:] = np.log(shares)
        for column, weights in zip(coded, evidence, strict=True):
            part += weights[column.codes[len(truth) + start : len(truth) + start + len(part)]]
        part -= part.max(axis=1, keepdims=True)
        np.exp(part, out=part)
        part /= part.sum(axis=1, keepdims=True)
    return found


def _shares(column: bins.Coded, truth: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each class in each bin, drawn to `shares`; shape (levels, classes)."""
    places = column.codes[: len(truth)] * len(shares) + truth
    counts = np.bincount(places, minlength=column.levels * len(shares)).reshape(column.levels, len(shares))
    return np.asarray((counts + _PRIOR_ROWS * shares) / (counts.sum(axis=1, keepdims=True) + _PRIOR_ROWS))


def _values(coded: Sequence[bins.Coded], target: NDArray[np.float64], learn: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Ridge regression on the bins' means, for the rows that are not to learn from."""
    mean = target[learn].mean()
    if not coded:
        return np.full(int((~learn).sum()), mean)
    fold = np.arange(len(target)) % 2 == 0
    features = np.stack(
        [bins.encoded(column, target, train=learn, fold=fold, prior_rows=_PRIOR_ROWS) for column in coded], axis=1
    )
    weights = bins.least_squares(features[learn], target[learn], ridge=_RIDGE)
    return np.asarray(mean + (features[~learn] - features[learn].mean(axis=0)) @ weights)


def _at(column: Column, rows: NDArray[np.intp]) -> Column:
    missing = None if column.missing is None else column.missing[rows]
    return replace(column, values=column.values[rows], missing=missing)
