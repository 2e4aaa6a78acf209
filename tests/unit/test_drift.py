from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_ci.data.drift import chi2_quantile, chi2_sf, column_drift, drift, grouped_drift, holm, pooled_places, psi
from mlops_ci.data.profile import profile
from tests.unit.checks.snapshots import table

REFERENCE, CURRENT = np.array([100, 200, 300, 400]), np.array([30, 50, 60, 60])


def test_the_golden_numbers_of_the_research() -> None:
    found = drift(REFERENCE, CURRENT)
    assert found is not None
    assert found.psi == pytest.approx(0.060761, abs=5e-7)
    assert found.psi / (1 / 1000 + 1 / 200) == pytest.approx(10.1268, abs=1e-4)
    assert found.p == pytest.approx(0.01752, abs=5e-6)
    assert found.floor == pytest.approx(stats.chi2.ppf(0.99, 3) * 0.006, rel=1e-5)
    assert found.excess == pytest.approx(found.psi - 3 * 0.006, abs=1e-6)
    assert (found.bins, found.rows, found.method) == (4, (1000, 200), "chi2/1")


@pytest.mark.parametrize("df", [1, 2, 3, 9, 40, 500])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99, 0.9999])
def test_chi_square_agrees_with_scipy(level: float, df: int) -> None:
    assert chi2_quantile(level, df) == pytest.approx(stats.chi2.ppf(level, df), rel=1e-9)
    assert chi2_sf(chi2_quantile(level, df), df) == pytest.approx(1 - level, rel=1e-6)


@given(st.floats(0, 1000), st.integers(1, 300))
def test_the_tail_of_chi_square_is_scipys_everywhere(x: float, df: int) -> None:
    assert chi2_sf(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-8, abs=1e-13)


def test_equal_data_exceeds_the_99_percent_floor_once_in_a_hundred() -> None:
    """Quantile bins of the reference, unequal sizes; 3 standard errors at 4,000 runs are 0.0047."""
    random = np.random.default_rng(1)
    runs, above = 4000, 0
    for _ in range(runs):
        before, after = random.normal(size=2000), random.normal(size=500)
        edges = np.quantile(before, np.linspace(0, 1, 11)[1:-1])
        counts = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (before, after)]
        found = drift(*counts)
        assert found is not None
        above += found.above_noise
    assert 0.004 <= above / runs <= 0.0155


def test_rare_levels_do_not_raise_false_alarms() -> None:
    """41 Zipf levels: 0.05 nominal at the 95 % floor; 3 standard errors at 2,000 runs are 0.0146."""
    random = np.random.default_rng(2)
    share = 1 / np.arange(1, 42)
    share /= share.sum()
    found = [
        drift(random.multinomial(5000, share), random.multinomial(500, share), ordered=False, level=0.95)
        for _ in range(2000)
    ]
    rate = np.mean([one.above_noise for one in found if one is not None])
    assert 0.033 <= rate <= 0.066


def test_rows_of_one_day_need_the_floor_of_whole_days() -> None:
    random = np.random.default_rng(3)
    edges = np.linspace(-2, 2, 9)
    by_row, by_day = 0, 0
    for seed in range(60):
        weather = random.normal(0, 1, 60)
        days = np.stack(
            [np.bincount(np.searchsorted(edges, mean + random.normal(0, 0.5, 100)), minlength=10) for mean in weather]
        )
        plain = drift(days[:40].sum(axis=0), days[40:].sum(axis=0))
        grouped = grouped_drift(days[:40], days[40:], seed=seed)
        assert plain is not None
        assert grouped is not None
        by_row += plain.above_noise
        by_day += grouped.above_noise
    assert by_row >= 55
    assert by_day <= 4


def test_the_grouped_floor_is_the_same_for_the_same_seed_and_says_how_it_was_made() -> None:
    random = np.random.default_rng(4)
    days = random.integers(0, 50, (30, 6))
    first, second = (grouped_drift(days[:20], days[20:], seed=7) for _ in range(2))
    assert first == second
    assert first is not None
    assert (first.method, first.groups) == ("permuted-groups/1", 30)


def test_a_real_move_of_days_is_above_the_grouped_floor() -> None:
    days = np.array([[50, 30, 20]] * 20 + [[20, 30, 50]] * 10)
    found = grouped_drift(days[:20], days[20:], seed=1)
    assert found is not None
    assert found.above_noise
    assert found.p == pytest.approx(1 / 201, rel=1e-5)


def test_too_few_groups_give_no_answer() -> None:
    assert grouped_drift(np.ones((3, 4)) * 50, np.ones((2, 4)) * 50, seed=0) is None


def test_pooling_leaves_at_least_five_expected_rows_in_each_bin() -> None:
    reference, current = np.array([1000, 3, 1, 500, 2, 40]), np.array([90, 0, 1, 60, 1, 2])
    for ordered in (True, False):
        places = pooled_places(reference, current, ordered=ordered)
        pooled = np.bincount(places, weights=reference + current) * current.sum() / (reference + current).sum()
        assert pooled.min() >= 5
        assert set(places) == set(range(places.max() + 1))
    assert pooled_places(reference, current, ordered=True).tolist() == sorted(
        pooled_places(reference, current, ordered=True).tolist()
    )


def test_one_bin_says_nothing() -> None:
    assert drift(np.array([10]), np.array([20])) is None
    assert drift(np.array([0, 0]), np.array([5, 5])) is None


def test_psi_is_symmetric_and_zero_only_without_a_move() -> None:
    assert psi(REFERENCE, CURRENT) == pytest.approx(psi(CURRENT, REFERENCE))
    assert psi(REFERENCE, REFERENCE) == 0


def test_missing_values_that_appear_are_drift() -> None:
    random = np.random.default_rng(6)
    values = random.normal(size=4000)
    gone = values.copy()
    gone[random.random(4000) < 0.6] = np.nan
    before = profile(table(x=values))
    after = profile(table(x=gone), before)
    found = column_drift(before.columns[0], after.columns[0])
    assert found is not None
    assert found.excess > 1


def test_text_is_compared_by_level_and_a_new_level_counts() -> None:
    before = profile(table(x=["a"] * 500 + ["b"] * 500))
    after = profile(table(x=["a"] * 500 + ["b"] * 300 + ["c"] * 200), before)
    found = column_drift(before.columns[0], after.columns[0])
    assert found is not None
    assert found.bins == 3
    assert found.above_noise


def test_columns_of_other_kinds_or_other_edges_are_not_compared() -> None:
    numbers, words = profile(table(x=np.arange(100))), profile(table(x=["a", "b"] * 50))
    assert column_drift(numbers.columns[0], words.columns[0]) is None
    assert column_drift(numbers.columns[0], profile(table(x=np.arange(50, 300))).columns[0]) is None


def test_holm_is_the_golden_example() -> None:
    assert holm((0.01, 0.04, 0.03, 0.005, 0.2)) == pytest.approx((0.04, 0.09, 0.09, 0.025, 0.2))
    assert holm(()) == ()
