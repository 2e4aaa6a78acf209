"""Bounds where rows of one group (a day, a customer) belong together: the delete-one-group jackknife.

Standard error from leaving out one group at a time (statistics.md 9; Efron, Stein 1981), and Student's t with Cornish
and Fisher's term for the skew of the groups' influences, towards the side they lean to: t + c γ (2t² + 1) / 6√G. Groups
lean where most are good and some are bad; by t alone (version 1) the truth then lay below the low bound in .11 of the
samples of 20 groups at a nominal .05, and .045 at .01 (share .95, correlation .05). Version 4, by simulation:
* A share, F1 or one ROC AUC is bounded on the logit scale, c = 1: that scale bends by itself as an error near the end
  of [0, 1] does. Here .045 and .008. Version 2 took the farther of t and Hall's transform of it on the own scale (.068
  and .020, and a low bound 5 % wider at .01), and for AUC t alone on the logit scale (AUC .95: .063 and .015, now .047
  and .007).
* Differences, sums and means of losses stay on their own scale, c = 2: twenty groups with a few bad ones show about
  half of the skew there is. Hall's transform (version 2; of means 3) breaks off where they lean much: of losses whose
  days are log-normal (deviation .7) it reached 1.4 times as far at .01 and missed .028, this one .023.
* Degrees of freedom are those of the effective number of groups, (Σ size)² / Σ size² (Kish 1965; Carter, Schnepel,
  Steigerwald, Review of Economics and Statistics 99, 2017), less one: where three of twenty days hold half of the rows,
  t with G - 1 missed .020 at .01 (share .8), and this .010.
Two rules keep it honest where the jackknife sees nothing: the bound is never narrower than the one by row, and where
fewer than five groups differ at all, the share of such groups bounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cbrt, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.bounds.delong import logit_shift
from mlops_ci.gates.bounds.estimate import Estimate, unseen
from mlops_ci.gates.quantiles import upper_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "group-jackknife/4"
FIRST = "group-jackknife/1"
_LEANING_COUNTS = {"share": 1.0, "auc": 1.0, "own": 2.0}
_STRAIGHT = 1e-6
FEWEST = 20
_FEW_DIFFER = 5

Scale = Literal["own", "share", "auc"]
"""Of a difference, a sum or a mean its own; of a share, F1 or one ROC AUC the logit scale (a share from version 4)."""


def jackknife_error(left_out: NDArray[np.float64]) -> float:
    """The standard error from the values without each group. left_out: shape (G,)."""
    groups = len(left_out)
    away = left_out - left_out.mean()
    return sqrt((groups - 1) / groups * float(away @ away))


def leaning(left_out: NDArray[np.float64]) -> float:
    """Skewness of the groups' influence over √G; 0 where they do not differ. left_out: shape (G,)."""
    influence = left_out.mean() - left_out
    spread = float(np.mean(influence**2)) ** 1.5
    return float(np.mean(influence**3)) / spread / sqrt(len(left_out)) if spread > 0.0 else 0.0


def effective(sizes: NDArray[np.float64]) -> float:
    """As many groups of one size as weigh as much: (Σ size)² / Σ size². sizes: shape (G,), not all 0."""
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def sums(codes: NDArray[np.int64], groups: int, of: NDArray[Any]) -> NDArray[np.float64]:
    """Σ `of` for each group. codes: shape (n,) below `groups`; of: shape (n,)."""
    return np.bincount(codes, of, minlength=groups).astype(np.float64)


