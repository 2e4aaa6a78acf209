"""What many looks do to `@ 95%`, and what a guarantee promises of it: the attacks of the statistics' sections 2 and 3.

Levels are those the steps compute from settings; verdicts are those of the judge. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.config.settings import Guarantee
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question, Wear
from mlops_ci.gates.verdict_only import verdicts
from mlops_ci.ledger.looks import key, per_row
from mlops_ci.records.decisions import Look
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.steps.gate_part import Apart, judge_apart
from mlops_ci.steps.looks import Exposure, Touched
from mlops_ci.steps.promise import divisor, keep

GATE = parse("accuracy > 0.5 @ 95%")


def _holdout(truth: np.ndarray) -> Holdout:
    ids = np.arange(len(truth), dtype=np.uint64)
    return Holdout(task=Task.BINARY, digest="", ids=ids, truth=truth.astype(np.int32), classes=("no", "yes"))


def _passes(truth: np.ndarray, labels: np.ndarray, wear: Wear | None) -> bool:
    question = Question(
        holdout=_holdout(truth), predictions=Predictions(digest="", labels=labels.astype(np.int32)), wear=wear
    )
    return judge([GATE], question)[0].verdict is Status.PASSED


def _votes(runs: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Truth, and two models made by reading the accuracies of 31 random ones; on other rows each is right on half."""
    generator, made = np.random.default_rng(1), []
    for _ in range(runs):
        truth = generator.integers(0, 2, 1000)
        models = generator.integers(0, 2, (31, 1000))
        above = (models == truth).mean(axis=1) - 0.5
        signs = (2 * models - 1).T
        made.append((truth, signs @ np.sign(above) > 0, signs @ above > 0))
    return made


@pytest.mark.parametrize(
    ("guarantee", "sign", "weighted"),
    [
        (None, (0.97, 1.0), (0.99, 1.0)),
        # Read from reports these models are what the promise leaves out, in so many words.
        (Guarantee(adaptivity="none", decisions=32), (0.74, 0.86), (0.93, 1.0)),
        # Such a level needs `disclose: verdict`, under which there are no accuracies to read.
        (Guarantee(adaptivity="full", decisions=32, disclose="verdict"), (0.0, 0.0), (0.0, 0.02)),
    ],
)
def test_a_vote_of_models_whose_accuracies_were_read(
    guarantee: Guarantee | None, sign: tuple[float, float], weighted: tuple[float, float]
) -> None:
    wear = None if guarantee is None else Wear(decisions=32, looks=31, histories=divisor(guarantee))
    found = [
        np.mean([_passes(truth, vote, wear) for truth, *votes in _votes(300) for vote in [votes[place]]])
        for place in (0, 1)
    ]
    assert sign[0] <= found[0] <= sign[1]
    assert weighted[0] <= found[1] <= weighted[1]


def _grows(runs: int, candidates: int, guarantee: Guarantee | None) -> float:
    """How often one of many models that are right on half the rows passes, where a row is added before each."""
    generator, passed = np.random.default_rng(2), 0
    for _ in range(runs):
        truth = generator.integers(0, 2, 300 + candidates)
        seen: list[tuple[np.ndarray | None, int]] = []
        for number in range(candidates):
            here = _holdout(truth[: 300 + number])
            labels = generator.integers(0, 2, here.rows).astype(np.int32)
            asked = Question(holdout=here, predictions=Predictions(digest="", labels=labels))
            wear = None
            if guarantee is not None:
                looks = per_row(here.ids, seen)
                before = Exposure(looks=looks, seen=number, anywhere=0, promised=None)
                wear = keep(guarantee, (GATE,), asked, before)[1]
            if _passes(here.truth, labels, wear):
                passed += 1
                break
            seen.append((here.ids, 1))
    return passed / runs


def test_a_holdout_that_grows_by_a_row_before_each_look_lets_most_series_pass_without_a_guarantee() -> None:
    assert 0.70 <= _grows(200, 32, None) <= 0.87


def test_with_a_guarantee_the_whole_series_passes_as_seldom_as_one_look() -> None:
    assert _grows(60, 32, Guarantee(adaptivity="none", decisions=32)) <= 0.13  # .049, and three standard errors


def test_after_the_last_decision_no_model_passes_on_rows_that_grew_by_a_few() -> None:
    truth = np.random.default_rng(3).integers(0, 2, 340)
    labels = np.where(np.arange(340) % 20 < 13, truth, 1 - truth)  # right on 65 %: a few dozen rows do not show it
    verdicts = []
    for number in range(36):
        here = _holdout(truth[: 300 + number])
        asked = Question(holdout=here, predictions=Predictions(digest="", labels=labels[: here.rows].astype(np.int32)))
        looks = per_row(here.ids, [(here.ids[: 300 + earlier], 1) for earlier in range(number)])
        before = Exposure(looks=looks, seen=number, anywhere=0, promised=None)
        wear = keep(Guarantee(adaptivity="none", decisions=32), (GATE,), asked, before)[1]
        verdicts.append(_passes(here.truth, asked.predictions.labels, wear))
    assert verdicts == [True] * 32 + [False] * 4


FULL = Guarantee(adaptivity="full", decisions=32, disclose="verdict")
SHOWN = parse("accuracy > 0.4")


