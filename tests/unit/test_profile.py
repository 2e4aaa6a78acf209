"""The profile: exact counts, bins that can be compared, and the same bytes for any order of rows."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data.canonical import take
from mlops_ci.data.profile import profile
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.data import ColumnProfile
from mlops_ci.records.tables import Column, Kind, Table


def floats(*values: float) -> Column:
    array = np.array(values, dtype=np.float64)
    lost = np.isnan(array)
    return Column(name="x", kind=Kind.FLOAT, values=array, missing=lost if lost.any() else None)


def of(column: Column) -> Table:
    return Table(rows=len(column.values), columns=(column,))


def one(column: Column) -> ColumnProfile:
    return profile(of(column)).columns[0]


def test_counts_are_exact_and_infinities_are_apart() -> None:
    found = one(floats(1, 1, 2, math.inf, -math.inf, math.nan))
    assert (found.rows, found.missing, found.distinct, found.infinite) == (6, 1, 4, 2)
    assert (found.low, found.high, found.mean) == (1.0, 2.0, 1.33333)
    assert found.bins is not None
    assert sum(found.bins.counts) == 5


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
@settings(max_examples=50, deadline=None)
def test_moments_are_those_of_the_standard_library(values: list[float]) -> None:
    found = one(floats(*values))
    assert found.mean == pytest.approx(statistics.fmean(values), rel=1e-5, abs=1e-7)
    assert found.deviation == pytest.approx(statistics.stdev(values), rel=1e-5, abs=1e-7)


def test_huge_and_tiny_values_do_not_overflow() -> None:
    found = one(floats(1.7e308, -1.7e308, 1.7e308))
    assert found.mean == pytest.approx(1.7e308 / 3, rel=1e-5)
    canonical_json(found)
    assert one(floats(5e-324, 5e-324)).deviation == 0.0
    assert one(floats(3)).deviation is None
    assert one(floats(math.nan)).mean is None


@given(
    st.lists(st.floats(allow_nan=True) | st.sampled_from([0.0, -0.0, 1.0]), min_size=1, max_size=40), st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_the_same_rows_in_any_order_give_the_same_bytes(values: list[float], seed: int) -> None:
    table = of(floats(*values))
    mixed = take(table, np.random.default_rng(seed).permutation(table.rows))
    assert msgspec.json.encode(profile(table)) == msgspec.json.encode(profile(mixed))


def test_bins_are_deciles_of_values_in_the_data() -> None:
    found = one(floats(*range(1, 101))).bins
    assert found is not None
    assert found.edges == (10, 20, 30, 40, 50, 60, 70, 80, 90)
    assert found.counts == (10,) * 10


def test_ties_are_merged_and_no_bin_is_empty() -> None:
    found = one(floats(*[0] * 95, 1, 2, 3, 4, 5)).bins
    assert found is not None
    assert (found.edges, found.counts) == ((0,), (95, 5))
    two = one(floats(*[0] * 5, *[1] * 95)).bins
    assert two is not None
    assert sum(two.counts) == 100


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_bin_is_open_below_and_closed_above(values: list[int]) -> None:
    found = one(Column(name="x", kind=Kind.INTEGER, values=np.array(values, dtype=np.int64))).bins
    assert found is not None
    edges = (-math.inf, *found.edges, math.inf)
    assert list(edges) == sorted(set(edges))
    assert len(found.counts) == len(found.edges) + 1 <= 10
    expected = tuple(sum(low < value <= high for value in values) for low, high in pairwise(edges))
    assert found.counts == expected


def test_with_a_reference_its_edges_are_used() -> None:
    before = profile(of(floats(*range(1, 101))))
    after = profile(of(floats(0, 10, 10.5, 1000, -math.inf, math.inf)), before).columns[0].bins
    assert after is not None
    assert after.edges == before.columns[0].bins.edges  # type: ignore[union-attr]
    assert after.counts == (3, 1, 0, 0, 0, 0, 0, 0, 0, 2)


def test_another_constant_falls_into_another_bin() -> None:
    before = profile(of(floats(5, 5, 5)))
    for value, expected in ((4.0, (1, 0, 0)), (5.0, (0, 1, 0)), (6.0, (0, 0, 1))):
        bins = profile(of(floats(value)), before).columns[0].bins
        assert bins is not None
        assert bins.counts == expected


def test_text_and_times_have_values_as_text() -> None:
    codes = np.array([1, -1, 1, 0, 2, 2], dtype=np.int32)
    found = one(Column(name="t", kind=Kind.TEXT, values=codes, missing=codes < 0, categories=("a", "b", "c", "unused")))
    assert (found.distinct, found.missing, found.low, found.bins) == (3, 1, None, None)
    assert found.common == (("b", 2), ("c", 2))
    days = one(
        Column(name="d", kind=Kind.DATE, values=np.array(["2013-01-02", "2013-01-01", "2013-01-01"], dtype="M8[D]"))
    )
    assert (days.low, days.high, days.common) == ("2013-01-01", "2013-01-02", (("2013-01-01", 2),))
    moments = one(Column(name="d", kind=Kind.TIMESTAMP, values=np.array([0], dtype="M8[us]")))
    assert moments.low == "1970-01-01T00:00:00.000000Z"
    flags = one(Column(name="b", kind=Kind.BOOLEAN, values=np.array([True, True, False, True, False])))
    assert (flags.common, flags.mean, flags.distinct) == ((("true", 3), ("false", 2)), 0.6, 2)


def test_values_of_single_rows_are_not_told() -> None:
    """A profile goes into the ledger: a column of mail addresses must not."""
    codes = np.arange(30, dtype=np.int32)
    found = one(Column(name="mail", kind=Kind.TEXT, values=codes, categories=tuple(f"{n:02}@x" for n in range(30))))
    assert (found.common, found.low, found.high) == ((), None, None)


def test_at_most_twenty_common_values_by_count_then_value() -> None:
    values = np.repeat(np.arange(40), 2)
    found = one(Column(name="x", kind=Kind.INTEGER, values=values))
    assert found.common == tuple((str(n), 2) for n in range(20))


def test_everything_missing_is_a_profile_too() -> None:
    lost = np.array([True, True])
    for kind, values in (
        (Kind.FLOAT, np.array([np.nan, np.nan])),
        (Kind.INTEGER, np.array([0, 0])),
        (Kind.BOOLEAN, np.array([False, False])),
        (Kind.TEXT, np.array([-1, -1], dtype=np.int32)),
        (Kind.TIMESTAMP, np.array(["NaT", "NaT"], dtype="M8[us]")),
    ):
        found = one(Column(name="x", kind=kind, values=values, missing=lost))
        assert (found.missing, found.distinct, found.mean, found.low, found.common) == (2, 0, None, None, ())
