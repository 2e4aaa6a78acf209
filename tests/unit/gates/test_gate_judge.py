"""What becomes of a gate: every verdict, its numbers and its sentence."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from mlops_ci.gates.bounds import clopper_pearson, groups, tango
from mlops_ci.gates.bounds.tango import PairedProportion
from mlops_ci.gates.gate import Whose
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.need import rows
from mlops_ci.gates.plan import plan
from mlops_ci.gates.question import Question
from mlops_ci.gates.starting import starting_gates
from mlops_ci.gates.validate import validate
from mlops_ci.records.decisions import Absence
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict

PASSED, FAILED, UNDECIDED = Status.PASSED, Status.FAILED, Status.UNDECIDED


def _question(truth: Any, labels: Any, champion: Any = None, **more: Any) -> Question:
    holdout = Holdout(
        task=more.pop("task", Task.BINARY),
        digest="h",
        ids=np.arange(len(truth), dtype=np.uint64),
        truth=np.asarray(truth, dtype=np.int32),
        classes=more.pop("classes", ("no", "yes")),
        group=more.pop("group", None),
        slices=more.pop("slices", {}),
    )
    rival = None
    if champion is not None:
        answers = Predictions(digest="c", labels=np.asarray(champion, dtype=np.int32), scores=more.pop("theirs", None))
        of_rival = {name: more.pop(name) for name in ("same_model", "unanswered") if name in more}
        rival = Champion(name="v1 in production", decision="d", commit="c", predictions=answers, **of_rival)
    ours = Predictions(digest="p", labels=np.asarray(labels, dtype=np.int32), scores=more.pop("scores", None))
    return Question(holdout=holdout, predictions=ours, champion=rival, **more)


def _right(count: int, of: int, **more: Any) -> Question:
    """A question whose accuracy is count / of."""
    return _question(np.zeros(of), np.arange(of) >= count, **more)


def _discordant(losses: int, wins: int, of: int, **more: Any) -> Question:
    """`losses` rows right only with the champion, `wins` only with the candidate, the rest right with both."""
    ours, theirs = np.zeros(of), np.zeros(of)
    ours[:losses] = 1
    theirs[losses : losses + wins] = 1
    return _question(np.zeros(of), ours, theirs, **more)


def _regression(truth: Any, values: Any, **more: Any) -> Question:
    asked = _question(np.zeros(len(truth)), np.zeros(len(truth)), task=Task.REGRESSION, classes=(), **more)
    holdout = msgspec.structs.replace(asked.holdout, truth=np.asarray(truth, dtype=np.float64))
    answers = Predictions(digest="p", labels=np.asarray(values, dtype=np.float32))
    return msgspec.structs.replace(asked, holdout=holdout, predictions=answers)


def _one(text: str, question: Question, **gate: Any) -> Verdict:
    (found,) = judge([parse(text, **gate)], question)
    return found


# --- point gates


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ("accuracy >= 0.84", PASSED, "0.84 is at or above 0.84"),
        ("accuracy > 0.84", FAILED, "0.84 is not above 0.84"),
        ("accuracy >= 0.841", FAILED, "0.84 is below 0.841"),
        ("accuracy <= 0.84", PASSED, "0.84 is at or below 0.84"),
        ("0.8 < accuracy", PASSED, "0.84 is above 0.8"),
    ],
)
def test_without_a_confidence_the_value_decides(text: str, verdict: Status, reason: str) -> None:
    found = _one(text, _right(84, 100))
    assert (found.verdict, found.reason, found.method) == (verdict, reason, "point/1")
    assert found.confidence is None
    assert found.low == clopper_pearson.low(84, 100, 0.05)
    assert found.high == clopper_pearson.high(84, 100, 0.05)


def test_a_difference_exactly_at_the_threshold_is_not_lost_in_binary_fractions() -> None:
    assert 0.84 - 0.85 < -0.01  # what floating point would say
    found = _one("accuracy - champion.accuracy >= -0.01", _discordant(4, 3, 100))
    assert (found.verdict, found.observed) == (PASSED, -0.01)
    assert found.reason == "the difference of −1 points is at or above −1"


def test_facts_are_compared_in_their_units() -> None:
    facts = {"bundle_size": 65e6, "latency_p99": 0.012, "tests.failed": 1.0}
    question = _right(1, 2, facts=facts)
    assert _one("bundle_size <= 50 MB", question).reason == "65 MB is above 50 MB"
    assert _one("latency_p99 <= 20 ms", question).verdict is PASSED
    assert _one("tests.failed == 0", question).reason == "1 is not equal to 0"


def test_the_worst_slice_without_a_confidence_says_that_it_is_biased() -> None:
    cut = {"sex": Factor(codes=np.repeat([0, 1], 50).astype(np.int32), values=("f", "m"))}
    found = _one("worst(accuracy, by=sex) >= 0.7", _right(84, 100, slices=cut))
    assert (found.verdict, found.observed, found.slice) == (FAILED, 0.68, "sex=m")
    assert "looks worse than it is" in found.reason


# --- what cannot be judged


def test_without_a_champion_a_comparison_is_skipped() -> None:
    found = _one("accuracy - champion.accuracy > 0 @ 95%", _right(84, 100))
    assert (found.verdict, found.reason) == (Status.SKIPPED, "no model has passed before: nothing to compare with")


def test_a_champion_whose_answers_cannot_be_had_leaves_the_gate_undecided() -> None:
    gone = Champion(name="v1", decision="", commit="", reason="its bundle is erased")
    found = _one("accuracy > champion.accuracy", msgspec.structs.replace(_right(84, 100), champion=gone))
    assert found.verdict is UNDECIDED
    assert "its bundle is erased" in found.reason


def test_facts_are_skipped_with_a_reason_and_errored_without() -> None:
    absent = {"drift.max_psi": Absence(status=Status.SKIPPED, reason="no base")}
    question = _right(1, 2, missing_facts=absent, facts={"bundle_size": float("nan")})
    assert _one("drift.max_psi <= 0.25", question).verdict is Status.SKIPPED
    assert _one("tests.failed == 0", question).verdict is Status.ERRORED
    assert _one("bundle_size <= 1 MB", question).verdict is Status.ERRORED


def test_an_absent_slice_is_skipped_and_an_unknown_column_is_errored() -> None:
    cut = {"origin": Factor(codes=np.zeros(100, dtype=np.int32), values=("JFK", "LGA"))}
    question = _right(84, 100, slices=cut)
    for claim in ("", " @ 95%"):
        assert _one(f"accuracy[origin=LGA] > 0.5{claim}", question).verdict is Status.SKIPPED
        assert _one(f"accuracy[origin=XXX] > 0.5{claim}", question).verdict is Status.SKIPPED
        assert _one(f"accuracy[sex=f] > 0.5{claim}", question).verdict is Status.ERRORED


def test_an_undefined_metric_is_undecided_with_the_reason() -> None:
    for claim in ("", " @ 95%"):
        found = _one(f"recall > 0.5{claim}", _right(84, 100))
        assert found.verdict is UNDECIDED
        assert "no positives" in found.reason


def test_a_metric_of_scores_without_scores_is_errored_with_advice() -> None:
    found = _one("roc_auc > 0.5 @ 95%", _right(84, 100))
    assert found.verdict is Status.ERRORED
    assert "predict_proba" in found.reason


def test_scores_that_are_not_numbers_are_errored() -> None:
    scores = np.full(100, np.nan, dtype=np.float32)
    assert _one("roc_auc > 0.5 @ 95%", _right(84, 100, scores=scores)).verdict is Status.ERRORED


def test_a_claim_of_two_classes_on_three_is_errored() -> None:
    scores = np.full((100, 3), 1 / 3, dtype=np.float32)
    question = _right(84, 100, task=Task.MULTICLASS, classes=("a", "b", "c"), scores=scores)
    assert _one("roc_auc > 0.5 @ 95%", question).verdict is Status.ERRORED
    assert _one("accuracy > 0.5 @ 95%", question).verdict is PASSED


def test_when_undecided_only_lets_undecided_through() -> None:
    assert _one("accuracy > 0.83 @ 95%", _right(84, 100), when_undecided="warn").blocking is False
    assert _one("accuracy > 0.83 @ 95%", _right(84, 100)).blocking is True
    failed = _one("accuracy > 0.99 @ 95%", _right(84, 100), when_undecided="accept")
    assert (failed.verdict, failed.blocking) == (FAILED, True)


# --- claims


def test_a_claim_passes_fails_or_is_undecided_by_two_one_sided_bounds() -> None:
    question = _right(93, 100)
    low, high = clopper_pearson.low(93, 100, 0.05), clopper_pearson.high(93, 100, 0.05)
    for sign, limit, verdict in [
        (">", low, UNDECIDED),
        (">=", low, PASSED),
        (">", high, FAILED),
        (">=", high, UNDECIDED),
        ("<", high, UNDECIDED),
        ("<=", high, PASSED),
        ("<", low, FAILED),
        ("<=", low, UNDECIDED),
    ]:
        gate = msgspec.structs.replace(parse(f"accuracy {sign} 0.9 @ 95%"), threshold=limit)
        (found,) = judge([gate], question)
        assert (found.verdict, found.low, found.high) == (verdict, low, high), (sign, limit)
        assert (found.alpha_pass, found.alpha_fail, found.rows) == (0.05, 0.05, 100)


def test_the_pass_side_is_not_corrected_and_the_fail_side_shares_its_error() -> None:
    gates = [parse(f"accuracy > 0.{digit} @ 95%") for digit in range(5, 10)] + [parse("accuracy > 0.5")]
    for found in judge(gates, _right(93, 100))[:-1]:
        assert (found.alpha_pass, found.alpha_fail) == (0.05, 0.01)
        assert found.low == clopper_pearson.low(93, 100, 0.05)
        assert found.high == clopper_pearson.high(93, 100, 0.01)


def test_worst_takes_the_least_bound_and_shares_the_fail_side_over_slices() -> None:
    codes = np.repeat([0, 1, 2, -1], [100, 100, 5, 10]).astype(np.int32)
    wrong = np.r_[np.arange(100) >= 90, np.arange(100) >= 80, np.ones(5), np.zeros(10)]
    cut = {"origin": Factor(codes=codes, values=("A", "B", "C"))}
    question = _question(np.zeros(215), wrong, slices=cut)
    found = _one("worst(accuracy, by=origin, min_rows=50) >= 0.7 @ 95%", question)
    assert (found.verdict, found.observed, found.slice) == (PASSED, 0.8, "origin=B")
    assert found.low == clopper_pearson.low(80, 100, 0.05)
    assert found.high == clopper_pearson.high(80, 100, 0.025)
    assert found.alpha_fail == 0.025
    assert "C (5)" in found.reason


def test_worst_without_a_slice_large_enough_is_undecided() -> None:
    cut = {"origin": Factor(codes=np.zeros(100, dtype=np.int32), values=("A",))}
    for claim in ("", " @ 95%"):
        found = _one(f"worst(accuracy, by=origin, min_rows=500) > 0.1{claim}", _right(84, 100, slices=cut))
        assert found.verdict is UNDECIDED
        assert "A (100)" in found.reason


def test_min_rows_counts_positives_for_recall() -> None:
    truth = np.r_[np.ones(40), np.zeros(160)]
    cut = {"origin": Factor(codes=np.zeros(200, dtype=np.int32), values=("A",))}
    question = _question(truth, truth, slices=cut)
    assert _one("worst(recall, by=origin, min_rows=41) > 0.1 @ 95%", question).verdict is UNDECIDED
    assert _one("worst(recall, by=origin, min_rows=40) > 0.1 @ 95%", question).verdict is PASSED


def test_a_paired_difference_has_tangos_bounds_and_both_sides() -> None:
    found = _one("accuracy - champion.accuracy > -0.005 @ 95%", _discordant(15, 25, 2000))
    assert (found.verdict, found.method, found.difference) == (PASSED, "tango/2", True)
    assert found.low == pytest.approx(-0.000208, abs=1e-6)
    assert found.candidate is not None
    assert found.champion is not None
    assert (found.candidate.count, found.champion.count, found.candidate.of) == (1985, 1975, 2000)


def test_a_difference_the_other_way_round_mirrors() -> None:
    question = _discordant(15, 25, 2000)
    one = _one("accuracy - champion.accuracy > -0.005 @ 95%", question)
    other = _one("champion.accuracy - accuracy < 0.005 @ 95%", question)
    assert one.low is not None
    assert other.high == pytest.approx(-one.low, abs=1e-12)
    assert other.verdict is one.verdict


def test_one_method_decides_and_not_mcnemar() -> None:
    found = _one("accuracy - champion.accuracy > 0 @ 95%", _discordant(11, 21, 1000))
    assert (found.verdict, round(found.low or 0, 5)) == (PASSED, 0.00073)


def test_equal_answers_are_not_taken_for_no_difference() -> None:
    found = _one("accuracy - champion.accuracy > -0.005 @ 95%", _discordant(0, 0, 200))
    assert found.verdict is UNDECIDED
    assert found.low == pytest.approx(-0.013347, abs=1e-6)
    assert "does not show how they answer on others" in found.reason


@pytest.mark.parametrize(("threshold", "verdict"), [("-0.005", PASSED), ("0", FAILED)])
def test_the_very_same_model_differs_by_nothing(threshold: str, verdict: Status) -> None:
    found = _one(f"accuracy - champion.accuracy > {threshold} @ 95%", _discordant(0, 0, 200, same_model=True))
    assert (found.verdict, found.observed, found.low, found.high) == (verdict, 0, 0, 0)
    assert found.method == "same-model/1"


def test_equal_scores_are_not_taken_for_no_difference_of_auc() -> None:
    truth = np.r_[np.ones(100), np.zeros(300)]
    scores = np.linspace(1, 0, 400, dtype=np.float32)
    question = _question(truth, truth, truth, scores=scores, theirs=scores)
    found = _one("roc_auc - champion.roc_auc > -0.01 @ 95%", question)
    assert (found.verdict, found.low) == (UNDECIDED, pytest.approx(-(1 - 0.05**0.01)))
    assert _one("roc_auc - champion.roc_auc > -0.05 @ 95%", question).verdict is PASSED


def test_far_out_the_bet_decides_and_other_metrics_have_no_bound() -> None:
    question = _discordant(15, 25, 2000)
    found = _one("accuracy - champion.accuracy > -0.02 @ 99.9999%", question)
    assert (found.verdict, found.method) == (PASSED, "betting/1")
    assert found.low == pytest.approx(-0.01422, abs=5e-6)
    assert _one("roc_auc > 0.1 @ 99.95%", question).verdict is Status.ERRORED


# --- rows needed


def test_rows_needed_are_the_golden_ones() -> None:
    seen = PairedProportion(losses=952, wins=952, of=32418)
    gate = parse("accuracy - champion.accuracy > -0.005 @ 99%")
    assert rows(gate, seen, 0.0, 0.01) == 23_578
    assert rows(gate, seen, -0.003, 0.01) == 147_339
    found = _one("accuracy - champion.accuracy > -0.005 @ 99%", _discordant(952, 952, 32418))
    assert found.rows_needed == 23_578
    assert found.detectable == pytest.approx(0.00426, abs=5e-6)


def test_an_undecided_difference_says_what_would_decide_it() -> None:
    found = _one("accuracy - champion.accuracy > -0.005 @ 99%", _discordant(1002, 902, 32418))
    assert found.verdict is UNDECIDED
    assert found.reason.startswith("the difference lies between −0.62 and 0")
    assert "and −0.5 is in between; if the true difference is 0, 23,578 rows decide with 80 %" in found.reason
    assert "; if it is what was observed, " in found.reason


def test_rows_needed_are_null_where_no_truth_would_pass_or_it_takes_too_many() -> None:
    found = _one("accuracy - champion.accuracy > 0 @ 95%", _discordant(20, 25, 2000))
    assert (found.verdict, found.rows_needed) == (UNDECIDED, None)
    assert found.detectable is not None
    far = _one("accuracy > 0.8399 @ 95%", _right(84, 100))
    assert (far.rows_needed, far.detectable) == (None, pytest.approx(2.4865 * np.sqrt(0.84 * 0.16 / 100), rel=1e-4))


def test_where_nothing_varies_as_many_rows_are_needed_as_the_bound_needs() -> None:
    found = _one("accuracy > 0.99 @ 95%", _right(100, 100))
    assert found.rows_needed is not None
    assert clopper_pearson.low(found.rows_needed, found.rows_needed, 0.05) > 0.99
    assert clopper_pearson.low(found.rows_needed - 2, found.rows_needed - 2, 0.05) < 0.99
    same = _one("accuracy - champion.accuracy > -0.005 @ 95%", _discordant(0, 0, 200))
    assert same.rows_needed is not None
    assert tango.low(0, 0, same.rows_needed, 0.05) > -0.005


def test_the_plan_has_the_numbers_of_the_verdicts() -> None:
    texts = [
        "accuracy > 0.98",
        "accuracy >= 0.98 @ 95%",
        "accuracy - champion.accuracy > -0.001 @ 99%",
        "f1 > 0.2 @ 95%",
    ]
    gates = [parse(text) for text in [*texts, "recall[a=b] > 0", "tests.failed == 0"]]
    question = _discordant(15, 25, 2000)
    for made, found in zip(plan(gates, question), judge(gates, question), strict=True):
        assert (made.gate, made.method) == (found.gate, found.method)
        assert (made.rows_needed, made.rows_available, made.detectable) == (
            found.rows_needed,
            found.rows,
            found.detectable,
        )


# --- partial pairing


def test_rows_the_champion_cannot_answer_may_have_gone_either_way() -> None:
    partly = _discordant(15, 25, 2000, unanswered=np.arange(2000) >= 1800)
    found = _one("accuracy - champion.accuracy > -0.2 @ 95%", partly)
    assert found.low == pytest.approx(0.9 * tango.low(15, 25, 1800, 0.05) - 0.1, abs=1e-12)
    assert found.high == pytest.approx(0.9 * tango.high(15, 25, 1800, 0.05) + 0.1, abs=1e-12)
    assert found.rows_needed is None
    assert "no answer of the champion" in found.reason


def test_other_metrics_have_no_bound_where_rows_are_not_paired() -> None:
    generator = np.random.default_rng(1)
    truth, ours, theirs = (generator.integers(0, 2, 500) for _ in range(3))
    question = _question(truth, ours, theirs, unanswered=np.arange(500) < 5)
    found = _one("f1 - champion.f1 > -0.9 @ 95%", question)
    assert (found.verdict, found.low, found.high) == (UNDECIDED, None, None)


def test_rows_that_were_asked_again_are_paired_in_full() -> None:
    question = _discordant(15, 25, 2000)
    assert question.champion is not None
    again = msgspec.structs.replace(question, champion=msgspec.structs.replace(question.champion, unpaired=0.4))
    text = "accuracy - champion.accuracy > -0.005 @ 95%"
    assert _one(text, again) == _one(text, question)


# --- groups


def _grouped(number: int, size: int, seed: int = 0) -> Question:
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(number), size)
    share = np.repeat(generator.beta(8, 2, number), size)
    truth = generator.integers(0, 2, number * size)
    ours = np.where(generator.random(number * size) < share, truth, 1 - truth)
    theirs = np.where(generator.random(number * size) < 0.95, ours, 1 - ours)
    scores, other = (
        (labels * 0.5 + generator.random(number * size) * 0.6).astype(np.float32) for labels in (ours, theirs)
    )
    return _question(truth, ours, theirs, scores=scores, theirs=other, group=group.astype(np.int64))


METRICS = ["accuracy", "recall", "precision", "specificity", "f1", "roc_auc"]


@pytest.mark.parametrize("metric", METRICS)
def test_groups_are_counted_where_there_are_any_and_never_narrow_a_bound(metric: str) -> None:
    question = _grouped(36, 60)
    rowwise = msgspec.structs.replace(question, holdout=msgspec.structs.replace(question.holdout, group=None))
    for text in (f"{metric} > 0.5 @ 95%", f"{metric} - champion.{metric} > -0.05 @ 95%"):
        found, by_row = _one(text, question), _one(text, rowwise)
        assert (found.method, found.groups, by_row.groups) == (groups.NAME, 36, None)
        assert found.low <= by_row.low
        assert found.high >= by_row.high
        assert "design effect" in found.reason


@pytest.mark.parametrize("metric", METRICS)
def test_fewer_than_twenty_groups_decide_nothing(metric: str) -> None:
    for text in (f"{metric} > 0.01 @ 95%", f"{metric} - champion.{metric} > -0.9 @ 95%"):
        found = _one(text, _grouped(19, 60))
        assert (found.verdict, found.low, found.high, found.groups) == (UNDECIDED, None, None, 19)
        assert "at least 20 are needed" in found.reason


def test_groups_without_a_single_error_still_bound_what_was_not_seen() -> None:
    group = np.repeat(np.arange(36), 100).astype(np.int64)
    found = _one("accuracy > 0.95 @ 95%", _question(np.zeros(3600), np.zeros(3600), group=group))
    assert (found.verdict, found.low) == (UNDECIDED, pytest.approx(0.05 ** (1 / 36)))
    same = _one(
        "accuracy - champion.accuracy > -0.05 @ 95%",
        _question(np.zeros(3600), np.zeros(3600), np.zeros(3600), group=group),
    )
    assert (same.verdict, same.low) == (UNDECIDED, pytest.approx(-(1 - 0.05 ** (1 / 36))))


def _days(number: int, *, alike: bool) -> Question:
    """3,000 rows of `number` days, 80 % right: rows of one day all right or all wrong, or any."""
    day = np.repeat(np.arange(number), 3000 // number)
    wrong = day % 5 == 0 if alike else np.arange(len(day)) % 5 == 0
    asked = _question(np.zeros(len(day)), wrong, group=day.astype(np.int64))
    return msgspec.structs.replace(asked, holdout=msgspec.structs.replace(asked.holdout, by_day=True))


def test_days_that_nobody_declared_count_where_there_are_enough_of_them() -> None:
    found = _one("accuracy > 0.68 @ 95%", _days(60, alike=True))
    assert (found.method, found.groups, found.verdict) == ("group-jackknife/4", 60, PASSED)
    # Days that are all right or all wrong are one row each: Student's t alone would claim 0.713, the exact bound 0.696.
    assert found.low == pytest.approx(0.684, abs=0.001)
    assert found.low < clopper_pearson.low(48, 60, 0.05)
    assert "counted by 60 days (design effect" in found.reason


def test_on_few_days_rows_count_one_by_one_only_while_those_of_a_day_are_not_alike() -> None:
    apart, alike = (_one("accuracy > 0.78 @ 95%", _days(10, alike=alike)) for alike in (False, True))
    assert (apart.method, apart.groups, apart.verdict) == ("clopper-pearson/1", None, PASSED)
    assert alike.verdict is UNDECIDED
    assert "rows of one day are alike" in alike.reason
    assert "20 days are needed to count by day: there are 10" in alike.reason


def test_far_out_groups_have_no_bound() -> None:
    assert _one("accuracy > 0.01 @ 99.95%", _grouped(36, 60)).low is None


# --- starting gates


def test_starting_gates_can_be_written_and_an_equal_model_passes_the_first() -> None:
    from scipy import stats

    question = _right(850, 1000, task=Task.MULTICLASS, classes=("a", "b", "c"))
    mixed = msgspec.structs.replace(question.holdout, truth=np.arange(1000, dtype=np.int32) % 3)
    labels = np.where(np.arange(1000) < 850, mixed.truth, (mixed.truth + 1) % 3).astype(np.int32)
    made = starting_gates(mixed, Predictions(digest="", labels=labels))
    validate([parse(one.text) for one in made], task="classification", slices=[])
    limit = parse(made[0].text).threshold
    passing = [count for count in range(1001) if clopper_pearson.low(count, 1000, 0.05) >= limit]
    assert 0.8 <= stats.binom.sf(min(passing) - 1, 1000, 0.85) < 0.9
    assert [parse(one.text).against for one in made] == [None, Whose.CHAMPION]


def test_starting_gates_of_two_classes_are_about_auc_and_never_about_latency() -> None:
    question = _grouped(40, 60)
    for holdout in (question.holdout, msgspec.structs.replace(question.holdout, group=None)):
        made = starting_gates(holdout, question.predictions)
        assert {parse(one.text).terms[0].name for one in made} == {"roc_auc"}
        assert all("@ 95%" in one.text for one in made)


def test_starting_gates_of_regression_and_of_few_groups_make_no_claim() -> None:
    few = _grouped(10, 30)
    holdout = msgspec.structs.replace(few.holdout, task=Task.REGRESSION, truth=np.arange(300.0), classes=(), group=None)
    values = Predictions(digest="", labels=np.arange(300.0).astype(np.float32) + 2)
    for made in (starting_gates(holdout, values), starting_gates(few.holdout, few.predictions)):
        assert made
        assert all("@" not in one.text for one in made)


def test_a_point_gate_counts_its_rows_for_every_metric() -> None:
    cut = {"town": Factor(codes=np.array([0, 0, 0, 1], dtype=np.int32), values=("A", "B"))}
    asked = _regression([1, 2, 3, 4], [1, 2, 3, 6], slices=cut)
    rows = {text: _one(text, asked).rows for text in ("r2 >= 0", "mae <= 1", "mae[town=B] <= 1", "mae + r2 <= 9")}
    assert rows == {"r2 >= 0": 4, "mae <= 1": 4, "mae[town=B] <= 1": 1, "mae + r2 <= 9": None}
    worst = _one("worst(mae, by=town) <= 9", asked)
    assert (worst.observed, worst.rows) == (2.0, 1)
