"""Behaviours of model tests, judged from their counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlops_ci.gates.behaviour import judge
from mlops_ci.records.behaviours import Behaviour, ModelTest
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result, Where

LINE = Where("tests/model/test_late.py", 12)


def counted(held: int, of: int, needed: float = 0.95, **more: object) -> Behaviour:
    return Behaviour(kind="direction", held=held, of=of, needed=needed, **{"confidence": 0.95, **more})  # type: ignore[arg-type]


def model_test(*behaviours: Behaviour, status: Status = Status.PASSED) -> ModelTest:
    where = Where("tests/model/test_late.py", 9)
    result = Result(check="test_late.py::test_later", part=Part.TESTS, status=status, message="passed", where=where)
    return ModelTest(result=result, behaviours=behaviours)


def one(*behaviours: Behaviour) -> Result:
    [result] = judge([model_test(*behaviours)])
    return result


CANNOT_TELL = "the rows cannot tell: if it holds as often as it was seen to, "


@pytest.mark.parametrize(
    ("held", "status", "message"),
    [
        (1_960, Status.PASSED, "holds for 98 % of 2,000 rows [97.4, 98.5], needs 95 %"),
        (1_820, Status.FAILED, "holds for 91 % of 2,000 rows [89.9, 92], needs 95 %"),
        (1_908, Status.UNDECIDED, f"[94.6, 96.1], needs 95 %; {CANNOT_TELL}16,958 rows would decide it"),
        (1_899, Status.UNDECIDED, f"{CANNOT_TELL}more rows of the same kind would not decide it"),
    ],
)
def test_the_lower_bound_passes_and_the_upper_one_fails(held: int, status: Status, message: str) -> None:
    result = one(counted(held, 2_000))
    assert (result.status, result.message[-len(message) :]) == (status, message)
    exact = stats.beta.ppf(0.05, held, 2_000 - held + 1), stats.beta.ppf(0.95, held + 1, 2_000 - held)
    assert (result.numbers["low"], result.numbers["high"]) == pytest.approx(exact, abs=1e-9)
    assert result.numbers["method"] == "clopper-pearson/1"


def test_all_of_many_rows_do_not_look_like_more_than_they_are() -> None:
    assert "holds for 99.96 % of 5,000 rows [99.9, 99.99]" in one(counted(4_998, 5_000)).message
    assert one(counted(20, 20)).status is Status.UNDECIDED  # twenty of twenty is no proof of 95 %
    assert one(counted(59, 59)).status is Status.PASSED


@pytest.mark.parametrize(("rule", "blocking"), [("refuse", True), ("warn", False), ("accept", False)])
def test_an_undecided_behaviour_blocks_unless_it_is_let_through(rule: str, blocking: bool) -> None:
    result = one(counted(1_908, 2_000, when_undecided=rule))
    assert (result.status, result.blocking) == (Status.UNDECIDED, blocking)
    assert one(counted(1_820, 2_000, when_undecided=rule)).blocking


def test_of_several_the_worst_decides_and_all_are_told() -> None:
    let_through = counted(1_908, 2_000, when_undecided="warn")
    result = one(counted(1_990, 2_000), let_through, counted(1_908, 2_000), counted(1_700, 2_000, where=LINE))
    assert (result.status, result.numbers["held"], result.where) == (Status.FAILED, 1_700, LINE)
    assert result.message.count("holds for") == 4
    undecided = one(counted(1_990, 2_000), let_through, counted(1_907, 2_000))
    assert (undecided.status, undecided.blocking) == (Status.UNDECIDED, True)


def test_the_place_is_the_tests_own_file() -> None:
    elsewhere = counted(1_700, 2_000, where=Where("tests/model/helpers.py", 3))
    assert str(one(elsewhere).where) == "tests/model/test_late.py:9"


def test_a_test_that_failed_or_counted_nothing_stays_what_it_was() -> None:
    for status in (Status.FAILED, Status.ERRORED, Status.SKIPPED):
        before = model_test(counted(2_000, 2_000), status=status)
        assert judge([before]) == (before.result,)
    assert judge([model_test()]) == (model_test().result,)


def test_the_fail_side_shares_its_error_over_all_behaviours() -> None:
    alone = one(counted(1_880, 2_000))
    assert alone.status is Status.FAILED
    many = judge([model_test(counted(1_880, 2_000)) for _ in range(20)])
    assert {result.status for result in many} == {Status.UNDECIDED}
    assert {result.numbers["low"] for result in many} == {alone.numbers["low"]}


def test_rows_that_belong_together_are_counted_by_group() -> None:
    """40 days, in four of which it never holds: by row that is 90 % for sure, by day it is not."""
    groups = ((0, 50, 4), (50, 50, 36))
    result = one(counted(1_800, 2_000, 0.85, groups=groups))
    assert (result.status, result.numbers["method"], result.numbers["groups"]) == (
        Status.UNDECIDED,
        "group-jackknife/4",
        40,
    )
    assert one(counted(1_800, 2_000, 0.85)).status is Status.PASSED


def test_too_few_groups_decide_nothing() -> None:
    result = one(counted(1_000, 1_000, groups=((100, 100, 10),)))
    assert result.status is Status.UNDECIDED
    assert "10 groups of rows that belong together: at least 20 are needed" in result.message


@pytest.mark.parametrize(("of", "needed"), [(200, 0.9), (2_000, 0.95), (500, 0.99)])
def test_at_the_threshold_itself_it_passes_and_fails_at_most_as_often_as_promised(of: int, needed: float) -> None:
    """The exact error rates: every count there can be, weighted by its probability."""
    counts = np.arange(of + 1)
    shares = stats.binom.pmf(counts, of, needed)
    found = [one(counted(int(held), of, needed)).status for held in counts[shares > 1e-9]]
    weights = shares[shares > 1e-9]
    passed, failed = (
        sum(w for w, status in zip(weights, found, strict=True) if status is which)
        for which in (Status.PASSED, Status.FAILED)
    )
    assert 0.02 < passed <= 0.05
    assert 0.02 < failed <= 0.05


def test_by_group_it_passes_wrongly_about_as_often_as_promised_where_rows_go_together() -> None:
    """60 days of 30 rows; a day's own share is drawn from a beta distribution around 0.9 (design effect 4)."""
    random = np.random.default_rng(7)
    by_group = by_row = 0
    for _ in range(600):
        held = random.binomial(30, random.beta(0.9 * 8.7, 0.1 * 8.7, 60))
        values, many = np.unique(held, return_counts=True)
        groups = tuple((int(value), 30, int(times)) for value, times in zip(values, many, strict=True))
        by_group += one(counted(int(held.sum()), 1_800, 0.9, groups=groups)).status is Status.PASSED
        by_row += one(counted(int(held.sum()), 1_800, 0.9)).status is Status.PASSED
    assert by_group / 600 <= 0.08
    assert by_row / 600 >= 0.12
