"""Which checks of deepchecks are asked, and what their conditions say, as plain values."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from deepchecks.tabular import Dataset, Suite, checks

_LONGEST = 600
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_UNKNOWN = "(no class of the target)"

Check = Any
"""A check of deepchecks with its default condition. Its types are not there for mypy: deepchecks is not installed."""


def data_checks(seed: int, task: str) -> list[Check]:
    """Of the suites data_integrity and train_test_validation what can be asked of a sample without ids.

    Left out: what has no condition (OutlierSampleDetection), and what asks the split, which mlops-ci makes itself
    (sizes, and dates and ids on both sides).
    """
    options = {"random_state": seed}
    found = [
        checks.IsSingleValue(**options).add_condition_not_single_value(),
        checks.SpecialCharacters(**options).add_condition_ratio_of_special_characters_less_or_equal(),
        checks.MixedNulls(**options).add_condition_different_nulls_less_equal_to(),
        checks.MixedDataTypes(**options).add_condition_rare_type_ratio_not_in_range(),
        checks.StringMismatch(**options).add_condition_no_variants(),
        checks.DataDuplicates(**options).add_condition_ratio_less_or_equal(),
        checks.StringLengthOutOfBounds(**options).add_condition_ratio_of_outliers_less_or_equal(),
        checks.FeatureFeatureCorrelation(**options).add_condition_max_number_of_pairs_above_threshold(),
        checks.NewCategoryTrainTest(**options).add_condition_new_category_ratio_less_or_equal(),
        checks.StringMismatchComparison(**options).add_condition_no_new_variants(),
        checks.TrainTestSamplesMix(**options).add_condition_duplicates_ratio_less_or_equal(),
        checks.FeatureLabelCorrelation(**options).add_condition_feature_pps_less_than(),
        checks.FeatureLabelCorrelationChange(**options)
        .add_condition_feature_pps_difference_less_than()
        .add_condition_feature_pps_in_train_less_than(),
        checks.FeatureDrift(**options).add_condition_drift_score_less_than(),
        checks.LabelDrift(**options).add_condition_drift_score_less_than(),
        checks.MultivariateDrift(**options).add_condition_overall_drift_value_less_than(),
    ]
    if task != "regression":
        found.append(checks.ConflictingLabels(**options).add_condition_ratio_of_conflicting_labels_less_or_equal())
        found.append(checks.NewLabelTrainTest(**options).add_condition_new_labels_number_less_or_equal())
    return found


def model_checks(seed: int, task: str, slow: list[str], *, probabilities: bool) -> list[Check]:
    """Of the suite model_evaluation what needs no model and no answers on the training rows."""
    options = {"random_state": seed}
    found = []
    if task == "regression":
        # Its other default condition, a mean error below 1 % of the RMSE, fails every other honest model by chance:
        # at 5,000 rows that is less than one standard error of the mean.
        found.append(checks.RegressionErrorDistribution(**options).add_condition_kurtosis_greater_than())
    elif probabilities:
        found.append(checks.RocReport(**options).add_condition_auc_greater_than())
    if "weak_segments_performance" in slow:
        found.append(
            checks.WeakSegmentsPerformance(**options).add_condition_segments_relative_performance_greater_than()
        )
    return found


def run(request: dict[str, Any], *, frames: ModuleType, class_text: Callable[[Any], str]) -> list[dict[str, str]]:
    """One value for each condition of each check: check, side, category, text, allowed."""
    ask = _of_data if request["part"] == "data" else _of_model
    return ask(request, frames, class_text)


def _of_data(request: dict[str, Any], frames: ModuleType, class_text: Callable[[Any], str]) -> list[dict[str, str]]:
    train, holdout = (_dataset(Path(request[side]), request, frames, class_text) for side in ("train", "holdout"))
    suite = Suite("data", *data_checks(request["seed"], request["task"]))
    return list(_told(suite.run(train, holdout, with_display=False)))


def _of_model(request: dict[str, Any], frames: ModuleType, class_text: Callable[[Any], str]) -> list[dict[str, str]]:
    # deepchecks takes a single dataset as "train"; these are the held-out rows.
    holdout = _dataset(Path(request["holdout"]), request, frames, class_text)
    classes = request["classes"]
    labels = np.load(request["labels"])
    predicted = np.array([*classes, _UNKNOWN], dtype=object)[labels] if classes else labels.astype(np.float64)
    proba = _probabilities(Path(request["scores"]), classes) if request["scores"] else None
    asked = model_checks(request["seed"], request["task"], request["slow"], probabilities=proba is not None)
    answers = Suite("model", *asked).run(
        holdout,
        y_pred_train=predicted,
        y_proba_train=proba,
        model_classes=sorted(classes) or None,
        with_display=False,
    )
    return [{**told, "side": ""} for told in _told(answers)]


def _probabilities(path: Path, classes: list[str]) -> Any:
    """One column a class, in the order of their texts, which deepchecks wants."""
    scores = np.load(path).astype(np.float64)
    columns = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    return columns[:, [classes.index(name) for name in sorted(classes)]]


def _dataset(folder: Path, request: dict[str, Any], frames: ModuleType, class_text: Callable[[Any], str]) -> Any:
    """A frame as deepchecks takes it: what is text or boolean is a category, whatever deepchecks would guess."""
    frame, kinds, label = frames.read(folder), frames.kinds(folder), request["label"]
    for name, series in frame.items():
        if isinstance(series.dtype, pd.Int64Dtype):
            frame[name] = series.astype("float64")
    if request["task"] != "regression":
        frame[label] = [class_text(value) for value in frame[label]]
    features = [name for name in frame.columns if name != label]
    return Dataset(
        frame,
        label=label,
        features=features,
        cat_features=[name for name in features if kinds[name] in ("text", "boolean")],
        label_type=request["task"],
    )


def _told(answers: Any) -> Iterator[dict[str, str]]:
    for result in answers.results:
        name = _WORD.sub("_", type(result.check).__name__).lower()
        side = _side(str(result.header or ""))
        if hasattr(result, "exception"):
            why = f"{type(result.exception).__name__}: {result.exception}"
            yield {"check": name, "side": side, "category": "NOT_RUN", "text": plain(why), "allowed": ""}
            continue
        for condition in result.conditions_results:
            yield {
                "check": name,
                "side": side,
                "category": condition.category.name,
                "text": plain(condition.details),
                "allowed": plain(condition.name),
            }


def _side(header: str) -> str:
    sides = {"- Train Dataset": "train", "- Test Dataset": "holdout"}
    return next((side for end, side in sides.items() if header.endswith(end)), "")


def plain(text: str) -> str:
    """Text on one line, without the HTML that deepchecks puts into its sentences, and of bounded length."""
    words = " ".join(html.unescape(_TAG.sub(" ", str(text))).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
