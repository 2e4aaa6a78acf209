"""`gap(metric, by=column)`: the largest difference between slices, which hold different rows."""

from __future__ import annotations

import time

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import clopper_pearson
from mlops_ci.gates.bounds.clopper_pearson import Proportion
from mlops_ci.gates.bounds.estimate import Unbounded
from mlops_ci.gates.bounds.gap import Gap, mean_range
from mlops_ci.gates.gaps import gap
from mlops_ci.gates.gate import bound
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.quantiles import upper_normal
from mlops_ci.gates.question import Question
from mlops_ci.gates.sample import whole
from mlops_ci.gates.values import slices
from mlops_ci.records.evaluation import Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from tests.unit.gates.normal import Normal


def _question(counts: dict[str, tuple[int, int]], *, group: np.ndarray | None = None) -> Question:
    """For each plan the rows that are right and all its rows, every one of them a positive."""
    codes = np.repeat(np.arange(len(counts)), [of for _, of in counts.values()]).astype(np.int32)
    labels = np.concatenate([np.arange(of) < right for right, of in counts.values()]).astype(np.int32)
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(len(codes), dtype=np.uint64),
        truth=np.ones(len(codes), dtype=np.int32),
        classes=("no", "yes"),
        group=group,
        slices={"plan": Factor(codes=codes, values=tuple(counts))},
    )
    return Question(holdout=holdout, predictions=Predictions(digest="", labels=labels))


def _one(text: str, question: Question) -> Verdict:
    (found,) = judge([parse(text)], question)
    return found


THREE = {"basic": (800, 1000), "plus": (780, 1000), "annual": (90, 120)}


def test_a_gap_passes_when_no_two_slices_can_be_too_far_apart() -> None:
    found = _one("gap(recall, by=plan, min_rows=100) <= 0.15 @ 95%", _question(THREE))
    assert (found.verdict, found.method, found.slice) == (Status.PASSED, "melded/1", "plan=annual")
    assert found.observed == pytest.approx(0.05)
    assert (found.low, found.rows) == (0.0, 2120)
    assert found.alpha_pass == 0.05
    assert found.alpha_fail == 0.05 / 6
    assert found.reason == (
        f"with 95 % confidence the gap is at most {found.high:.4f}, at or below 0.15; "
        "largest at plan=basic (0.8), smallest at plan=annual (0.75)"
    )


def test_a_gap_that_is_surely_too_large_fails_and_one_in_between_is_undecided() -> None:
    question = _question({"basic": (900, 1000), "plus": (700, 1000), "annual": (880, 1000)})
    assert _one("gap(recall, by=plan) <= 0.1 @ 95%", question).verdict is Status.FAILED
    found = _one("gap(recall, by=plan) <= 0.2 @ 95%", question)
    assert found.verdict is Status.UNDECIDED
    assert "the gap lies between" in found.reason


def test_slices_too_small_are_listed_with_their_rows() -> None:
    found = _one("gap(recall, by=plan, min_rows=500) <= 0.15 @ 95%", _question(THREE))
    assert (found.verdict, found.rows) == (Status.PASSED, 2000)
    assert "not judged, too few rows: annual (120)" in found.reason


@pytest.mark.parametrize("claim", ["", " @ 95%"])
def test_one_slice_has_no_gap(claim: str) -> None:
    found = _one(f"gap(recall, by=plan, min_rows=100) <= 0.15{claim}", _question({"basic": (8, 120), "plus": (1, 9)}))
    assert found.verdict is Status.UNDECIDED
    assert found.reason == (
        "only plan=basic has enough rows to judge recall, and a gap is between two; not judged: plus (9)"
    )
    nothing = _one(f"gap(recall, by=plan, min_rows=200) <= 0.15{claim}", _question({"basic": (8, 120)}))
    assert "no value of plan has enough rows" in nothing.reason


def test_without_a_claim_the_reason_says_what_chance_alone_would_show() -> None:
    # statistics.md 4: 20 slices of 500 positives, recall .8: .067.
    found = _one("gap(recall, by=plan) <= 0.1", _question({str(plan): (400, 500) for plan in range(20)}))
    assert (found.verdict, found.observed) == (Status.PASSED, 0.0)
    assert "20 slices that are equal in truth are not 0 apart, but 0.0668 on average, by chance" in found.reason
    assert (found.low, found.method) == (0.0, "point/1")
    assert found.high is not None
    assert 0.04 < found.high < 0.05


@pytest.mark.parametrize(("slices_", "expected"), [(3, 1.693), (5, 2.326), (10, 3.078), (20, 3.736)])
def test_equal_slices_are_as_far_apart_as_normals_are(slices_: int, expected: float) -> None:
    assert mean_range(slices_) == pytest.approx(expected, abs=0.0015)


def test_two_slices_are_bounded_by_each_alone_where_the_other_is_certain() -> None:
    sure = Gap(parts=(Proportion(count=50, of=50), Proportion(count=40, of=100)))
    assert sure.high(0.05, passing=True) == pytest.approx(1.0 - clopper_pearson.low(40, 100, 0.05), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.01, 1e-5])
