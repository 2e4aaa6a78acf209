from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.evaluation.counts import confusion_matrix
from mlops_ci.evaluation.metrics import METRICS, metrics_for
from mlops_ci.evaluation.proportions import confusion_masks, denominators, masks
from mlops_ci.evaluation.ranking import roc_auc
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.evaluation.metric import Metric

TWO = ("false", "true")
CASES = 60


def binary_case(seed: int) -> dict[str, Any]:
    """Truth, labels, float32 scores and weights with ties and, in some cases, extreme imbalance."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(20, 400))
    truth = (random.random(rows) < random.choice([0.02, 0.3, 0.5, 0.97])).astype(np.int32)
    truth[:2] = [0, 1]
    scores = np.clip(0.3 * truth + random.random(rows) * 0.7, 0, 1)
    if seed % 2:
        scores = np.round(scores, 1)
    scores = scores.astype(np.float32)
    labels = (scores > random.choice([0.1, 0.5, 0.6])).astype(np.int32)
    weight = random.integers(1, 9, rows) / 3 if seed % 3 == 0 else None
    return {"truth": truth, "labels": labels, "scores": scores, "weight": weight}


def many_case(seed: int) -> dict[str, Any]:
    """Five declared classes, of which some cases hold only three; rows of probabilities in float32."""
    random = np.random.default_rng(1000 + seed)
    rows = int(random.integers(30, 300))
    truth = random.choice(5, rows, p=[0.6, 0.3, 0.05, 0.03, 0.02]).astype(np.int32)
    truth[:5] = range(5)
    raw = random.random((rows, 5)) + 2 * np.eye(5)[truth] * random.random((rows, 1))
    scores = (np.round(raw, 1) / np.round(raw, 1).sum(axis=1, keepdims=True)).astype(np.float32)
    labels = scores.argmax(axis=1).astype(np.int32)
    if seed % 4 == 0:
        labels[labels == 4] = 0
    return {
        "truth": truth,
        "labels": labels,
        "scores": scores,
        "weight": random.random(rows) if seed % 3 == 0 else None,
    }


def regression_case(seed: int) -> dict[str, Any]:
    random = np.random.default_rng(2000 + seed)
    truth = random.normal(10, 5, 50 + seed) + 40
    labels = (truth + random.normal(1, 3, len(truth))).astype(np.float32)
    weight = random.integers(1, 5, len(truth)).astype(float) if seed % 3 == 0 else None
    return {"truth": truth, "labels": labels, "scores": None, "weight": weight}


def clipped(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Float32 scores for scikit-learn in float64, clipped where it would clip float32."""
    step = float(np.finfo(np.float32).eps)
    return np.asarray(np.clip(scores.astype(np.float64), step, 1 - step))


def by_label(function: Any, **options: Any) -> Any:
    return lambda c: function(c["truth"], c["labels"], sample_weight=c["weight"], **options)


