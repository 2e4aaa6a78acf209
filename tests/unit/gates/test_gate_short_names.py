"""n, o and d of ease.ml/ci: the candidate's accuracy, the champion's, and the share of predictions that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Side, Verdict


def _question(changed: int, of: int, *, classes: int = 2, group: np.ndarray | None = None, **more: Any) -> Question:
    """Two models of which the first `changed` answers differ; the champion is right everywhere."""
    theirs = (np.arange(of) % classes).astype(np.int32)
    ours = np.where(np.arange(of) < changed, (theirs + 1) % classes, theirs).astype(np.int32)
    plan = Factor(codes=(np.arange(of) % 2).astype(np.int32), values=("basic", "plus"))
    holdout = Holdout(
        task=Task.BINARY if classes == 2 else Task.MULTICLASS,
        digest="",
        ids=np.arange(of, dtype=np.uint64),
        truth=theirs,
        classes=tuple("abcd"[:classes]),
        group=group,
        slices={"plan": plan},
    )
    answers = Predictions(digest="", labels=theirs)
    rival = Champion(name="v1", decision="", commit="", predictions=answers, **more)
    return Question(holdout=holdout, predictions=Predictions(digest="", labels=ours), champion=rival)


def _one(text: str, question: Question) -> Verdict:
    (found,) = judge([parse(text)], question)
    return found


@pytest.mark.parametrize("claim", ["", " @ 95%"])
def test_n_and_o_are_the_two_accuracies(claim: str) -> None:
    question = _question(60, 1000)
    for short, long in (("n > 0.9", "accuracy > 0.9"), ("n - o > -0.1", "accuracy - champion.accuracy > -0.1")):
        one, other = _one(f"{short}{claim}", question), _one(f"{long}{claim}", question)
        assert (one.verdict, one.observed, one.low, one.reason) == (
            other.verdict,
            other.observed,
            other.low,
            other.reason,
        )
    assert _one("o >= 1", question).verdict is Status.PASSED


@pytest.mark.parametrize("classes", [2, 4])
def test_d_is_the_share_of_changed_predictions_with_exact_bounds(classes: int) -> None:
    found = _one("d <= 0.1 @ 95%", _question(60, 1000, classes=classes))
    assert (found.verdict, found.observed, found.method) == (Status.PASSED, 0.06, "clopper-pearson/1")
    assert found.high == clopper_pearson.high(60, 1000, 0.05)
    assert found.candidate == Side(value=0.06, count=60, of=1000)
    assert found.rows_needed == 218
    assert _one("d <= 0.05 @ 95%", _question(60, 1000)).verdict is Status.UNDECIDED
    assert _one("d <= 0.04 @ 95%", _question(60, 1000)).verdict is Status.FAILED
    assert _one("d <= 0.06", _question(60, 1000)).verdict is Status.PASSED
    assert _one("d[plan=plus] < 0.07", _question(60, 1000)).observed == 0.06


def test_d_of_groups_is_bounded_by_groups() -> None:
    # Whole groups change their answers: 6 of 100 groups, not 60 of 1000 rows.
    found = _one("d <= 0.09 @ 95%", _question(60, 1000, group=np.arange(1000) // 10))
    assert (found.verdict, found.groups, found.method) == (Status.UNDECIDED, 100, "group-jackknife/4")
    assert found.high is not None
    assert found.high > clopper_pearson.high(60, 1000, 0.05)


def test_d_needs_a_champion_and_its_answers() -> None:
    alone = Question(holdout=_question(1, 100).holdout, predictions=_question(1, 100).predictions)
    assert _one("d <= 0.1 @ 95%", alone).verdict is Status.SKIPPED
    found = _one("d <= 0.1 @ 95%", _question(6, 100, same_model=True))
    assert (found.verdict, found.method) == (Status.PASSED, "same-model/1")
    assert found.reason == "this is the champion's model, byte for byte: no prediction differs"


def test_rows_the_champion_cannot_answer_may_all_have_changed() -> None:
    found = _one("d <= 0.1 @ 95%", _question(0, 1000, unanswered=np.arange(1000) >= 900))
    assert (found.verdict, found.observed) == (Status.UNDECIDED, 0.0)
    assert found.high == pytest.approx(0.9 * clopper_pearson.high(0, 900, 0.05) + 0.1)
    none = _one("d <= 0.1 @ 95%", _question(0, 100, unanswered=np.ones(100, dtype=bool)))
    assert (none.verdict, none.reason) == (Status.UNDECIDED, "the champion could be asked about none of these rows")
    assert _one("d <= 0.1", _question(0, 100, unanswered=np.ones(100, dtype=bool))).verdict is Status.UNDECIDED


_MIXED = Predictions(digest="", labels=np.array([0, 1, 0, 1, 1, 1, 0, 0] * 50, dtype=np.int32))
"""Of the truth 0, 1, 2, 3, … right in the first two of eight; the champion of `_question` is right in all."""


def _sum(text: str, *, group: np.ndarray | None = None, **more: Any) -> Verdict:
    return _one(text, replace(_question(0, 400, classes=4, group=group, **more), predictions=_MIXED))


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("n - 1.1 * o > -1 @ 95%", (-0.1, -1.1)),
        ("n - o + 0.5 * d > -1 @ 95%", (0.0, -0.5)),
        ("n - d > 0 @ 95%", (1, -1)),
    ],
)
def test_a_sum_with_factors_is_the_mean_of_what_rows_are_worth(text: str, worth: tuple[float, float]) -> None:
    right = int((_MIXED.labels == np.arange(400) % 4).sum())
    found, seen = _sum(text), _sum(text.removesuffix(" @ 95%"))
    assert found.method == "dirichlet-sum/1"
    assert found.observed == pytest.approx(seen.observed)
    assert found.observed == pytest.approx((right * worth[0] + (400 - right) * worth[1]) / 400)
    error = (worth[0] - worth[1]) * np.sqrt(right * (400 - right) / 400**3)
    assert found.low == pytest.approx(found.observed - 1.645 * error, abs=0.9 * error)
    assert found.high == pytest.approx(found.observed + 1.645 * error, abs=0.9 * error)
    assert (seen.low, seen.method) == (None, "point/1")


def test_a_sum_whose_cells_are_known_is_wider_than_the_difference_it_holds() -> None:
    difference, more = _one("n - o > 0 @ 95%", _question(60, 1000)), _one("n - 1.1 * o > 0 @ 95%", _question(60, 1000))
    assert more.observed == pytest.approx(difference.observed - 0.1)
    assert difference.low is not None
    assert more.low is not None
    assert more.low - more.observed < difference.low - difference.observed
    again = _one("n - 1.1 * o > 0 @ 95%", _question(60, 1000))
    assert again == more


def test_a_sum_of_groups_is_counted_by_groups() -> None:
    text = "n - 1.1 * o > -1 @ 95%"
    by_row, by_group = _sum(text), _sum(text, group=np.arange(400) // 8)
    assert (by_group.method, by_group.groups) == ("group-jackknife/4", 50)
    assert by_group.low is not None
    assert by_row.low is not None
    assert by_group.low <= by_row.low
    few = _one(text, _question(4, 1000, group=np.arange(1000) // 10))
    share = clopper_pearson.high(1, 100, 0.05)
    # One group of 100 holds a loss, worth -1.1; in the others both are right, worth -0.1; a win would be worth 1.
    assert few.low is not None
    assert few.low <= -0.1 - 2.1 * share
    assert few.high is not None
    assert few.high >= -0.1 + 2.1 * clopper_pearson.high(0, 100, 0.05) - 1e-12


def test_a_sum_on_rows_without_all_answers_has_no_bound() -> None:
    found = _one("n - 1.1 * o > -1 @ 95%", _question(60, 1000, unanswered=np.arange(1000) >= 900))
    assert (found.verdict, found.low) == (Status.UNDECIDED, None)
    assert "the champion could not be asked about some rows, and a sum with factors allows no bound" in found.reason
    assert found.observed == pytest.approx(840 / 900 - 1.1)
    none = _one("n - 1.1 * o > -1 @ 95%", _question(0, 100, unanswered=np.ones(100, dtype=bool)))
    assert none.reason == "the champion could be asked about none of these rows"
