"""Bounds of a mean of losses: Student's t bent for the skew of the losses, in one pass over the rows.

Where losses lie close Hall's transform of t (Hall, JRSS B 54, 1992; statistics.md 15), which is nearer than t. Towards
their long tail t with one and a half times the term of Cornish and Fisher for their skew, since a sample shows less of
a tail than there is: of log-normal errors with a limit the truth lay beyond Hall's bound there (version 2) in .011 to
.012 of the samples of 300 to 2,000 rows at a nominal .01, and beyond this one in .010 at most; and where one row in a
hundred is off by the limit, Hall's bound reached 1.8 times as far on 300 rows.
It is asymptotic: it holds the better the more rows there are. Two rules keep it honest where rows are few or losses
rare: no bound where one row holds more than a quarter of the squared deviations; and no bound is nearer than if a share
of rows too small to be seen had the worst loss there is, or the best. That is why losses need a limit. Version 1 asked
this of the bound that lets a gate pass alone: where .2 % of 100 rows were mended by a difference of 4, the truth
lay below its other low bound in .81 of the samples at 95 % and 99 %, and a gate that holds was failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cbrt, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlops_ci.gates.bounds.estimate import unseen
from mlops_ci.gates.quantiles import upper_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "hall/3"
LARGEST_SHARE = 0.25
"""Of the squared deviations that one row may hold."""
_STRAIGHT = 1e-9
_TAIL_COUNTS = 1.5

How = Literal["mean", "root", "paired"]
"""The mean itself, its square root, or the mean of paired differences."""


def transform(skew: float, y: float) -> float:
    """Hall's correction of the quantile y of Student's t; skew: third moment / (s³ √n)."""
    if abs(skew) < _STRAIGHT:
        return y
    return 3.0 / skew * (cbrt(1.0 + skew * (y - skew / 6.0)) - 1.0)


def towards_tail(skew: float, y: float) -> float:
    """Standard errors to the bound on the side of the long tail: Cornish and Fisher's term beside y > 0."""
    return y + _TAIL_COUNTS * abs(skew) * (2.0 * y * y + 1.0) / 6.0


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The mean of `rows` values, each within `ends`. se: s / √n; skew: third central moment / (s³ √n)."""

    mean: float
    se: float
    skew: float
    rows: int
    ends: tuple[float, float]
    width: float
    """How far apart the best and the worst loss of one row are."""
    root: bool = False
    """The value is the square root of the mean, and so are its bounds."""
    groups: int | None = None
    version: Literal[1, 2, 3] = 3

    @classmethod
    def of(cls, values: NDArray[np.float64], losses: tuple[float, float], *, how: How = "mean") -> Mean:
        """values: shape (n,), n >= 2: losses within `losses`, or for `how="paired"` the differences of two."""
        low, high = losses
        ends = (low - high, high - low) if how == "paired" else losses
        mean, rows = float(values.mean()), len(values)
        away = values - mean
        # Rounding alone makes equal values vary by a hair.
        s = sqrt(float(away @ away) / (rows - 1)) if values.min() < values.max() else 0.0
        skew = float(np.mean(away**3)) / (s**3 * sqrt(rows)) if s > 0.0 else 0.0
        error = s / sqrt(rows)
        return cls(mean=mean, se=error, skew=skew, rows=rows, ends=ends, width=high - low, root=how == "root")

    @property
    def method(self) -> str:
        return f"hall/{self.version}"

    @property
    def value(self) -> float:
        return self._scaled(self.mean)

    @property
    def reach(self) -> float:
        return self._moved(self.width)

    @property
    def note(self) -> str:
        return "asymptotic: it holds the better the more rows there are"

    def low(self, alpha: float, *, passing: bool) -> float:
        bound = self.mean - self.se * self._errors(alpha, self.skew)
        if passing or self.version > 1 or self.se == 0.0:
            bound = min(bound, self.mean - (self.mean - self.ends[0]) * unseen(self.rows, alpha))
        return self._scaled(max(bound, self.ends[0]))

    def high(self, alpha: float, *, passing: bool) -> float:
        bound = self.mean + self.se * self._errors(alpha, -self.skew)
        if passing or self.version > 1 or self.se == 0.0:
            bound = max(bound, self.mean + (self.ends[1] - self.mean) * unseen(self.rows, alpha))
        return self._scaled(min(bound, self.ends[1]))

    def error(self, at: float) -> float:  # noqa: ARG002 - how much losses vary does not follow from their mean
        return self._moved(self.se)

    def still(self, alpha: float) -> float:
        return self.reach * unseen(self.rows, alpha)

    def _errors(self, alpha: float, skew: float) -> float:
        """Standard errors down to the low bound; with the opposite skew, up to the high one."""
        y = upper_t(alpha, self.rows - 1)
        return transform(skew, y) if self.version < 3 or skew >= 0.0 else towards_tail(skew, y)

    def _moved(self, by: float) -> float:
        """How far the value moves where the mean moves by a little."""
        return by / (2.0 * self.value) if self.root and self.value > 0.0 else by

    def _scaled(self, mean: float) -> float:
        return sqrt(max(mean, 0.0)) if self.root else mean


def largest_share(values: NDArray[np.float64]) -> float:
    """The share of the squared deviations that the one value farthest from the mean holds; 0 where all are equal."""
    if values.min() == values.max():
        return 0.0
    squares = np.square(values - values.mean())
    return float(squares.max() / squares.sum())
