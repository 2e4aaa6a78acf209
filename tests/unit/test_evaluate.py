from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
import sklearn.metrics as sk

from mlops_ci.errors import UserCodeError
from mlops_ci.evaluation.curves import calibration, error_quantiles, roc
from mlops_ci.evaluation.evaluate import evaluate
from mlops_ci.evaluation.slices import slice_values
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.evaluation import Champion, Evaluation, Factor, Holdout, Predictions, Task


def binary(rows: int = 3000, seed: int = 0) -> tuple[Holdout, Predictions]:
    random = np.random.default_rng(seed)
    scores = random.random(rows).astype(np.float32)
    truth = (random.random(rows) < scores).astype(np.int32)
    factor = Factor(codes=(np.arange(rows) % 3).astype(np.int32), values=("EWR", "JFK", "LGA"))
    data = Holdout(
        task=Task.BINARY,
        digest="d",
        ids=np.arange(rows, dtype=np.uint64),
        truth=truth,
        classes=("false", "true"),
        slices={"origin": factor},
    )
    return data, Predictions(digest="p", labels=(scores > 0.5).astype(np.int32), scores=scores)


def champion(predictions: Predictions | None) -> Champion:
    return Champion(name="v1", decision="x", commit="a1b2c3d", predictions=predictions)


def metric(evaluation: Evaluation, name: str) -> Any:
    return next(value for value in evaluation.metrics if value.metric == name)


def test_an_evaluation_holds_both_models_and_what_changed_between_them() -> None:
    data, model = binary()
    before = Predictions(digest="c", labels=np.zeros(data.rows, dtype=np.int32), scores=np.zeros(data.rows, np.float32))
    found = evaluate(data, model, champion(before), slices=("origin",))
    assert metric(found, "accuracy").value == sk.accuracy_score(data.truth, model.labels)
    assert metric(found, "accuracy").champion == sk.accuracy_score(data.truth, before.labels)
    assert metric(found, "log_loss").higher_is_better is False
    assert found.flips is not None
    assert found.flips.changed == model.labels.sum()
    assert [cut.value for cut in found.cuts] == ["EWR", "JFK", "LGA"]
    assert found.class_counts == tuple(np.bincount(data.truth))
    assert found.confusion == tuple(map(tuple, sk.confusion_matrix(data.truth, model.labels)))
    assert {"roc", "roc_champion", "calibration", "calibration_champion"} <= set(found.curves)


def test_an_evaluation_is_a_record_with_a_canonical_form() -> None:
    data, model = binary()
    found = evaluate(data, model, champion(model), slices=("origin",))
    assert msgspec.json.decode(canonical_json(found), type=Evaluation) == found


def test_slices_name_their_metrics_once_and_those_of_an_earlier_version_keep_their_bytes() -> None:
    data, model = binary()
    before = Predictions(digest="c", labels=model.labels)  # without scores, so without some of the metrics
    cuts = slice_values(data, model, before, ("origin",))
    found = evaluate(data, model, champion(before), slices=("origin",))
    for kept, cut in zip(found.cuts, cuts, strict=True):
        assert (kept.column, kept.value, kept.rows, kept.metrics) == (cut.column, cut.value, cut.rows, cut.metrics)
        assert kept.champion == dict.fromkeys(cut.metrics) | cut.champion
    written = canonical_json(found)
    assert written.count(b'"balanced_accuracy"') == 2  # of all rows, and of all slices
    earlier = canonical_json(msgspec.structs.replace(found, slices=cuts))
    read = msgspec.json.decode(earlier, type=Evaluation)
    assert read.cuts == cuts
    assert canonical_json(read) == earlier


@pytest.mark.parametrize("rival", [None, champion(None)])
def test_without_a_champion_there_are_no_flips_and_no_values_beside_ours(rival: Champion | None) -> None:
    data, model = binary(50)
    found = evaluate(data, model, rival, slices=())
    assert found.flips is None
    assert metric(found, "accuracy").champion is None
    assert not any(name.endswith("_champion") for name in found.curves)


