from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.evaluation.metrics import METRICS, metrics_for
from mlops_ci.evaluation.slices import slice_values
from mlops_ci.records.evaluation import Factor, Holdout, Predictions, Task


def holdout(task: Task, *, classes: int = 0, rows: int = 400, seed: int = 0) -> Holdout:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows).astype(np.int32) if classes else random.normal(5, 1, rows)
    return Holdout(
        task=task,
        digest="d",
        ids=np.arange(rows, dtype=np.uint64),
        truth=truth,
        classes=tuple(f"class{code}" for code in range(classes)),
        slices={
            "origin": Factor(
                codes=random.choice([-1, 0, 1, 3], rows, p=[0.1, 0.2, 0.4, 0.3]).astype(np.int32),
                values=("EWR", "JFK", "LGA", "PHL"),
            ),
            "day": Factor(codes=(np.arange(rows) % 2).astype(np.int32), values=("a", "b")),
        },
    )


def answers(of: Holdout, seed: int) -> Predictions:
    random = np.random.default_rng(seed)
    if of.task is Task.REGRESSION:
        return Predictions(
            digest="p", labels=(of.truth.astype(float) + random.normal(0, 1, of.rows)).astype(np.float32)
        )
    classes = len(of.classes)
    raw = random.random((of.rows, classes)) + np.eye(classes)[of.truth.astype(int)] / 2
    scores = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = scores.argmax(axis=1).astype(np.int32)
    return Predictions(digest="p", labels=labels, scores=scores[:, 1] if of.task is Task.BINARY else scores)


@pytest.mark.parametrize(("task", "classes"), [(Task.BINARY, 2), (Task.MULTICLASS, 4), (Task.REGRESSION, 0)])
def test_a_slice_has_the_metrics_of_its_own_rows(task: Task, classes: int) -> None:
    data = holdout(task, classes=classes)
    ours, theirs = answers(data, 1), answers(data, 2)
    for cut in slice_values(data, ours, theirs, ("origin", "day")):
        factor = data.slices[cut.column]
        rows = factor.codes == factor.values.index(cut.value)
        assert cut.rows == rows.sum()
        for model, found in ((ours, cut.metrics), (theirs, cut.champion)):
            assert set(found) == {metric.name for metric in metrics_for(task)}
            for name, value in found.items():
                scores = None if model.scores is None else model.scores[rows]
                alone = METRICS[name].compute(data.truth[rows], model.labels[rows], scores, data.classes)
                assert value == pytest.approx(alone, rel=5e-6, abs=1e-12), (cut.value, name)


def test_slices_come_by_column_then_by_rows_and_leave_out_the_empty_and_the_missing() -> None:
    data = holdout(Task.BINARY, classes=2)
    cuts = slice_values(data, answers(data, 1), None, ("origin", "day"))
    assert [(cut.column, cut.value) for cut in cuts] == [
        ("origin", "JFK"),
        ("origin", "PHL"),
        ("origin", "EWR"),
        ("day", "a"),
        ("day", "b"),
    ]
    missing = int((data.slices["origin"].codes == -1).sum())
    assert sum(cut.rows for cut in cuts if cut.column == "origin") == data.rows - missing


def test_a_slice_without_positives_has_no_recall_but_an_accuracy() -> None:
    data = holdout(Task.BINARY, classes=2, rows=6)
    data = Holdout(
        task=data.task,
        digest="d",
        ids=data.ids,
        truth=np.array([0, 0, 0, 1, 1, 0], dtype=np.int32),
        classes=data.classes,
        slices={"x": Factor(codes=np.array([0, 0, 0, 1, 1, 1], dtype=np.int32), values=("a", "b"))},
    )
    labels = Predictions(digest="p", labels=np.array([0, 1, 0, 1, 0, 0], dtype=np.int32))
    first, second = slice_values(data, labels, None, ("x",))
    assert (first.metrics["recall"], second.metrics["recall"]) == (None, 0.5)
    assert first.metrics["accuracy"] == pytest.approx(2 / 3)
    assert "roc_auc" not in first.metrics
    assert first.champion == {}


def test_a_column_the_holdout_cannot_be_cut_by_is_an_error() -> None:
    data = holdout(Task.BINARY, classes=2)
    with pytest.raises(KeyError, match="carrier"):
        slice_values(data, answers(data, 1), None, ("carrier",))
