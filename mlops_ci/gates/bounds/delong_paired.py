"""Bounds of the difference of two ROC AUCs on the same rows (DeLong et al. 1988), safe against rare harm.

A model that misranks one positive in a hundred may show none of them. The bound that lets a gate pass therefore counts
one more positive, misplaced against every negative (statistics.md 6). Where negatives are the rarer class that is not
enough (harm to 3 % of 100 negatives: .14 false passes at a nominal .05), so the mirror image is taken too, and the
lower of the two bounds holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds.delong import variance
from mlops_ci.gates.bounds.estimate import unseen
from mlops_ci.gates.quantiles import upper_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "delong-paired/1"
UNCHANGED = "unchanged-order/1"


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedAuc:
    """Differences of placements, candidate minus champion: of_positives, shape (p,), of_negatives, shape (q,)."""

    of_positives: NDArray[np.float64]
    of_negatives: NDArray[np.float64]
    groups: int | None = None

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
        return UNCHANGED if self.unchanged else NAME

    @property
    def note(self) -> str:
        return "the order of these rows is the same for both models" if self.unchanged else ""

    def low(self, alpha: float, *, passing: bool) -> float:
        if self.unchanged:
            return -self.still(alpha)
        return _low(self.of_positives, self.of_negatives, alpha, passing=passing)

    def high(self, alpha: float, *, passing: bool) -> float:
        if self.unchanged:
            return self.still(alpha)
        return -_low(-self.of_positives, -self.of_negatives, alpha, passing=passing)

    def error(self, at: float) -> float:  # noqa: ARG002
        return sqrt(variance(self.of_positives, self.of_negatives))

    def still(self, alpha: float) -> float:
        """If shares p and q of the classes are harmed, the loss is at most 1 - (1-p)(1-q); none seen in either."""
        return unseen(min(len(self.of_positives), len(self.of_negatives)), alpha)


def _low(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64], alpha: float, *, passing: bool) -> float:
    """`passing`: the lower of two bounds, one with a misplaced positive more and one with a misplaced negative more."""
    if not passing:
        return _plain(of_positives, of_negatives, alpha)
    return min(
        _plain(np.append(of_positives, -1.0), of_negatives, alpha),
        _plain(np.append(of_negatives, -1.0), of_positives, alpha),
    )


def _plain(main: NDArray[np.float64], other: NDArray[np.float64], alpha: float) -> float:
    return float(main.mean()) - upper_normal(alpha) * sqrt(variance(main, other))
