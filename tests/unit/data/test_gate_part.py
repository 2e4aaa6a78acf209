"""Which held-out rows are kept for verdicts: by what they belong to, for good."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.data import canonical
from mlops_ci.data.gate_part import gate_part
from mlops_ci.records.tables import Column, Kind, Table

ROWS = 6000
DAYS = np.datetime64("2026-01-01") + np.arange(ROWS) % 300


def _table(rows: int = ROWS) -> Table:
    columns = (
        Column(name="trip", kind=Kind.INTEGER, values=np.arange(rows)),
        Column(name="customer", kind=Kind.INTEGER, values=np.arange(rows) % 700),
        Column(name="day", kind=Kind.DATE, values=DAYS[:rows]),
    )
    return Table(columns=columns, rows=rows)


def _part(table: Table, *, group: tuple[str, ...] = (), time: str | None = None, salt: str = "flights") -> np.ndarray:
    return gate_part(table, canonical.id_digests(table, ["trip"], salt), group=group, time=time, salt=salt)


@pytest.mark.parametrize("belongs", [{}, {"group": ("customer",)}, {"time": "day"}])
def test_a_row_keeps_its_part_as_data_grows_and_half_are_in_each(belongs: dict[str, object]) -> None:
    whole = _part(_table(), **belongs)  # type: ignore[arg-type]
    assert (whole[:2000] == _part(_table(2000), **belongs)).all()  # type: ignore[arg-type]
    assert 0.42 <= whole.mean() <= 0.58


@pytest.mark.parametrize(("belongs", "keys"), [({"group": ("customer",)}, "customer"), ({"time": "day"}, "day")])
def test_rows_that_belong_together_are_in_one_part(belongs: dict[str, object], keys: str) -> None:
    part, values = _part(_table(), **belongs), _table().column(keys).values  # type: ignore[arg-type]
    assert all(len(set(part[values == value])) == 1 for value in np.unique(values))


def test_the_parts_are_independent_of_the_split_and_of_another_salt() -> None:
    table = _table()
    held = canonical.id_digests(table, ["trip"], "flights") < np.uint64(0.2 * 2.0**64)
    assert 0.45 <= _part(table)[held].mean() <= 0.55
    assert 0.45 <= (_part(table) == _part(table, salt="trains")).mean() <= 0.55
    ids = canonical.id_digests(table, ["trip"], "flights")
    same = [gate_part(table, ids, group=(), time=None, salt=salt) for salt in ("flights", "trains")]
    assert 0.45 <= (same[0] == same[1]).mean() <= 0.55  # by its own salt, not by that of the ids alone
    assert 0.4 <= (_part(table, time="day") == _part(table, time="day", salt="trains")).mean() <= 0.6
