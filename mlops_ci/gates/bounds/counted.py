"""What estimates from counts of rows have in common."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from mlops_ci.gates.bounds.estimate import unseen


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A share of `of` rows, counted by row."""

    of: int
    groups: int | None = None
    reach: float = 1.0
    note: str = ""

    @property
    def rows(self) -> int:
        return self.of

    def still(self, alpha: float) -> float:
        return unseen(self.of, alpha)


@dataclass(frozen=True, kw_only=True)
class Paired(Counted):
    """`wins` rows right only with the candidate and `losses` only with the champion, of `of` rows of both."""

    losses: int
    wins: int

    @property
    def value(self) -> float:
        return (self.wins - self.losses) / self.of

    def error(self, at: float) -> float:
        discordant = (self.losses + self.wins) / self.of
        return sqrt(max(discordant - at * at, 0.0) / self.of) if discordant else 0.0
