"""Losses of probabilities, row by row, and the expected calibration error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array

_ECE_BINS = 15
_SUM_TOLERANCE = 1e-3


def are_probabilities(scores: Array) -> bool:
    """Whether all lie in 0..1 and, with a column for each class, each row sums to 1 (within 0.001)."""
    if not bool(((scores >= 0) & (scores <= 1)).all()):
        return False
    return scores.ndim == 1 or bool((np.abs(scores.sum(axis=1, dtype=np.float64) - 1) <= _SUM_TOLERANCE).all())


def log_losses(truth: Array, scores: Array) -> Array:
    """−ln of the probability given to the true class, in nats, shape (n,).

    Clipped at the smallest step of the scores' own type (float32: 1.2e-7, a loss of at most 15.9), as scikit-learn
    does: a float32 that says 1 says no more than that.
    """
    step = float(np.finfo(scores.dtype).eps)
    losses: Array = -np.log(np.clip(_of_truth(truth, scores), step, 1 - step))
    return losses


def brier_losses(truth: Array, scores: Array) -> Array:
    """(1 − p)² of the true class for two classes, Σ (p − y)² over classes for more (Brier 1950), shape (n,)."""
    given = _of_truth(truth, scores)
    losses: Array = np.square(1 - given)
    if scores.ndim == 2:
        losses += np.square(scores.astype(np.float64)).sum(axis=1) - np.square(given)
    return losses


def _of_truth(truth: Array, scores: Array) -> Array:
    exact = scores.astype(np.float64)
    if scores.ndim == 1:
        return np.where(truth == 1, exact, 1 - exact)
    chosen: Array = exact[np.arange(len(truth)), truth]
    return chosen


def expected_calibration_error(positive: Array, scores: Array, weight: Array | None = None) -> float:
    """Σ (share of rows) · |positives' share − mean probability| over 15 bins of equal width (Guo et al. 2017).

    Biased upward in small samples: a perfect model does not show 0 (statistics.md 15).
    """
    exact = scores.astype(np.float64)
    bins = np.minimum((exact * _ECE_BINS).astype(np.int64), _ECE_BINS - 1)
    heavy = np.ones(len(exact)) if weight is None else weight
    gaps = np.bincount(bins, (positive - exact) * heavy, minlength=_ECE_BINS)
    return float(np.abs(gaps).sum() / heavy.sum())
