"""A row alone is asked through tensors that are bound to the session: with the answers of tensors that are not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.serving.engine_onnx import OnnxEngine
from tests import serving_bundles

CELLS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(-3.4e38, 3.4e38))
WIDTH = {"binary": 30, "regression": 2}
Engines = tuple[OnnxEngine, OnnxEngine, int]


@pytest.fixture(scope="module", params=sorted(WIDTH))
def engines(request: pytest.FixtureRequest) -> Engines:
    """One that binds, one that does not; how wide a row is."""
    bundle = serving_bundles.opened(getattr(serving_bundles, request.param)())
    binding, other = OnnxEngine(bundle.model, bundle.serving), OnnxEngine(bundle.model, bundle.serving)
    assert binding._one is not None
    other._one = None
    return binding, other, WIDTH[request.param]


@given(cells=st.lists(CELLS, min_size=30, max_size=30))
def test_bound_tensors_hold_what_others_hold(engines: Engines, cells: list[Any]) -> None:
    binding, other, width = engines
    row = cells[:width]
    assert repr(binding([row])) == repr(other([row]))  # NaN too


def test_threads_do_not_see_each_others_rows(engines: Engines) -> None:
    binding, other, width = engines
    rows = [[[float(number)] * width] for number in range(8)]
    wanted = [other(row) for row in rows]
    found: list[list[Any]] = [[] for _ in rows]

    def ask(number: int) -> None:
        found[number] = [binding(rows[number]) for _ in range(300)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[each] * 300 for each in wanted]


def test_texts_are_not_bound() -> None:
    bundle = serving_bundles.opened(serving_bundles.multiclass())
    assert OnnxEngine(bundle.model, bundle.serving)._one is None
