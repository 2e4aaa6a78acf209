"""Bounds of the difference of two ROC AUCs on the same rows (DeLong et al. 1988), safe against rare harm.

A model that misranks one positive in a hundred may show none of them. The bounds therefore count some more positives,
misplaced against every negative (statistics.md 6). Where negatives are the rarer class that is not enough (harm to 3 %
of 100 negatives: .14 false passes at a nominal .05), so the mirror image is taken too, and the farther bound holds.

How many more: (z² + 2) / 3, the second term of the exact bound of a Poisson count x, x + z √x + (z² + 2) / 3 (Cornish,
Fisher 1938). Version 1 counted one, and on the passing side only: with harm to 3.3 % of 100 positives it passed .031 at
a nominal .01, with 4.2 % .014 at .001; and a gate failed as often as a rare gain stayed unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlops_ci.gates.bounds.delong import variance
from mlops_ci.gates.bounds.estimate import unseen
from mlops_ci.gates.quantiles import upper_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "delong-paired/2"
FIRST = "delong-paired/1"
UNCHANGED = "unchanged-order/1"


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedAuc:
    """Differences of placements, candidate minus champion: of_positives, shape (p,), of_negatives, shape (q,)."""

    of_positives: NDArray[np.float64]
    of_negatives: NDArray[np.float64]
    groups: int | None = None
    version: Literal[1, 2] = 2
    reach: float = 1.0

    @property
    def value(self) -> float:
        return float(self.of_positives.mean())

    @property
    def rows(self) -> int:
        return len(self.of_positives) + len(self.of_negatives)

    @property
    def unchanged(self) -> bool:
        """No row stands elsewhere against the other class: DeLong's variance would be 0 and say nothing."""
        return not self.of_positives.any() and not self.of_negatives.any()

    @property
    def method(self) -> str:
        return UNCHANGED if self.unchanged else {1: FIRST, 2: NAME}[self.version]

    @property
    def note(self) -> str:
        return "the order of these rows is the same for both models" if self.unchanged else ""

    def low(self, alpha: float, *, passing: bool) -> float:
        if self.unchanged:
            return -self.still(alpha)
        return _low(self.of_positives, self.of_negatives, alpha, more=self._more(alpha, passing=passing))

    def high(self, alpha: float, *, passing: bool) -> float:
        if self.unchanged:
            return self.still(alpha)
        return -_low(-self.of_positives, -self.of_negatives, alpha, more=self._more(alpha, passing=passing))

    def error(self, at: float) -> float:  # noqa: ARG002
        return sqrt(variance(self.of_positives, self.of_negatives))

    def still(self, alpha: float) -> float:
        """If shares p and q of the classes are harmed, the loss is at most 1 - (1-p)(1-q); none seen in either."""
        return unseen(min(len(self.of_positives), len(self.of_negatives)), alpha)

    def behind(self, alpha: float) -> float:
        """How far the misplaced rows alone move the bound."""
        return self._more(alpha, passing=True) / min(len(self.of_positives), len(self.of_negatives))

    def _more(self, alpha: float, *, passing: bool) -> float:
        """Misplaced rows that are counted though none was seen."""
        if self.version == 1:
            return 1.0 if passing else 0.0
        return (upper_normal(alpha) ** 2 + 2.0) / 3.0


def _low(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64], alpha: float, *, more: float) -> float:
    """The lower of two bounds, one with misplaced positives more and one with misplaced negatives more."""
    return min(_shifted(of_positives, of_negatives, alpha, more), _shifted(of_negatives, of_positives, alpha, more))


def _shifted(main: NDArray[np.float64], other: NDArray[np.float64], alpha: float, more: float) -> float:
    """DeLong's bound where `more` rows, not always a whole number, stand at -1 beside the rows of `main`."""
    rows = len(main) + more
    mean = (float(main.sum()) - more) / rows
    squares = float(np.square(main - mean).sum()) + more * (1.0 + mean) ** 2
    variance = squares / (rows - 1.0) / rows + float(np.var(other, ddof=1)) / len(other)
    return mean - upper_normal(alpha) * sqrt(variance)
