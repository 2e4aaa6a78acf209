"""The quick baseline of `init`, and the gates that come from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.evaluation import bins
from mlops_ci.evaluation.baseline import baseline
from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.estimates import single
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.question import Question
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.starting import starting_gates
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Column, Kind
from tests.clocks import least_seconds

Values = np.ndarray[Any, Any]


def numbers(name: str, values: Values, missing: Values | None = None) -> Column:
    return Column(name=name, kind=Kind.FLOAT, values=values.astype(float), missing=missing)


def words(name: str, codes: Values, categories: tuple[str, ...]) -> Column:
    return Column(name=name, kind=Kind.TEXT, values=codes.astype(np.int32), categories=categories)


def holdout(truth: Values, task: Task, classes: tuple[str, ...] = ()) -> Holdout:
    kind = np.float64 if task is Task.REGRESSION else np.int32
    ids = np.arange(len(truth), dtype=np.uint64)
    return Holdout(task=task, digest="h", ids=ids, truth=truth.astype(kind), classes=classes)


def test_a_bin_holds_values_up_to_its_edge_and_missing_ones_have_their_own() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    column = bins.coded(numbers("x", values, np.isnan(values)), learn=np.ones(5, dtype=bool), most=2)
    assert column.edges.tolist() == [2.0]
    assert column.codes.tolist() == [0, 0, 1, 1, 2]
    text = bins.coded(words("w", np.array([1, 0, 1]), ("a", "b")), learn=np.ones(3, dtype=bool), most=2)
    assert (text.codes.tolist(), text.levels) == ([1, 0, 1], 3)


def test_naive_bayes_gives_the_posterior_where_columns_are_independent() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(40_000) < 0.3).astype(np.int32)
    columns = [words(f"c{k}", rng.random(40_000) < np.where(truth == 1, 0.8, 0.4), ("no", "yes")) for k in range(2)]
    held = np.arange(40_000) >= 30_000
    found = baseline(columns, truth, held, task=Task.BINARY, classes=2)
    hits = sum(column.values[held] for column in columns)
    for count in range(3):
        odds = 0.3 / 0.7 * 2.0**count * (0.2 / 0.6) ** (2 - count)
        assert found.scores is not None
        assert found.scores[hits == count].mean() == pytest.approx(odds / (1 + odds), abs=0.02)


def test_it_learns_from_the_other_side_only() -> None:
    """Held-out targets can be anything: the answers are the same."""
    rng = np.random.default_rng(2)
    column, held = numbers("x", rng.normal(size=2_000)), rng.random(2_000) < 0.2
    truth = (column.values + rng.normal(size=2_000) > 0).astype(np.int32)
    other = np.where(held, 1 - truth, truth)
    for task, classes in ((Task.BINARY, 2), (Task.REGRESSION, 0)):
        one, two = (baseline([column], y, held, task=task, classes=classes) for y in (truth, other))
        assert np.array_equal(one.labels, two.labels)


def test_a_value_that_was_never_seen_says_nothing() -> None:
    rare = words("name", np.arange(1_000), tuple(f"n{k:04}" for k in range(1_000)))
    truth, held = (np.arange(1_000) % 10 == 0).astype(np.int32), np.arange(1_000) >= 800
    found = baseline([rare], truth, held, task=Task.BINARY, classes=2)
    assert found.scores is not None
    assert np.allclose(found.scores, 0.1, atol=0.002)


def test_numbers_are_found_with_most_of_what_an_additive_model_can() -> None:
    rng = np.random.default_rng(3)
    x, group = rng.normal(size=5_000), rng.integers(0, 3, size=5_000)
    truth = np.abs(x) + 2 * (group == 1) + rng.normal(scale=0.3, size=5_000)
    held = rng.random(5_000) < 0.2
    columns = [numbers("x", x), words("group", group, ("a", "b", "c"))]
    found = baseline(columns, truth, held, task=Task.REGRESSION, classes=0)
    assert np.std(truth[held] - found.labels) < 0.36
    nothing = baseline([], truth, held, task=Task.REGRESSION, classes=0)
    assert nothing.labels.tolist() == pytest.approx([truth[~held].mean()] * held.sum())


def test_many_rows_and_columns_take_under_a_second() -> None:
    rng = np.random.default_rng(4)
    columns = [numbers(f"x{k}", rng.normal(size=200_000)) for k in range(30)]
    truth, held = rng.integers(0, 2, size=200_000), np.arange(200_000) % 5 == 0
    took = least_seconds(lambda: baseline(columns, truth, held, task=Task.BINARY, classes=2), below=1.0)
    assert took < 1.0


# --- the gates


def _texts(held: Holdout, answers: Predictions) -> list[str]:
    return [gate.text for gate in starting_gates(held, answers)]


def _answers(rng: np.random.Generator, shared: Values, truth: Values, task: Task) -> Predictions:
    """A model as good as every other one from here: it shares most of its noise with them."""
    noise = 0.9 * shared + 0.44 * rng.normal(size=len(truth))
    if task is Task.REGRESSION:
        return Predictions(digest=str(rng.random()), labels=(truth + noise).astype(np.float32))
    if task is Task.BINARY:
        scores = (1.2 * truth + noise).astype(np.float32)
        return Predictions(digest=str(rng.random()), labels=(scores > 0.6).astype(np.int32), scores=scores)
    return Predictions(digest=str(rng.random()), labels=np.where(noise < 0.9, truth, (truth + 1) % 3).astype(np.int32))


@pytest.mark.parametrize("rows", [150, 2_000])
@pytest.mark.parametrize("task", list(Task))
def test_an_equal_model_passes_each_starting_gate_four_times_of_five(task: Task, rows: int) -> None:
    rng, runs = np.random.default_rng(5), 60
    passed: list[list[bool]] = []
    for _ in range(runs):
        truth = rng.normal(size=rows) if task is Task.REGRESSION else rng.integers(0, 2 + (task != "binary"), size=rows)
        held = holdout(truth, task, () if task is Task.REGRESSION else ("a", "b", "c")[: 2 + (task != "binary")])
        shared = rng.normal(size=rows)
        first, second, third = (_answers(rng, shared, truth, task) for _ in range(3))
        gates = [parse(text) for text in _texts(held, first)]
        rival = Champion(name="v1", decision="d", commit="c", predictions=second)
        question = Question(holdout=held, predictions=third, champion=rival)
        passed.append([verdict.verdict is Status.PASSED for verdict in judge(gates, question)])
    for gate in range(max(map(len, passed))):
        seen = [row[gate] for row in passed if len(row) > gate]
        assert np.mean(seen) >= 0.8, (gate, np.mean(seen))


def test_a_model_that_guesses_passes_no_starting_gate_of_a_good_baseline() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, size=1_000)
    held = holdout(truth, Task.BINARY, ("a", "b"))
    gates = [parse(text) for text in _texts(held, _answers(rng, rng.normal(size=1_000), truth, Task.BINARY))]
    scores = rng.random(1_000).astype(np.float32)
    guess = Predictions(digest="g", labels=(scores > 0.5).astype(np.int32), scores=scores)
    (absolute, _) = judge(gates, Question(holdout=held, predictions=guess))
    assert absolute.verdict is Status.FAILED


def test_a_baseline_no_better_than_guessing_still_gives_a_gate_that_says_so() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, size=300)
    scores = rng.random(300).astype(np.float32)
    answers = Predictions(digest="", labels=(scores > 0.5).astype(np.int32), scores=scores)
    held = holdout(truth, Task.BINARY, ("a", "b"))
    absolute = starting_gates(held, answers)[0]
    assert parse(absolute.text).threshold < 0.5
    assert absolute.reason.startswith("no better than guessing (0.500)")
    flat = Predictions(digest="", labels=np.full(300, 9.0, dtype=np.float32))
    (only,) = starting_gates(holdout(rng.normal(size=300), Task.REGRESSION), flat)
    assert only.reason.startswith("no better than always answering the median")


def test_a_perfect_baseline_leaves_room_for_a_row_that_is_wrong() -> None:
    truth = np.arange(69) % 3
    held = holdout(truth, Task.MULTICLASS, ("a", "b", "c"))
    absolute = starting_gates(held, Predictions(digest="", labels=truth.astype(np.int32)))[0]
    answers = Predictions(digest="", labels=np.where(np.arange(69) == 0, 1, truth).astype(np.int32))
    bound = single(METRICS["accuracy"], Sample(holdout=held, candidate=answers), answers, alpha=0.05).low(
        0.05, passing=True
    )
    assert bound is not None
    assert bound >= parse(absolute.text).threshold
