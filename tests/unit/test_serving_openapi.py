"""The document and the server say the same: what one allows the other answers, as the document says it does."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import jsonschema
import pytest
from hypothesis import given, settings

from mlops_ci.serving.app import App
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.serving_client import ask, post
from tests.unit.test_serving_forms import FORMS, REFUSED


@pytest.fixture(scope="module")
def app() -> App:
    return App(Model(serving_bundles.opened(serving_bundles.multiclass())))


@pytest.fixture(scope="module")
def document(app: App) -> dict[str, Any]:
    return dict(ask(app, "GET", "/openapi.json").json())


def schema(document: dict[str, Any], path: str, status: int | None = None) -> dict[str, Any]:
    """Of the request to a path, or of its answer of a status."""
    asked = document["paths"][path]["post"]
    part = asked["requestBody"] if status is None else asked["responses"][str(status)]
    return dict(part["content"]["application/json"]["schema"])


def fits(value: Any, schema: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


# The order of columns is free, and what is missing may be left out of a record; a schema cannot say so.
FREER = ("split, another order", "split with an index", "a record without its missing value", "inputs by column")
# Nor that rows are of one form, of which each is allowed.
STRICTER = ("mixed rows", "too many rows")


@pytest.mark.parametrize("form", [form for form in FORMS if form not in (*FREER, "without parameters")])
def test_what_is_answered_is_in_the_document(app: App, document: dict[str, Any], form: str) -> None:
    assert fits(FORMS[form], schema(document, "/invocations"))
    assert fits(post(app, FORMS[form]).json(), schema(document, "/invocations", 200))


@pytest.mark.parametrize("case", [case for case in REFUSED if case not in STRICTER])
def test_what_is_refused_is_not_in_the_document(app: App, document: dict[str, Any], case: str) -> None:
    assert not fits(REFUSED[case][0], schema(document, "/invocations"))
    assert fits(post(app, REFUSED[case][0]).json(), schema(document, "/invocations", 400))


ROW = {
    "carrier": st.sampled_from(["AA", "B6", "UA", "XX"]),
    "hour": st.integers(-1, 24) | st.just(3.0) | st.just(3.5),
    "distance": st.floats(-1, 1e6) | st.just(1e39),
    "remark": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.just("a\0"),
}


@given(st.lists(st.fixed_dictionaries(ROW, optional={"flight": st.integers(), "x": st.none()}), max_size=2))
@settings(max_examples=300)
def test_rows_fit_the_document_where_they_are_answered(app: App, document: dict[str, Any], rows: Any) -> None:
    sent = {"dataframe_records": rows}
    assert fits(sent, schema(document, "/invocations")) == (post(app, sent).status == 200)


def test_tensors_are_in_the_document(app: App, document: dict[str, Any]) -> None:
    path = "/v2/models/flights/infer"
    values = {"carrier": ("BYTES", "AA"), "hour": ("INT64", 3), "distance": ("FP32", 1.5), "remark": ("BYTES", None)}
    tensors = [{"name": n, "datatype": t, "shape": [1], "data": [v]} for n, (t, v) in values.items()]
    assert fits({"inputs": tensors}, schema(document, path))
    assert fits(post(app, {"inputs": tensors}, path).json(), schema(document, path, 200))
    assert fits(post(app, {"inputs": tensors[1:]}, path).json(), schema(document, path, 400))
    assert not fits({"inputs": tensors[1:]}, schema(document, path))


def test_every_path_of_the_document_is_there(app: App, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method in methods:
            body = json.dumps(FORMS["split"]).encode()
            assert ask(app, method.upper(), path, body).status in (200, 400), path
