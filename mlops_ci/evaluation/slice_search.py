"""Where a model is worse than elsewhere: groups of rows found by search, to be confirmed on rows not searched.

A column is cut into quantile bins (text: its commonest values), and a slice is a range of bins, a value, the missing
values, or two such conditions on two columns. Slices are ordered by how many standard errors their mean loss lies above
that of the other rows; one that holds much the same rows as a better one is left out.
"""

from __future__ import annotations

from itertools import combinations, starmap
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.evaluation import bins
from mlops_ci.evaluation.conditions import Condition, conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlops_ci.evaluation.bins import Coded
    from mlops_ci.records.tables import Column

BINS = 8
COLUMNS = 20
"""The columns that are paired: those with the worst slices of their own."""
ROWS = 100_000
FEWEST = 50
_SHARE = 0.01
"""The least share of the searched rows that a slice may hold."""
_MOST_SHARE = 0.5
_TRIED = 300
_ALIKE = 0.5
"""Shared rows over rows of either: above it two slices are the same finding."""


class Slice(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows that fulfil one or two conditions. rows: shape (n,) bool, over all rows, searched or not."""

    conditions: tuple[Condition, ...]
    rows: NDArray[np.bool_]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The best slices, worst first, and how many were looked at."""

    slices: tuple[Slice, ...]
    looked_at: int


class _Cut(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A column's bins and the conditions on it. members: shape (conditions, levels), 1 where a bin fulfils one."""

    coded: Coded
    conditions: tuple[Condition, ...]
    members: NDArray[np.float64]


def search(columns: Sequence[Column], loss: NDArray[np.float64], searched: NDArray[np.bool_], *, most: int) -> Found:
    """At most `most` slices of the `searched` rows in which the mean loss is higher than in the others.

    columns, loss, searched: over the same n rows. At most the first 100,000 searched rows are looked at.
    """
    rows = np.flatnonzero(searched)[:ROWS]
    losses = loss[rows]
    fewest = max(FEWEST, int(np.ceil(_SHARE * len(rows))))
    if len(rows) < 2 * fewest or losses.std() == 0:
        return Found(slices=(), looked_at=0)
    cuts = [_cut(column, searched) for column in columns]
    alone = [_scores(losses, rows, fewest, cut, None) for cut in cuts]
    order = sorted(range(len(cuts)), key=lambda at: (-alone[at].max(initial=-np.inf), at))
    pairs = list(combinations(sorted(order[:COLUMNS]), 2))
    scored: list[tuple[tuple[int, ...], NDArray[np.float64]]] = [((at,), scores) for at, scores in enumerate(alone)]
    scored += [((one, other), _scores(losses, rows, fewest, cuts[one], cuts[other])) for one, other in pairs]
    looked_at = sum(int(np.isfinite(scores).sum()) for _, scores in scored)
    return Found(slices=tuple(_distinct(_best(scored, cuts), rows, most)), looked_at=looked_at)


def _cut(column: Column, searched: NDArray[np.bool_]) -> _Cut:
    coded = bins.coded(column, learn=searched, most=BINS)
    found, members = conditions(column, coded, searched)
    return _Cut(coded=coded, conditions=found, members=members)


def _scores(
    losses: NDArray[np.float64], rows: NDArray[np.intp], fewest: int, one: _Cut, other: _Cut | None
) -> NDArray[np.float64]:
    """Standard errors above the other rows, -inf if too small, too large or not worse. Shape (a,) or (a, b)."""
    codes, levels = one.coded.codes[rows], one.coded.levels
    if other is not None:
        codes, levels = codes * other.coded.levels + other.coded.codes[rows], levels * other.coded.levels
    counts = np.bincount(codes, minlength=levels).astype(np.float64)
    sums = np.bincount(codes, weights=losses, minlength=levels)
    if other is None:
        inside, lost = one.members @ counts, one.members @ sums
    else:
        shape = (one.coded.levels, other.coded.levels)
        inside, lost = (one.members @ table.reshape(shape) @ other.members.T for table in (counts, sums))
    outside = len(losses) - inside
    usable = (inside >= fewest) & (inside <= _MOST_SHARE * len(losses))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = lost / inside - (losses.sum() - lost) / outside
        scores = apart / (losses.std() * np.sqrt(1.0 / inside + 1.0 / outside))
    # Rounded, so that the order of a sum cannot change which slice comes first.
    return np.where(usable & (apart > 0), np.round(scores, 6), -np.inf)


def _best(scored: Sequence[tuple[tuple[int, ...], NDArray[np.float64]]], cuts: Sequence[_Cut]) -> Iterator[Slice]:
    """The slices with the highest scores, of equal ones the simpler first."""
    kept: list[tuple[float, int, int]] = []
    for index, (_, scores) in enumerate(scored):
        flat = scores.ravel()
        worst = np.argsort(-flat, kind="stable")[:_TRIED]
        kept += [(-float(flat[at]), index, int(at)) for at in worst if np.isfinite(flat[at])]
    for _, index, at in sorted(kept)[:_TRIED]:
        places, scores = scored[index]
        chosen = [
            (cuts[place], int(row)) for place, row in zip(places, np.unravel_index(at, scores.shape), strict=True)
        ]
        rows = np.logical_and.reduce(list(starmap(_rows, chosen)))
        yield Slice(conditions=tuple(cut.conditions[row] for cut, row in chosen), rows=rows)


def _rows(cut: _Cut, condition: int) -> NDArray[np.bool_]:
    return np.asarray(cut.members[condition, cut.coded.codes] > 0)


def _distinct(slices: Iterator[Slice], rows: NDArray[np.intp], most: int) -> Iterator[Slice]:
    chosen: list[NDArray[np.bool_]] = []
    for one in slices:
        inside = one.rows[rows]
        if any((inside & other).sum() > _ALIKE * (inside | other).sum() for other in chosen):
            continue
        chosen.append(inside)
        yield one
        if len(chosen) == most:
            return
