"""`+/- tolerance`: passed, failed or undecided by bounds whose rows are known before any data is."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.histories import histories
from mlops_ci.gates.judge import judge
from mlops_ci.gates.plan import plan
from mlops_ci.gates.question import Question
from mlops_ci.gates.sample_size import hoeffding_tolerance
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict

PASSED, FAILED, UNDECIDED = Status.PASSED, Status.FAILED, Status.UNDECIDED


def _question(rows: int, right: float, *, lost: float = 0.0, won: float = 0.0, **more: Any) -> Question:
    """The champion is right on the first share `right`; the candidate loses and wins these shares."""
    place = np.arange(rows) / rows
    theirs = place >= right
    ours = theirs.copy()
    ours[place < lost] = True
    ours[(place >= right) & (place < right + won)] = False
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(rows, dtype=np.uint64),
        truth=np.zeros(rows, dtype=np.int32),
        classes=("no", "yes"),
        group=more.pop("group", None),
    )
    answers = [Predictions(digest="", labels=labels.astype(np.int32)) for labels in (ours, theirs)]
    of_rival = {name: more.pop(name) for name in ("same_model", "unanswered") if name in more}
    rival = Champion(name="v1", decision="", commit="", predictions=answers[1], **of_rival)
    return Question(holdout=holdout, predictions=answers[0], champion=rival, **more)


def _one(text: str, question: Question, *beside: str) -> Verdict:
    return judge([parse(text), *map(parse, beside)], question)[0]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("n > 0.78 +/- 0.01 @ 99.9%", PASSED),
        ("n >= 0.78 +/- 1% @ 99.9%", PASSED),
        ("n > 0.799 +/- 0.01 @ 99.9%", UNDECIDED),
        ("n > 0.82 +/- 0.01 @ 99.9%", FAILED),
        ("n < 0.82 ± 0.01 @ 99.9%", PASSED),
        ("n < 0.78 +/- 0.01 @ 99.9%", FAILED),
        ("0.82 > n +/- 0.01 @ 99.9%", PASSED),
        ("2 * n > 1.58 +/- 0.02 @ 99.9%", PASSED),
        ("-1 * n > -0.82 +/- 0.01 @ 99.9%", PASSED),
    ],
)
def test_one_share_is_judged_by_the_binomial_itself(text: str, verdict: Status) -> None:
    found = _one(text, _question(30_000, 0.8))
    assert (found.verdict, found.method, found.rows_needed) == (verdict, "binomial-tolerance/1", 23_974)
    assert (found.alpha_pass, found.alpha_fail) == (0.001, 0.001)
    if "-" not in text.replace("+/-", "") and "2 *" not in text:
        assert found.low == clopper_pearson.low(24_000, 30_000, 0.001)
        assert found.high == clopper_pearson.high(24_000, 30_000, 0.001)


def test_with_fewer_rows_than_the_tolerance_takes_it_is_undecided_whatever_is_seen() -> None:
    found = _one("n > 0.1 +/- 0.01 @ 99.9%", _question(23_973, 0.8))
    assert (found.verdict, found.rows, found.rows_needed) == (UNDECIDED, 23_973, 23_974)
    assert found.reason == (
        f"a tolerance of 0.01 takes 23,974 rows and 23,973 are there, which reach {found.detectable:.4f}"
    )
    assert _one("n > 0.1 +/- 0.01 @ 99.9%", _question(23_974, 0.8)).verdict is PASSED


def test_a_difference_is_judged_by_hoeffdings_inequality() -> None:
    question = _question(160_000, 0.8, lost=0.01, won=0.06)
    found = _one("n - o > 0.02 +/- 0.01 @ 99.9%", question)
    reached = hoeffding_tolerance((160_000, 160_000), 0.001, (1.0, -1.0))
    assert (found.verdict, found.method, found.rows_needed) == (PASSED, "hoeffding-tolerance/1", 152_019)
    assert found.low == pytest.approx(0.05 - reached, abs=1e-4)
    assert found.high == pytest.approx(0.05 + reached, abs=1e-4)
    assert found.reason == (
        "with 99.9 % confidence the difference is at least 4.03 points, above 2; "
        "160,000 rows reach a tolerance of 0.97 points (1 point takes 152,019)"
    )
    assert _one("n - o > 0.055 +/- 0.01 @ 99.9%", question).verdict is UNDECIDED
    assert _one("n - o > 0.07 +/- 0.01 @ 99.9%", question).verdict is FAILED
    assert _one("n - 1.1 * o > 0 +/- 0.05 @ 99%", question).rows_needed == 4_674


def test_a_gate_that_keeps_changes_few_makes_the_difference_cheaper() -> None:
    question = _question(20_000, 0.8, lost=0.01, won=0.06)
    found = _one("n - o > 0.02 +/- 0.01 @ 99.9%", question, "d < 0.1 +/- 0.02 @ 99.9%")
    assert (found.verdict, found.method, found.rows_needed) == (PASSED, "bennett-tolerance/1", 17_133)
    assert "d is at most 0.0762, within 0.1" in found.reason
    plain = "n - o > 0.02 +/- 0.01 @ 99.9%"
    assert _one(plain, question).rows_needed == 152_019
    # Only a bound from above on all rows, with a tolerance, and only for n - o.
    for other in (
        "d < 0.1",
        "d < 0.1 @ 99.9%",
        "d > 0.1 +/- 0.02 @ 99%",
        "d < 0.97 +/- 0.02 @ 99%",
        "n < 0.1 +/- 0.1 @ 99%",
    ):
        assert _one(plain, question, other).method == "hoeffding-tolerance/1", other
    assert (
        _one("n - 1.1 * o > 0 +/- 0.05 @ 99%", question, "d < 0.1 +/- 0.02 @ 99.9%").method == "hoeffding-tolerance/1"
    )
    assert _one("2 * n - 2 * o > 0.04 +/- 0.02 @ 99.9%", question, "d < 0.1 +/- 0.02 @ 99.9%").rows_needed == 17_133


def test_where_changes_are_not_shown_to_be_few_it_takes_hoeffdings_rows_with_half_the_error() -> None:
    question = _question(20_000, 0.8, lost=0.01, won=0.06)
    gates = [parse("n - o > 0.02 +/- 0.01 @ 99.9%"), parse("d < 0.075 +/- 0.02 @ 99.9%")]
    found = judge(gates, question)[0]
    assert (found.verdict, found.method, found.rows_needed) == (UNDECIDED, "hoeffding-tolerance/1", 165_881)
    assert "d is only known to be at most 0.0762, not 0.075" in found.reason
    assert plan(gates, question)[0].reason == (
        "the tolerance takes 165,881 rows, whatever is seen, by Hoeffding's inequality, because d is not shown to be "
        "small (12,983 where it is); 20,000 are there"
    )


@pytest.mark.parametrize(("many", "rows"), [(histories(32), 14_752), (2**32 - 1, 41_364)])
def test_more_histories_take_more_rows(many: int, rows: int) -> None:
    text = "n > 0.5 +/- 0.02 @ 99.99%"
    found = _one(text, _question(50_000, 0.8, histories=many))
    assert found.alpha_pass == pytest.approx(1e-4 / many)
    assert found.rows_needed is not None
    assert 0.75 * rows < found.rows_needed < rows * 1.1
    assert found.rows_needed > (_one(text, _question(50_000, 0.8)).rows_needed or 0)


def test_a_gate_with_a_tolerance_keeps_its_reliability_for_itself() -> None:
    gates = [parse("n > 0.7 @ 95%"), parse("n > 0.7 +/- 0.05 @ 99%"), parse("d < 0.7 +/- 0.05 @ 99%")]
    by_confidence, with_tolerance, _ = judge(gates, _question(4_000, 0.8))
    assert by_confidence.alpha_fail == 0.05
    assert with_tolerance.alpha_fail == pytest.approx(0.01)


def test_rows_that_belong_together_have_no_tolerance() -> None:
    found = _one("n > 0.7 +/- 0.1 @ 99%", _question(4_000, 0.8, group=np.arange(4_000) // 10))
    assert found.verdict is UNDECIDED
    assert "rows belong together" in found.reason
    by_day = _question(4_000, 0.8, group=np.arange(4_000) // 10)
    by_day = msgspec.structs.replace(by_day, holdout=msgspec.structs.replace(by_day.holdout, by_day=True))
    assert "`@` then counts days" in _one("n > 0.7 +/- 0.1 @ 99%", by_day).reason


def test_a_champion_that_answers_in_part_leaves_it_undecided_and_none_skips_it() -> None:
    question = _question(4_000, 0.8, unanswered=np.arange(4_000) < 10)
    assert "could not be asked" in _one("n - o > -0.5 +/- 0.1 @ 99%", question).reason
    assert _one("n > 0.5 +/- 0.1 @ 99%", question).verdict is PASSED
    alone = Question(holdout=question.holdout, predictions=question.predictions)
    assert _one("n - o > -0.5 +/- 0.1 @ 99%", alone).verdict is Status.SKIPPED


def test_one_model_compared_with_itself_differs_by_nothing() -> None:
    found = _one("n - o > -0.02 +/- 0.01 @ 99%", _question(100, 0.8, same_model=True))
    assert (found.verdict, found.method) == (PASSED, "same-model/1")


def test_the_plan_says_what_a_tolerance_takes_before_anything_is_seen() -> None:
    gates = [
        parse("n - o > 0.02 +/- 0.01 @ 99.99%"),
        parse("d < 0.1 +/- 0.01 @ 99.99%"),
        parse("n > 0.7 +/- 5% @ 99.99%"),
    ]
    found = plan(gates, _question(4_000, 0.8, histories=32))
    # Published: 29K with Bennett's inequality, 63,381 and 2,536 by Hoeffding's for 32 commits.
    assert [one.rows_needed for one in found] == [29_048, 51_124, 2_060]
    assert "29,048 rows, whatever is seen, by Bennett's inequality, if d is shown to be below 0.1" in found[0].reason
    assert "(63,381 by Hoeffding's inequality)" in found[1].reason
    assert "(2,536 by Hoeffding's inequality); 4,000 are there" in found[2].reason
