"""What a guarantee for many decisions leaves of the rows: levels, fresh rows, worn-out ones; what one claim is."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from msgspec.structs import replace

from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question, Wear
from mlops_ci.gates.wear import settle, settle_apart
from mlops_ci.ledger.looks import per_row
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status

ROWS = 4000
GATES = tuple(map(parse, ("accuracy >= 0.8 @ 95%", "worst(recall, by=town, min_rows=100) >= 0.7 @ 95%")))
FRESH_LAST = np.where(np.arange(ROWS) < 2000, 32, 0)


def _question(right: float = 0.85, *, champion: bool = False) -> Question:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, ROWS).astype(np.int32)
    labels = np.where(generator.random(ROWS) < right, truth, 1 - truth).astype(np.int32)
    towns = Factor(codes=(np.arange(ROWS) % 3).astype(np.int32), values=("Aachen", "Bonn", "Celle"))
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(ROWS, dtype=np.uint64),
        truth=truth,
        classes=("no", "yes"),
        slices={"town": towns},
    )
    answers = Predictions(digest="one", labels=labels)
    rival = Champion(name="v1", decision="", commit="", predictions=answers) if champion else None
    return Question(holdout=holdout, predictions=answers, champion=rival)


def _settled(looks: np.ndarray, question: Question | None = None, gates: object = GATES) -> Wear:
    return settle(gates, question or _question(), looks.astype(np.int64), decisions=32, histories=32)  # type: ignore[arg-type]


def test_the_passing_level_is_divided_and_the_failing_one_is_not() -> None:
    plain, worn = (
        judge(GATES, replace(_question(), wear=wear)) for wear in (None, Wear(decisions=32, looks=0, histories=32))
    )
    for before, after in zip(plain, worn, strict=True):
        assert after.alpha_pass == pytest.approx(0.05 / 32)
        assert after.alpha_fail == before.alpha_fail
        assert after.low < before.low  # type: ignore[operator]
        assert after.high == before.high
        assert after.rows_needed > before.rows_needed  # type: ignore[operator]


def test_the_divided_level_chooses_the_method() -> None:
    question, gate = _question(champion=True), parse("accuracy - champion.accuracy > -0.05 @ 95%")
    methods = [
        judge([gate], replace(question, wear=Wear(decisions=histories, looks=0, histories=histories)))[0].method
        for histories in (1, 32, 64)
    ]
    assert methods == ["tango/2", "tango/2", "betting/1"]
    precise = parse("precision - champion.precision > -0.05 @ 95%")
    found = judge([precise], replace(question, wear=Wear(decisions=64, looks=0, histories=64)))[0]
    assert (found.verdict, found.reason.partition(" under")[0]) == (Status.ERRORED, "`@` above 93.6 %")


def test_rows_that_nobody_saw_are_judged_alone_where_they_are_enough() -> None:
    wear = _settled(FRESH_LAST)
    assert (wear.looks, wear.worn) == (0, False)
    assert wear.rows is not None
    assert wear.rows.tolist() == (FRESH_LAST == 0).tolist()
    found = judge(GATES, replace(_question(), wear=wear))
    assert [one.verdict for one in found] == [Status.PASSED, Status.PASSED]
    assert found[0].rows == 2000


def test_rows_that_are_worn_out_are_left_out_where_the_others_are_enough() -> None:
    wear = _settled(np.where(FRESH_LAST == 0, 3, 32))
    assert (wear.looks, wear.worn) == (3, False)
    assert wear.rows is not None
    assert wear.rows.sum() == 2000


@pytest.mark.parametrize("fresh", [1, 100])
def test_a_few_fresh_rows_refill_nothing(fresh: int) -> None:
    looks = np.where(np.arange(ROWS) < ROWS - fresh, 32, 0)
    wear = _settled(looks)
    assert (wear.rows, wear.looks, wear.worn) == (None, 32, True)
    for one in judge(GATES, replace(_question(), wear=wear)):
        assert (one.verdict, one.low, one.high, one.alpha_pass) == (Status.UNDECIDED, None, None, None)
        assert one.reason.startswith("worn out: 32 of 32 decisions used; ")
        assert one.reason.endswith(" fresh rows help")


def test_fresh_rows_of_one_slice_do_not_answer_for_the_others() -> None:
    """Two thousand fresh rows, none of them of Celle: its gate would be skipped on them, and skipped gates pass."""
    looks = np.where((np.arange(ROWS) >= 1000) & (np.arange(ROWS) % 3 != 2), 0, 32)
    assert _settled(looks).worn
    assert _settled(looks, gates=GATES[:1]).rows is not None
    assert _settled(looks, gates=(parse("recall[town=Celle] >= 0.7 @ 95%"),)).worn


def test_whether_fresh_rows_are_taken_does_not_depend_on_what_they_say() -> None:
    good, fresh = _question(), FRESH_LAST == 0
    labels = np.where(fresh, 1 - good.holdout.truth, good.predictions.labels).astype(np.int32)
    bad = replace(good, predictions=replace(good.predictions, labels=labels))
    chosen = [_settled(FRESH_LAST, question).rows for question in (good, bad)]
    assert chosen[0] is not None
    np.testing.assert_array_equal(*chosen)


def test_a_gate_that_no_number_of_rows_decides_takes_no_fresh_rows() -> None:
    assert _settled(FRESH_LAST, _question(right=0.7)).worn


def test_groups_must_be_as_many_as_their_bound_needs() -> None:
    question = _question()
    question = replace(question, holdout=replace(question.holdout, group=np.arange(ROWS) // 200))
    assert _settled(FRESH_LAST, question, GATES[:1]).worn


def test_gates_without_a_claim_are_judged_on_all_rows_and_never_wear() -> None:
    point = parse("accuracy >= 0.8")
    wear = Wear(decisions=2, looks=2, histories=2)
    plain, other = (judge([point], replace(_question(), wear=worn))[0] for worn in (None, wear))
    assert plain == other


def test_the_same_model_needs_no_look() -> None:
    question = replace(_question(champion=True), wear=Wear(decisions=2, looks=2, histories=2))
    assert question.champion is not None
    question = replace(question, champion=replace(question.champion, same_model=True))
    found = judge([parse("accuracy - champion.accuracy > -0.05 @ 95%")], question)[0]
    assert (found.verdict, found.method) == (Status.PASSED, "same-model/1")


def test_looks_under_other_settings_leave_no_row_fresh() -> None:
    wear = Wear(decisions=2, looks=2, histories=2, anywhere=2)
    assert "another data.id or data.split" in judge(GATES, replace(_question(), wear=wear))[0].reason


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("accuracy > 0.9 @ 95%", True),
        ("0.1 <= accuracy @ 95%", True),
        ("accuracy >= 0.8 @ 90%", False),
        ("accuracy >= 0.8 @ 99%", False),
        ("accuracy <= 0.8 @ 95%", False),
        ("recall >= 0.8 @ 95%", False),
        ("accuracy[town=Bonn] >= 0.8 @ 95%", False),
        ("worst(accuracy, by=town) >= 0.8 @ 95%", False),
        ("accuracy - champion.accuracy >= 0.8 @ 95%", False),
    ],
)
def test_a_claim_is_metric_rows_and_confidence_and_no_threshold(other: str, *, same: bool) -> None:
    assert (parse("accuracy >= 0.8 @ 95%").claim == parse(other).claim) is same


@given(st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=8), st.lists(st.integers(0, 40), max_size=20))
def test_looks_are_counted_for_each_row_and_never_decrease(holdouts: list[set[int]], rows: list[int]) -> None:
    seen = [(np.array(sorted(ids), dtype=np.uint64), 1) for ids in holdouts]
    mine = np.array(rows, dtype=np.uint64)
    before = np.zeros(len(rows), dtype=np.int64)
    for upto in range(len(seen) + 1):
        found = per_row(mine, seen[:upto])
        assert found.tolist() == [sum(row in ids for ids in holdouts[:upto]) for row in rows]
        assert (found >= before).all()
        before = found
    assert per_row(mine, [*seen, (None, 2)]).tolist() == (before + 2).tolist()


def test_a_gate_with_a_tolerance_wears_too_and_shares_both_sides() -> None:
    gate = parse("accuracy >= 0.8 +/- 0.04 @ 95%")
    plain, shared, worn = (
        judge([gate], replace(_question(), wear=wear))[0]
        for wear in (None, *(Wear(decisions=32, looks=looks, histories=32) for looks in (0, 32)))
    )
    assert (plain.alpha_pass, shared.alpha_pass) == (0.05, pytest.approx(0.05 / 32))
    assert shared.rows_needed > plain.rows_needed  # type: ignore[operator]
    assert (worn.verdict, worn.rows_needed) == (Status.UNDECIDED, shared.rows_needed)
    assert worn.reason.startswith("worn out: 32 of 32 decisions used; ")


def test_fresh_rows_answer_for_a_gap_only_where_every_slice_has_enough() -> None:
    gap = (parse("gap(recall, by=town) <= 0.3 @ 95%"),)
    assert _settled(FRESH_LAST, gates=gap).rows is not None
    assert _settled(np.where((np.arange(ROWS) >= 1000) & (np.arange(ROWS) % 3 != 2), 0, 32), gates=gap).worn


def test_which_rows_of_a_gate_part_are_judged_does_not_follow_from_what_they_say() -> None:
    """The choice is seen in reports: it must not tell of labels."""
    shown = _question()
    for fresh, found in ((100, 1), (2000, 2)):  # too few of them, and enough
        looks = np.where(np.arange(ROWS) < ROWS - fresh, 32, 0)
        for part in (_question(0.85), _question(0.3), _question(1.0)):
            choice = settle_apart(GATES, replace(shown, gate_part=part), looks, decisions=32)
            assert len({rows.tobytes() for rows in choice}) == found
            assert (choice[0] == (looks == 0)).all() == (found == 2)
