"""n, o and d of ease.ml/ci: the candidate's accuracy, the champion's, and the share of predictions that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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
    assert (found.verdict, found.groups, found.method) == (Status.UNDECIDED, 100, "group-jackknife/2")
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
