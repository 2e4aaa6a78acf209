"""Drift of one distribution: the population stability index with a noise floor.

PSI = sum (c_i - r_i) ln(c_i / r_i) over bins, shares smoothed by half a row a bin. Between two samples of one
distribution it follows chi2_{B-1} (1/n + 1/m) (Yurdakul 2018, https://scholarworks.wmich.edu/dissertations/3208),
if the rows are independent. Rows of one day or customer are not: then whole groups are permuted instead.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.records.data import ColumnProfile

LEVEL = 0.99
BINS = 10
PERMUTATIONS = 200
MIN_EXPECTED = 5.0


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How far a column moved, and how far it would move by chance."""

    psi: float
    floor: float
    """The PSI that equal data stays below in `level` of cases."""
    excess: float
    """The PSI beyond what chance gives on average, at least 0."""
    p: float
    """The chance of at least this PSI between equal data."""
    bins: int
    rows: tuple[int, int]
    """Of the reference and now."""
    method: str
    """chi2/1 | permuted-groups/1"""
    groups: int | None = None

    @property
    def above_noise(self) -> bool:
        return self.psi > self.floor


def psi(reference: NDArray[np.generic], current: NDArray[np.generic]) -> float:
    """PSI of two histograms over the same bins, shapes (B,), each count smoothed by a half."""
    r, c = np.asarray(reference, dtype=np.float64) + 0.5, np.asarray(current, dtype=np.float64) + 0.5
    r, c = r / r.sum(), c / c.sum()
    return float(((c - r) * np.log(c / r)).sum())


def drift(
    reference: NDArray[np.generic], current: NDArray[np.generic], *, ordered: bool = True, level: float = LEVEL
) -> Drift | None:
    """Drift between two histograms over the same bins, shapes (B,), rows independent.

    Bins whose pooled expected count is below 5 in the smaller sample are pooled: with their neighbours where the bins
    are `ordered`, else together. None where fewer than two bins are left: nothing can be said.
    """
    places = pooled_places(reference, current, ordered=ordered)
    bins = int(places.max()) + 1 if len(places) else 0
    if bins < 2:
        return None
    r = np.bincount(places, weights=np.asarray(reference, dtype=float))
    c = np.bincount(places, weights=np.asarray(current, dtype=float))
    n, m = int(r.sum()), int(c.sum())
    unit = 1 / n + 1 / m
    value = psi(r, c)
    return Drift(
        psi=_rounded(value),
        floor=_rounded(chi2_quantile(level, bins - 1) * unit),
        excess=_rounded(max(0.0, value - (bins - 1) * unit)),
        p=_rounded(chi2_sf(value / unit, bins - 1)),
        bins=bins,
        rows=(n, m),
        method="chi2/1",
    )


def grouped_drift(
    reference: NDArray[np.generic],
    current: NDArray[np.generic],
    *,
    seed: int,
    ordered: bool = True,
    level: float = LEVEL,
    permutations: int = PERMUTATIONS,
) -> Drift | None:
    """Drift between two sets of groups, one histogram a group: shapes (G, B) and (H, B).

    The floor is the `level` quantile of the PSI when whole groups are dealt anew to the two sides.
    None where fewer than two bins are left, or where there are too few groups for the floor to exist.
    """
    both = np.concatenate([reference, current]).astype(np.float64)
    sides = len(reference)
    if math.comb(len(both), sides) < 1 / (1 - level):
        return None
    places = pooled_places(both[:sides].sum(axis=0), both[sides:].sum(axis=0), ordered=ordered)
    bins = int(places.max()) + 1 if len(places) else 0
    if bins < 2:
        return None
    pooled = np.stack([both[:, places == place].sum(axis=1) for place in range(bins)], axis=1)
    value = psi(pooled[:sides].sum(axis=0), pooled[sides:].sum(axis=0))
    chance = _permuted(pooled, sides, seed, permutations)
    return Drift(
        psi=_rounded(value),
        floor=_rounded(float(np.quantile(chance, level, method="higher"))),
        excess=_rounded(max(0.0, value - float(chance.mean()))),
        p=_rounded((1 + int((chance >= value).sum())) / (1 + permutations)),
        bins=bins,
        rows=(int(pooled[:sides].sum()), int(pooled[sides:].sum())),
        method="permuted-groups/1",
        groups=len(both),
    )


