"""Tensors behind the JSON: what is cut off, too long or no text is told, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from mlops_ci.serving import binary
from mlops_ci.serving.app import App
from mlops_ci.serving.errors import Refused
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.serving_client import Response, ask

PATH = "/v2/models/flights/infer"
TEXTS = b"\2\0\0\0AA"


@pytest.fixture(scope="module")
def app() -> App:
    return App(Model(serving_bundles.opened(serving_bundles.multiclass())))


def tensors(**changed: Any) -> list[dict[str, Any]]:
    """One row; the carrier and the hour are behind the JSON. A column's name -> fields that are other."""
    fields: dict[str, dict[str, Any]] = {
        "carrier": {"datatype": "BYTES", "parameters": {"binary_data_size": 6}},
        "hour": {"datatype": "INT64", "parameters": {"binary_data_size": 8}},
        "distance": {"datatype": "FP64", "data": [2.5]},
        "remark": {"datatype": "BYTES", "data": [None]},
    }
    return [{"name": name, "shape": [1]} | each | changed.get(name, {}) for name, each in fields.items()]


def infer(app: App, behind: bytes, length: str = "", **changed: Any) -> Response:
    text = json.dumps({"inputs": tensors(**changed)}).encode()
    headers = {"inference-header-content-length": length or str(len(text))}
    return ask(app, "POST", PATH, text + behind, headers)


HOUR = (7).to_bytes(8, "little")
REFUSED: dict[str, tuple[bytes, str, dict[str, Any], str]] = {
    "cut off": (TEXTS + HOUR[:7], "", {}, "column hour: binary_data_size is 8; 7 bytes are left behind the JSON"),
    "too much": (TEXTS + HOUR + b"x", "", {}, "15 bytes are behind the JSON; tensors have 14 of them"),
    "a long text": (b"\3\0\0\0AA" + HOUR, "", {}, "column carrier: a text is longer than its tensor"),
    "half a length": (
        b"\0\0" + HOUR,
        "",
        {"carrier": {"parameters": {"binary_data_size": 2}}},
        "column carrier: a text is longer",
    ),
    "no text": (b"\2\0\0\0\xff\xff" + HOUR, "", {}, "column carrier: text 0 is not UTF-8"),
    "another number of rows": (TEXTS + HOUR, "", {"hour": {"datatype": "INT32"}}, "shape [1] and 2 values"),
    "no whole number": (
        TEXTS + HOUR,
        "",
        {"hour": {"parameters": {"binary_data_size": 7}}},
        "column hour: 7 bytes are no whole number of values of 8",
    ),
    "a datatype there is not": (TEXTS + HOUR, "", {"hour": {"datatype": "BF16"}}, "'BF16' has no binary form here"),
    "a size below nothing": (TEXTS, "", {"hour": {"parameters": {"binary_data_size": -8}}}, "binary_data_size is -8"),
    "both": (TEXTS + HOUR, "", {"hour": {"data": [7]}}, "column hour: a tensor has either data or the parameter"),
    "neither": (TEXTS, "", {"hour": {"parameters": {"shared_memory_region": "x"}}}, "column hour: a tensor has either"),
    "a length beyond": (TEXTS + HOUR, "99999", {}, "is '99999'; the body has"),
    "no length": (TEXTS + HOUR, "-1", {}, "is '-1'; the body has"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bytes_that_do_not_fit_are_told(app: App, case: str) -> None:
    behind, length, changed, words = REFUSED[case]
    answer = infer(app, behind, length, **changed)
    assert answer.status == 400
    assert words in answer.json()["error"]


def test_bytes_are_answered_as_json_is(app: App) -> None:
    answer = infer(app, TEXTS + HOUR)
    assert answer.status == 200
    fields = {"carrier": {"data": ["AA"], "parameters": None}, "hour": {"data": [7], "parameters": None}}
    assert ask(app, "POST", PATH, json.dumps({"inputs": tensors(**fields)}).encode()).json() == answer.json()


@given(st.binary(max_size=40), st.sampled_from(["BYTES", "BOOL", "FP16", "FP32", "INT8", "UINT64", "X"]))
def test_any_bytes_are_values_or_refused(content: bytes, datatype: str) -> None:
    try:
        found = binary.values(memoryview(content), datatype, "a")
    except Refused:
        return
    assert all(value is None or type(value) in (bool, int, float, str) for value in found)


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("BYTES", ["", "é", "a" * 300]),
        ("INT64", [-(2**63), 0, 2**63 - 1]),
        ("FP64", [0.1, -1e300]),
        ("BOOL", [True, False]),
    ],
)
def test_what_is_written_is_read_again(datatype: str, values: list[Any]) -> None:
    assert binary.values(memoryview(binary.written(values, datatype)), datatype, "a") == values


def test_nan_is_missing() -> None:
    content = np.array([1.5, np.nan], dtype="<f4").tobytes()
    assert binary.values(memoryview(content), "FP32", "a") == [1.5, None]
