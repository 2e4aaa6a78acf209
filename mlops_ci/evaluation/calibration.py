"""Logistic recalibration: how probabilities would have to be bent to fit.

Cox 1958; Van Calster et al. 2019, https://doi.org/10.1186/s12916-019-1466-7
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array

_STEPS = 100
_CLOSE = 1e-10
_STEEPEST = 1e3
_FARTHEST = 40.0


def slope(positive: Array, scores: Array) -> float | None:
    """The likeliest b in log odds(positive) = a + b · log odds(score). None where no b is.

    positive: shape (n,) bool. scores: shape (n,) float32, probabilities. 1: right; below 1: too extreme. There is
    none with one class only, with one score only, and where a threshold tells the classes apart.
    """
    odds = _log_odds(scores)
    if positive.all() or not positive.any() or np.ptp(odds) == 0:
        return None
    centre = odds - odds.mean()
    design = np.column_stack([np.ones(len(odds)), centre / centre.std()])
    found = np.zeros(2)
    likelihood = _likelihood(design @ found, positive)
    for _ in range(_STEPS):
        chances = _chance(design @ found)
        gradient = design.T @ (positive - chances)
        curvature = (design * (chances * (1 - chances))[:, None]).T @ design
        if np.linalg.cond(curvature) > 1 / np.finfo(float).eps:
            return None
        move = np.linalg.solve(curvature, gradient)
        while (reached := _likelihood(design @ (found + move), positive)) < likelihood and np.abs(move).max() > _CLOSE:
            move = move / 2
        found, likelihood = found + move, reached
        if np.abs(move).max() < _CLOSE:
            return float(found[1] / centre.std())
        if abs(found[1]) > _STEEPEST:
            return None
    return None


def intercept(positive: Array, scores: Array) -> float | None:
    """Calibration in the large: a in log odds(positive) = a + log odds(score). None with one class only.

    0: right; above 0: the probabilities are too low on the whole.
    """
    if positive.all() or not positive.any():
        return None
    odds, hits = _log_odds(scores), float(positive.sum())
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float(_chance(middle + odds).sum()) < hits:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_odds(scores: Array) -> Array:
    """Clipped at the step of the scores' own type, as in log loss."""
    step = float(np.finfo(scores.dtype).eps)
    exact = np.clip(scores.astype(np.float64), step, 1 - step)
    odds: Array = np.log(exact) - np.log1p(-exact)
    return odds


def _chance(odds: Array) -> Array:
    chance: Array = (1 + np.tanh(odds / 2)) / 2  # the logistic function, without overflow
    return chance


def _likelihood(odds: Array, positive: Array) -> float:
    return float(-np.logaddexp(0.0, np.where(positive, -odds, odds)).sum())
