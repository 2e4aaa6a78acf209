"""What `gates plan` promises is what happens: as many rows as it names decide four times out of five."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.plan import plan
from mlops_ci.gates.question import Question
from mlops_ci.records.evaluation import Champion, Factor, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status

# As the flights of the example: one in four late, days alike, two models of the same kind and another seed.
LATE, OF_DAY, OF_ROW, SEEDS = -1.35, 0.7, 1.1, 0.2
AIRPORTS = ("EWR", "JFK", "LGA")
EXAMPLE = (
    "roc_auc >= 0.69",
    "accuracy >= 0.70 @ 95%",
    "roc_auc - champion.roc_auc > -0.01 @ 95%",
    "recall[origin=JFK] >= 0.10",
    "worst(recall, by=origin, min_rows=500) >= 0.05",
)


def _flights(generator: np.random.Generator, days: int, of_day: int) -> Question:
    """Two equally good models; a day's weather moves all its rows, half of it is in the features."""
    rows = days * of_day
    group = np.repeat(np.arange(days), of_day)
    weather = generator.normal(0.0, OF_DAY, days)[group]
    known = generator.normal(0.0, OF_ROW, rows)
    chance = 1.0 / (1.0 + np.exp(-(LATE + weather + known)))
    truth = (generator.random(rows) < chance).astype(np.int32)

    def model() -> Predictions:
        risk = LATE + 0.5 * weather + known + generator.normal(0.0, SEEDS, rows)
        scores = (1.0 / (1.0 + np.exp(-risk))).astype(np.float32)
        return Predictions(digest="", labels=(scores > 0.5).astype(np.int32), scores=scores)

    places = Factor(codes=generator.integers(0, 3, rows).astype(np.int32), values=AIRPORTS)
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(rows, dtype=np.uint64),
        truth=truth,
        classes=("no", "yes"),
        group=group,
        slices={"origin": places},
    )
    return Question(
        holdout=holdout,
        predictions=model(),
        champion=Champion(name="v1", decision="", commit="", predictions=model()),
    )


@pytest.mark.parametrize(
    ("text", "days", "least"),
    [
        ("accuracy - champion.accuracy > -0.005 @ 95%", 40, 0.75),
        ("roc_auc - champion.roc_auc > -0.003 @ 95%", 40, 0.75),
        ("recall - champion.recall > -0.02 @ 95%", 40, 0.75),
    ],
)
def test_as_many_rows_as_the_plan_names_decide_four_times_out_of_five(text: str, days: int, least: float) -> None:
    generator, of_day = np.random.default_rng(1), 100
    gate = parse(text)
    asked = [_flights(generator, days, of_day) for _ in range(12)]
    plans = [plan([gate], question)[0] for question in asked]
    needed = float(np.median([made.rows_needed or np.inf for made in plans]))
    shares = [(made.rows_available or 0) / question.holdout.rows for made, question in zip(plans, asked, strict=True)]
    many = round(needed / np.mean(shares) / of_day)
    assert 20 <= many <= 20 * days
    runs = 200
    passed = sum(judge([gate], _flights(generator, many, of_day))[0].verdict is Status.PASSED for _ in range(runs))
    assert least <= passed / runs <= 0.93


def test_an_equal_model_passes_the_gates_of_the_example() -> None:
    generator, runs = np.random.default_rng(2), 60
    gates = [parse(text) for text in EXAMPLE]
    passed = 0
    for _ in range(runs):
        verdicts = judge(gates, _flights(generator, 32, 880))
        passed += all(found.verdict is Status.PASSED for found in verdicts)
    assert passed / runs >= 0.8


def test_a_model_that_knows_less_does_not_pass_them() -> None:
    generator, runs = np.random.default_rng(3), 15
    gates = [parse(text) for text in EXAMPLE]
    passed = 0
    for _ in range(runs):
        question = _flights(generator, 32, 880)
        noisy = question.predictions.scores + generator.normal(0.0, 0.15, question.holdout.rows)
        scores = np.clip(noisy, 0.0, 1.0).astype(np.float32)
        worse = Predictions(digest="", labels=(scores > 0.5).astype(np.int32), scores=scores)
        asked = Question(holdout=question.holdout, predictions=worse, champion=question.champion)
        passed += all(found.verdict is Status.PASSED for found in judge(gates, asked))
    assert passed == 0
