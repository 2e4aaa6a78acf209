"""Score bounds for the difference of two proportions of the same rows (Tango, Statistics in Medicine 17, 1998)."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, sqrt

from mlops_ci.gates.quantiles import upper_normal

NAME = "tango/1"
_STEPS = 200


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
class PairedProportion:
    """`wins` rows right only with the candidate and `losses` only with the champion, of `of` rows of both."""

    losses: int
    wins: int
    of: int
    method: str = NAME
    groups: int | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return (self.wins - self.losses) / self.of

    @property
    def rows(self) -> int:
        return self.of

    def low(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002 - the same bound on both sides
        return low(self.losses, self.wins, self.of, alpha)

    def high(self, alpha: float, *, passing: bool) -> float:  # noqa: ARG002
        return high(self.losses, self.wins, self.of, alpha)

    def error(self, at: float) -> float:
        discordant = (self.losses + self.wins) / self.of
        return sqrt(max(discordant - at * at, 0.0) / self.of) if discordant else 0.0

    def still(self, alpha: float) -> float:
        # The bound is z²/(n + z²); this is a hair wider and scales with the rows like the exact methods do.
        return -expm1(-(upper_normal(alpha) ** 2) / self.of)