def test_melding_two_normals_adds_their_variances(alpha: float) -> None:
    found = Gap(parts=(Normal(value=10.0, se=3.0), Normal(value=1.0, se=4.0)))
    exact = 9.0 + 5.0 * upper_normal(alpha)
    assert found.high(alpha, passing=True) == pytest.approx(exact, abs=0.03)
    assert found.low(alpha, passing=False) == pytest.approx(max(18.0 - exact, 0.0), abs=0.03)


def test_pairs_that_cannot_matter_are_left_out_and_nothing_else() -> None:
    generator = np.random.default_rng(22)
    parts = tuple(
        Normal(value=v, se=s) for v, s in zip(generator.normal(size=12), generator.uniform(0.2, 2, 12), strict=True)
    )
    every = [Gap(parts=(one, other)).high(0.05, passing=True) for one in parts for other in parts if one is not other]
    assert Gap(parts=parts).high(0.05, passing=True) == pytest.approx(max(every), abs=1e-9)


def test_a_slice_without_a_bound_leaves_the_gap_without_one() -> None:
    lacking = Gap(parts=(Normal(value=1.0), Unbounded(value=0.0, rows=5, note="too few groups")))
    assert (lacking.low(0.05, passing=False), lacking.high(0.05, passing=True)) == (None, None)
    assert lacking.note == "too few groups"


def test_groups_that_span_slices_are_left_out_of_all_at_once() -> None:
    generator = np.random.default_rng(23)
    group = np.tile(np.repeat(np.arange(40), 10), 2)
    shared = np.repeat(generator.normal(0.8, 0.1, 40), 10)
    right = np.concatenate([generator.random(400) < shared for _ in range(2)])
    question = _question({"a": (0, 400), "b": (0, 400)}, group=group)
    question = Question(holdout=question.holdout, predictions=Predictions(digest="", labels=right.astype(np.int32)))
    judged, _ = slices(bound(parse("gap(recall, by=plan) < 1"), METRICS).terms[0], whole(question))
    found = gap(METRICS["recall"], judged, alpha=0.05)
    assert (found.groups, found.method) == (40, "melded-groups/2")
    first, second = right[:400].astype(float), right[400:].astype(float)
    left = [first[group[:400] != g].mean() - second[group[400:] != g].mean() for g in range(40)]
    expected = np.sqrt(39 / 40 * np.sum((np.array(left) - np.mean(left)) ** 2))
    assert found.errors is not None
    assert found.errors[0, 1] == pytest.approx(expected, rel=1e-9)
    assert found.counted is not None
    assert found.counted[0, 1] == 40
    assert "counted by 40 groups" in _one("gap(recall, by=plan) < 0.5 @ 95%", question).reason


@pytest.mark.parametrize(("days", "method"), [(2, "melded/1"), (40, "melded-groups/2")])
def test_days_count_where_there_are_enough_of_them(days: int, method: str) -> None:
    question = _question({"a": (0, 400), "b": (0, 400)}, group=np.tile(np.arange(400) % days, 2))
    right = np.random.default_rng(25).random(800) < 0.8
    question = replace(
        question,
        holdout=replace(question.holdout, by_day=True),
        predictions=Predictions(digest="", labels=right.astype(np.int32)),
    )
    found = _one("gap(recall, by=plan) <= 0.3 @ 95%", question)
    assert (found.verdict, found.method) == (Status.PASSED, method)
    assert ("counted by 40 days" in found.reason) == (days == 40)


def test_a_million_values_are_refused_at_once() -> None:
    rows, start = 1_000_000, time.perf_counter()
    generator = np.random.default_rng(24)
    many = Factor(codes=generator.integers(0, rows, rows).astype(np.int32), values=tuple(map(str, range(rows))))
    holdout = replace(_question({"a": (rows, rows)}).holdout, slices={"plan": many})
    question = Question(holdout=holdout, predictions=_question({"a": (rows // 2, rows)}).predictions)
    found = _one("gap(recall, by=plan) <= 0.1 @ 95%", question)
    assert found.verdict is Status.ERRORED
    assert "judges at most 500: raise min_rows" in found.reason
    assert _one("worst(recall, by=plan) >= 0.1", question).verdict is Status.ERRORED
    assert _one("worst(recall, by=plan) >= 0.1 @ 95%", question).verdict is Status.ERRORED
    assert time.perf_counter() - start < 20


def test_a_hundred_thousand_values_without_enough_rows_are_listed_in_short() -> None:
    question = _question({f"p{plan}": (1, 2) for plan in range(100_000)})
    start = time.perf_counter()
    found = _one("gap(recall, by=plan, min_rows=50) <= 0.1 @ 95%", question)
    assert found.verdict is Status.UNDECIDED
    assert "not judged: p0 (2), p1 (2), p2 (2), p3 (2), p4 (2) and 99,995 more" in found.reason
    assert time.perf_counter() - start < 10
