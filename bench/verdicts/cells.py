"""A cell of the benchmark: a truth, the gates it is judged by, and how often each answer may come."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from bench.verdicts.worlds import World
from mlops_ci.records.outcomes import Status

WRONG_PASS, WRONG_REFUSAL, RIGHT = "wrong pass", "wrong refusal", "right"
_SURE = 3.3
"""Standard errors: a true rate at a limit goes beyond it one time in two thousand."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How often one answer comes, what that means, and the limits of the rate with as many runs as the cell has."""

    answer: Status
    meaning: str
    limits: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Worlds judged by gates that must all pass; of several worlds, one a candidate, any may pass."""

    name: str
    worlds: tuple[World, ...]
    gates: tuple[str, ...]
    counted: tuple[Counted, ...]
    runs: int = 2_000

    def limits(self, counted: Counted, runs: int) -> tuple[float, float]:
        """The limits with fewer runs: wider by what chance adds."""
        low, high = counted.limits
        more = max(1.0 / sqrt(runs) - 1.0 / sqrt(self.runs), 0.0)
        return max(low - _SURE * _spread(low) * more, 0.0), min(high + _SURE * _spread(high) * more, 1.0)


def near(expected: float, within: float = 0.04) -> tuple[float, float]:
    return max(expected - within, 0.0), min(expected + within, 1.0)


def at_most(limit: float, runs: int) -> tuple[float, float]:
    """For a rate that must not be above `limit`."""
    return 0.0, limit + _SURE * _spread(limit) / sqrt(runs)


def _spread(rate: float) -> float:
    return sqrt(rate * (1.0 - rate))
