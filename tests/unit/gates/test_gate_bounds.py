"""Golden numbers of the methods, and what must hold of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_ci.gates.bounds import betting, clopper_pearson, delong, dirichlet, groups, tango
from mlops_ci.gates.bounds.clopper_pearson import F1
from mlops_ci.gates.bounds.delong import Auc
from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.dirichlet import PairedTable
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.quantiles import upper_normal


def test_clopper_pearson_gives_the_golden_bounds_of_93_of_100() -> None:
    assert clopper_pearson.low(93, 100, 0.05) == pytest.approx(0.87254, abs=5e-6)
    assert clopper_pearson.high(93, 100, 0.05) == pytest.approx(0.96669, abs=5e-6)


def test_no_success_and_all_successes_have_the_exact_bounds() -> None:
    assert clopper_pearson.low(0, 50, 0.05) == 0.0
    assert clopper_pearson.low(50, 50, 0.05) == pytest.approx(0.05 ** (1 / 50), abs=1e-12)
    assert clopper_pearson.high(50, 50, 0.05) == 1.0


def test_f1_gets_the_golden_bounds_through_its_proportion() -> None:
    found = F1(true_positives=80, of=120)
    assert found.value == pytest.approx(0.8)
    assert found.low(0.05, passing=True) == pytest.approx(0.74146, abs=5e-6)
    assert found.high(0.05, passing=False) == pytest.approx(0.84917, abs=5e-6)


@pytest.mark.parametrize(
    ("losses", "wins", "rows", "alpha", "expected"),
    [
        (15, 25, 2000, 0.05, -0.000208),
        (15, 25, 2000, 0.01, -0.002517),
        (0, 0, 200, 0.05, -0.013347),
        (1, 9, 500, 0.05, 0.006645),
        (0, 6, 100, 0.05, 0.031341),
        (11, 21, 1000, 0.05, 0.00073),
    ],
)
def test_tango_gives_the_golden_low_bounds(losses: int, wins: int, rows: int, alpha: float, expected: float) -> None:
    assert tango.low(losses, wins, rows, alpha) == pytest.approx(expected, abs=6e-6 if rows == 1000 else 1e-6)


def test_tango_gives_the_golden_high_bound_and_mirrors() -> None:
    assert tango.high(15, 25, 2000, 0.05) == pytest.approx(0.010506, abs=1e-6)
    assert tango.high(15, 25, 2000, 0.05) == -tango.low(25, 15, 2000, 0.05)


def test_nothing_discordant_leaves_z2_over_n_plus_z2() -> None:
    for z, alpha in ((1.6448536, 0.05), (2.3263479, 0.01)):
        bound = z**2 / (200 + z**2)
        found = PairedProportion(losses=0, wins=0, of=200)
        assert found.low(alpha, passing=True) == pytest.approx(-bound, abs=1e-7)
        assert found.high(alpha, passing=False) == pytest.approx(bound, abs=1e-7)
        assert bound <= found.still(alpha) < 1.02 * bound


def test_wins_alone_are_bounded_as_the_proportion_they_are() -> None:
    found = PairedProportion(losses=0, wins=6, of=100)
    first = replace(found, version=1)
    assert (found.method, first.method) == ("tango/2", "tango/1")
    assert first.low(0.05, passing=True) == pytest.approx(0.031341, abs=1e-6)
    assert found.low(0.05, passing=True) == clopper_pearson.low(6, 100, 0.05) < 0.0265
    mirrored = PairedProportion(losses=6, wins=0, of=100)
    assert mirrored.high(0.05, passing=True) == -found.low(0.05, passing=True)
    both = PairedProportion(losses=1, wins=9, of=500)
    assert both.low(0.05, passing=True) == pytest.approx(0.006645, abs=1e-6)


def test_losses_alone_get_the_exact_bound_below_95_percent_only() -> None:
    for alpha, exact in ((0.1, True), (0.0501, True), (0.05, False), (0.01, False)):
        found = PairedProportion(losses=1, wins=0, of=200)
        expected = -clopper_pearson.high(1, 200, alpha) if exact else tango.low(1, 0, 200, alpha)
        assert found.low(alpha, passing=True) == expected
        some = PairedProportion(losses=2, wins=1, of=200)
        assert some.low(alpha, passing=True) == tango.low(2, 1, 200, alpha)


def test_the_bet_gives_the_golden_bounds_far_out() -> None:
    assert betting.low(15, 25, 2000, 1e-6) == pytest.approx(-0.01422, abs=5e-6)
    assert betting.low(784, 1120, 32418, 1e-4) == pytest.approx(0.00378, abs=5e-6)


def test_a_small_rarer_class_gets_wilsons_bound() -> None:
    assert delong.wilson_low(0.95, 30, 0.05) == pytest.approx(0.83987, abs=5e-6)
    few = Auc(value=0.95, se=0.001, positives=30, negatives=1000)
    assert few.method == "auc-wilson/2"
    assert few.low(0.05, passing=True) == pytest.approx(0.83987, abs=5e-6)


def test_delong_switches_to_the_logit_scale_at_five() -> None:
    assert Auc(value=0.75, se=0.02, positives=20, negatives=1000).method == "delong-logit/3"
    assert Auc(value=0.75, se=0.02, positives=19, negatives=1000).method == "auc-wilson/2"
    many = Auc(value=0.9, se=0.02, positives=500, negatives=1000)
    assert many.low(0.05, passing=True) < 0.9 - 1.645 * 0.02 < many.high(0.05, passing=True) < 1.0


def test_an_auc_that_few_rows_cost_is_bounded_farther_on_their_side() -> None:
    """placements: 400 positives of 1, 100 of .9: the skewness of a mean of two values is (1 - 2p) / √(n p (1 - p))."""
    ours, theirs = np.repeat([1.0, 0.9], [400, 100]), np.repeat([0.97, 0.99], 250)
    of_two_values = (2 * 0.2 - 1) / np.sqrt(500 * 0.2 * 0.8)
    alike = np.ones(500)
    assert delong.leaning(ours, alike) == pytest.approx(of_two_values * (499 / 500) ** 1.5, abs=1e-9)
    assert abs(delong.leaning(ours, theirs)) < abs(of_two_values)
    assert delong.leaning(alike, alike) == 0.0
    straight = Auc(value=0.98, se=0.004, positives=500, negatives=500)
    leans = replace(straight, leaning=-0.3)
    before = replace(leans, version=2)
    assert (before.method, leans.method) == ("delong-logit/2", "delong-logit/3")
    assert before.low(0.05, passing=True) == straight.low(0.05, passing=True)
    errors = upper_normal(0.05) + 0.3 * (2 * upper_normal(0.05) ** 2 + 1) / 6
    assert leans.low(0.05, passing=True) == pytest.approx(delong.logit_shift(0.98, -errors * 0.004), abs=1e-12)
    assert leans.high(0.05, passing=True) == straight.high(0.05, passing=True)
    mirrored = replace(leans, value=0.02, leaning=0.3)
    assert mirrored.high(0.05, passing=True) == pytest.approx(1 - leans.low(0.05, passing=True), abs=1e-12)


def _scores(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    positive = generator.random(rows) < 0.3
    return positive, np.round(generator.normal(positive * 1.0), 1).astype(np.float32)


def test_placements_count_ties_half_and_average_to_the_auc() -> None:
    positive, scores = _scores(300, 1)
    expected = np.array(
        [
            np.mean((scores[~positive] < s) + 0.5 * (scores[~positive] == s))
            if p
            else np.mean((scores[positive] > s) + 0.5 * (scores[positive] == s))
            for p, s in zip(positive, scores, strict=True)
        ]
    )
    assert np.allclose(delong.placements(positive, scores), expected, atol=1e-15)
    import sklearn.metrics as sklearn

    assert Auc.of(positive, scores).value == pytest.approx(sklearn.roc_auc_score(positive, scores), abs=1e-12)


def test_the_auc_without_each_group_is_the_auc_computed_again() -> None:
    positive, scores = _scores(400, 2)
    codes = np.random.default_rng(3).integers(0, 25, 400)
    own = groups.ordered_within(codes, positive, scores)
    found = groups.auc_left_out(codes, 25, positive, delong.placements(positive, scores), own)
    again = [Auc.of(positive[codes != g], scores[codes != g]).value for g in range(25)]
    assert np.allclose(found, again, atol=1e-12)


def test_the_jackknife_of_groups_of_one_row_is_the_usual_standard_error() -> None:
    values = np.random.default_rng(4).normal(size=200)
    left_out = groups.ratio_left_out(values, np.ones(200))
    assert groups.jackknife_error(left_out) == pytest.approx(values.std(ddof=1) / np.sqrt(200), rel=1e-9)


def test_equal_orders_are_bounded_by_what_none_of_the_rarer_class_could_show() -> None:
    same = PairedAuc(of_positives=np.zeros(100), of_negatives=np.zeros(1000))
    assert same.low(0.05, passing=True) == pytest.approx(-(1 - 0.05 ** (1 / 100)))
    assert same.high(0.05, passing=False) == pytest.approx(1 - 0.05 ** (1 / 100))


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 0.001])
def test_an_auc_as_near_to_one_as_it_gets_has_bounds(alpha: float) -> None:
    for away in (0.0, 1e-12, 1e-7, 1e-5, 1e-4, 4e-4, 6e-4, 1e-3, 0.01):
        for se in (0.0, 1e-9, 1e-4, 0.01):
            for value in (1.0 - away, away):
                found = Auc(value=value, se=se, positives=100, negatives=1000)
                low, high = found.low(alpha, passing=True), found.high(alpha, passing=True)
                assert 0.0 <= low <= value <= high <= 1.0


def _moved() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)
    return {"of_positives": generator.normal(0, 0.01, 200), "of_negatives": generator.normal(0, 0.01, 2000)}


def test_the_first_version_for_two_aucs_still_counts_one_misplaced_row_more_to_pass() -> None:
    moved = PairedAuc(**_moved(), version=1)
    more = np.append(moved.of_positives, -1.0)
    se = np.sqrt(more.var(ddof=1) / 201 + moved.of_negatives.var(ddof=1) / 2000)
    assert moved.method == "delong-paired/1"
    assert moved.low(0.05, passing=True) == pytest.approx(more.mean() - 1.6448536 * se, abs=1e-9)
    assert moved.low(0.05, passing=True) < moved.low(0.05, passing=False)
    assert moved.high(0.05, passing=True) > moved.high(0.05, passing=False)


@pytest.mark.parametrize(("alpha", "z"), [(0.05, 1.6448536), (0.01, 2.3263479)])
def test_the_bounds_of_two_aucs_count_as_many_misplaced_rows_more_as_a_poisson_count_needs(
    alpha: float, z: float
) -> None:
    moved, more = _moved(), (z * z + 2) / 3
    found = PairedAuc(**moved)
    values, weights = np.append(moved["of_positives"], -1.0), np.append(np.ones(200), more)
    mean = np.average(values, weights=weights)
    spread = np.sum(weights * (values - mean) ** 2) / (199 + more) / (200 + more)
    se = np.sqrt(spread + moved["of_negatives"].var(ddof=1) / 2000)
    assert found.method == "delong-paired/2"
    assert found.low(alpha, passing=True) == pytest.approx(mean - z * se, abs=1e-7)
    assert found.low(alpha, passing=True) == found.low(alpha, passing=False)
    mirrored = PairedAuc(of_positives=-moved["of_positives"], of_negatives=-moved["of_negatives"])
    assert found.high(alpha, passing=True) == -mirrored.low(alpha, passing=True)


def test_an_auc_near_one_reaches_up_as_far_as_the_exact_bound_of_as_many_trials() -> None:
    few = Auc(value=0.999, se=0.001, positives=100, negatives=1000)
    assert few.high(0.01, passing=False) == pytest.approx(clopper_pearson.high(99.9, 100, 0.01))
    assert few.high(0.01, passing=False) > replace(few, version=1).high(0.01, passing=False)
    many = Auc(value=0.97, se=0.01, positives=300, negatives=3000)
    trials = 0.97 * 0.03 / 0.01**2
    assert many.high(0.05, passing=False) == pytest.approx(clopper_pearson.high(trials * 0.97, trials, 0.05))
    assert many.low(0.05, passing=True) == replace(many, version=1).low(0.05, passing=True)
    low = Auc(value=0.03, se=0.01, positives=300, negatives=3000)
    assert low.low(0.05, passing=True) == pytest.approx(1 - many.high(0.05, passing=False))


TABLE: dirichlet.Cells = (600, 20, 15, 40, 30, 12, 18, 265)


def test_dirichlet_draws_are_the_same_every_time_and_hold_the_difference() -> None:
    found = PairedTable(kind="f1", table=TABLE)
    bounds = found.low(0.05, passing=True), found.high(0.05, passing=False)
    dirichlet._draws.cache_clear()
    assert bounds == (found.low(0.05, passing=True), found.high(0.05, passing=False))
    assert bounds[0] < found.value < bounds[1]


def test_the_table_gives_the_f1_and_precision_of_both_models() -> None:
    _, b, c, d, e, f, g, h = TABLE
    candidate = 2 * (g + h) / (2 * (g + h) + (c + d) + (e + f))
    champion = 2 * (f + h) / (2 * (f + h) + (b + d) + (e + g))
    assert PairedTable(kind="f1", table=TABLE).value == pytest.approx(candidate - champion, abs=1e-12)
    precision = (g + h) / (c + d + g + h) - (f + h) / (b + d + f + h)
    assert PairedTable(kind="precision", table=TABLE).value == pytest.approx(precision, abs=1e-12)


def test_there_is_no_dirichlet_bound_beyond_what_the_draws_can_show() -> None:
    assert PairedTable(kind="f1", table=TABLE).high(1e-5, passing=False) is None


def test_the_prior_does_not_draw_a_difference_towards_zero() -> None:
    few: dirichlet.Cells = (86, 0, 1, 1, 2, 6, 0, 4)
    for kind in ("f1", "precision"):
        found = PairedTable(kind=kind, table=few)
        first = replace(found, version=1)
        assert (found.method, first.method) == ("dirichlet/2", "dirichlet/1")
        drawn = dirichlet._draws(kind, few, dirichlet.DRAWS)
        assert first.low(0.05, passing=True) == drawn[1999]
        assert first.high(0.05, passing=False) == drawn[-2000]
        assert found.low(0.05, passing=True) <= drawn[1999] - max(drawn.mean() - found.value, 0)
        assert found.low(0.05, passing=True) < first.low(0.05, passing=True)
        assert found.high(0.05, passing=False) >= first.high(0.05, passing=False)


def test_with_few_rows_a_prior_of_harm_alone_is_asked_too() -> None:
    for rows, asked in ((99, True), (100, False)):
        table: dirichlet.Cells = (500, 2, 2, 2, rows - 80, 5, 5, 64)
        found = PairedTable(kind="f1", table=table)
        assert found.rows == rows
        drawn = dirichlet._draws("f1", table, dirichlet.DRAWS)
        moved = drawn[1999] - max(drawn.mean() - found.value, 0)
        low = found.low(0.05, passing=True)
        assert low is not None
        assert bool(low < moved) is asked
        assert bool(low == moved) is not asked


def test_harm_nobody_has_seen_yet_keeps_the_dirichlet_bound_away_from_zero() -> None:
    unseen: dirichlet.Cells = (100, 0, 0, 0, 0, 0, 0, 100)
    low = PairedTable(kind="f1", table=unseen).low(0.05, passing=True)
    assert low is not None
    assert low < -0.005
