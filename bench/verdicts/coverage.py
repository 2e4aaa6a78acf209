"""How often the truth lies beyond a bound, below and above apart.

`limit` says how often it may at a level, where the research states more than the level itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from zlib import crc32

import numpy as np

from mlops_ci.gates.bounds.estimate import Estimate

Generator = np.random.Generator
LEVELS = (0.10, 0.05, 0.01)
_SURE = 3.3


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A made truth, how it is estimated, and how many times its level a bound may miss it (by side)."""

    name: str
    value: float
    draw: Callable[[Generator], Estimate]
    runs: int = 2_000
    times: tuple[float, float] = (1.0, 1.0)
    blind: tuple[float, float] = (0.0, 0.0)
    """The share of samples that show nothing of it, which is stated beside the level (by side)."""
    passing: bool = False
    """Asked are the bounds that let a gate pass; else those it fails by, which are as near or nearer."""

    def limit(self, side: int, alpha: float, runs: int) -> float:
        stated = self.times[side] * alpha + self.blind[side]
        return stated + _SURE * sqrt(stated * (1.0 - stated) / runs)


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Shares of samples whose low (0) or high (1) bound lay beyond the truth, and of those without a bound."""

    truth: Truth
    runs: int
    shares: dict[tuple[int, float], float]
    without: float

    def too_often(self) -> list[str]:
        return [
            f"{('low', 'high')[side]} @ {1 - alpha:.0%}: {share:.4f} > {self.truth.limit(side, alpha, self.runs):.4f}"
            for (side, alpha), share in self.shares.items()
            if share > self.truth.limit(side, alpha, self.runs)
        ]


def missed(truth: Truth, *, runs: int | None = None, levels: tuple[float, ...] = LEVELS, again: int = 0) -> Missed:
    """Equal samples are bounded once. A bound that is not there misses nothing. again: other samples."""
    number = runs or truth.runs
    generator = np.random.default_rng([crc32(truth.name.encode()), again] if again else crc32(truth.name.encode()))
    known: dict[Estimate, list[tuple[bool, bool]]] = {}
    counts, without = np.zeros((len(levels), 2)), 0
    for _ in range(number):
        estimate = truth.draw(generator)
        if estimate not in known:
            known[estimate] = [_beyond(truth, estimate, alpha) for alpha in levels]
        counts += np.array(known[estimate])
        without += estimate.low(0.05, passing=True) is None
    shares = {(side, alpha): float(counts[at, side] / number) for at, alpha in enumerate(levels) for side in (0, 1)}
    return Missed(truth=truth, runs=number, shares=shares, without=without / number)


def _beyond(truth: Truth, estimate: Estimate, alpha: float) -> tuple[bool, bool]:
    low, high = (bound(alpha, passing=truth.passing) for bound in (estimate.low, estimate.high))
    return low is not None and low > truth.value, high is not None and high < truth.value
