"""Conditions of deepchecks as Results, the settings for them, and which rows they are asked about."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.config import load
from mlops_ci.edge.deepchecks import Condition
from mlops_ci.errors import ConfigError
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.results import Part, Result
from mlops_ci.steps.deepchecks_parts import SAMPLE, sample
from mlops_ci.steps.deepchecks_results import Counts, results

COUNTS = Counts(train=5_000, train_of=129_857, holdout=700, holdout_of=700)
SETTINGS = """\
version: 1
project: flights
task: classification
data: {sources: {flights: data/flights.csv}, target: late}
"""


def condition(category: str, *, check: str = "feature_drift", side: str = "", text: str = "found 0.3") -> Condition:
    return Condition(check=check, side=side, category=category, text=text, allowed="drift < 0.2")


def told(*conditions: Condition, blocking: bool = True) -> tuple[Result, ...]:
    return results(conditions, part=Part.DATA, counts=COUNTS, blocking=blocking)


@pytest.mark.parametrize(
    ("category", "status"),
    [
        ("PASS", Status.PASSED),
        ("WARN", Status.FAILED),
        ("FAIL", Status.FAILED),
        ("ERROR", Status.ERRORED),
        ("NOT_RUN", Status.ERRORED),
    ],
)
def test_a_check_that_did_not_run_is_errored_and_never_passed(category: str, status: Status) -> None:
    assert [result.status for result in told(condition(category))] == [status]


def test_a_result_says_what_was_found_and_asked_and_on_how_many_rows() -> None:
    [result] = told(condition("FAIL"))
    assert result.check == "deepchecks/feature_drift"
    assert result.message == (
        "found 0.3; asked: drift < 0.2 (on 5,000 of 129,857 training and 700 of 700 held-out rows)"
    )
    assert result.numbers == {
        "train_rows": 5_000,
        "train_rows_of": 129_857,
        "holdout_rows": 700,
        "holdout_rows_of": 700,
    }


def test_the_worst_side_decides_and_is_the_one_that_is_told() -> None:
    good, bad = condition("PASS", side="train", text="fine"), condition("FAIL", side="holdout", text="9% twins")
    for order in ((good, bad), (bad, good)):
        [result] = told(*order)
        assert result.status is Status.FAILED
        assert result.message.startswith("9% twins; ")


def test_sides_that_fail_differently_are_told_apart() -> None:
    [result] = told(condition("FAIL", side="train", text="a"), condition("FAIL", side="holdout", text="b"))
    assert result.message.startswith("training rows: a; held-out rows: b; asked: drift < 0.2 (")


def test_a_side_that_did_not_run_is_not_hidden_by_one_that_failed() -> None:
    [result] = told(condition("FAIL", side="train"), condition("NOT_RUN", side="holdout", text="ValueError: inf"))
    assert result.status is Status.ERRORED
    assert result.message.startswith("did not run: ValueError: inf")


def test_advisory_never_blocks_and_gate_does() -> None:
    for category, outcome in (("FAIL", Outcome.FAILED), ("NOT_RUN", Outcome.ERRORED), ("PASS", Outcome.PASSED)):
        advice, law = told(condition(category), blocking=False), told(condition(category))
        assert combine(result.status for result in advice if result.blocking) is Outcome.PASSED
        assert combine(result.status for result in law if result.blocking) is outcome


def test_each_check_has_one_result_in_the_order_of_the_answer() -> None:
    found = told(condition("PASS"), condition("FAIL", check="label_drift"), condition("PASS", side="train"))
    assert [result.check for result in found] == ["deepchecks/feature_drift", "deepchecks/label_drift"]


def test_a_sample_is_bounded_and_of_its_side_only() -> None:
    side = np.arange(40_000) % 4 == 1
    rows = sample(side)
    assert len(rows) == SAMPLE
    assert side[rows].all()
    assert np.array_equal(sample(side[:100]), np.flatnonzero(side[:100]))


def test_new_rows_displace_few_of_a_sample() -> None:
    ids = np.sort(np.random.default_rng(1).integers(0, 2**63, 50_000))
    grown = np.sort(np.concatenate([ids, np.random.default_rng(2).integers(0, 2**63, 5_000)]))
    before, after = (set(every[sample(np.ones(len(every), bool))].tolist()) for every in (ids, grown))
    assert len(before & after) > 0.88 * SAMPLE


@pytest.mark.parametrize("mode", ["off", "advisory", "gate"])
def test_every_mode_can_be_set(mode: str) -> None:
    config = load.parse(
        f"{SETTINGS}checks: {{deepchecks: {mode}, slow: weak_segments_performance}}\n", file="mlops.yaml"
    )
    assert (config.checks.deepchecks, config.checks.slow) == (mode, ("weak_segments_performance",))


def test_a_slow_check_that_does_not_exist_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        load.parse(f"{SETTINGS}checks: {{deepchecks: gate, slow: [feature_drift]}}\n", file="mlops.yaml")
    assert caught.value.where == "mlops.yaml:5: checks.slow[0]"
    assert "weak_segments_performance" in caught.value.advice
