"""A model that is kept as an estimator is asked with the DataFrame it was trained on, and answers a DataFrame too."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.serving import frames
from mlops_ci.serving.app import App
from mlops_ci.serving.described import Input, Output, Serving
from mlops_ci.serving.labels import labelled
from mlops_ci.serving.model import Model
from mlops_ci.serving.pyfunc import PyFunc
from mlops_ci.worker import frames as worker_frames
from tests import serving_bundles
from tests.serving_client import post


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(serving_bundles.opened(serving_bundles.kept()))


def golden_rows() -> list[dict[str, Any]]:
    golden = json.loads(serving_bundles.kept()["golden.json"])
    return [dict(zip(golden["columns"], row, strict=True)) for row in golden["rows"]]


def test_a_pickled_pipeline_answers_as_it_was_judged(model: Model) -> None:
    answer = post(App(model), {"dataframe_records": golden_rows()})
    judged = json.loads(serving_bundles.kept()["golden.json"])["answers"]
    found = answer.json()["predictions"]
    assert [row["prediction"] for row in found] == judged["prediction"]
    assert [row["probability_true"] for row in found] == pytest.approx(judged["probability_true"], abs=1e-12)


def test_dtypes_are_those_of_the_worker(tmp_path: Any) -> None:
    """What the worker hands to training and prediction, the server hands to the model."""
    columns: dict[str, tuple[str, list[Any]]] = {
        "text": ("text", ["a", None, ""]),
        "integer": ("integer", [1, 2, 3]),
        "missing": ("integer", [1, None, 3]),
        "large": ("integer", [2**53 + 1, None, 3]),
        "float": ("float", [1.5, None, 3]),
        "boolean": ("boolean", [True, False, True]),
        "unknown": ("boolean", [True, None, False]),
        "date": ("date", [np.datetime64("2024-05-01").item(), None, None]),
        "timestamp": ("timestamp", [np.datetime64("2024-05-01T12:00:00", "us").item(), None, None]),
    }
    inputs = [Input(name, kind, nullable=True) for name, (kind, _) in columns.items()]  # type: ignore[arg-type]
    made = frames.frame(inputs, list(zip(*(values for _, values in columns.values()), strict=True)))
    worker_frames.write(made, tmp_path)
    handed = worker_frames.read(tmp_path)
    assert worker_frames.kinds(tmp_path) == {name: kind for name, (kind, _) in columns.items() if name != "missing"} | {
        "missing": "float"  # of integers with missing values pandas makes floats
    }
    pd.testing.assert_frame_equal(made, handed)


def test_a_data_frame_is_answered_with_a_data_frame(model: Model) -> None:
    frame = pd.DataFrame(golden_rows(), index=pd.Index(range(50, 70), name="row"))
    frame["day"] = pd.to_datetime(frame["day"])
    frame["hour"] = frame["hour"].astype("Int64")
    with pytest.raises(ValueError, match="row 0, column day: day is text '2024-01-01T00:00:00'; a date like"):
        PyFunc(model).predict(frame.assign(day=frame["day"].dt.strftime("%Y-%m-%dT%H:%M:%S")))
    found = PyFunc(model).predict(frame)
    assert list(found.columns) == ["prediction", "probability_false", "probability_true"]
    assert found.index.equals(frame.index)
    assert found["prediction"].dtype == bool
    expected = post(App(model), {"dataframe_records": golden_rows()}).json()["predictions"]
    assert found.to_dict("records") == expected
    pd.testing.assert_frame_equal(PyFunc(model).predict(frame.assign(hour=frame["hour"].astype("float64"))), found)


def test_a_data_frame_is_held_to_the_signature(model: Model) -> None:
    frame = pd.DataFrame(golden_rows())
    with pytest.raises(ValueError, match="row 2, column weekend: weekend is missing"):
        PyFunc(model).predict(frame.assign(weekend=[True, False, None, *[True] * 17]))
    with pytest.raises(ValueError, match="column hour: column 'hour' is missing"):
        PyFunc(model).predict(frame.drop(columns="hour"))
    with pytest.raises(ValueError, match="params: this model takes none"):
        PyFunc(model).predict(frame, {"threshold": 0.3})


@pytest.mark.parametrize(
    ("kind", "labels", "expected"),
    [
        ("boolean", [1, 0], [True, False]),
        ("boolean", ["true", "False"], [True, False]),
        ("text", ["b", "a"], ["b", "a"]),
        ("text", [1, 0], ["b", "a"]),
        ("text", [1.0, 0.0], ["b", "a"]),
        ("integer", [7.0, 8], [7, 8]),
        ("float", [7, 8.5], [7.0, 8.5]),
    ],
)
def test_labels_become_what_the_answer_is(kind: Any, labels: list[Any], expected: list[Any]) -> None:
    serving = Serving(
        version=1,
        project="p",
        task="binary",
        model=serving_bundles.opened(serving_bundles.kept()).serving.model,
        inputs=(),
        outputs=(Output("prediction", kind),),
        classes=("a", "b"),
    )
    found = labelled(serving)(labels)
    assert list(map(repr, found)) == list(map(repr, expected))
