"""A bound for paired accuracy that holds at any level in finite samples: a bet against each smaller difference.

Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), with a fixed
mixture of bets; statistics.md 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log

import numpy as np

from mlops_ci.gates.bounds.counted import Paired

NAME = "betting/1"
_BETS = np.arange(1, 400) / 400.0
_STEPS = 100


def low(losses: int, wins: int, rows: int, alpha: float) -> float:
    """The largest difference below the observed one against which the bet has grown to 1 / alpha, or -1."""
    below, above = -1.0, (wins - losses) / rows
    for _ in range(_STEPS):
        middle = (below + above) / 2.0
        if middle in (below, above):
            break
        if _log_wealth(middle, losses, wins, rows) >= -log(alpha):
            below = middle
        else:
            above = middle
    return below


def high(losses: int, wins: int, rows: int, alpha: float) -> float:
    return -low(wins, losses, rows, alpha)


def _log_wealth(against: float, losses: int, wins: int, rows: int) -> float:
    """Log of the mean over bets λ of Π (1 + λ (x - against)), x in {1, -1, 0}."""
    bets = _BETS / (1.0 + against)
    ties = rows - losses - wins
    grown = wins * np.log1p(bets * (1.0 - against)) + losses * np.log1p(-bets * (1.0 + against))
    grown = grown + (ties * np.log1p(-bets * against) if ties else 0.0)
    best = float(grown.max())
    return best + log(float(np.mean(np.exp(grown - best)))) if best > -inf else -inf


@dataclass(frozen=True, kw_only=True)
class BetOnProportion(Paired):
    """As tango.PairedProportion, for levels where the normal approximation fails."""

    method: str = NAME

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return low(self.losses, self.wins, self.of, alpha)

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return high(self.losses, self.wins, self.of, alpha)
