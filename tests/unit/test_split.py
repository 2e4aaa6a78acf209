"""The split: shares, stability as data grows, and settings that leave a side empty."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import canonical, split
from mlops_ci.errors import ConfigError
from mlops_ci.records.tables import Column, Kind, Table


def integers(name: str, values: list[int]) -> Column:
    return Column(name=name, kind=Kind.INTEGER, values=np.array(values, dtype=np.int64))


def words(name: str, values: list[str]) -> Column:
    categories = tuple(sorted(set(values)))
    codes = np.array([categories.index(value) for value in values], dtype=np.int32)
    return Column(name=name, kind=Kind.TEXT, values=codes, categories=categories)


def of(*columns: Column) -> Table:
    return Table(rows=len(columns[0].values), columns=columns)


def held(table: Table, by: split.By, *columns: str, holdout: float = 0.2) -> list[bool]:
    return [bool(side) for side in split.sides(table, by=by, holdout=holdout, columns=columns, salt="s")]


@pytest.mark.parametrize("holdout", [0.05, 0.2, 0.5])
def test_the_share_by_id_is_what_was_asked_for(holdout: float) -> None:
    rows = 20_000
    found = np.mean(held(of(integers("id", list(range(rows)))), "id", "id", holdout=holdout))
    assert abs(found - holdout) < 4 * np.sqrt(holdout * (1 - holdout) / rows)


@given(
    st.sets(st.integers(-(2**63), 2**63 - 1), min_size=40, max_size=80),
    st.integers(20, 40),
    st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_a_row_never_changes_sides_as_data_grows_shrinks_or_is_reordered(
    keys: set[int], part: int, random: object
) -> None:
    ordered = sorted(keys)
    random.shuffle(ordered)  # type: ignore[attr-defined]
    whole = dict(zip(ordered, held(of(integers("id", ordered)), "id", "id", holdout=0.5), strict=True))
    ids = canonical.id_digests(of(integers("id", ordered[:part])), ["id"], "s")
    for key, digest in zip(ordered[:part], ids.tolist(), strict=True):
        assert whole[key] == (digest < 2**63)


def test_raising_the_share_only_moves_rows_into_the_holdout() -> None:
    table = of(integers("id", list(range(1000))))
    small, large = (np.array(held(table, "id", "id", holdout=share)) for share in (0.2, 0.3))
    assert (small <= large).all()


def test_the_side_is_the_digest_as_a_fraction() -> None:
    table = of(integers("id", [1, 2, 3]))
    ids = np.array([0, 2**62 - 1, 2**62], dtype=np.uint64)
    found = split.sides(table, by="id", holdout=0.25, columns=(), salt="s", ids=ids)
    assert found.tolist() == [True, True, False]


def test_a_group_is_never_divided_and_ids_given_do_not_decide_it() -> None:
    table = of(integers("id", list(range(900))), integers("day", [n % 30 for n in range(900)]))
    ids = canonical.id_digests(table, ["id"], "s")
    sides = split.sides(table, by="group", holdout=0.3, columns=("day",), salt="s", ids=ids)
    days = np.arange(900) % 30
    assert all(len(set(sides[days == day].tolist())) == 1 for day in range(30))


def test_by_time_the_last_rows_are_held_out_and_ties_stay_together() -> None:
    assert held(of(integers("t", [3, 1, 5, 2, 4])), "time", "t") == [False, False, True, False, False]
    assert held(of(integers("t", [1, 2, 2, 2, 0])), "time", "t") == [False, True, True, True, False]
    times = Column(name="t", kind=Kind.TIMESTAMP, values=np.array([3, 1, 2], dtype="M8[us]"))
    assert held(of(times), "time", "t", holdout=0.5) == [True, False, True]


def test_a_share_of_rows_is_not_rounded_up_by_floating_point() -> None:
    assert sum(held(of(integers("t", list(range(30)))), "time", "t", holdout=0.1)) == 3


@pytest.mark.parametrize(
    "column",
    [
        Column(name="c", kind=Kind.BOOLEAN, values=np.array([True, False])),
        integers("c", [1, 0]),
        Column(name="c", kind=Kind.FLOAT, values=np.array([1.0, 0.0])),
        words("c", ["holdout", "train"]),
        words("c", ["test", "train"]),
    ],
)
def test_by_column_the_data_say_it(column: Column) -> None:
    assert held(of(column), "column", "c") == [True, False]


def refused(table: Table, by: split.By, *columns: str, holdout: float = 0.2) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        held(table, by, *columns, holdout=holdout)
    assert caught.value.advice
    assert "data.split" in caught.value.where
    return caught.value


def test_a_column_that_names_no_sides_is_refused() -> None:
    assert "it holds 2, 3" in refused(of(integers("c", [0, 2, 3])), "column", "c").message
    assert "'<b>'" in refused(of(words("c", ["train", "<b>"])), "column", "c").message
    lost = Column(name="c", kind=Kind.BOOLEAN, values=np.array([True, False]), missing=np.array([False, True]))
    assert "1 values are missing" in refused(of(lost), "column", "c").message


def test_a_time_that_is_missing_or_text_is_refused() -> None:
    lost = Column(name="t", kind=Kind.FLOAT, values=np.array([1.0, np.nan]), missing=np.array([False, True]))
    assert "1 of 2 rows" in refused(of(lost), "time", "t").message
    assert "no order in time" in refused(of(words("t", ["a", "b"])), "time", "t").message


def test_an_empty_side_says_what_to_change() -> None:
    few = of(integers("g", [1] * 500))
    error = refused(few, "group", "g")
    assert "no row for" in error.message
    assert "only 1 different groups" in error.advice
    assert "no row for train" in refused(of(integers("t", [7] * 10)), "time", "t").message
    assert "no row for holdout" in refused(of(integers("c", [0, 0])), "column", "c").message
    assert "tells rows apart" in refused(of(integers("id", [1] * 9)), "id", "id").advice


def test_the_specification_says_what_decides_and_hides_the_salt() -> None:
    first = split.specification(by="id", holdout=0.2, columns=("b", "a"), salt="secret")
    assert first == split.specification(by="id", holdout=0.2, columns=("a", "b"), salt="secret")
    assert "secret" not in first
    assert json.loads(first) == {
        "version": 1,
        "by": "id",
        "columns": ["a", "b"],
        "holdout": 0.2,
        "salt": "2bb80d537b1da3e3",
    }
    others = {
        split.specification(by="id", holdout=0.2, columns=("a", "b"), salt="other"),
        split.specification(by="id", holdout=0.3, columns=("a", "b"), salt="secret"),
        split.specification(by="group", holdout=0.2, columns=("a", "b"), salt="secret"),
        split.specification(by="time", holdout=0.2, columns=("a",), salt="secret"),
    }
    assert len(others | {first}) == 5


def test_the_salt_does_not_count_where_nothing_is_hashed() -> None:
    assert split.specification(by="time", holdout=0.2, columns=("t",), salt="a") == split.specification(
        by="time", holdout=0.2, columns=("t",), salt="b"
    )