def column_drift(before: ColumnProfile, after: ColumnProfile) -> Drift | None:
    """Drift of a column between two profiles; missing values are a level of their own.

    Numbers need the same bin edges in both (the later profile takes those of the earlier one), text its most common
    values; the others are one level. None where the two cannot be compared, and for times, which move on by nature.
    """
    if {before.kind, after.kind} & {Kind.DATE, Kind.TIMESTAMP}:
        return None
    if Kind.TEXT in (before.kind, after.kind) or before.bins is None or after.bins is None:
        return _levels_drift(before, after)
    if before.bins.edges != after.bins.edges:
        return None
    counts = [np.array([*side.bins.counts, side.missing]) for side in (before, after) if side.bins is not None]
    return drift(*counts)


def _levels_drift(before: ColumnProfile, after: ColumnProfile) -> Drift | None:
    if before.kind is not after.kind or not before.common or not after.common:
        return None
    then, now = dict(before.common), dict(after.common)
    # A value outside the other side's list is counted only where that list is complete.
    names = [name for name in then if name in now or after.distinct <= len(now)]
    names += [name for name in now if name not in then and before.distinct <= len(then)]
    sides = []
    for side, counts in ((before, then), (after, now)):
        listed = [counts.get(name, 0) for name in names]
        sides.append(np.array([*listed, side.rows - side.missing - sum(listed), side.missing]))
    return drift(*sides, ordered=False)


def pooled_places(reference: NDArray[np.generic], current: NDArray[np.generic], *, ordered: bool) -> NDArray[np.int64]:
    """Shape (B,): the bin each one is pooled into, so that the smaller sample expects at least 5 rows in each."""
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    n, m = r.sum(), c.sum()
    if n == 0 or m == 0:
        return np.zeros(len(r), dtype=np.int64)
    expected = (r + c) * (min(n, m) / (n + m))
    return _pool_neighbours(expected) if ordered else _pool_rare(expected)


def _pool_neighbours(expected: NDArray[np.float64]) -> NDArray[np.int64]:
    places = np.zeros(len(expected), dtype=np.int64)
    place, held = 0, 0.0
    for at, weight in enumerate(expected):
        if held >= MIN_EXPECTED and expected[at:].sum() >= MIN_EXPECTED:
            place, held = place + 1, 0.0
        places[at] = place
        held += weight
    return places


def _pool_rare(expected: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rare levels become one; where that is rare itself, the smallest of the others joins it."""
    order = np.argsort(expected, kind="stable")
    rare = int((expected < MIN_EXPECTED).sum())
    if rare and expected[order[:rare]].sum() < MIN_EXPECTED and rare < len(expected):
        rare += 1
    places = np.zeros(len(expected), dtype=np.int64)
    kept = np.sort(order[rare:])
    places[kept] = np.arange(len(kept)) + (1 if rare else 0)
    return places


def _permuted(histograms: NDArray[np.float64], sides: int, seed: int, permutations: int) -> NDArray[np.float64]:
    generator = np.random.Generator(np.random.PCG64(seed))
    total = histograms.sum(axis=0)
    chance = np.empty(permutations)
    for at in range(permutations):
        part = histograms[generator.permutation(len(histograms))[:sides]].sum(axis=0)
        chance[at] = psi(part, total - part)
    return chance


def chi2_sf(x: float, df: int) -> float:
    """P(chi2_df >= x): the regularised incomplete gamma Q(df/2, x/2), DLMF 8.2.4 (https://dlmf.nist.gov/8.2)."""
    a, z = df / 2, x / 2
    if z <= 0:
        return 1.0
    scale = math.exp(a * math.log(z) - z - math.lgamma(a))
    return 1 - scale * _series(a, z) if z < a + 1 else scale * _fraction(a, z)


@cache
def chi2_quantile(level: float, df: int) -> float:
    """The x with P(chi2_df <= x) = level, by bisection to twelve digits."""
    low, high = 0.0, float(df) + 1
    while chi2_sf(high, df) > 1 - level:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if chi2_sf(middle, df) > 1 - level else (low, middle)
    return (low + high) / 2


def _series(a: float, z: float) -> float:
    """Sum z^k / (a (a+1) ... (a+k)), DLMF 8.11.4."""
    term = total = 1 / a
    step = a
    while term > total * 1e-16:
        step += 1
        term *= z / step
        total += term
    return total


def _fraction(a: float, z: float) -> float:
    """The continued fraction of DLMF 8.9.2, by Lentz's algorithm (all its terms are positive for z > a - 1)."""
    tiny = 1e-300
    b = z + 1 - a
    c, d = 1 / tiny, 1 / b
    value = d
    for k in range(1, 10_000):
        factor = -k * (k - a)
        b += 2
        d = 1 / ((factor * d + b) or tiny)
        c = (b + factor / c) or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Holm's adjusted p values (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = highest
    return tuple(adjusted)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
