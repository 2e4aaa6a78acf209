"""Files ask with arrays: what passes at a glance has the tensors, the answers and the words of single rows."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from mlops_ci.serving.arrays import ArrayModel, Distinct, Numbers, checked
from mlops_ci.serving.columns import column
from mlops_ci.serving.described import Input
from mlops_ci.serving.engine_onnx import OnnxEngine
from mlops_ci.serving.errors import Refused
from mlops_ci.serving.model import Model
from mlops_ci.serving.validate import by_column
from tests import serving_bundles
from tests.unit.test_serving_checks import CELLS, COLUMNS

FLOATS = st.one_of(st.floats(), st.floats(-3, 3), st.integers(-3, 3).map(float), st.sampled_from([2.0**53, 2.0**63]))
INTEGERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3))


def one_by_one(described: Input, values: list[Any]) -> list[Any] | None:
    try:
        return column(described).slow(values)
    except Refused:
        return None


@given(st.sampled_from(COLUMNS), st.one_of(st.lists(FLOATS, max_size=4), st.lists(INTEGERS, max_size=4)))
@example(Input("a", "float"), [1.0, float("nan")])
@example(Input("a", "integer"), [2.0**53])
@example(Input("a", "integer"), [2.0**63])
@example(Input("a", "integer"), [2.5])
@example(Input("a", "float"), [float("inf")])
@example(Input("a", "integer", nullable=True, minimum=-1, maximum=2), [float("nan"), 3.0])
def test_numbers_that_pass_at_a_glance_pass_one_by_one(described: Input, values: list[Any]) -> None:
    array = np.array(values, dtype=np.int64 if values and type(values[0]) is int else np.float64)
    found = checked(column(described), Numbers(array))
    if found is not None:
        assert isinstance(found, Numbers)
        slow = one_by_one(described, [None if value != value else value for value in values])
        assert slow == [None if value != value else value for value in found.values.tolist()]


@given(st.sampled_from(COLUMNS), st.lists(CELLS, min_size=1, max_size=5))
def test_distinct_values_that_pass_at_a_glance_pass_one_by_one(described: Input, values: list[Any]) -> None:
    cells = [value for value in values if value is not None]
    codes, place = [], 0
    for value in values:
        codes.append(-1 if value is None else place)
        place += value is not None
    found = checked(column(described), Distinct(cells, np.array(codes)))
    if found is not None:
        assert isinstance(found, Distinct)
        taken = [None if code < 0 else found.cells[code] for code in found.codes]
        assert list(map(repr, taken)) == list(map(repr, one_by_one(described, values) or ()))


@pytest.mark.parametrize(
    ("described", "values"),
    [
        (Input("a", "float", nullable=True), [1.5, float("nan")]),
        (Input("a", "float"), [1, 2]),
        (Input("a", "integer", nullable=True), [1.0, float("nan"), 3.0]),
        (Input("a", "integer", categories=(1, 2)), [1, 2, 1]),
        (Input("a", "float", nullable=True), [float("nan")]),
    ],
)
def test_what_is_usual_passes_at_a_glance(described: Input, values: list[Any]) -> None:
    assert checked(column(described), Numbers(np.array(values))) is not None


@pytest.mark.parametrize("sign", [1, -1])
def test_a_float_that_stands_for_several_integers_is_not_taken_for_one(sign: int) -> None:
    """9007199254740993, read from a file, is the float 2**53 as well: only its text can tell which was meant."""
    integers = column(Input("a", "integer"))
    known, several = Numbers(np.array([sign * (2.0**53 - 1)])), Numbers(np.array([1.0, sign * float(2**53 + 1)]))
    assert checked(integers, known) is not None
    assert checked(integers, several) is None


@pytest.mark.parametrize("bundle", ["binary", "multiclass", "regression"])
def test_arrays_are_answered_as_lists_are(bundle: str) -> None:
    model = Model(serving_bundles.opened(getattr(serving_bundles, bundle)()))
    engine = model.engine.ask
    assert isinstance(engine, OnnxEngine)
    golden = model.bundle.golden
    columns = dict(zip(golden.columns, map(list, zip(*golden.rows, strict=True)), strict=True))
    _, wanted = model.answer(by_column(columns))
    arrays = [_array(each, columns[each.name]) for each in model.serving.inputs]
    model_of_arrays = ArrayModel(model, engine)
    passed = model_of_arrays.checked(arrays)
    assert passed is not None
    for found, answers in zip(model_of_arrays.ask(passed), wanted, strict=True):
        assert [value.item() if isinstance(value, np.generic) else value for value in found] == answers


def _array(described: Input, values: list[Any]) -> Numbers | Distinct:
    if described.kind in ("integer", "float"):
        return Numbers(np.array([np.nan if value is None else value for value in values]))
    cells = sorted({value for value in values if value is not None})
    return Distinct(cells, np.array([-1 if value is None else cells.index(value) for value in values]))
