"""What a metric is: its name, what it needs, and one of three ways to be computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from mlops_ci.evaluation.counts import Array, Counts, count
from mlops_ci.evaluation.probabilities import are_probabilities

if TYPE_CHECKING:
    from mlops_ci.records.evaluation import Task

MetricKind = Literal["proportion", "f1", "auc", "mean", "other"]
"""What a bound can be made from: counted rows, TP FP FN, placements, losses of rows, or nothing in general."""

Denominator = Literal[
    "rows",
    "positives",
    "negatives",
    "predicted positives",
    "positives or predicted positives",
    "rows of the rarer class",
]

Formula = Callable[[Array, Array, "Array | None", "Array | None"], float]
Losses = Callable[[Array, Array, "Array | None"], Array]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric. Exactly one of `rate`, `losses`, `formula` is given.

    `low` and `high` bound its range, ends included. For all functions: truth, shape (n,), codes into the classes or
    target values; labels, shape (n,), predicted codes (-1: a class never seen) or values; scores, shape (n,) of the
    positive class or (n, classes), or None.
    """

    name: str
    tasks: frozenset[Task]
    kind: MetricKind
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    denominator: Denominator = "rows"
    needs_scores: bool = False
    needs_probabilities: bool = False
    rate: Callable[[Counts], Array] | None = None
    """From counts, for many slices at once."""
    losses: Losses | None = None
    """(truth, labels, scores) -> shape (n,) float64; the metric is their (weighted) mean."""
    formula: Formula | None = None
    """(truth, labels, scores, weight) -> the value."""

    def compute(
        self,
        truth: Array,
        labels: Array,
        scores: Array | None,
        classes: tuple[str, ...],
        weight: Array | None = None,
    ) -> float | None:
        """The value, or None where it is not defined: no row in the denominator, or scores it cannot use.

        weight: shape (n,), not negative, or None.
        """
        if len(truth) == 0 or not self.usable(scores) or (weight is not None and not weight.sum() > 0):
            return None
        value = self._value(truth, labels, scores, len(classes), weight)
        return float(value) if np.isfinite(value) else None

    def usable(self, scores: Array | None) -> bool:
        """Whether the metric can be made from these scores (None: the model gives labels only)."""
        if scores is None:
            return not self.needs_scores
        return not self.needs_probabilities or are_probabilities(scores)

    def _value(self, truth: Array, labels: Array, scores: Array | None, classes: int, weight: Array | None) -> float:
        if self.rate is not None:
            return float(self.rate(count(truth, labels, classes, weight)))
        if self.losses is not None:
            return float(np.average(self.losses(truth, labels, scores), weights=weight))
        if self.formula is None:
            raise TypeError(f"metric {self.name} has no way to be computed")
        return self.formula(truth, labels, scores, weight)
