"""Tables between the tool and pandas: kinds, missing values and classes survive the way there and back."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from mlops_ci.worker import classes, frames, tables
from mlops_ci.worker.failures import Failure


def _column(values: object, dtype: object = None) -> tuple[str, list[object], list[bool], list[str]]:
    kind, found, missing, categories = frames.column("c", pd.Series(values, dtype=dtype))
    return kind, list(found), list(missing), categories


@pytest.mark.parametrize(
    ("values", "dtype", "kind", "found"),
    [
        ([True, False], None, "boolean", [True, False]),
        ([True, None], "boolean", "boolean", [True, False]),
        ([True, None], object, "boolean", [True, False]),
        ([1, 2], "int8", "integer", [1, 2]),
        ([1, None], "Int64", "integer", [1, 0]),
        ([1, 2], object, "integer", [1, 2]),
        ([0.5, 1], "float32", "float", [0.5, 1.0]),
        ([decimal.Decimal("0.5"), 1], object, "float", [0.5, 1.0]),
        (["b", "a", None], object, "text", [1, 0, -1]),
        (["b", "a", None], "category", "text", [1, 0, -1]),
        ([2, 1, None], pd.CategoricalDtype([1, 2]), "integer", [2, 1, 0]),
        ([None, None], object, "text", [-1, -1]),
    ],
)
def test_a_column_gets_its_kind_from_its_dtype(values, dtype, kind, found):
    answer = _column(values, dtype)
    assert answer[:2] == (kind, found)
    assert answer[2] == [value is None for value in values]


def test_categories_are_sorted_by_code_point():
    kind, codes, _, categories = _column(["é", "Z", "a"], object)
    assert (kind, codes, categories) == ("text", [2, 0, 1], ["Z", "a", "é"])


def test_times_are_microseconds_in_utc():
    aware = pd.Series(pd.to_datetime(["2024-01-01T01:00:00+01:00", None], utc=True)).dt.tz_convert("Europe/Berlin")
    kind, found, missing, _ = frames.column("c", aware)
    assert kind == "timestamp"
    assert found[0] == np.datetime64("2024-01-01T00:00:00", "us")
    assert found.dtype == np.dtype("datetime64[us]")
    assert np.isnat(found[1])
    assert missing.tolist() == [False, True]


def test_dates_stay_dates():
    kind, found, missing, _ = _column([dt.date(2024, 2, 29), None], object)
    assert (kind, found[0], missing) == ("date", np.datetime64("2024-02-29"), [False, True])
    assert _column(pd.Series(np.array(["2024-02-29"], "M8[s]")))[0] == "date"
    assert _column(pd.Series(np.array(["2024-02-29T12:00"], "M8[s]")))[0] == "timestamp"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1], [2]], "values of type list"),
        ([1, "a"], "values of type int, str"),
        ([True, 1.5], "values of type bool, float"),
        ([2**63, 1], "beyond 64 bits"),
        ([-(2**70), 1], "beyond 64 bits"),
        (["\ud800", "a"], "not valid Unicode"),
    ],
)
def test_a_column_without_a_kind_is_named(values, said):
    with pytest.raises(Failure, match=said):
        _column(values, object)


def test_a_time_difference_is_told_what_to_become():
    with pytest.raises(Failure) as caught:
        _column(pd.to_timedelta(["1h"]))
    assert "total_seconds" in caught.value.advice


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (np.bool_(False), "false"),
        (3, "3"),
        (np.int8(-3), "-3"),
        (3.0, "3"),
        (np.float32(0.5), "0.5"),
        (1e20, "100000000000000000000"),
        ("True", "True"),
        (np.str_("a"), "a"),
    ],
)
def test_a_class_has_one_text_form(value, text):
    assert classes.class_text(value) == text


@pytest.mark.parametrize(("value", "kind"), [(True, "boolean"), (12, "integer"), (2.5, "float"), ("x", "text")])
def test_a_class_is_found_again_from_its_text(value, kind):
    assert classes.class_value(classes.class_text(value), kind) == value


def test_labels_become_codes_and_strangers_are_listed():
    codes, unseen = classes.codes(["b", "a", "z"], ["a", "b"])
    assert codes.tolist() == [1, 0, -1]
    assert unseen == ["z"]


def test_only_the_first_step_of_a_pipeline_names_the_tables_columns():
    first, last = type("First", (), {})(), type("Last", (), {"feature_names_in_": ["x_bin"]})()
    pipeline = type("Pipeline", (), {"steps": [("first", first), ("last", last)]})()
    assert tables.feature_names(pipeline) is None


def test_a_wrapper_is_looked_into():
    inner = type("Inner", (), {"feature_names_in_": ["x"], "predict": None})()
    assert tables.feature_names(type("Search", (), {"best_estimator_": inner})()) == ["x"]
