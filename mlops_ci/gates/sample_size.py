"""How many rows a tolerance takes, whatever the data: the sample-size estimator of ease.ml/ci.

Renggli et al., "Continuous integration of machine learning models with ease.ml/ci", SysML 2019. Rows are independent;
`delta` is 1 - reliability; `histories` is K of histories.py, over which delta is shared (1: one decision). Results are
the formulas' own, not yet rounded up.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, exp, log, log1p, sqrt
from typing import TYPE_CHECKING

from mlops_ci.gates.quantiles import beta_cdf

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = 200
_SMALLEST = 1e-15


def hoeffding(tolerance: float, delta: float, factors: Sequence[float] = (1.0,), *, histories: int = 1) -> float:
    """Rows for Σ factor · variable, each variable a share of rows in [0, 1], to be within `tolerance` on one side.

    (Σ|c|)² ln(V K / delta) / (2 ε²): the tolerance is divided over the variables as their factors are, which is best,
    and delta evenly. One-sided: that it is too high, or that it is too low.
    """
    spread = sum(abs(factor) for factor in factors)
    return spread**2 * _log_odds(len(factors), histories, delta) / (2.0 * tolerance**2)


def hoeffding_tolerance(
    rows: Sequence[int], delta: float, factors: Sequence[float] = (1.0,), *, histories: int = 1
) -> float:
    """The tolerance that rows reach: `rows` of each variable, in the order of the factors."""
    reach = _log_odds(len(factors), histories, delta)
    return sum(abs(factor) * sqrt(reach / (2.0 * of)) for factor, of in zip(factors, rows, strict=True))


def bennett(tolerance: float, delta: float, most: float, *, histories: int = 1, shares: int = 2) -> float:
    """Rows for the difference of two accuracies, where at most the share `most` of all predictions differ.

    (ln K - ln(delta / (2 · shares))) / (p h(ε/p)), h(u) = (1 + u) ln(1 + u) - u. Two-sided; shares: 2 where half of
    delta is spent on showing that the share is that small (the paper's hierarchical test), 1 where that is known.
    """
    return _log_odds(2 * shares, histories, delta) / (most * _h(tolerance / most))


def bennett_tolerance(rows: int, delta: float, most: float, *, histories: int = 1, shares: int = 2) -> float:
    """The tolerance that rows reach, found by halving; infinite above 1, where it says nothing."""
    below, above = 0.0, 1.0
    if bennett(above, delta, most, histories=histories, shares=shares) > rows:
        return float("inf")
    for _ in range(_STEPS):
        middle = (below + above) / 2.0
        if middle in (below, above) or above - below < _SMALLEST:
            break
        if bennett(middle, delta, most, histories=histories, shares=shares) > rows:
            below = middle
        else:
            above = middle
    return above


@lru_cache(maxsize=64)
def exact(tolerance: float, delta: float, *, histories: int = 1, least: float = 0.0) -> int:
    """Rows for one variable by the binomial distribution itself (Langford 2005), a fifth fewer than Hoeffding's.

    The smallest number at which, whatever the true share from `least` on, more than `tolerance` above it is seen with
    probability delta / K at most; by symmetry also below it (where `least` is 0).
    """
    level = exp(log(delta) - log(histories))
    low, high = 0, ceil(hoeffding(tolerance, delta, histories=histories))
    while high - low > 1:
        middle = (low + high) // 2
        if _worst_tail(middle, tolerance, least) <= level:
            high = middle
        else:
            low = middle
    return high


def _worst_tail(rows: int, tolerance: float, least: float) -> float:
    """The largest P(X >= k) over the shares k / rows - tolerance; it rises and falls once in k."""
    first, last = ceil(rows * (least + tolerance)), rows
    if first > last:
        return 0.0
    while last - first > 2:
        one, other = first + (last - first) // 3, last - (last - first) // 3
        if _tail(one, rows, tolerance) < _tail(other, rows, tolerance):
            first = one
        else:
            last = other
    return max(_tail(count, rows, tolerance) for count in range(first, last + 1))


def _tail(count: int, rows: int, tolerance: float) -> float:
    return beta_cdf(max(count / rows - tolerance, 0.0), count, rows - count + 1)


def _log_odds(events: int, histories: int, delta: float) -> float:
    """ln(events · K / delta); K may be too large for a float."""
    return log(events) + log(histories) - log(delta)


def _h(u: float) -> float:
    return (1.0 + u) * log1p(u) - u
