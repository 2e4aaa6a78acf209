"""The numbers of ease.ml/ci: the paper's table for 32 commits, its text, and what goes beyond it."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.histories import budget, histories
from mlops_ci.gates.quantiles import upper_normal
from mlops_ci.gates.sample_size import bennett, bennett_tolerance, exact, hoeffding, hoeffding_tolerance

H = 32
NONE, FULL = histories(H, budget("none", H)), histories(H, budget("full", H))
TWO = (1.0, -1.0)

# ε, 1 - δ; n > c and d < c: none, full; n - o > c: none, full. `none` is `first_change` too.
TABLE = """
0.1   0.99      404   1340   1753   5496
0.1   0.999     519   1455   2214   5957
0.1   0.9999    634   1570   2674   6417
0.1   0.99999   749   1685   3135   6878
0.05  0.99     1615   5358   7012  21984
0.05  0.999    2075   5818   8854  23826
0.05  0.9999   2536   6279  10696  25668
0.05  0.99999  2996   6739  12538  27510
0.025 0.99     6457  21429  28045  87933
0.025 0.999    8299  23271  35414  95302
0.025 0.9999  10141  25113  42782 102670
0.025 0.99999 11983  26955  50150 110038
0.01  0.99    40355 133930 175282 549581
0.01  0.999   51868 145443 221333 595633
0.01  0.9999  63381 156956 267385 641684
0.01  0.99999 74894 168469 313437 687736
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_the_papers_table_for_32_commits(line: str) -> None:
    tolerance, reliability, *expected = line.split()
    epsilon, delta = float(tolerance), round(1 - float(reliability), 9)
    found = [
        ceil(hoeffding(epsilon, delta, factors, histories=many))
        for factors in ((1.0,), TWO)
        for many in (NONE, histories(H, budget("first_change", H)), FULL)
    ]
    one_none, one_full, two_none, two_full = map(int, expected)
    assert found == [one_none, one_none, one_full, two_none, two_none, two_full]


SEMEVAL, SEMEVAL_FULL = 7, 2**7


@pytest.mark.parametrize(
    ("published", "found"),
    [
        (46_051.7, hoeffding(0.01, 1e-4)),
        (63_380.4, hoeffding(0.01, 1e-4, histories=NONE)),
        (156_955.25, hoeffding(0.01, 1e-4, histories=FULL)),
        (6_278.2, hoeffding(0.05, 1e-4, histories=FULL)),
        (29_047.3, bennett(0.01, 1e-4, 0.1, histories=NONE)),
        (67_705.0, bennett(0.01, 1e-4, 0.1, histories=FULL)),
        (2_188.85, 0.1 * bennett(0.01, 1e-4, 0.1)),
        (44_268.33, hoeffding(0.02, 0.002, TWO, histories=SEMEVAL)),
        (58_798.9, hoeffding(0.02, 0.002, TWO, histories=SEMEVAL_FULL)),
        (4_712.94, bennett(0.02, 0.002, 0.1, histories=SEMEVAL, shares=1)),
        (5_203.89, bennett(0.022, 0.002, 0.1, histories=SEMEVAL_FULL, shares=1)),
        (6_259.9, bennett(0.02, 0.002, 0.1, histories=SEMEVAL_FULL, shares=1)),
        # Labels only where the two differ, with the union the paper leaves out.
        (2_905, 0.1 * bennett(0.01, 1e-4, 0.1, histories=NONE)),
        (6_771, 0.1 * bennett(0.01, 1e-4, 0.1, histories=FULL)),
        # n - o as one variable from -1 to 1, which saves ln 2.
        (1_614.2, hoeffding(0.1, 0.01, (2.0,), histories=NONE)),
    ],
)
def test_the_numbers_in_the_text(published: float, found: float) -> None:
    assert found == pytest.approx(published, abs=0.55)


def test_a_factor_costs_its_square_and_the_best_split_less_than_a_fixed_one() -> None:
    one = hoeffding(0.01, 0.01, (1.0, 0.0))
    assert hoeffding(0.01, 0.01, (1.0, -1.1)) / one == pytest.approx(4.41)
    assert hoeffding(0.01, 0.01, (3.0,)) == pytest.approx(9.0 * hoeffding(0.01, 0.01))


