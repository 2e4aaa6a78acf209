"""What `explain METRIC` and docs/metrics.md say of a metric's bound is what a gate gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.evaluation.metrics import METRICS, metrics_for
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.judge import judge
from mlops_ci.gates.methods import explain_metric, paired_method, reference, single_method
from mlops_ci.gates.question import Question
from mlops_ci.gates.validate import validate
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status

ROWS = 600
CLASSES = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("a", "b", "c", "d"), Task.REGRESSION: ()}


def _answers(task: Task, truth: np.ndarray, seed: int) -> Predictions:
    random = np.random.default_rng(seed)
    if task is Task.REGRESSION:
        return Predictions(digest="", labels=(truth + random.normal(0, 1, ROWS)).astype(np.float32))
    raw = random.random((ROWS, len(CLASSES[task]))) + np.eye(len(CLASSES[task]))[truth] * 0.4
    scores = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = scores.argmax(axis=1).astype(np.int32)
    return Predictions(digest="", labels=labels, scores=scores[:, 1] if task is Task.BINARY else scores)


def _question(task: Task) -> Question:
    random = np.random.default_rng(0)
    truth = random.normal(9, 2, ROWS) if task is Task.REGRESSION else random.integers(0, len(CLASSES[task]), ROWS)
    holdout = Holdout(
        task=task, digest="", ids=np.arange(ROWS, dtype=np.uint64), truth=truth, classes=CLASSES[task], group=None
    )
    champion = Champion(name="v1", decision="", commit="", predictions=_answers(task, truth, 2))
    return Question(holdout=holdout, predictions=_answers(task, truth, 1), champion=champion)


QUESTIONS = {task: _question(task) for task in Task}


@pytest.mark.parametrize(("task", "name"), [(task, metric.name) for task in Task for metric in metrics_for(task)])
def test_the_method_a_metric_is_said_to_have_is_the_one_that_judges_it(task: Task, name: str) -> None:
    metric = METRICS[name]
    named = name if metric.bounded or metric.kind != "mean" else f"{name}(clip=50)"
    for text, said in (
        (f"{named} >= 0.5 @ 95%", single_method(metric)),
        (f"{named} - champion.{named} >= -0.5 @ 95%", paired_method(metric)),
    ):
        gate = parse(text)
        if not said or (metric.kind == "auc" and task is not Task.BINARY):
            with pytest.raises(ConfigError):
                validate([gate], task=task, slices=())
            continue
        validate([gate], task=task, slices=())
        found = judge([gate], QUESTIONS[task])[0]
        assert found.verdict in {Status.PASSED, Status.FAILED, Status.UNDECIDED}
        assert found.low is not None
        assert found.method in said


def test_a_claim_of_top_k_counts_rows() -> None:
    found = judge([parse("top_2_accuracy >= 0.5 @ 99.99%")], QUESTIONS[Task.MULTICLASS])[0]
    assert (found.method, found.rows) == ("clopper-pearson/1", ROWS)
    assert found.candidate is not None
    assert found.candidate.count == round((found.observed or 0) * ROWS)


def test_the_table_in_docs_is_made_from_the_registry() -> None:
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    assert reference() in page.read_text(encoding="utf-8"), "paste what `mlops-ci explain metrics` prints"


def test_every_metric_is_explained_with_its_meaning_and_its_bound() -> None:
    for metric in METRICS.values():
        assert metric.meaning
        assert "`@`" in explain_metric(metric)
    assert "from 0 to 1 (two classes) or 2" in explain_metric(METRICS["brier"])
    assert "needs probabilities" in explain_metric(METRICS["brier"])