def ratio_left_out(numerators: NDArray[np.float64], denominators: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratio of sums without each group; NaN where one group holds the whole denominator. Arrays: shape (G,)."""
    rest = denominators.sum() - denominators
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(rest > 0, (numerators.sum() - numerators) / rest, np.nan)


def auc_left_out(
    codes: NDArray[np.int64], groups: int, positive: NDArray[np.bool_], placed: NDArray[np.float64], own: NDArray[Any]
) -> NDArray[np.float64]:
    """The AUC without each group, exactly, in one pass.

    placed: shape (n,), placements among all rows; own: shape (n,), rightly ordered rows of the other class within
    the row's own group. NaN where one group holds a whole class.
    """
    right = sums(codes, groups, np.where(positive, placed * np.sum(~positive), 0.0))
    right_of_negatives = sums(codes, groups, np.where(positive, 0.0, placed * np.sum(positive)))
    within = sums(codes, groups, np.where(positive, own, 0.0))
    of_positive, of_negative = sums(codes, groups, positive), sums(codes, groups, ~positive)
    pairs = (of_positive.sum() - of_positive) * (of_negative.sum() - of_negative)
    kept = right.sum() - right - right_of_negatives + within
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, kept / pairs, np.nan)


def ordered_within(codes: NDArray[np.int64], positive: NDArray[np.bool_], scores: NDArray[Any]) -> NDArray[np.float64]:
    """For each row the rows of the other class in its own group that it is ordered rightly against, ties half."""
    order = np.lexsort((scores, codes))
    group, ascending, actual = codes[order], scores[order], positive[order]
    new_group = np.ones(len(order), dtype=bool)
    new_group[1:] = group[1:] != group[:-1]
    new_block = new_group.copy()
    new_block[1:] |= ascending[1:] != ascending[:-1]
    starts, opens = np.flatnonzero(new_block), np.flatnonzero(new_group)
    ends, closes = np.append(starts[1:], len(order)), np.append(opens[1:], len(order))
    block, home = np.cumsum(new_block) - 1, np.cumsum(new_group) - 1
    positives = np.concatenate([[0], np.cumsum(actual)])
    negatives = np.arange(len(order) + 1) - positives
    below = (negatives[starts] + negatives[ends])[block] / 2.0 - negatives[opens][home]
    above = positives[closes][home] - (positives[starts] + positives[ends])[block] / 2.0
    found = np.empty(len(order))
    found[order] = np.where(actual, below, above)
    return found


@dataclass(frozen=True, kw_only=True)
class ByGroup:
    """`by_row` widened by the jackknife over `groups` groups with standard error `se`.

    differing: groups that hold a row pulling the value down, and up (a wrong answer and a right one; for
    differences any changed row). extremes: what the value would be without the first and without the second.
    """

    by_row: Estimate
    groups: int
    se: float
    differing: tuple[int, int]
    extremes: tuple[float, float]
    scale: Scale = "own"
    by_day: bool = False
    leaning: float = 0.0
    effective: float | None = None
    """Effective number of groups; None: all are of one size."""
    version: Literal[1, 2, 3, 4] = 4
    """3 is 2 over a mean by hall/2, where 2 had one by hall/1."""

    @property
    def method(self) -> str:
        return f"group-jackknife/{self.version}"

    @property
    def value(self) -> float:
        return self.by_row.value

    @property
    def rows(self) -> int:
        return self.by_row.rows

    @property
    def reach(self) -> float:
        return self.by_row.reach

    @property
    def design_effect(self) -> float | None:
        """How many times the variance by row the variance by group is; None where the rows do not vary."""
        by_row = self.by_row.error(self.value)
        return (self.se / by_row) ** 2 if by_row > 0 else None

    @property
    def note(self) -> str:
        effect = self.design_effect
        told = f"counted by {self.groups:,} {'days' if self.by_day else 'groups of rows that belong together'}"
        return told if effect is None else f"{told} (design effect {effect:.1f})"

    def low(self, alpha: float, *, passing: bool) -> float | None:
        by_row = self.by_row.low(alpha, passing=passing)
        if by_row is None:
            return None
        bound = min(by_row, self._shifted(-self._errors(alpha, self.leaning)))
        if self.differing[0] < _FEW_DIFFER:
            bound = min(bound, self.extremes[0] - self._share(self.differing[0], alpha))
        return bound

    def high(self, alpha: float, *, passing: bool) -> float | None:
        by_row = self.by_row.high(alpha, passing=passing)
        if by_row is None:
            return None
        bound = max(by_row, self._shifted(self._errors(alpha, -self.leaning)))
        if self.differing[1] < _FEW_DIFFER:
            bound = max(bound, self.extremes[1] + self._share(self.differing[1], alpha))
        return bound

    def error(self, at: float) -> float:
        return max(self.se, self.by_row.error(at))

    def still(self, alpha: float) -> float:
        return (
            self.reach * unseen(self.groups, alpha) if min(self.differing) < _FEW_DIFFER else self.by_row.still(alpha)
        )

    def _errors(self, alpha: float, leaning: float) -> float:
        """Standard errors down to the low bound; with the opposite leaning, up to the high one."""
        if self.version < 4:
            return self._errors_before(alpha, leaning)
        t = upper_t(alpha, max((self.effective or self.groups) - 1.0, 1.0))
        return t + _LEANING_COUNTS[self.scale] * max(-leaning, 0.0) * (2.0 * t * t + 1.0) / 6.0

    def _errors_before(self, alpha: float, leaning: float) -> float:
        t = upper_t(alpha, self.groups - 1)
        if self.version == 1 or self.scale == "auc" or abs(leaning) < _STRAIGHT:
            return t
        return max(t, 3.0 / leaning * (cbrt(1.0 + leaning * (t - leaning / 6.0)) - 1.0))

    def _shifted(self, errors: float) -> float:
        logit = self.scale == "auc" or (self.scale == "share" and self.version == 4)
        if logit and 0.0 < self.value < 1.0:
            return logit_shift(self.value, errors * self.se)
        return self.value + errors * self.se

    def _share(self, seen: int, alpha: float) -> float:
        return self.reach * clopper_pearson.high(seen, self.groups, alpha)