BINARY = {
    "accuracy": by_label(sk.accuracy_score),
    "balanced_accuracy": by_label(sk.balanced_accuracy_score),
    "precision": by_label(sk.precision_score, zero_division=np.nan),
    "recall": by_label(sk.recall_score),
    "specificity": by_label(sk.recall_score, pos_label=0),
    "false_positive_rate": lambda c: (
        1 - sk.recall_score(c["truth"], c["labels"], pos_label=0, sample_weight=c["weight"])
    ),
    "selection_rate": lambda c: np.average(c["labels"] == 1, weights=c["weight"]),
    "f1": by_label(sk.f1_score),
    "f1_macro": by_label(sk.f1_score, average="macro"),
    "f1_weighted": by_label(sk.f1_score, average="weighted"),
    "precision_macro": by_label(sk.precision_score, average="macro", zero_division=0),
    "recall_macro": by_label(sk.recall_score, average="macro", zero_division=0),
    "mcc": by_label(sk.matthews_corrcoef),
    "cohen_kappa": by_label(sk.cohen_kappa_score),
    "roc_auc": lambda c: sk.roc_auc_score(c["truth"], c["scores"], sample_weight=c["weight"]),
    "pr_auc": lambda c: sk.average_precision_score(c["truth"], c["scores"], sample_weight=c["weight"]),
    "log_loss": lambda c: sk.log_loss(c["truth"], clipped(c["scores"]), sample_weight=c["weight"]),
    "brier": lambda c: sk.brier_score_loss(
        c["truth"], c["scores"].astype(np.float64), sample_weight=c["weight"], scale_by_half=True
    ),
}
SCORED = {
    "roc_auc": lambda c: np.mean(
        [sk.roc_auc_score(c["truth"] == k, c["scores"][:, k], sample_weight=c["weight"]) for k in range(5)]
    ),
    "log_loss": lambda c: sk.log_loss(c["truth"], clipped(c["scores"]), sample_weight=c["weight"], labels=range(5)),
    "brier": lambda c: sk.brier_score_loss(
        c["truth"], c["scores"].astype(np.float64), sample_weight=c["weight"], labels=range(5), scale_by_half=False
    ),
}
SCORED |= {
    f"top_{k}_accuracy": lambda c, k=k: sk.top_k_accuracy_score(
        c["truth"], c["scores"], k=k, sample_weight=c["weight"], labels=range(5)
    )
    for k in (2, 3, 5)
}
MANY = {name: BINARY[name] for name in BINARY if Task.MULTICLASS in METRICS[name].tasks} | SCORED
VALUES = {
    "mae": by_label(sk.mean_absolute_error),
    "mse": by_label(sk.mean_squared_error),
    "rmse": by_label(sk.root_mean_squared_error),
    "median_ae": by_label(sk.median_absolute_error),
    "r2": by_label(sk.r2_score),
    "mape": by_label(sk.mean_absolute_percentage_error),
    "pinball_10": by_label(sk.mean_pinball_loss, alpha=0.1),
    "pinball_50": by_label(sk.mean_pinball_loss, alpha=0.5),
    "pinball_90": by_label(sk.mean_pinball_loss, alpha=0.9),
    "mean_error": lambda c: np.average(c["labels"].astype(float) - c["truth"], weights=c["weight"]),
}


def compute(metric: Metric, case: dict[str, Any], classes: tuple[str, ...]) -> float | None:
    return metric.compute(case["truth"], case["labels"], case["scores"], classes, case["weight"])


def agreements(name: str, oracle: Any, cases: Iterator[dict[str, Any]], classes: tuple[str, ...]) -> None:
    for number, case in enumerate(cases):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = float(oracle(case))
        found = compute(METRICS[name], case, classes)
        assert found is not None or np.isnan(expected), (number, expected)
        if found is not None:
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), number


@pytest.mark.parametrize("name", BINARY)
def test_a_metric_of_two_classes_equals_scikit_learns(name: str) -> None:
    agreements(name, BINARY[name], map(binary_case, range(CASES)), TWO)


@pytest.mark.parametrize("name", MANY)
def test_a_metric_of_many_classes_equals_scikit_learns(name: str) -> None:
    agreements(name, MANY[name], map(many_case, range(CASES)), ("a", "b", "c", "d", "e"))


@pytest.mark.parametrize("name", VALUES)
def test_a_metric_of_values_equals_scikit_learns(name: str) -> None:
    agreements(name, VALUES[name], map(regression_case, range(CASES)), ())


