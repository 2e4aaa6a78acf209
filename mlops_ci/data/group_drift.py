"""Drift where rows belong together: the noise floor comes from dealing whole groups anew (statistics.md 16).

Rows of one day share their weather, so a floor by row calls every new month a drift. Where the earlier groups are all
among the later ones, as in data that grows, chance is a random choice of as many groups; else both sides are dealt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.drift import LEVEL, PERMUTATIONS, Drift, grouped_drift, pooled_places, psi
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.records.data import Profile

_MOST_LEVELS = 200
FEWEST_GROUPS = 10
_SEED = 16


def drifts_by_group(
    before: Table,
    after: Table,
    groups_before: NDArray[np.uint64],
    groups_after: NDArray[np.uint64],
    reference: Profile,
) -> tuple[tuple[str, Drift], ...]:
    """The drift of every column both tables have. groups: shape (rows,), equal for rows that belong together."""
    keys = np.unique(np.concatenate([groups_before, groups_after]))
    then, now = np.searchsorted(keys, groups_before), np.searchsorted(keys, groups_after)
    edges = {column.name: column.bins.edges for column in reference.columns if column.bins}
    found = []
    for column in after.columns:
        if column.name not in before.names:
            continue
        earlier = before.column(column.name)
        if earlier.kind is not column.kind or column.kind in (Kind.DATE, Kind.TIMESTAMP):
            continue
        placed = _places(earlier, column, edges.get(column.name))
        if placed is None:
            continue
        bins, old, new = placed
        sides = (_histograms(then, old, len(keys), bins), _histograms(now, new, len(keys), bins))
        drift = _drift(*sides, ordered=column.kind is not Kind.TEXT)
        if drift is not None:
            found.append((column.name, drift))
    return tuple(found)


def _places(
    before: Column, after: Column, edges: tuple[float, ...] | None
) -> tuple[int, NDArray[np.intp], NDArray[np.intp]] | None:
    """The number of bins and each row's bin on both sides; what is missing has the last one."""
    if before.kind is Kind.TEXT:
        names = sorted({*before.categories, *after.categories})
        if len(names) > _MOST_LEVELS:
            return None
        place = {name: at for at, name in enumerate(names)}
        sides = [
            np.array([*(place[name] for name in side.categories), len(names)])[side.values.astype(np.intp)]
            for side in (before, after)
        ]
        return len(names) + 1, sides[0], sides[1]
    if edges is None:
        return None
    sides = []
    for side in (before, after):
        at = np.searchsorted(np.array(edges), side.values.astype(np.float64), side="left")
        sides.append(np.where(missing(side), len(edges) + 1, at))
    return len(edges) + 2, sides[0], sides[1]


def _histograms(groups: NDArray[np.intp], places: NDArray[np.intp], number: int, bins: int) -> NDArray[np.float64]:
    counts = np.bincount(groups * bins + places, minlength=number * bins)
    return counts.reshape(number, bins).astype(np.float64)


def _drift(before: NDArray[np.float64], after: NDArray[np.float64], *, ordered: bool) -> Drift | None:
    was, now = before.sum(axis=1) > 0, after.sum(axis=1) > 0
    if min(int(was.sum()), int(now.sum())) < FEWEST_GROUPS:
        return None
    if not (was & ~now).any() and (before[was] == after[was]).all():
        return _grown(after[now], was[now], ordered=ordered)
    return grouped_drift(before[was], after[now], seed=_SEED, ordered=ordered)


def _grown(groups: NDArray[np.float64], was: NDArray[np.bool_], *, ordered: bool) -> Drift | None:
    places = pooled_places(groups[was].sum(axis=0), groups.sum(axis=0), ordered=ordered)
    bins = int(places.max()) + 1 if len(places) else 0
    if bins < 2:
        return None
    pooled = np.stack([groups[:, places == place].sum(axis=1) for place in range(bins)], axis=1)
    total, kept = pooled.sum(axis=0), int(was.sum())
    value = psi(pooled[was].sum(axis=0), total)
    generator = np.random.Generator(np.random.PCG64(_SEED))
    chance = np.array(
        [psi(pooled[generator.permutation(len(pooled))[:kept]].sum(axis=0), total) for _ in range(PERMUTATIONS)]
    )
    return Drift(
        psi=_rounded(value),
        floor=_rounded(float(np.quantile(chance, LEVEL, method="higher"))),
        excess=_rounded(max(0.0, value - float(chance.mean()))),
        p=_rounded((1 + int((chance >= value).sum())) / (1 + PERMUTATIONS)),
        bins=bins,
        rows=(int(pooled[was].sum()), int(total.sum())),
        method="permuted-groups/1",
        groups=len(pooled),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
