"""Errors of predicted values. truth, predicted: shape (n,), both in the unit of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array


def errors(truth: Array, predicted: Array) -> Array:
    """Predicted − truth; above 0 is too much."""
    difference: Array = predicted.astype(np.float64) - truth
    return difference


def absolute_errors(truth: Array, predicted: Array) -> Array:
    return np.abs(errors(truth, predicted))


def squared_errors(truth: Array, predicted: Array) -> Array:
    return np.square(errors(truth, predicted))


def relative_errors(truth: Array, predicted: Array) -> Array:
    """|error| / |truth|; not finite where the truth is 0, so that no mean is made of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return absolute_errors(truth, predicted) / np.abs(truth)


def pinball(truth: Array, predicted: Array, quantile: float) -> Array:
    """`quantile` times what was predicted too little, 1 - quantile times what was too much (Koenker, Bassett 1978)."""
    over = errors(truth, predicted)
    return np.maximum(-quantile * over, (1.0 - quantile) * over)


def median_ae(truth: Array, predicted: Array, weight: Array | None = None) -> float:
    """The median absolute error; with weights the one that half of the weight lies below, the mean of two at a tie."""
    sizes = absolute_errors(truth, predicted)
    if weight is None:
        return float(np.median(sizes))
    order = np.argsort(sizes)
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    low, high = np.searchsorted(below, half), np.searchsorted(below, half, side="right")
    return float(sizes[order[low]] + sizes[order[high]]) / 2


def r2(truth: Array, predicted: Array, weight: Array | None = None) -> float:
    """1 − Σ error² / Σ (truth − mean)²; NaN where the truth is constant."""
    if len(truth) == 0 or truth.min() == truth.max():
        return float("nan")
    spread = np.average(np.square(truth - np.average(truth, weights=weight)), weights=weight)
    return float(1 - np.average(squared_errors(truth, predicted), weights=weight) / spread)
