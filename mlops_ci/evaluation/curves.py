"""Lines to draw: ROC, calibration, quantiles of errors. At most 101 points, rounded to 4 decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.evaluation.probabilities import are_probabilities
from mlops_ci.evaluation.ranking import steps
from mlops_ci.evaluation.regression import errors
from mlops_ci.records.evaluation import Curve, Holdout, Predictions, Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array

_POINTS = 101
_CALIBRATION_BINS = 10


def curves(holdout: Holdout, predictions: Predictions, suffix: str = "") -> dict[str, Curve]:
    """Binary: roc, calibration and calibration_rows, the names with `suffix`. Regression: error_quantiles, without."""
    if holdout.task is Task.REGRESSION:
        candidate = holdout.rows and not suffix
        return {"error_quantiles": error_quantiles(holdout.truth, predictions.labels)} if candidate else {}
    return _of_scores(holdout.truth == 1, predictions.scores, suffix) if holdout.task is Task.BINARY else {}


def _of_scores(positive: Array, scores: Array | None, suffix: str) -> dict[str, Curve]:
    if scores is None or positive.all() or not positive.any():
        return {}
    found = {f"roc{suffix}": roc(positive, scores)}
    if are_probabilities(scores):
        line, rows = calibration(positive, scores)
        found |= {f"calibration{suffix}": line, f"calibration_rows{suffix}": rows}
    return found


def roc(positive: Array, scores: Array) -> Curve:
    """False positive rate against true positive rate, from (0, 0) to (1, 1).

    With more than 101 thresholds, 101 points of the line at equal distance, measured as |Δx| + |Δy|.
    """
    false, true = steps(positive, scores)
    x = np.concatenate([[0.0], false / false[-1]])
    y = np.concatenate([[0.0], true / true[-1]])
    if len(x) > _POINTS:
        along, at = x + y, np.linspace(0.0, 2.0, _POINTS)
        x, y = np.interp(at, along, x), np.interp(at, along, y)
    return _curve(x, y)


def calibration(positive: Array, scores: Array) -> tuple[Curve, Curve]:
    """Ten bins of equal count: (mean probability, share of positives) and (mean probability, rows).

    Rows of the same probability stay together, so ties make bins uneven or fewer.
    """
    order = np.argsort(scores, kind="stable")
    ascending = scores[order].astype(np.float64)
    at = np.arange(1, _CALIBRATION_BINS) * len(order) // _CALIBRATION_BINS
    starts = np.unique(np.concatenate([[0], np.searchsorted(ascending, ascending[at])]))
    rows = np.diff(np.append(starts, len(order)))
    mean = np.add.reduceat(ascending, starts) / rows
    share = np.add.reduceat(positive[order].astype(np.float64), starts) / rows
    return _curve(mean, share), _curve(mean, rows)


def error_quantiles(truth: Array, predicted: Array) -> Curve:
    """Quantiles 0, 0.01, …, 1 of predicted − truth: x the level, y the error in the unit of the target."""
    levels = np.linspace(0.0, 1.0, _POINTS)
    return _curve(levels, np.quantile(errors(truth, predicted), levels))


def _curve(x: Array, y: Array) -> Curve:
    return Curve(x=_rounded(x), y=_rounded(y))


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(round(float(value), 4) + 0.0 for value in values)
