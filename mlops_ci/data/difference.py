"""What changed between the base's snapshot and this one: files, rows by id, columns, distributions, the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.data.canonical import row_digests
from mlops_ci.data.classes import target_centre, target_shares
from mlops_ci.data.drift import Drift, column_drift
from mlops_ci.data.repeats import surplus
from mlops_ci.data.rowkeys import mix
from mlops_ci.records.data import ColumnChange, ColumnProfile, DataChange, Profile, SourceFile
from mlops_ci.records.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_ci.records.tables import Column

Shares = tuple[tuple[str, float], ...]


class BaseData(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One side of a difference. ids, contents: shape (n,) uint64, keyed row ids and row digests, in one order.

    The later side's profile is made with the earlier one as reference, so that both count over the same bins.
    `target`: the target column in the order of `ids`; where it is not at hand None, and `shares` says what is known.
    """

    digest: str
    sources: tuple[SourceFile, ...]
    ids: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    profile: Profile
    target: Column | None = None
    shares: Shares = ()
    regression: bool = False

    @property
    def rows(self) -> int:
        return len(self.ids)


class RowChange(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows by id, with multiplicity. `added_rows`: shape (n,), which rows of the later side are new."""

    added: int
    removed: int
    changed: int
    added_rows: NDArray[np.bool_]


def difference(before: BaseData, after: BaseData, drifts: tuple[tuple[str, Drift], ...]) -> DataChange:
    """Everything that changed; one sort of the rows of each side. `drifts`: of the columns, by row or by group."""
    rows = row_change(before.ids, before.contents, after.ids, after.contents)
    relabelled = _relabelled(before, after)
    files_added, files_removed, files_changed = _files(before.sources, after.sources)
    return DataChange(
        base_digest=before.digest,
        base_rows=before.rows,
        rows=after.rows,
        added=rows.added,
        removed=rows.removed,
        changed=rows.changed,
        relabelled=relabelled or msgspec.UNSET,
        files_added=files_added,
        files_removed=files_removed,
        files_changed=files_changed,
        columns=tuple(_columns(before.profile, after.profile, drifts)),
        target_before=_target(before, None),
        target_after=_target(after, None),
        target_of_added=_target(after, rows.added_rows) if rows.added else (),
    )


def row_change(
    ids_before: NDArray[np.uint64],
    contents_before: NDArray[np.uint64],
    ids_after: NDArray[np.uint64],
    contents_after: NDArray[np.uint64],
) -> RowChange:
    """Rows with equal id and content cancel out; what is left of an id on both sides is changed.

    An id that stands twice before and three times after is one row added.
    """
    before, after = _pairs(ids_before, contents_before), _pairs(ids_after, contents_after)
    left_before, left_after = surplus(before, after), surplus(after, before)
    gone = surplus(ids_before[left_before], ids_after[left_after])
    new = surplus(ids_after[left_after], ids_before[left_before])
    added_rows = left_after.copy()
    added_rows[left_after] = new
    return RowChange(
        added=int(new.sum()),
        removed=int(gone.sum()),
        changed=int(len(new) - new.sum()),
        added_rows=added_rows,
    )


def _relabelled(before: BaseData, after: BaseData) -> int:
    """Rows of the same id whose target is another."""
    if before.target is None or after.target is None:
        return 0
    then, now = (_contents(column) for column in (before.target, after.target))
    return row_change(before.ids, then, after.ids, now).changed


def _contents(column: Column) -> NDArray[np.uint64]:
    return row_digests(Table(rows=len(column.values), columns=(column,)), [column.name])


def column_drifts(before: Profile, after: Profile) -> tuple[tuple[str, Drift], ...]:
    """The drift of every column that both profiles have and that can be compared."""
    earlier = {column.name: column for column in before.columns}
    found = ((now.name, column_drift(earlier[now.name], now)) for now in after.columns if now.name in earlier)
    return tuple((name, value) for name, value in found if value is not None)


def _pairs(ids: NDArray[np.uint64], contents: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One key for (id, content); mixed, so that equal sums of different pairs are as rare as equal digests."""
    return mix(ids * np.uint64(0x9E3779B97F4A7C15) + mix(contents.copy()))


def _files(
    before: tuple[SourceFile, ...], after: tuple[SourceFile, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    then, now = ({file.path: file.sha256 for file in files} for files in (before, after))
    return (
        tuple(sorted(now.keys() - then.keys())),
        tuple(sorted(then.keys() - now.keys())),
        tuple(sorted(path for path in then.keys() & now.keys() if then[path] != now[path])),
    )


def _columns(before: Profile, after: Profile, drifts: tuple[tuple[str, Drift], ...]) -> Iterator[ColumnChange]:
    """Columns gone, new, of another kind; then those that drifted beyond their floor, the largest first."""
    then, now = ({column.name: column for column in profile.columns} for profile in (before, after))
    for name, column in then.items():
        if name not in now:
            yield ColumnChange(column=name, change="removed", before=str(column.kind))
    for name, column in now.items():
        if name not in then:
            yield ColumnChange(column=name, change="added", after=str(column.kind))
        elif column.kind is not then[name].kind:
            yield ColumnChange(column=name, change="kind", before=str(then[name].kind), after=str(column.kind))
    moved = [(name, value) for name, value in drifts if value.above_noise]
    for name, value in sorted(moved, key=lambda pair: (-pair[1].psi, pair[0])):
        yield ColumnChange(
            column=name,
            change="drift",
            before=_described(then[name]),
            after=_described(now[name]),
            psi=value.psi,
            floor=value.floor,
        )


def _described(column: ColumnProfile) -> str:
    """What a reader compares: the mean of numbers, the most common value of others, and missing values."""
    missing = f", {column.missing / column.rows:.1%} missing" if column.missing else ""
    if column.mean is not None:
        return f"mean {column.mean:.4g}{missing}"
    if column.common:
        value, rows = column.common[0]
        shown = value if len(value) <= 40 else value[:39] + "…"
        return f"{shown} {rows / column.rows:.1%}{missing}"
    return f"{column.distinct:,} values{missing}"


def _target(side: BaseData, rows: NDArray[np.bool_] | None) -> Shares:
    if side.target is None:
        return side.shares if rows is None else ()
    column = side.target if rows is None else _only(side.target, rows)
    return target_centre(column) if side.regression else target_shares(column)


def _only(column: Column, rows: NDArray[np.bool_]) -> Column:
    missing = column.missing[rows] if column.missing is not None else None
    return msgspec.structs.replace(column, values=column.values[rows], missing=missing)