@pytest.mark.parametrize(
    ("passes", "single", "difference"),
    [
        (1, 63_381, 29_048),
        (2, 77_398, 34_838),
        (3, 89_104, 39_674),
        (5, 108_053, 47_503),
        (8, 128_681, 56_025),
        (32, 156_956, 67_706),
    ],
)
def test_a_budget_of_passes_lies_between_first_change_and_full(passes: int, single: int, difference: int) -> None:
    many = histories(H, passes)
    assert ceil(hoeffding(0.01, 1e-4, histories=many)) == single
    assert ceil(bennett(0.01, 1e-4, 0.1, histories=many)) == difference


@pytest.mark.parametrize(
    ("most", "none", "full", "active"),
    [
        (0.02, 6_499, 15_147, 98),
        (0.05, 14_972, 34_896, 565),
        (0.1, 29_048, 67_706, 2_189),
        (0.2, 57_180, 133_277, 8_618),
        (0.5, 141_559, 329_952, 53_336),
    ],
)
def test_the_fewer_predictions_change_the_fewer_rows_it_takes(most: float, none: int, full: int, active: int) -> None:
    assert ceil(bennett(0.01, 1e-4, most, histories=NONE)) == none
    assert ceil(bennett(0.01, 1e-4, most, histories=FULL)) == full
    assert ceil(most * bennett(0.01, 1e-4, most)) == active


@pytest.mark.parametrize(
    ("tolerance", "published", "where_right"), [(0.05, 2_050, 612), (0.025, 8_201, 2_738), (0.01, 51_054, 17_896)]
)
def test_the_binomial_itself_needs_a_fifth_fewer(tolerance: float, published: int, where_right: int) -> None:
    # The published ones are for a share of .5 and .9 alone; over all shares it is up to 0.5 % and 3.5 % more.
    assert published <= exact(tolerance, 1e-4, histories=NONE) <= 1.005 * published
    assert where_right <= exact(tolerance, 1e-4, histories=NONE, least=0.9) <= 1.035 * where_right
    assert exact(tolerance, 1e-4, histories=NONE) < 0.82 * hoeffding(tolerance, 1e-4, histories=NONE)


@pytest.mark.parametrize("tolerance", [0.2, 0.05])
def test_exact_rows_are_those_at_which_no_exact_bound_is_further_away(tolerance: float) -> None:
    def widest(rows: int) -> float:
        return max(count / rows - clopper_pearson.low(count, rows, 0.01) for count in range(rows + 1))

    rows = exact(tolerance, 0.01)
    assert widest(rows) <= tolerance < widest(rows - 1)


@pytest.mark.parametrize(("many", "rows"), [(1, 13_832), (NONE, 20_411), (FULL, 56_870)])
def test_a_paired_bound_would_take_a_third_to_four_fifths_of_it(many: int, rows: int) -> None:
    # Normal approximation at d = .1, ε = .01: what `@` without a tolerance costs.
    assert ceil(upper_normal(1e-4 / many) ** 2 * 0.1 / 0.01**2) == pytest.approx(rows, abs=2)
    assert rows < bennett(0.01, 1e-4, 0.1, histories=many)


@given(st.integers(10, 10**7), st.floats(1e-9, 0.4), st.integers(1, 2**40))
def test_the_tolerance_that_rows_reach_takes_those_rows(rows: int, delta: float, many: int) -> None:
    reached = hoeffding_tolerance((rows, rows), delta, (1.0, -1.5), histories=many)
    assert hoeffding(reached, delta, (1.0, -1.5), histories=many) == pytest.approx(rows, rel=1e-9)
    by_bennett = bennett_tolerance(rows, delta, 0.1, histories=many)
    if by_bennett <= 1.0:
        assert bennett(by_bennett, delta, 0.1, histories=many) == pytest.approx(rows, rel=1e-6)


def test_a_variable_with_fewer_rows_costs_more_tolerance() -> None:
    even = hoeffding_tolerance((1000, 1000), 0.01, TWO)
    assert hoeffding_tolerance((1000, 250), 0.01, TWO) == pytest.approx(1.5 * even)


def test_any_number_of_histories_has_a_logarithm() -> None:
    assert hoeffding(0.01, 0.01, histories=2**5000) == pytest.approx(5000 * 0.693147 / 0.0002, rel=0.01)
    assert exact(0.3, 0.01, histories=2**1200) <= hoeffding(0.3, 0.01, histories=2**1200) + 1
