"""How well one column alone predicts the target, and how well several do together.

Each column is cut into at most 32 quantile bins (text: its values), missing values are a bin of their own, and a bin
predicts what its training rows have. Classes are scored by ROC AUC, one against the rest, regression by R². Rules are
learned from training rows and scored on both sides; the lower of the two counts, so a rare value that fits by chance
does not. At most 50,000 rows are looked at, chosen by their ids, so that the same rows give the same answer in any
order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.rowkeys import mix
from mlops_ci.evaluation import bins
from mlops_ci.evaluation.bins import Coded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.checks.facts import DataFacts
    from mlops_ci.records.tables import Column

ROWS = 50_000
BINS = 32
CLASSES = 20
"""The most common classes that are asked about."""
COLUMNS = 100
"""The best columns that are combined."""
_PRIOR_ROWS = 20.0


class Sample(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows to judge on. targets: shape (t, n), a 0/1 row for each class asked about, or the values of a regression.

    train, fold: shape (n,) bool; `fold` halves the training rows for estimates that have not seen their own row.
    """

    rows: NDArray[np.intp]
    train: NDArray[np.bool_]
    fold: NDArray[np.bool_]
    targets: NDArray[np.float64]
    classification: bool


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """ROC AUC (mean and worst over classes) or R², the lower of the two sides; `error`: one standard error."""

    mean: float
    worst: float
    error: float


def sample(facts: DataFacts) -> Sample:
    keys = mix(facts.ids ^ np.uint64(0x7A6C65616B616765))
    rows = np.arange(len(keys))
    if len(keys) > ROWS:
        rows = np.sort(np.argpartition(keys, ROWS)[:ROWS])
    return Sample(
        rows=rows,
        train=~facts.holdout[rows],
        fold=(keys[rows] & np.uint64(1)).astype(bool),
        targets=_targets(facts, rows),
        classification=facts.classification,
    )


def _targets(facts: DataFacts, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    if not facts.classification:
        return facts.table.column(facts.target).values[rows].astype(np.float64)[None, :]
    codes, names = facts.classes
    if len(names) == 2:
        return np.asarray(codes[rows] == 1, dtype=np.float64)[None, :]
    common = np.argsort(-np.bincount(codes[rows], minlength=len(names)), kind="stable")[:CLASSES]
    return np.asarray(codes[rows] == np.sort(common)[:, None], dtype=np.float64)


def coded(column: Column, chosen: Sample) -> Coded:
    """The column of `chosen` rows as bins; the last one is for missing values."""
    absent = None if column.missing is None else column.missing[chosen.rows]
    there = msgspec.structs.replace(column, values=column.values[chosen.rows], missing=absent)
    return bins.coded(there, learn=chosen.train, most=BINS)


def score(column: Coded, chosen: Sample) -> Score:
    """How well the column alone predicts the target."""
    means, errors = [], []
    for target in chosen.targets:
        rates = bins.rates(column, target, chosen.train, prior_rows=1.0)[column.codes]
        train = _value(rates, target, chosen.train, chosen.classification)
        held, error = _value_and_error(rates, target, ~chosen.train, chosen.classification)
        means.append(min(train, held))
        errors.append(error)
    return Score(mean=float(np.mean(means)), worst=float(min(means)), error=float(np.mean(errors)))


def together(columns: Sequence[Coded], chosen: Sample) -> Score:
    """How well columns predict the target in an additive model: logistic regression, or least squares, of bin rates."""
    values, errors = [], []
    for target in chosen.targets:
        features = np.stack([_encoded(column, target, chosen) for column in columns], axis=1)
        fit = _logistic if chosen.classification else bins.least_squares
        predicted = features @ fit(features[chosen.train], target[chosen.train])
        value, error = _value_and_error(predicted, target, ~chosen.train, chosen.classification)
        values.append(value)
        errors.append(error)
    return Score(mean=float(np.mean(values)), worst=float(min(values)), error=float(np.mean(errors)))


def same(one: Coded, other: Coded, chosen: Sample) -> bool:
    """Whether two columns say the same: their bins rise and fall together, or match one to one."""
    if one.ordered and other.ordered:
        pair = np.corrcoef(one.codes, other.codes)[0, 1] if min(one.codes.std(), other.codes.std()) > 0 else 0.0
        return bool(abs(pair) >= 0.98)
    pairs = len(np.unique(one.codes * other.levels + other.codes))
    return pairs <= 1.02 * min(len(np.unique(one.codes)), len(np.unique(other.codes))) and len(chosen.rows) > 10 * pairs


def _encoded(column: Coded, target: NDArray[np.float64], chosen: Sample) -> NDArray[np.float64]:
    """Shape (n,): the bin's rate as learned from the other half of the training rows; held-out rows: from all."""
    found = bins.encoded(column, target, train=chosen.train, fold=chosen.fold, prior_rows=_PRIOR_ROWS)
    if not chosen.classification:
        return np.asarray(found - target[chosen.train].mean())
    safe = np.clip(found, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(safe / (1 - safe)))


def _value(
    predicted: NDArray[np.float64], target: NDArray[np.float64], rows: NDArray[np.bool_], classification: bool
) -> float:
    return _value_and_error(predicted, target, rows, classification)[0]


def _value_and_error(
    predicted: NDArray[np.float64], target: NDArray[np.float64], rows: NDArray[np.bool_], classification: bool
) -> tuple[float, float]:
    return _auc(predicted[rows], target[rows]) if classification else _r2(predicted[rows], target[rows])


def _auc(predicted: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    """ROC AUC and its standard error (Hanley, McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747)."""
    _, places = np.unique(predicted, return_inverse=True)
    positive = np.bincount(places, weights=target)
    negative = np.bincount(places, weights=1 - target)
    pos, neg = float(positive.sum()), float(negative.sum())
    if pos == 0 or neg == 0:
        return 0.5, 0.5
    auc = float(((np.cumsum(negative) - negative / 2) * positive).sum() / (pos * neg))
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (pos - 1) * (q1 - auc**2) + (neg - 1) * (q2 - auc**2)) / (pos * neg)
    return auc, math.sqrt(max(variance, 0.0))


def _r2(predicted: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    """R² about the mean, and its large-sample standard error 2 sqrt(R²) (1 - R²) / sqrt(n)."""
    if len(target) < 2:
        return 0.0, 1.0
    error = target - predicted - (target - predicted).mean()
    total = float(((target - target.mean()) ** 2).sum())
    r2 = 1 - float((error**2).sum()) / total if total > 0 else 0.0
    return r2, 2 * math.sqrt(max(r2, 0.0)) * (1 - r2) / math.sqrt(len(target))


def _logistic(features: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of a logistic regression with a small ridge, by Newton's steps; the intercept is left out."""
    design = np.column_stack([np.ones(len(features)), features - features.mean(axis=0)])
    weights = np.zeros(design.shape[1])
    for _ in range(10):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curvature = (design.T * np.maximum(chance * (1 - chance), 1e-6)) @ design + np.eye(len(weights))
        step = np.linalg.solve(curvature, design.T @ (target - chance) - weights)
        weights += step
        if np.abs(step).max() < 1e-4:
            break
    return np.asarray(weights[1:])
