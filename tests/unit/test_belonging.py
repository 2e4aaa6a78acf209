"""Rows of one group, or of one day, belong together."""

from __future__ import annotations

import numpy as np

from mlops_ci.data.belonging import belonging
from mlops_ci.records.tables import Column, Kind, Table

TIMES = np.array(["2013-01-01T00:00", "2013-01-01T23:59", "2013-01-02T00:00", "NaT", "NaT"], dtype="datetime64[us]")
TABLE = Table(
    rows=5,
    columns=(
        Column(name="when", kind=Kind.TIMESTAMP, values=TIMES, missing=np.isnat(TIMES)),
        Column(name="who", kind=Kind.INTEGER, values=np.array([1, 2, 1, 2, 3])),
    ),
)


def _partition(keys: object) -> list[int]:
    return np.unique(np.asarray(keys), return_index=True, return_inverse=True)[2].tolist()


def test_the_day_of_a_time_is_a_group_and_rows_without_a_time_are_one() -> None:
    days = _partition(belonging(TABLE, (), "when"))
    assert days[0] == days[1]
    assert days[3] == days[4]
    assert len({days[0], days[2], days[3]}) == 3


def test_a_declared_group_goes_before_the_day() -> None:
    who = _partition(belonging(TABLE, ("who",), "when"))
    assert who[0] == who[2]
    assert who[1] == who[3]
    assert len(set(who)) == 3


def test_nothing_belongs_together_without_group_or_dates() -> None:
    assert belonging(TABLE, (), None) is None
    assert belonging(TABLE, (), "who") is None
    assert belonging(TABLE, (), "gone") is None