@pytest.mark.parametrize("labels", [[0, 2, 2, 2], [0, 3, 2, 2]])
def test_macro_averages_go_over_the_classes_that_truth_or_predictions_hold(labels: list[int]) -> None:
    truth, answers = np.array([0, 0, 2, 2]), np.array(labels)
    for name in ("f1_macro", "precision_macro", "recall_macro", "balanced_accuracy"):
        five = METRICS[name].compute(truth, answers, None, ("a", "b", "c", "d", "e"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = BINARY[name]({"truth": truth, "labels": answers, "weight": None})
        assert five == pytest.approx(expected)


def test_every_metric_of_a_task_is_compared_with_an_oracle() -> None:
    assert {m.name for m in metrics_for(Task.BINARY)} - set(BINARY) == {"ece"}
    assert {m.name for m in metrics_for(Task.MULTICLASS)} - set(MANY) == {"ece"}
    assert {m.name for m in metrics_for(Task.REGRESSION)} == set(VALUES)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    positive = np.array([hit for hit, _ in rows])
    scores = np.array([score for _, score in rows], dtype=np.float32)
    above = scores[positive][:, None] - scores[~positive][None, :]
    if above.size == 0:
        assert np.isnan(roc_auc(positive, scores))
    else:
        assert roc_auc(positive, scores) == pytest.approx(((above > 0) + (above == 0) / 2).mean(), abs=1e-12)


def test_the_calibration_error_of_two_full_bins_is_their_mean_gap() -> None:
    scores = np.array([0.1, 0.1, 0.9, 0.9], dtype=np.float32)
    truth = np.array([0, 0, 1, 0], dtype=np.int32)
    assert METRICS["ece"].compute(truth, truth, scores, TWO) == pytest.approx((0.1 + 0.4) / 2, abs=1e-7)


def test_the_calibration_error_of_many_classes_is_that_of_the_likeliest() -> None:
    scores = np.array([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]], dtype=np.float32)
    truth = np.array([0, 1, 1], dtype=np.int32)
    expected = (2 * abs(0.5 - 0.8) + abs(1 - 0.5)) / 3
    assert METRICS["ece"].compute(truth, truth, scores, ("a", "b", "c")) == pytest.approx(expected, abs=1e-7)


def test_among_equal_scores_the_later_class_comes_first() -> None:
    tied = np.full((3, 3), 1 / 3, dtype=np.float32)
    truth = np.array([0, 1, 2], dtype=np.int32)
    assert METRICS["top_2_accuracy"].compute(truth, truth, tied, ("a", "b", "c")) == pytest.approx(2 / 3)
    assert METRICS["top_5_accuracy"].compute(truth, truth, tied, ("a", "b", "c")) == 1.0


NEITHER = np.zeros(4, dtype=np.int32)
BOTH = np.array([0, 1, 0, 1], dtype=np.int32)
HALF = np.full(4, 0.5, dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "truth", "labels"),
    [
        ("precision", BOTH, NEITHER),
        ("recall", NEITHER, BOTH),
        ("specificity", NEITHER + 1, BOTH),
        ("f1", NEITHER, NEITHER),
        ("roc_auc", NEITHER, BOTH),
        ("pr_auc", NEITHER, BOTH),
        ("mcc", NEITHER, BOTH),
        ("cohen_kappa", NEITHER, NEITHER),
        ("accuracy", NEITHER[:0], NEITHER[:0]),
    ],
)
def test_a_metric_without_a_denominator_has_no_value(name: str, truth: Any, labels: Any) -> None:
    assert METRICS[name].compute(truth, labels, HALF[: len(truth)], TWO) is None


def test_a_model_that_always_says_the_same_has_no_correlation_rather_than_no_value() -> None:
    assert METRICS["mcc"].compute(BOTH, NEITHER, None, TWO) == 0.0


@pytest.mark.parametrize("name", ["r2", "mape"])
def test_a_constant_or_zero_target_has_no_relative_error(name: str) -> None:
    assert METRICS[name].compute(np.zeros(4), np.ones(4, dtype=np.float32), None, ()) is None
    constant = np.full(7, 0.1)
    assert METRICS["r2"].compute(constant, constant.astype(np.float32), None, ()) is None


@pytest.mark.parametrize("name", ["log_loss", "brier", "ece"])
def test_scores_that_are_not_probabilities_have_no_loss_but_an_order(name: str) -> None:
    margins = np.array([-2.0, 3.0, -1.0, 0.5], dtype=np.float32)
    assert METRICS[name].compute(BOTH, BOTH, margins, TWO) is None
    assert METRICS["roc_auc"].compute(BOTH, BOTH, margins, TWO) == 1.0


