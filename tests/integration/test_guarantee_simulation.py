"""What many looks do to `@ 95%`, and what a guarantee promises of it: the attacks of the statistics' sections 2 and 3.

Levels are those the steps compute from settings; verdicts are those of the judge. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.config.settings import Guarantee
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question, Wear
from mlops_ci.ledger.looks import per_row
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.steps.looks import Exposure
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
