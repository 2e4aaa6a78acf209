"""The verdict benchmark holds for the judge, and goes red for judges that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.verdicts import catalog
from bench.verdicts.cells import Cell
from bench.verdicts.simulate import Rate, simulate
from mlops_ci.gates import claim, judge, verdict_only
from mlops_ci.gates.bounds.delong import Auc
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.gate import Gate
from mlops_ci.ledger import looks
from mlops_ci.records.outcomes import Status
from mlops_ci.steps import promise

CELLS = {cell.name: cell for cells in catalog.sections().values() for cell in cells}
AT_95 = "difference > -0.01 @ 95%; true -1 point, 2,000 rows"
REFUSED_AT_95 = "difference >= -0.01 @ 95%; true -1 point, 2,000 rows"
POWER = "difference > 0 @ 95%; true +1 points, 10,000 rows"
REFUSAL_POWER = "difference > 0 @ 95%; true -1 points, 10,000 rows"
RARE_HARM = "difference > -0.005 @ 95%; 0.6 % of 200 rows harmed"
NEAR_ONE = "ROC AUC > 0.99 @ 95%; true 0.99, 30 positives of 1,030 rows"
FIVE = "five gates @ 95%; each 3.5 standard errors clear"
ONE_OF_FIVE = "five gates @ 95%; one at its threshold, four clear"
WORST = "worst of ten slices >= 0.5 @ 95%; all at the threshold"
DAYS = "accuracy > 0.8 @ 95%; true 0.8, 36 days of 60 rows, correlation .05"
LEANING = "difference > 0 @ 95%; true 0, 40 days of 50 rows that lean one way"
GROWN = "accuracy > 0.5 @ 95%; 32 decisions with reports; 32 guessing models, a row added for each"
WORN = "accuracy > 0.5 @ 95%; 8 decisions with reports; 48 guessing models, a row added for each"
BY_ANSWERS = "accuracy > 0.5260 @ 95%; 64 answers until one passes; the vote of 63 by their answers"
BETTER = "difference > 0 @ 95%; 32 decisions with reports; true +1 point; 10,000 rows"
RUNS = {
    AT_95: 8_000,
    REFUSED_AT_95: 8_000,
    NEAR_ONE: 1_000,
    FIVE: 500,
    ONE_OF_FIVE: 500,
    WORST: 500,
    DAYS: 1_000,
    LEANING: 1_000,
    GROWN: 60,
    WORN: 100,
    BY_ANSWERS: 40,
    BETTER: 300,
}
WATCHED = [AT_95, REFUSED_AT_95, POWER, REFUSAL_POWER, RARE_HARM, NEAR_ONE, FIVE, ONE_OF_FIVE, WORST, DAYS, LEANING]
WATCHED += [GROWN, WORN, BY_ANSWERS, BETTER]


def _rates(name: str) -> list[Rate]:
    return simulate(CELLS[name], runs=RUNS.get(name, 1_000))


def _told(rates: list[Rate]) -> str:
    return "; ".join(f"{rate.counted.meaning} {rate.ours:.4f} of {rate.limits}" for rate in rates)


@pytest.mark.parametrize("name", WATCHED)
def test_the_judge_stays_inside_the_limits(name: str) -> None:
    rates = _rates(name)
    assert all(rate.holds for rate in rates), _told(rates)


# --- judges that are wrong on purpose

Break = Callable[[pytest.MonkeyPatch], None]


def two_sided(patch: pytest.MonkeyPatch) -> None:
    """C is shared by both sides."""
    patch.setattr(Gate, "alpha", property(lambda gate: (1.0 - gate.confidence) / 2.0))


class _Unpaired(PairedProportion):
    """Two shares as if each model had rows of its own; both are right on 80 % of them."""

    def low(self, alpha: float, *, passing: bool) -> float:
        return self.value + NormalDist().inv_cdf(alpha) * sqrt(2.0 * 0.8 * 0.2 / self.of)

    def high(self, alpha: float, *, passing: bool) -> float:
        return self.value - NormalDist().inv_cdf(alpha) * sqrt(2.0 * 0.8 * 0.2 / self.of)


def unpaired(patch: pytest.MonkeyPatch) -> None:
    for side in ("low", "high"):
        patch.setattr(PairedProportion, side, getattr(_Unpaired, side))


def corrected_for_passing(patch: pytest.MonkeyPatch) -> None:
    """Bonferroni over the gates on the pass side, which all must hold."""
    original = claim.judge

    def shared(gate: Gate, question: Any, claims: int) -> Any:
        share = 1.0 - gate.alpha / claims
        return original(msgspec.structs.replace(gate, confidence=share), question, claims)

    patch.setattr(judge.claim, "judge", shared)


def not_corrected_for_failing(patch: pytest.MonkeyPatch) -> None:
    original = claim._bounds
    patch.setattr(claim, "_bounds", lambda gate, made, passing, failing: original(gate, made, passing, gate.alpha))


def point(patch: pytest.MonkeyPatch) -> None:
    original = judge._judge
    patch.setattr(
        judge,
        "_judge",
        lambda gate, question, claims: original(msgspec.structs.replace(gate, confidence=None), question, claims),
    )


def always_undecided(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim, "decided", lambda gate, low, high: Status.UNDECIDED)


def always_passed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim, "decided", lambda gate, low, high: Status.PASSED)


def never_failed(patch: pytest.MonkeyPatch) -> None:
    original = claim.decided

    def kind(gate: Gate, low: Any, high: Any) -> Status:
        found = original(gate, low, high)
        return Status.UNDECIDED if found is Status.FAILED else found

    patch.setattr(claim, "decided", kind)


def swapped_sign(patch: pytest.MonkeyPatch) -> None:
    original = claim.paired
    patch.setattr(
        claim, "paired", lambda metric, sample, ours, theirs, **more: original(metric, sample, theirs, ours, **more)
    )


def swapped_bounds(patch: pytest.MonkeyPatch) -> None:
    original = claim._bounds
    patch.setattr(claim, "_bounds", lambda *given: original(*given)[::-1])


def bootstrap(patch: pytest.MonkeyPatch) -> None:
    def resampled(self: PairedProportion, alpha: float, *, passing: bool) -> float:
        shares = [self.wins / self.of, self.losses / self.of, 1.0 - (self.wins + self.losses) / self.of]
        drawn = np.random.default_rng(1).multinomial(self.of, shares, size=1_000)
        return float(np.quantile((drawn[:, 0] - drawn[:, 1]) / self.of, alpha))

    patch.setattr(PairedProportion, "low", resampled)


def plain_delong(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Auc, "low", lambda self, alpha, *, passing: self.value + NormalDist().inv_cdf(alpha) * self.se)


def by_row(patch: pytest.MonkeyPatch) -> None:
    """Days are forgotten."""
    original = claim.whole

    def without_groups(question: Any, against: Any = None) -> Any:
        sample = original(question, against)
        return msgspec.structs.replace(sample, holdout=msgspec.structs.replace(sample.holdout, group=None))

    patch.setattr(claim, "whole", without_groups)


def no_wear(patch: pytest.MonkeyPatch) -> None:
    """Every look is taken for the first."""
    patch.setattr(promise, "divisor", lambda promised: 1)


def rows_are_reset(patch: pytest.MonkeyPatch) -> None:
    """A holdout that has grown is a new one."""
    original = looks.per_row
    patch.setattr(looks, "per_row", lambda ids, seen: original(ids, [one for one in seen if len(one[0]) == len(ids)]))


def failed_is_told_apart(patch: pytest.MonkeyPatch) -> None:
    """Two answers that are not passed, and K counts one."""
    patch.setattr(verdict_only, "verdicts", lambda gates, question, passed: judge.judge(gates, question.gate_part))


# The rate a wrong judge gives in the cell, as the research foretells it (None: anything outside).
MUTANTS: list[tuple[Break, str, float | None]] = [
    (two_sided, AT_95, 0.025),
    (two_sided, REFUSED_AT_95, 0.025),
    (unpaired, AT_95, 0.002),
    (corrected_for_passing, ONE_OF_FIVE, 0.010),
    (corrected_for_passing, FIVE, 0.527),
    (not_corrected_for_failing, WORST, 0.40),
    (point, AT_95, 0.50),
    (always_undecided, AT_95, 0.0),
    (always_undecided, POWER, 0.0),
    (always_passed, AT_95, 1.0),
    (never_failed, REFUSED_AT_95, 0.0),
    (swapped_sign, POWER, 0.0),
    (swapped_sign, REFUSAL_POWER, 0.0),
    (swapped_bounds, AT_95, None),
    (bootstrap, RARE_HARM, 0.30),
    (plain_delong, NEAR_ONE, 0.27),
    (by_row, DAYS, None),
    (by_row, LEANING, None),
    (no_wear, GROWN, 0.79),
    (no_wear, BETTER, 0.936),
    (rows_are_reset, WORN, None),
    (failed_is_told_apart, BY_ANSWERS, None),
]


@pytest.mark.parametrize(
    ("mutant", "name", "foretold"), MUTANTS, ids=[f"{mutant.__name__}: {name}" for mutant, name, _ in MUTANTS]
)
def test_a_judge_that_is_wrong_is_seen(
    mutant: Break, name: str, foretold: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    rates = _rates(name)
    assert not all(rate.holds for rate in rates), _told(rates)
    if foretold is not None:
        spread = max(sqrt(foretold * (1.0 - foretold) / rates[0].runs), 0.002)
        assert rates[0].ours == pytest.approx(foretold, abs=4.0 * spread)


def test_cells_have_names_of_their_own() -> None:
    every: list[Cell] = [cell for cells in catalog.sections().values() for cell in cells]
    assert len(every) == len(CELLS) >= 30
