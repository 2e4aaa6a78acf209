"""Bounds of ROC AUC: DeLong's variance on the logit scale, Wilson's score bound where the rarer class is small.

DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988), in one sort (Sun, Xu, IEEE Signal Processing Letters 21, 2014).
Plain DeLong passes far too often near 1: .266 at a nominal .05 (statistics.md 6).

Towards the end of the scale that is nearer (up, for an AUC above ½) both are too short where few rows are misplaced
altogether: with 0.1 % of 100 positives misplaced the truth lay above the bound of version 1 in .10 of the samples at a
nominal .01, with 3 % of 300 in .078 at .05. There version 2 goes at least as far as the exact bound of a proportion
with as many trials as give the same variance (Korn, Graubard, Survey Methodology 24, 1998); where the variance is not
known, as many as the rarer class has rows.

Away from it version 3 adds Cornish and Fisher's term for the skew of the estimate (1938), z + γ (2z² + 1) / 6: where
few rows cost much of the AUC, a sample without them shows a high AUC and a small error at once. Of an AUC of .99 of
normal scores (1,000 positives, 10,000 negatives) the truth lay below the bound of version 2 in .069 of the samples at a
nominal .05 and .019 at .01, and lies below this one in .046 and .012. Wilson's bound is that of version 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.bounds.estimate import unseen
from mlops_ci.gates.quantiles import upper_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGIT = "delong-logit"
WILSON = "auc-wilson"
_ENOUGH = 5.0
_FARTHEST = 700.0
"""On the logit scale: exp() overflows beyond."""


def placements(positive: NDArray[np.bool_], scores: NDArray[Any]) -> NDArray[np.float64]:
    """For each row the share of the other class it is ordered rightly against, ties half. Shape (n,), one sort.

    The mean over positives is the AUC, and so is the mean over negatives.
    """
    order = np.argsort(scores)
    ascending, actual = scores[order], positive[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = ascending[1:] != ascending[:-1]
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    upto = np.concatenate([[0], np.cumsum(actual)])
    positives, before, after = int(upto[-1]), upto[starts], upto[ends]
    negatives = len(order) - positives
    # Twice the mid-counts are whole numbers, so equal orders give equal placements to the last bit.
    below = ((starts - before) + (ends - after)) / (2.0 * negatives)
    above = (2 * positives - before - after) / (2.0 * positives)
    block = np.cumsum(first) - 1
    found = np.empty(len(order))
    found[order] = np.where(actual, below[block], above[block])
    return found


def variance(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> float:
    """Of the mean, from structural components of both classes, each with at least two rows."""
    return float(np.var(of_positives, ddof=1) / len(of_positives) + np.var(of_negatives, ddof=1) / len(of_negatives))


def leaning(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> float:
    """Skewness of the mean, from the same components; 0 where they do not vary."""
    away = [placed - placed.mean() for placed in (of_positives, of_negatives)]
    third = sum(float(np.mean(each**3)) / len(each) ** 2 for each in away)
    spread = variance(of_positives, of_negatives) ** 1.5
    return third / spread if spread > 0.0 else 0.0


def wilson_low(share: float, trials: int, alpha: float) -> float:
    """The score bound of a proportion (Wilson 1927); valid for AUC since Var <= A (1 - A) / min(n_pos, n_neg)."""
    z2 = upper_normal(alpha) ** 2
    half = sqrt(z2 * (share * (1.0 - share) / trials + z2 / (4.0 * trials**2)))
    return max((share + z2 / (2.0 * trials) - half) / (1.0 + z2 / trials), 0.0)


def logit_shift(value: float, step: float) -> float:
    """`value` moved by `step` standard errors' worth of its own scale on the logit scale; value in (0, 1)."""
    return 1.0 / (1.0 + exp(min(-(log(value / (1.0 - value)) + step / (value * (1.0 - value))), _FARTHEST)))


@dataclass(frozen=True, kw_only=True)
class Auc:
    """AUC `value` with DeLong's standard error `se`."""

    value: float
    se: float
    positives: int
    negatives: int
    groups: int | None = None
    reach: float = 1.0
    note: str = ""
    leaning: float = 0.0
    version: Literal[1, 2, 3] = 3

    @classmethod
    def of(cls, positive: NDArray[np.bool_], scores: NDArray[Any]) -> Auc:
        """positive, scores: shape (n,), with rows of both classes."""
        placed = placements(positive, scores)
        ours, theirs = placed[positive], placed[~positive]
        enough = min(len(ours), len(theirs)) >= 2
        return cls(
            value=float(ours.mean()),
            se=sqrt(variance(ours, theirs)) if enough else 0.0,
            positives=len(ours),
            negatives=len(theirs),
            leaning=leaning(ours, theirs) if enough else 0.0,
        )

    @property
    def rows(self) -> int:
        return self.positives + self.negatives

    @property
    def rarer(self) -> int:
        return min(self.positives, self.negatives)

    @property
    def small(self) -> bool:
        return self.rarer * min(self.value, 1.0 - self.value) < _ENOUGH

    @property
    def method(self) -> str:
        return f"{WILSON}/{min(self.version, 2)}" if self.small else f"{LOGIT}/{self.version}"

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        if self.small:
            bound = wilson_low(self.value, self.rarer, alpha)
        else:
            bound = logit_shift(self.value, -self._errors(alpha, -self.leaning) * self.se)
        return bound if self.value > 0.5 else min(bound, self._exact_low(self.value, alpha))

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        if self.small:
            bound = 1.0 - wilson_low(1.0 - self.value, self.rarer, alpha)
        else:
            bound = logit_shift(self.value, self._errors(alpha, self.leaning) * self.se)
        return bound if self.value < 0.5 else max(bound, 1.0 - self._exact_low(1.0 - self.value, alpha))

    def _errors(self, alpha: float, leaning: float) -> float:
        """Standard errors to the bound on the side that the estimate leans to by `leaning`."""
        z = upper_normal(alpha)
        return z + max(leaning, 0.0) * (2.0 * z * z + 1.0) / 6.0 if self.version >= 3 else z

    def _exact_low(self, share: float, alpha: float) -> float:
        """Of a proportion whose trials vary as much as the AUC does; version 1 asked none."""
        if self.version == 1:
            return share
        trials = self.rarer if self.small or self.se == 0.0 else share * (1.0 - share) / self.se**2
        return clopper_pearson.low(trials * share, trials, alpha)

    def error(self, at: float) -> float:
        return sqrt(max(at * (1.0 - at), 0.0) / self.rarer) if self.small else self.se

    def still(self, alpha: float) -> float:
        return unseen(self.rarer, alpha)
