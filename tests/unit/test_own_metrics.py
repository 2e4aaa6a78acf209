"""Metrics of the project's own: read from the predictions, cut, bounded and judged like the built-in ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.evaluation.own import registry
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.gates.validate import validate
from mlops_ci.records.evaluation import Champion, Factor, Holdout, OwnMetric, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict

ROWS = 400
PROFIT = OwnMetric(name="profit", function="pipeline.metrics:profit", unit="EUR")
SHARE = OwnMetric(name="share", function="pipeline.metrics:share", higher_is_better=True, low=0.0, high=1.0)
TOTAL = OwnMetric(name="total", function="pipeline.metrics:total", by_row=False, value=7.0, champion=6.0)
ERRORS = Status.ERRORED


def _predictions(**own: Any) -> Predictions:
    kept = {name: np.asarray(values, dtype=np.float32) for name, values in own.items()}
    return Predictions(digest="", labels=np.zeros(ROWS, dtype=np.int32), own=kept)


def _question(candidate: Predictions, champion: Predictions | None = None, *, own: tuple[OwnMetric, ...]) -> Question:
    side = Factor(codes=(np.arange(ROWS) % 2).astype(np.int32), values=("even", "odd"))
    holdout = Holdout(
        task=Task.BINARY,
        digest="",
        ids=np.arange(ROWS, dtype=np.uint64),
        truth=np.zeros(ROWS, dtype=np.int32),
        classes=("no", "yes"),
        slices={"side": side},
    )
    rival = None if champion is None else Champion(name="v1", decision="", commit="", predictions=champion)
    return Question(holdout=holdout, predictions=candidate, champion=rival, own=own)


def _judged(text: str, question: Question) -> Verdict:
    return judge([parse(text)], question)[0]


def _spread(mean: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(mean - 0.3, mean + 0.3, ROWS)


def test_the_mean_of_a_number_a_row_is_judged_with_its_unit() -> None:
    asked = _question(_predictions(profit=_spread(5.0)), own=(PROFIT,))
    found = _judged("profit >= 4.9", asked)
    assert (found.verdict, found.unit, found.method) == (Status.PASSED, "EUR", "point/1")
    assert found.observed == pytest.approx(_spread(5.0).mean(), abs=1e-6)
    assert _judged("profit >= 5.2", asked).verdict is Status.FAILED


def test_a_claim_holds_where_the_range_is_declared_or_the_gate_has_a_clip() -> None:
    asked = _question(_predictions(profit=_spread(5.0), share=_spread(0.5)), own=(PROFIT, SHARE))
    ranged = _judged("share >= 0.4 @ 95%", asked)
    assert (ranged.verdict, ranged.method) == (Status.PASSED, "hall/3")
    assert _judged("profit(clip=6) >= 4.8 @ 95%", asked).verdict is Status.PASSED
    unlimited = _judged("profit >= 4.8 @ 95%", asked)
    assert unlimited.verdict is ERRORS
    assert "its range under `metrics:`" in unlimited.reason


def test_what_is_too_little_to_be_seen_counts_downwards_where_larger_is_better() -> None:
    """The bound that lets it pass allows for rows at the least a row can be worth."""
    wide = OwnMetric(name="share", function="m:share", low=-1000.0, high=1.0)
    asked = _question(_predictions(share=_spread(0.5)), own=(wide,))
    assert _judged("share >= 0.4 @ 95%", asked).verdict is Status.UNDECIDED


def test_it_is_paired_with_the_champion() -> None:
    ours, theirs = _predictions(share=_spread(0.6)), _predictions(share=_spread(0.6) - 0.05)
    asked = _question(ours, theirs, own=(SHARE,))
    found = _judged("share - champion.share >= 0.03 @ 95%", asked)
    assert (found.verdict, found.difference) == (Status.PASSED, True)
    assert found.observed == pytest.approx(0.05, abs=1e-6)


def test_slices_and_their_worst_are_those_of_its_rows() -> None:
    values = _spread(0.5)
    values[1::2] += 0.2
    asked = _question(_predictions(share=values), own=(SHARE,))
    assert _judged("share[side=odd] >= 0.65", asked).verdict is Status.PASSED
    assert _judged("worst(share, by=side) >= 0.45 @ 95%", asked).slice == "side=even"
    evaluation = evaluate(asked.holdout, asked.predictions, None, slices=("side",), metrics=registry((SHARE,)))
    cut = {one.value: one.metrics["share"] for one in evaluation.cuts}
    assert cut["odd"] == pytest.approx(values[1::2].mean(), abs=1e-6)
    assert evaluation.metrics[-1].value == pytest.approx(values.mean(), abs=1e-6)


def test_without_a_direction_the_worst_is_what_the_gate_calls_worse() -> None:
    values = _spread(5.0)
    values[1::2] += 2
    asked = _question(_predictions(profit=values), own=(PROFIT,))
    assert _judged("worst(profit, by=side) >= 1", asked).observed == pytest.approx(values[::2].mean(), abs=1e-5)
    assert _judged("worst(profit, by=side) <= 9", asked).observed == pytest.approx(values[1::2].mean(), abs=1e-5)
    evaluation = evaluate(asked.holdout, asked.predictions, None, slices=(), metrics=registry((PROFIT,)))
    assert evaluation.metrics[-1].higher_is_better is None


def test_one_number_for_all_rows_has_points_and_no_claims_and_no_slices() -> None:
    asked = _question(_predictions(total=7.0), _predictions(total=6.0), own=(TOTAL,))
    assert _judged("total >= 6.5", asked).verdict is Status.PASSED
    assert _judged("total - champion.total >= 1", asked).verdict is Status.PASSED
    claim = _judged("total(clip=9) >= 6 @ 95%", asked)
    assert (claim.verdict, "needs a number for each row" in claim.reason) == (ERRORS, True)
    for text in ("total[side=odd] >= 1", "worst(total, by=side) >= 1"):
        found = _judged(text, asked)
        assert (found.verdict, "return one a row" in found.reason) == (ERRORS, True)


def test_what_could_not_be_computed_is_errored_with_its_reason() -> None:
    broken = OwnMetric(name="share", function="m:share", reason="it raised KeyError", champion_reason="it was killed")
    asked = _question(_predictions(), _predictions(), own=(broken,))
    assert "it raised KeyError" in _judged("share >= 0", asked).reason
    assert _judged("share >= 0", asked).verdict is ERRORS
    half = _question(_predictions(share=_spread(0.5)), _predictions(), own=(broken,))
    assert "champion's share could not be computed: it was killed" in _judged("share > champion.share", half).reason


def test_gates_are_checked_against_the_projects_metrics_too() -> None:
    known = registry((PROFIT, SHARE))
    validate([parse("share >= 0.4 @ 95%"), parse("profit >= 3")], task="classification", slices=(), metrics=known)
    for text, says in (("profit >= 3 @ 95%", "profit(clip=...)"), ("profitt >= 3", 'did you mean "profit"?')):
        with pytest.raises(ConfigError) as caught:
            validate([parse(text)], task="classification", slices=(), metrics=known)
        assert says in str(caught.value)
