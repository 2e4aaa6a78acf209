"""What a metric is: its name, what it needs, and one of three ways to be computed."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from mlops_ci.evaluation.counts import Array, Counts, count
from mlops_ci.evaluation.probabilities import are_probabilities
from mlops_ci.records.evaluation import Predictions, Task

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
    """One metric. Exactly one of `rate`, `losses`, `formula` is given, and none of a project's own.

    `low` and `high` bound its range, ends included. For all functions: truth, shape (n,), codes into the classes or
    target values; labels, shape (n,), predicted codes (-1: a class never seen) or values; scores, shape (n,) of the
    positive class or (n, classes), or None.
    """

    name: str
    meaning: str = ""
    """In words, for people who know the field."""
    tasks: frozenset[Task]
    kind: MetricKind
    higher_is_better: bool | None = True
    """None: a metric of the project's own that does not say."""
    low: float = 0.0
    high: float = 1.0
    high_of_two: float | None = None
    """`high` where there are two classes, if that is another."""
    unit: str = ""
    denominator: Denominator = "rows"
    needs_scores: bool = False
    needs_probabilities: bool = False
    rate: Callable[[Counts], Array] | None = None
    """From counts, for many slices at once."""
    losses: Losses | None = None
    """(truth, labels, scores) -> shape (n,) float64; the metric is their (weighted) mean. Of a proportion 0 or 1."""
    own: bool = False
    """Computed by a function of the project: its numbers come with the predictions."""
    limits: tuple[float, float] | None = None
    """What the losses are clipped to."""
    root: bool = False
    """The metric is the square root of that mean."""
    power: int = 1
    """2 where the losses are squares of what a clip is given in."""
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

    def clipped(self, clip: float | None) -> Metric:
        """The same mean with every row's loss at most `clip` (of a signed loss, between -clip and clip); None: itself.

        clip is in the unit of the loss; of squared errors in that of the error.
        """
        if clip is None or self.kind != "mean":
            return self
        most = clip**self.power
        return replace(
            self,
            limits=(max(self.loss_range()[0], -most), most),
            low=max(self.low, -clip),
            high=min(self.high, clip if self.root else most),
        )

    def of(self, truth: Array, answers: Predictions, classes: tuple[str, ...]) -> float | None:
        """The value of a model's answers on rows with this truth; None where it is not defined or was not computed."""
        if not self.own:
            return self.compute(truth, answers.labels, answers.scores, classes)
        values = answers.own.get(self.name)
        if values is None or len(truth) == 0:
            return None
        return float(values) if values.ndim == 0 else float(self._within(values).mean())

    def by_row(self, truth: Array, answers: Predictions) -> Array | None:
        """The loss (or what a function of the project gave) of every row, shape (n,) float64; None: it has none."""
        if self.own:
            values = answers.own.get(self.name)
            return None if values is None or values.ndim == 0 else self._within(values)
        return None if self.losses is None else self._within(self.losses(truth, answers.labels, answers.scores))

    def _within(self, losses: Array) -> Array:
        exact: Array = losses.astype(np.float64)
        return exact if self.limits is None else np.clip(exact, *self.limits)

    def loss_range(self, task: Task | None = None) -> tuple[float, float]:
        """The least and the largest loss that one row can have; infinite where nothing bounds it."""
        high = self.high_of_two if self.high_of_two is not None and task is Task.BINARY else self.high
        return (self.low**2, high**2) if self.root else (self.low, high)

    @property
    def bounded(self) -> bool:
        """Whether one row can only move the metric so far."""
        return isfinite(self.low) and isfinite(self.high)

    def usable(self, scores: Array | None) -> bool:
        """Whether the metric can be made from these scores (None: the model gives labels only)."""
        if scores is None:
            return not self.needs_scores
        return not self.needs_probabilities or are_probabilities(scores)

    def _value(self, truth: Array, labels: Array, scores: Array | None, classes: int, weight: Array | None) -> float:
        if self.rate is not None:
            return float(self.rate(count(truth, labels, classes, weight)))
        if self.losses is not None:
            mean = float(np.average(self._within(self.losses(truth, labels, scores)), weights=weight))
            return mean**0.5 if self.root else mean
        if self.formula is None:
            raise TypeError(f"metric {self.name} has no way to be computed")
        return self.formula(truth, labels, scores, weight)