class _Desk:
    """One holdout in two parts and what was told of them: all that somebody who reads every report can know."""

    def __init__(self, truth: np.ndarray, gate_rows: np.ndarray, promised: Guarantee) -> None:
        self.truth, self.gate_rows, self.promised = truth, gate_rows, promised
        self.before: list[Apart] = []

    def ask(self, labels: np.ndarray, rows: int | None = None) -> tuple[Verdict, ...]:
        """The verdicts of a claim and of a gate over the value, of the first `rows` rows."""
        whole = Question(
            holdout=_holdout(self.truth[:rows]), predictions=Predictions(digest="", labels=labels.astype(np.int32))
        )
        part = self.gate_rows[:rows]
        question = replace(whole.cut(~part), gate_part=whole.cut(part))
        gates = (GATE, SHOWN)
        look = Look(holdout="", predictions=str(len(self.before)), shown="")
        told = judge_apart([gates], question, self.promised, look=look, seen=self._seen(whole.holdout.ids[part]))
        self.before.append(told)
        return verdicts(gates, question, passed=told.look.passed is True)

    def _seen(self, ids: np.ndarray) -> Exposure:
        here = [(np.isin(ids, one.ids), one.look) for one in self.before]
        touched = tuple(Touched(rows=rows, keys=frozenset({key(one)}), numbers_shown=False) for rows, one in here)
        looks = sum((rows.astype(np.int64) for rows, _ in here), np.zeros(len(ids), dtype=np.int64))
        return Exposure(looks=looks, seen=len(here), anywhere=0, promised=None, touched=touched)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_vote_by_all_that_is_told_under_verdicts_only_passes_no_more_often_than_one_look(weighted: bool) -> None:
    """The accuracies at hand are of the report part. Read, they make a vote that shines there and nowhere else."""
    generator, passed, shines = np.random.default_rng(4), 0, 0
    for _ in range(60):
        desk = _Desk(generator.integers(0, 2, 2000), generator.random(2000) < 0.5, FULL)
        models = generator.integers(0, 2, (31, 2000))
        told = [desk.ask(model) for model in models]
        assert all(claim.observed is None and claim.rows is None for claim, _ in told)
        above = np.array([shown.observed for _, shown in told], dtype=np.float64) - 0.5
        vote = (2 * models - 1).T @ (above if weighted else np.sign(above)) > 0
        claim, shown = desk.ask(vote)
        passed += claim.verdict is Status.PASSED
        shines += shown.low is not None and shown.low > 0.5
    assert passed == 0
    assert shines >= 45  # of 60: the attack works, on the rows whose numbers it reads


def test_bits_alone_climb_no_higher_than_the_guarantee_counts() -> None:
    """Somebody who keeps every change after which a model still passes, where models are right on half the rows."""
    generator, wrong = np.random.default_rng(5), 0
    for _ in range(40):
        desk = _Desk(generator.integers(0, 2, 600), generator.random(600) < 0.5, FULL)
        best = generator.integers(0, 2, 600)
        for _ in range(32):
            trial = np.where(generator.random(600) < 0.2, 1 - best, best)
            if desk.ask(trial)[0].verdict is Status.PASSED:
                best, wrong = trial, wrong + 1
    assert wrong == 0


def test_rows_added_one_by_one_refill_nothing_and_the_passes_retire_the_part() -> None:
    truth = np.random.default_rng(6).integers(0, 2, 900)
    labels = np.where(np.arange(900) % 20 < 15, truth, 1 - truth)
    desk = _Desk(truth, np.arange(900) % 2 == 0, Guarantee(adaptivity=3, decisions=8, disclose="verdict"))
    told = [desk.ask(labels[: 600 + number], 600 + number)[0] for number in range(6)]
    assert [one.verdict is Status.PASSED for one in told] == [True] * 3 + [False] * 3
    assert [one.promise.histories for one in desk.before] == [92] * 6  # C(8,1) + C(8,2) + C(8,3)
    assert desk.ask(labels, 900)[0].verdict is Status.PASSED  # 150 fresh rows of the part, judged alone
    assert desk.before[-1].promise.looks == 0


def test_decisions_wear_the_part_out_where_nothing_passes() -> None:
    truth = np.random.default_rng(7).integers(0, 2, 600)
    desk = _Desk(truth, np.arange(600) % 2 == 0, Guarantee(adaptivity="first_change", decisions=4, disclose="verdict"))
    for _ in range(4):
        assert desk.ask(1 - truth)[0].verdict is Status.UNDECIDED
    assert not any(one.wear.worn for one in desk.before)
    assert desk.ask(truth)[0].verdict is Status.UNDECIDED  # right everywhere, and too late
    assert desk.before[-1].wear.worn


def test_rows_whose_numbers_were_shown_serve_no_guarantee_for_adapted_models() -> None:
    truth, rows = np.random.default_rng(8).integers(0, 2, 600), np.arange(600) % 2 == 0
    for adaptivity, verdict in (("none", Status.PASSED), ("full", Status.UNDECIDED)):
        desk = _Desk(truth, rows, Guarantee(adaptivity=adaptivity, decisions=32, disclose="verdict"))  # type: ignore[arg-type]
        shown = Touched(rows=np.ones(300, dtype=bool), keys=frozenset(), numbers_shown=True)
        desk._seen = lambda ids, one=shown: Exposure(  # type: ignore[method-assign]
            looks=np.zeros(len(ids), dtype=np.int64), seen=0, anywhere=0, promised=None, touched=(one,)
        )
        assert desk.ask(truth)[0].verdict is verdict
