"""Score bounds for the difference of two proportions of the same rows (Tango, Statistics in Medicine 17, 1998).

Where one model alone is ever right, the difference is a rare proportion, and there a score bound is too near (Brown,
Cai, DasGupta, Statistical Science 16, 2001). Counted exactly, version 1 passed up to 2.0 times its level above 0 (100
rows, 95 %: 6 wins and no loss pass > 0.0313, which a true 0.0313 does with .094), and 1.9 times at 90 % below it.
Version 2 also asks the exact bound of that proportion: at most 1.35 times the level at 95 %, 1.45 at 99 % and 90 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, sqrt
from typing import Literal

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.bounds.counted import Paired
from mlops_ci.gates.quantiles import upper_normal

NAME = "tango/2"
FIRST = "tango/1"
_STEPS = 200
_ENOUGH = 0.05
"""Up to this level nothing discordant passes at most e^(-z²) of the time, 1.35 times the level; above it, more."""


def low(losses: int, wins: int, rows: int, alpha: float) -> float:
    """The smallest difference (wins - losses) / rows that the score test at level alpha does not reject."""
    z = upper_normal(alpha)
    below, above = -1.0, (wins - losses) / rows
    for _ in range(_STEPS):
        middle = (below + above) / 2.0
        if middle in (below, above):
            break
        if _score(middle, losses, wins, rows) >= z:
            below = middle
        else:
            above = middle
    return above


def high(losses: int, wins: int, rows: int, alpha: float) -> float:
    return -low(wins, losses, rows, alpha)


def _score(difference: float, losses: int, wins: int, rows: int) -> float:
    """(observed - expected) / its standard error where `difference` is true, nuisance at its maximum likelihood."""
    b = -wins - losses + (2 * rows - wins + losses) * difference
    c = -losses * difference * (1.0 - difference)
    nuisance = (sqrt(max(b * b - 8 * rows * c, 0.0)) - b) / (4 * rows)
    variance = rows * (2.0 * nuisance + difference * (1.0 - difference))
    away = wins - losses - rows * difference
    return away / sqrt(variance) if variance > 0.0 else float("inf")


@dataclass(frozen=True, kw_only=True)
class PairedProportion(Paired):
    """The difference of two proportions, by the score test."""

    version: Literal[1, 2] = 2

    @property
    def method(self) -> str:
        return {1: FIRST, 2: NAME}[self.version]

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        return self._low(self.losses, self.wins, alpha)

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return -self._low(self.wins, self.losses, alpha)

    def _low(self, losses: int, wins: int, alpha: float) -> float:
        bound = low(losses, wins, self.of, alpha)
        if self.version == 1:
            return bound
        if bound > 0.0:
            return min(bound, clopper_pearson.low(wins, self.of, alpha))
        if wins == 0 and alpha > _ENOUGH:
            return min(bound, -clopper_pearson.high(losses, self.of, alpha))
        return bound

    def still(self, alpha: float) -> float:
        # The bound is z²/(n + z²); this is a hair wider and scales with the rows like the exact methods do.
        return -expm1(-(upper_normal(alpha) ** 2) / self.of)
