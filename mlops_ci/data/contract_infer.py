"""A first contract from one snapshot: tight enough to mean something, loose enough for next month.

The rules, which the file's comments repeat and docs/checks.md explains: ranges are widened by half of what was seen,
by the whole of it on a long side, and left open where the tail is very heavy; a column that was never negative stays
so. Missing shares are doubled and rounded up, and what was never missing stays so; repeated rows may be 1 %, or twice
what was seen. A text column with fewer than 50 values is a closed set: new values are refused where every value was
seen at least five times, else they warn; it stays open where values seen once are more than 0.05 % of rows, because
as many are still unseen (Good and Turing). Identifiers get no range.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.data.classes import target_shares
from mlops_ci.data.contract_terms import (
    Bound,
    ColumnTerms,
    Contract,
    DuplicateTerms,
    NewValues,
    TargetTerms,
)
from mlops_ci.data.contract_text import share
from mlops_ci.data.repeats import repeats
from mlops_ci.data.rowkeys import row_keys
from mlops_ci.data.times import as_time, iso
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.records.data import ColumnProfile, Profile

CLOSED_SET = 50
OFTEN_ENOUGH = 5
LONG_SIDE = 2.0
"""Times as far from the mean as the other end."""
UNSEEN = 0.0005
"""The share of rows with a value seen once, which is about the share still to come with a new one."""
HEAVY_TAIL, VERY_HEAVY_TAIL = 5.5, 15.0
"""Standard deviations from the mean to the end; of a million normal values the last is at 5."""
TARGET_TOLERANCE = 0.1
_STEPS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, *(step / 20 for step in range(2, 21)))


def infer(
    table: Table,
    profile: Profile,
    *,
    target: str | None = None,
    id: Sequence[str] = (),  # noqa: A002 (its name in mlops.yaml)
    time: str | None = None,
) -> Contract:
    """The contract that `table` would have; `profile` is its profile, `id` the columns of the row key."""
    columns, notes = [], {}
    for found in profile.columns:
        alone = tuple(id) == (found.name,)
        columns.append(_column(table.column(found.name), found, identifies=alone))
        notes[f"columns.{found.name}"] = _note(found, columns[-1])
    apart = tuple(name for name in id if name in table.names)
    contract = Contract(
        columns=tuple(columns),
        rows_at_least=_round_down(profile.rows // 2),
        duplicates=_duplicates(table, apart),
        target=_target(table, target),
        notes=tuple(notes.items()),
    )
    return _with_table_notes(contract, profile, time)


def allowed_share(seen: int, rows: int) -> float:
    """The share to allow where `seen` of `rows` were found: doubled, at least 3 standard errors up and 1 %, rounded up.

    None of 3,000 rows or more allows none; fewer rows leave room for what they cannot show (3/n, the rule of three).
    """
    if rows == 0 or seen == rows:
        return 1.0
    found = seen / rows
    if seen == 0 and rows >= 3000:
        return 0.0
    noise = 3 * math.sqrt(found * (1 - found) / rows) + 3 / rows
    wide = max(min(2 * found, (1 + found) / 2), found + noise, 0.01 if seen else 0.0)
    return next((step for step in _STEPS if step >= wide), 1.0)


def _column(column: Column, found: ColumnProfile, *, identifies: bool) -> ColumnTerms:
    unique = identifies and found.missing == 0 and found.distinct == found.rows
    values, new_values = _values(column) if column.kind is Kind.TEXT and not unique else (None, NewValues.FORBID)
    return ColumnTerms(
        name=found.name,
        kind=found.kind,
        missing=0.0 if unique else allowed_share(found.missing, found.rows),
        range=None if unique or _looks_like_an_id(found) else _range(found),
        values=values,
        new_values=new_values,
        unique=unique,
        infinite=found.infinite > 0,
    )


def _values(column: Column) -> tuple[tuple[str, ...] | None, NewValues]:
    counts = np.bincount(column.values[~missing(column)], minlength=len(column.categories))
    seen = [name for name, count in zip(column.categories, counts, strict=True) if count]
    once = int((counts == 1).sum())
    total = int(counts.sum())
    if not 0 < len(seen) < CLOSED_SET or len(seen) * OFTEN_ENOUGH > total or once > UNSEEN * total:
        return None, NewValues.FORBID
    rare = counts[counts > 0].min() < OFTEN_ENOUGH
    return tuple(seen), NewValues.WARN if rare else NewValues.FORBID


def _looks_like_an_id(found: ColumnProfile) -> bool:
    present = found.rows - found.missing
    return found.kind is Kind.INTEGER and present >= 100 and found.distinct >= 0.98 * present


def _range(found: ColumnProfile) -> tuple[Bound, Bound] | None:
    if found.kind in (Kind.DATE, Kind.TIMESTAMP) and found.low is not None:
        first = as_time(str(found.low))
        return (None if first is None else iso(first)), None
    if found.kind not in (Kind.INTEGER, Kind.FLOAT):
        return None
    if not isinstance(found.low, int | float) or not isinstance(found.high, int | float):
        return None
    low, high = float(found.low), float(found.high)
    if not math.isfinite(low) or not math.isfinite(high):
        return None
    bounds = _widened(low, high, found)
    return None if bounds == (None, None) else bounds


def _widened(low: float, high: float, found: ColumnProfile) -> tuple[Bound, Bound]:
    span = (high - low) or max(abs(high) * 0.1, 1.0 if found.kind is Kind.INTEGER else 0.0) or 1.0
    if found.kind is Kind.INTEGER:
        span = max(span, 2.0)
    down, up = (span * factor for factor in _factors(low, high, found))
    if not math.isfinite(span):
        return None, None
    grid = 10.0 ** math.floor(math.log10(span) - 1)
    lower = math.floor((low - down) / grid) * grid if math.isfinite(low - down) else None
    upper = math.ceil((high + up) / grid) * grid if math.isfinite(high + up) else None
    if low >= 0 and (lower is None or lower < 0):
        lower = 0.0
    if high <= 0 and (upper is None or upper > 0):
        upper = 0.0
    return _tidy(lower, found.kind), _tidy(upper, found.kind)


def _factors(low: float, high: float, found: ColumnProfile) -> tuple[float, float]:
    """How many spans to widen by, below and above: 1/2, 1 for a long side, infinity for a very heavy tail."""
    if not found.deviation or found.mean is None:
        return 0.5, 0.5
    below, above = (found.mean - low) / found.deviation, (high - found.mean) / found.deviation
    return _factor(below, above), _factor(above, below)


def _factor(side: float, other: float) -> float:
    if side > VERY_HEAVY_TAIL:
        return math.inf
    return 1.0 if side > HEAVY_TAIL or side > LONG_SIDE * other else 0.5


def _tidy(bound: float | None, kind: Kind) -> Bound:
    if bound is None:
        return None
    tidy = float(f"{bound:.12g}")
    return int(tidy) if kind is Kind.INTEGER or tidy.is_integer() else tidy


def _round_down(rows: int) -> int:
    digits = max(len(str(rows)) - 2, 0)
    step: int = 10**digits
    return rows // step * step


def _duplicates(table: Table, apart: tuple[str, ...]) -> DuplicateTerms:
    names = [name for name in table.names if name not in apart]
    seen = repeats(row_keys(table, names)) if names else 0
    return DuplicateTerms(at_most=max(0.01, allowed_share(seen, table.rows)), apart_from=apart)


def _target(table: Table, target: str | None) -> TargetTerms | None:
    if target is None or target not in table.names or table.column(target).kind is Kind.FLOAT:
        return None
    shares = target_shares(table.column(target))
    if not 2 <= len(shares) <= 20:
        return None
    rounded = tuple((name, round(value, 3)) for name, value in shares)
    return TargetTerms(column=target, shares=rounded, tolerance=TARGET_TOLERANCE)


def _note(found: ColumnProfile, terms: ColumnTerms) -> str:
    parts = []
    if terms.range is not None:
        parts.append(f"seen {_bound(found.low)} to {_bound(found.high)}")
    elif terms.values is not None:
        parts.append(f"{len(terms.values)} values seen" + (", some rarely" if terms.new_values != "forbid" else ""))
    elif terms.unique:
        parts.append("identifies a row")
    elif found.kind is not Kind.BOOLEAN:
        parts.append(f"{found.distinct:,} different values")
    if found.missing:
        parts.append(f"{share(round(found.missing / found.rows, 5))} missing")
    if found.infinite:
        parts.append(f"{found.infinite:,} infinite")
    return ", ".join(parts)


def _bound(value: Bound) -> str:
    if isinstance(value, str):
        time = as_time(value)
        return value if time is None else iso(time)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _with_table_notes(contract: Contract, profile: Profile, time: str | None) -> Contract:
    notes = {"rows": f"half of the {profile.rows:,} rows seen", "other_columns": "warn | forbid | allow"}
    if contract.duplicates and contract.duplicates.apart_from:
        notes["duplicates"] = "rows that repeat another one under another id"
    if contract.target:
        notes["target"] = "each class may move by the tolerance"
    if time is not None:
        hint = f"a limit of age: freshness: {{column: {time}, at_most: 45d}}"
        notes["other_columns"] += "; " + hint
    return msgspec.structs.replace(contract, notes=(*notes.items(), *contract.notes))