def test_a_model_that_gives_labels_only_is_told_why_it_has_no_auc() -> None:
    data, model = binary(50)
    found = evaluate(data, Predictions(digest="p", labels=model.labels), None, slices=("origin",))
    assert metric(found, "roc_auc").value is None
    assert metric(found, "roc_auc").reason == "the model gives labels only, no scores"
    assert metric(found, "accuracy").reason == ""
    assert found.curves == {}


def test_reasons_name_the_rows_that_are_not_there() -> None:
    data, _ = binary(20)
    silent = Predictions(digest="p", labels=np.zeros(20, dtype=np.int32), scores=np.full(20, 3.0, dtype=np.float32))
    found = evaluate(data, silent, None, slices=())
    assert metric(found, "precision").reason == "no predicted positives"
    assert metric(found, "brier").reason == "the model's scores are not probabilities"
    assert metric(found, "roc_auc").value == 0.5


def test_an_empty_holdout_has_an_evaluation_without_values() -> None:
    data, model = binary(0)
    found = evaluate(data, model, champion(model), slices=("origin",))
    assert {value.value for value in found.metrics} == {None}
    assert {value.reason for value in found.metrics} == {"no rows"}
    assert found.cuts == ()


def test_predictions_that_are_too_few_or_not_numbers_stop_the_run() -> None:
    data, model = binary(10)
    with pytest.raises(UserCodeError, match="the model gave 9 predictions for 10 held-out rows"):
        evaluate(data, Predictions(digest="p", labels=model.labels[:9]), None, slices=())
    broken = np.array(model.scores)
    broken[3] = np.nan
    with pytest.raises(UserCodeError, match="the champion gave scores that are not finite numbers for 1 of 10"):
        evaluate(data, model, champion(Predictions(digest="p", labels=model.labels, scores=broken)), slices=())


def test_a_regression_has_quantiles_of_errors_and_neither_flips_nor_confusion() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(50, 9, 500)
    data = Holdout(task=Task.REGRESSION, digest="d", ids=np.arange(500, dtype=np.uint64), truth=truth)
    model = Predictions(digest="p", labels=(truth + 2).astype(np.float32))
    found = evaluate(data, model, champion(model), slices=())
    assert metric(found, "mean_error").value == pytest.approx(2, abs=1e-5)
    assert (found.flips, found.confusion, found.class_counts) == (None, (), ())
    assert set(found.curves["error_quantiles"].y) == {2.0}


def test_more_than_twenty_classes_have_no_confusion() -> None:
    truth = np.arange(42, dtype=np.int32) % 21
    data = Holdout(
        task=Task.MULTICLASS,
        digest="d",
        ids=np.arange(42, dtype=np.uint64),
        truth=truth,
        classes=tuple(f"{code:02}" for code in range(21)),
    )
    found = evaluate(data, Predictions(digest="p", labels=truth), None, slices=())
    assert found.confusion == ()
    assert metric(found, "f1_macro").value == 1.0