def test_a_certain_wrong_answer_costs_what_a_float32_can_say() -> None:
    loss = METRICS["log_loss"].compute(BOTH[:2], BOTH[:2], np.array([1, 0], dtype=np.float32), TWO)
    assert loss == pytest.approx(-np.log(2.0**-23))


def test_a_label_of_a_class_never_seen_is_wrong_and_no_class() -> None:
    truth, labels = np.array([0, 0, 1, 1]), np.array([0, -1, 1, -1])
    assert METRICS["accuracy"].compute(truth, labels, None, TWO) == 0.5
    assert METRICS["recall"].compute(truth, labels, None, TWO) == 0.5
    assert METRICS["precision"].compute(truth, labels, None, TWO) == 1.0
    assert METRICS["mcc"].compute(truth, labels, None, TWO) == pytest.approx(sk.matthews_corrcoef(truth, labels))
    assert METRICS["cohen_kappa"].compute(truth, labels, None, TWO) == pytest.approx(
        sk.cohen_kappa_score(truth, labels)
    )
    assert confusion_matrix(truth, labels, 2).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "name", [name for name, metric in METRICS.items() if metric.kind == "proportion" and Task.BINARY in metric.tasks]
)
def test_a_proportion_is_its_successes_among_its_members(name: str) -> None:
    for seed in range(20):
        case = binary_case(seed) | {"weight": None}
        member, success = masks(METRICS[name], case["truth"], case["labels"], None)
        value = compute(METRICS[name], case, TWO)
        assert not (success & ~member).any()
        assert value == (pytest.approx(success.sum() / member.sum()) if member.any() else None)
        assert _counted(name, case["truth"], case["labels"]) == member.sum()


def test_f1_is_made_of_true_and_false_positives_and_misses() -> None:
    for seed in range(20):
        case = binary_case(seed) | {"weight": None}
        hits, alarms, misses = (int(mask.sum()) for mask in confusion_masks(case["truth"], case["labels"]))
        assert compute(METRICS["f1"], case, TWO) == pytest.approx(2 * hits / (2 * hits + alarms + misses))
        assert _counted("f1", case["truth"], case["labels"]) == hits + alarms + misses


def test_the_denominator_of_an_auc_is_the_rarer_class() -> None:
    truth = np.array([0, 0, 0, 1], dtype=np.int32)
    assert _counted("roc_auc", truth, truth) == 1


def test_denominators_of_parts_are_those_of_their_rows() -> None:
    for seed in range(10):
        case = binary_case(seed)
        truth, labels = case["truth"], case["labels"]
        codes = np.random.default_rng(seed).integers(0, 4, len(truth))
        for metric in METRICS.values():
            if Task.BINARY in metric.tasks:
                found = denominators(metric, truth, labels, classes=2, codes=codes, parts=5)
                assert list(found) == [
                    _counted(metric.name, truth[codes == part], labels[codes == part]) for part in range(5)
                ]


def _counted(name: str, truth: Any, labels: Any) -> int:
    codes = np.zeros(len(truth), dtype=np.int64)
    return int(denominators(METRICS[name], truth, labels, classes=2, codes=codes, parts=1)[0])


def test_every_value_lies_in_the_range_its_metric_declares() -> None:
    for task, make, classes in (
        (Task.BINARY, binary_case, TWO),
        (Task.MULTICLASS, many_case, tuple("abcde")),
        (Task.REGRESSION, regression_case, ()),
    ):
        for metric in metrics_for(task):
            value = compute(metric, make(7), classes)
            assert value is not None
            assert metric.low <= value <= metric.high


def test_every_metric_is_defined_in_exactly_one_way() -> None:
    for metric in METRICS.values():
        assert [metric.rate, metric.losses, metric.formula].count(None) == 2, metric.name


def test_roc_auc_of_a_million_rows_takes_no_longer_than_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores, positive = random.random(1_000_000).astype(np.float32), random.random(1_000_000) < 0.2

    def shortest(work: Any) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    assert shortest(lambda: roc_auc(positive, scores)) < shortest(lambda: sk.roc_auc_score(positive, scores))
