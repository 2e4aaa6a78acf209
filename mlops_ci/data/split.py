"""Which rows are held out: a pure function of the rows and the settings, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from mlops_ci.data.canonical import id_digests, missing
from mlops_ci.errors import ConfigError
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

By: TypeAlias = Literal["id", "group", "time", "column"]
VERSION = 1
"""Raise it when a rule below sends a row to another side than it did."""

_WHERE = "mlops.yaml: data.split"
_SIDES = {"train": False, "holdout": True, "test": True}


def sides(
    table: Table,
    *,
    by: By,
    holdout: float,
    columns: tuple[str, ...],
    salt: str,
    ids: NDArray[np.uint64] | None = None,
) -> NDArray[np.bool_]:
    """True where a row is held out, shape (rows,).

    by `id` or `group`: the keyed digest of `columns`, as a fraction of 2^64, is below `holdout`, so a row never
    changes sides as data grows; `ids`, shape (rows,), are its digests where the caller has them. by `time`: the
    last rows, at least that share, ties together. by `column`: the side is written in the data. ConfigError for
    a column that cannot serve and for a side without rows.
    """
    if by == "time":
        held = _by_time(table.column(columns[0]), holdout)
    elif by == "column":
        held = _by_column(table.column(columns[0]))
    else:
        digests = ids if by == "id" and ids is not None else id_digests(table, columns, salt)
        held = digests < np.uint64(int(holdout * 2.0**64))
    _both_sides_have_rows(held, table, by=by, holdout=holdout, columns=columns)
    return held


def specification(*, by: By, holdout: float, columns: tuple[str, ...], salt: str) -> str:
    """The split's specification as canonical JSON. The salt goes in as a digest: it keys the row ids."""
    hashed = by in {"id", "group"}
    rule: dict[str, object] = {"version": VERSION, "by": by, "columns": sorted(columns) if hashed else list(columns)}
    if by != "column":
        rule["holdout"] = holdout
    if hashed:
        rule["salt"] = hashlib.sha256(salt.encode()).hexdigest()[:16]
    return canonical_json(rule).decode()


def _by_time(column: Column, holdout: float) -> NDArray[np.bool_]:
    if column.kind in {Kind.TEXT, Kind.BOOLEAN}:
        raise ConfigError(
            f"column {column.name!r} is {column.kind}, which has no order in time",
            "Split by a date, a timestamp or a number; cast the column in prepare.sql.",
            where=_WHERE,
        )
    without = int(missing(column).sum())
    if without:
        raise ConfigError(
            f"{without:,} of {len(column.values):,} rows have no {column.name!r}, so they are on no side",
            "Fill the column or leave those rows out in prepare.sql, or split by id.",
            where=_WHERE,
        )
    rows = len(column.values)
    # Rounded first: 0.1 * 30 is 3.0000000000000004, and three rows are meant.
    wanted = min(rows, max(1, int(np.ceil(round(holdout * rows, 6)))))
    cut = np.partition(column.values, rows - wanted)[rows - wanted]
    return np.asarray(column.values >= cut, dtype=np.bool_)


def _by_column(column: Column) -> NDArray[np.bool_]:
    if column.missing is None:
        if column.kind is Kind.BOOLEAN:
            return np.array(column.values, dtype=np.bool_)
        if column.kind in {Kind.INTEGER, Kind.FLOAT} and bool(np.isin(column.values, (0, 1)).all()):
            return np.asarray(column.values == 1, dtype=np.bool_)
        if column.kind is Kind.TEXT and set(column.categories) <= set(_SIDES):
            return np.array([_SIDES[name] for name in column.categories], dtype=np.bool_)[column.values.astype(np.intp)]
    raise ConfigError(
        f"column {column.name!r} ({column.kind}) does not say on which side every row is: {_found(column)}",
        "It must be boolean, or hold 0 and 1, or the words train and holdout (or test), with none missing.",
        where=_WHERE,
    )


def _found(column: Column) -> str:
    without = int(missing(column).sum())
    if without:
        return f"{without:,} values are missing"
    if column.kind is Kind.TEXT:
        other = [repr(name) for name in column.categories if name not in _SIDES]
    else:
        other = [str(value) for value in np.unique(column.values) if value not in (0, 1)]
    return f"it holds {', '.join(other[:5])}{', …' if len(other) > 5 else ''}"


def _both_sides_have_rows(
    held: NDArray[np.bool_], table: Table, *, by: By, holdout: float, columns: tuple[str, ...]
) -> None:
    count = int(held.sum())
    if 0 < count < len(held):
        return
    side = "holdout" if count == 0 else "train"
    raise ConfigError(
        f"the split leaves no row for {side}: {len(held):,} rows, by {by} ({', '.join(columns) or 'content'})"
        + ("" if by == "column" else f", holdout {holdout:.0%}"),
        _advice(table, by, columns),
        where=_WHERE,
    )


def _advice(table: Table, by: By, columns: tuple[str, ...]) -> str:
    if by == "column":
        return f"Mark some rows as train and some as holdout in {columns[0]!r}, or split by id."
    if by == "time":
        return f"Too many rows share their value of {columns[0]!r}: use a finer time, another share, or split by id."
    if by == "group":
        groups = len(np.unique(id_digests(table, columns, "")))
        return (
            f"There are only {groups:,} different groups, and a group is never divided: use a finer group,"
            " another share, or split by id."
        )
    return "Rows with the same id stay together: name an id that tells rows apart, add rows, or change the share."