def _many(rows: int, classes: int, seed: int) -> tuple[Holdout, Predictions, Predictions]:
    """A holdout of that many classes with two models, of which the first never predicts the last class."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows).astype(np.int32)
    ours = np.where(random.random(rows) < 0.6, truth, random.integers(0, classes, rows)) % (classes - 1)
    theirs = np.where(random.random(rows) < 0.7, truth, random.integers(-1, classes, rows))
    data = Holdout(
        task=Task.MULTICLASS,
        digest="d",
        ids=np.arange(rows, dtype=np.uint64),
        truth=truth,
        classes=tuple(f"{code:02}" for code in range(classes)),
    )
    return data, *(Predictions(digest=str(seed), labels=labels.astype(np.int32)) for labels in (ours, theirs))


@pytest.mark.parametrize("classes", [3, 5, 40])
def test_classes_have_the_scores_of_scikit_learn_the_lowest_f1_first(classes: int) -> None:
    data, ours, theirs = _many(3000, classes, seed=classes)
    found = evaluate(data, ours, champion(theirs), slices=()).by_class
    scores = {
        side: sk.precision_recall_fscore_support(data.truth, labels, labels=range(classes), zero_division=np.nan)
        for side, labels in (("candidate", ours.labels), ("champion", theirs.labels))
    }
    lowest = np.argsort(scores["candidate"][2], kind="stable")[:12]
    assert [one.name for one in found] == [data.classes[code] for code in lowest]
    assert found[0].name == data.classes[-1]
    assert found[0].candidate.precision is None
    for one, code in zip(found, lowest, strict=True):
        for side, (precision, recall, f1, rows) in scores.items():
            counts = getattr(one, side)
            shares = [np.nan if share is None else share for share in (counts.precision, counts.recall, counts.f1)]
            assert shares == pytest.approx([precision[code], recall[code], f1[code]], nan_ok=True)
            assert counts.rows == rows[code]


def test_classes_are_compared_on_the_rows_that_the_champion_has_answers_for() -> None:
    data, ours, theirs = _many(300, 3, seed=1)
    lacking = np.arange(300) < 100
    rival = msgspec.structs.replace(champion(theirs), unanswered=lacking)
    found = evaluate(data, ours, rival, slices=())
    rest = [msgspec.structs.replace(one, labels=one.labels[~lacking]) for one in (ours, theirs)]
    assert found.by_class == evaluate(data.cut(~lacking), rest[0], champion(rest[1]), slices=()).by_class
    assert sum(one.candidate.rows for one in found.by_class) == found.flips.rows == 200
    alone = evaluate(data, ours, None, slices=()).by_class
    assert {one.champion for one in alone} == {None}
    assert sum(one.candidate.rows for one in alone) == 300


def test_two_classes_have_no_table_of_classes_and_a_class_without_rows_comes_last() -> None:
    data, model = binary(50)
    assert evaluate(data, model, None, slices=()).by_class is msgspec.UNSET
    assert b"by_class" not in canonical_json(evaluate(data, model, None, slices=()))
    many, ours, _ = _many(300, 3, seed=2)
    absent = msgspec.structs.replace(many, classes=("absent", *many.classes), truth=many.truth + 1)
    found = evaluate(absent, msgspec.structs.replace(ours, labels=ours.labels + 1), None, slices=()).by_class
    assert found[-1].name == "absent"
    assert found[-1].candidate.f1 is None


def test_the_roc_goes_from_corner_to_corner_on_the_exact_line() -> None:
    data, model = binary()
    assert model.scores is not None
    line = roc(data.truth == 1, model.scores)
    false, true, _ = sk.roc_curve(data.truth, model.scores)
    assert len(line.x) == 101
    assert (line.x[0], line.y[0], line.x[-1], line.y[-1]) == (0, 0, 1, 1)
    assert list(line.x) == sorted(line.x)
    assert list(line.y) == sorted(line.y)
    assert np.trapezoid(line.y, line.x) == pytest.approx(sk.auc(false, true), abs=1e-3)
    assert all(value == round(value, 4) for value in line.x + line.y)


def test_the_roc_of_few_thresholds_has_a_point_for_each() -> None:
    line = roc(np.array([True, False, True, False]), np.array([0.9, 0.5, 0.5, 0.1], dtype=np.float32))
    assert line.x == (0, 0, 0.5, 1)
    assert line.y == (0, 0.5, 1, 1)


def test_calibration_has_ten_bins_of_equal_count_that_hold_all_rows() -> None:
    data, model = binary(1000)
    assert model.scores is not None
    line, rows = calibration(data.truth == 1, model.scores)
    assert rows.y == (100.0,) * 10
    assert np.average(line.x, weights=rows.y) == pytest.approx(model.scores.mean(), abs=1e-4)
    assert np.average(line.y, weights=rows.y) == pytest.approx(data.truth.mean(), abs=1e-4)


def test_calibration_keeps_equal_probabilities_together() -> None:
    scores = np.array([0.2] * 25 + [0.7] * 75, dtype=np.float32)
    line, rows = calibration(np.arange(100) % 2 == 0, scores)
    assert line.x == (0.2, 0.7)
    assert rows.y == (25, 75)
    assert line.y == (0.52, round(37 / 75, 4))


def test_quantiles_of_errors_are_of_prediction_minus_truth() -> None:
    line = error_quantiles(np.zeros(101), np.arange(101, dtype=np.float32))
    assert (line.x[25], line.y[25], line.y[100]) == (0.25, 25.0, 100.0)
