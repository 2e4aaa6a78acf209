"""The golden numbers of the research on gates' statistics, by its sections, each by the code that gives it.

Elsewhere: 2 and the table of ease.ml/ci (test_histories.py), 16 (tests/unit/test_drift.py), 4's gap and 7 with the
gates on gaps and on days, 18 and every other rate (tests/integration: test_verdict_mutants.py, test_verdict_doc.py,
test_bound_coverage.py). Not there yet: 3 (exposure of rows), 15 (means, percentiles), 17 (monitoring).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mlops_ci.gates.bounds import betting, clopper_pearson, delong, dirichlet, groups, tango
from mlops_ci.gates.bounds.clopper_pearson import F1
from mlops_ci.gates.bounds.delong import Auc
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.need import detectable, rows
from mlops_ci.gates.quantiles import beta_cdf, upper_normal

# --- 4: gates that must all hold, and what correcting them would cost


@pytest.mark.parametrize(("gates", "plain", "corrected"), [(5, 0.851, 0.527), (12, 0.679, None), (10, 0.724, 0.141)])
def test_4_how_often_gates_that_are_clear_pass_together(gates: int, plain: float, corrected: float | None) -> None:
    # Each 3.5 standard errors clear at 95 %.
    def together(alpha: float) -> float:
        return NormalDist().cdf(3.5 - upper_normal(alpha)) ** gates

    assert together(0.05) == pytest.approx(plain, abs=5e-4)
    if corrected is not None:
        assert together(0.05 / gates) == pytest.approx(corrected, abs=1e-3)


# --- 5: counts


def test_5_93_of_100() -> None:
    found = [bound(93, 100, 0.05) for bound in (clopper_pearson.low, clopper_pearson.high)]
    assert found == pytest.approx([0.87254, 0.96669], abs=5e-6)


def test_5_f1_of_80_hits_10_false_alarms_30_missed() -> None:
    found = F1(true_positives=80, of=120)
    assert [found.low(0.05, passing=True), found.high(0.05, passing=False)] == pytest.approx(
        [0.74146, 0.84917], abs=5e-6
    )


@pytest.mark.parametrize(
    ("bound", "table", "alpha", "golden"),
    [
        (tango.low, (15, 25, 2000), 0.05, -0.000208),
        (tango.high, (15, 25, 2000), 0.05, 0.010506),
        (tango.low, (15, 25, 2000), 0.01, -0.002517),
        (tango.low, (0, 0, 200), 0.05, -0.013347),
        (tango.low, (1, 9, 500), 0.05, 0.006645),
        (tango.low, (0, 6, 100), 0.05, 0.031341),
    ],
)
def test_5_tangos_score_bounds(bound: object, table: tuple[int, int, int], alpha: float, golden: float) -> None:
    assert bound(*table, alpha) == pytest.approx(golden, abs=1e-6)  # type: ignore[operator]


@pytest.mark.parametrize(("losses", "wins", "of"), [(15, 25, 2000), (0, 0, 200), (1, 9, 500)])
def test_5_the_verdicts_bound_is_tangos(losses: int, wins: int, of: int) -> None:
    # (0, 6, 100) is not: there wins alone are counted, and a true difference of 0.0313 would pass with .094.
    found = PairedProportion(losses=losses, wins=wins, of=of)
    assert found.low(0.05, passing=True) == tango.low(losses, wins, of, 0.05)


def test_5_resampling_rows_is_resampling_counts() -> None:
    drawn = np.random.default_rng(1).multinomial(2000, [15 / 2000, 25 / 2000, 1960 / 2000], size=200_000)
    assert ((drawn[:, 1] - drawn[:, 0]) / 2000).std() == pytest.approx(0.0031603, rel=5e-3)


def test_5_harm_that_no_row_shows() -> None:
    assert PairedProportion(losses=0, wins=0, of=200).low(0.05, passing=True) < -0.006


def test_5_the_table_has_prior_1_in_each_of_8_cells() -> None:
    draws = dirichlet._draws("f1", (90, 0, 0, 0, 0, 0, 0, 10), 40_000)
    again = np.random.Generator(np.random.PCG64(dirichlet.SEED)).standard_gamma(
        np.array([91.0, 1, 1, 1, 1, 1, 1, 11]), size=(40_000, 8)
    )
    assert np.array_equal(draws, np.sort(dirichlet.difference("f1", again)))


# --- 6: ROC AUC


def test_6_wilsons_bound_of_30_positives_at_95_percent() -> None:
    assert delong.wilson_low(0.95, 30, 0.05) == pytest.approx(0.83987, abs=5e-6)
    assert Auc(value=0.95, se=0.01, positives=30, negatives=1000).low(0.05, passing=True) == pytest.approx(
        0.83987, abs=5e-6
    )


def test_6_the_switch_stands_at_five() -> None:
    for positives, method in ((99, "auc-wilson/2"), (100, "delong-logit/3")):
        assert Auc(value=0.75, se=0.01, positives=positives // 5, negatives=1000).method == method


# --- 8: rows needed


def test_8_rows_and_the_smallest_difference_they_see() -> None:
    seen = PairedProportion(losses=952, wins=952, of=32_418)
    gate = parse("accuracy - champion.accuracy > -0.005 @ 99%")
    assert rows(gate, seen, 0.0, 0.01) == 23_578
    assert rows(gate, seen, -0.003, 0.01) == 147_339
    assert detectable(seen, 0.0, 0.01) == pytest.approx(0.00426, abs=5e-6)


# --- 9: groups


def test_9_fewer_than_twenty_groups_decide_nothing() -> None:
    assert groups.FEWEST == 20


# --- 10: far out


@pytest.mark.parametrize(
    ("table", "alpha", "golden"), [((15, 25, 2000), 1e-6, -0.01422), ((784, 1120, 32_418), 1e-4, 0.00378)]
)
def test_10_the_bet(table: tuple[int, int, int], alpha: float, golden: float) -> None:
    assert betting.low(*table, alpha) == pytest.approx(golden, abs=5e-6)


# --- 11: one method a gate


def test_11_mcnemar_would_say_something_else() -> None:
    # The chance of 21 or more of 32 where either is as likely.
    assert beta_cdf(0.5, 21, 12) == pytest.approx(0.0551, abs=5e-5)
    assert tango.low(11, 21, 1000, 0.05) == pytest.approx(0.00073, abs=6e-6)
