"""The model that learnt nothing, and when two answers are one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.evaluation.steadiness import differing, main_metric, worsening
from mlops_ci.evaluation.trivial import trivial
from mlops_ci.records.evaluation import Predictions, Task


@pytest.mark.parametrize("classes", [2, 4])
def test_it_answers_as_the_dummy_classifier_of_scikit_learn(classes: int) -> None:
    draw = np.random.default_rng(classes)
    for _ in range(20):
        training = draw.integers(0, classes, 30).astype(np.int32)
        training[:classes] = range(classes)
        dummy = DummyClassifier(strategy="prior").fit(np.zeros((30, 1)), training)
        task = Task.BINARY if classes == 2 else Task.MULTICLASS
        found = trivial(task, training, classes=classes, rows=5)
        shares = dummy.predict_proba(np.zeros((5, 1)))
        assert found.labels.tolist() == dummy.predict(np.zeros((5, 1))).tolist()
        assert found.scores == pytest.approx(shares[:, 1] if classes == 2 else shares)


def test_of_regression_it_is_the_mean() -> None:
    training = np.random.default_rng(1).normal(7, 2, 50)
    found = trivial(Task.REGRESSION, training, classes=0, rows=3)
    assert found.labels == pytest.approx(DummyRegressor().fit(np.zeros((50, 1)), training).predict(np.zeros((3, 1))))
    assert found.scores is None


def answers(labels: object, scores: object = None, kind: type = np.int32) -> Predictions:
    given = None if scores is None else np.asarray(scores, dtype=np.float32)
    return Predictions(digest="", labels=np.asarray(labels, dtype=kind), scores=given)


def test_rounding_is_no_other_answer_and_a_change_that_can_be_seen_is() -> None:
    one = answers([0, 1, 1], [0.2, 0.7, 0.9])
    assert differing(one, answers([0, 1, 1], [0.2 + 1e-7, 0.7, 0.9]), Task.BINARY).tolist() == [False] * 3
    assert differing(one, answers([0, 0, 1], [0.2, 0.7, 0.9]), Task.BINARY).tolist() == [False, True, False]
    assert differing(one, answers([0, 1, 1], [0.2001, 0.7, 0.9]), Task.BINARY).tolist() == [True, False, False]
    assert differing(one, answers([0, 1, 1]), Task.BINARY).all()
    many = answers([0, 1], [[0.6, 0.4, 0], [0.1, 0.8, 0.1]])
    assert differing(many, answers([0, 1], [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]), Task.MULTICLASS).tolist() == [
        True,
        False,
    ]


def test_values_of_regression_are_compared_in_their_own_size() -> None:
    one = answers([1e6, 2e6, 0.0], kind=np.float32)
    assert not differing(one, answers([1e6 + 1, 2e6, 0.5], kind=np.float32), Task.REGRESSION).any()
    assert differing(one, answers([1e6, 2.001e6, 0.0], kind=np.float32), Task.REGRESSION).tolist() == [
        False,
        True,
        False,
    ]


def test_the_main_metric_ranks_where_it_can() -> None:
    truth, classes = np.array([0, 1, 1]), ("a", "b")
    assert main_metric(Task.BINARY, truth, answers([0, 1, 1], [0.1, 0.2, 0.3]), classes).name == "roc_auc"
    assert main_metric(Task.BINARY, truth, answers([0, 1, 1]), classes).name == "accuracy"
    assert main_metric(Task.BINARY, truth * 0, answers([0, 1, 1], [0.1, 0.2, 0.3]), classes).name == "accuracy"
    assert main_metric(Task.REGRESSION, truth, answers([0, 1, 1], kind=np.float32), ()).name == "mae"


def test_worse_is_positive_whichever_way_the_metric_goes() -> None:
    assert worsening(METRICS["roc_auc"], 0.9, 0.8) == pytest.approx(0.1)
    assert worsening(METRICS["mae"], 2.0, 3.0) == pytest.approx(0.5)
    assert worsening(METRICS["mae"], 2.0, 1.0) == pytest.approx(-0.5)
    assert worsening(METRICS["mae"], 0.0, 1.0) is None
