"""From a bound by row to one by groups of rows that belong together, or to none where no bound is valid."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.gates.bounds import groups
from mlops_ci.gates.bounds.estimate import Estimate, Unbounded
from mlops_ci.gates.bounds.groups import ByGroup, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINITE_ONLY = 1e-3
"""Below this level only methods that are exact in finite samples are used (statistics.md 10)."""
_MOST_DESIGN_EFFECT = 1.5
"""Above this no claim is made by row (statistics.md 7)."""


def by_group(
    by_row: Estimate,
    alpha: float,
    *,
    left_out: NDArray[np.float64],
    sizes: NDArray[np.float64],
    differing: tuple[int, int],
    extremes: tuple[float, float],
    scale: Scale = "own",
    by_day: bool = False,
) -> Estimate:
    """`by_row` widened by the jackknife; see ByGroup.

    left_out, sizes: shape (G,), the value without each group, and how many rows of it count.
    """
    number, se = len(left_out), groups.jackknife_error(left_out)
    found = ByGroup(
        by_row=by_row,
        groups=number,
        se=se,
        differing=differing,
        extremes=extremes,
        scale=scale,
        by_day=by_day,
        leaning=groups.leaning(left_out) if isfinite(se) else 0.0,
        effective=groups.effective(sizes),
    )
    if number < groups.FEWEST:
        return _few_days(found) if by_day else _few_groups(found)
    if alpha < FINITE_ONLY:
        return no_bound(by_row, groups_seen=number)
    if not isfinite(se):
        return no_bound(by_row, "one group holds all the rows that count", number)
    return found


def _few_groups(found: ByGroup) -> Unbounded:
    needed = f"{found.groups} groups of rows that belong together: at least {groups.FEWEST} are needed"
    return no_bound(found.by_row, needed, found.groups)


def _few_days(found: ByGroup) -> Estimate:
    """Nobody said that rows of one day belong together: by row, unless they are seen to (statistics.md 7)."""
    effect = found.design_effect
    if effect is not None and effect <= _MOST_DESIGN_EFFECT:
        return found.by_row
    known = effect is not None and isfinite(effect)
    seen = f"rows of one day are alike (design effect {effect:.1f})" if known else "rows of one day may be alike"
    needed = f"{seen}, and {groups.FEWEST} days are needed to count by day: there are {found.groups}"
    return no_bound(found.by_row, needed, found.groups)


def compact(group: NDArray[np.int64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Codes 0, 1, … of the groups that have a row inside, shape (rows inside,), and their number."""
    values, codes = np.unique(group[inside], return_inverse=True)
    return codes.astype(np.int64), len(values)


def no_bound(by_row: Estimate, note: str = "", groups_seen: int | None = None) -> Unbounded:
    """The value without a bound, and why."""
    told = note or "no valid bound is known at so high a confidence: 99.9 % is the most for this metric"
    return Unbounded(value=by_row.value, rows=by_row.rows, note=told, groups=groups_seen)
