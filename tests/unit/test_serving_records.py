"""What of a request the prediction log holds."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from mlops_ci.serving.records import Recorder
from mlops_ci.serving.validate import Checked
from tests import serving_bundles

ANSWERS = [[310.5, 12.25]]


def logged(checked: Checked, *, private: tuple[str, ...], ids: tuple[str, ...] = (), key: bytes = b"") -> list[Any]:
    bundle = serving_bundles.opened(serving_bundles.regression())
    serving = msgspec.structs.replace(bundle.serving, private=private, ids=ids)
    recorder = Recorder(serving, bundle.digest, key)
    return [json.loads(line) for line in recorder.answered(b"r", 0.5, checked, ANSWERS).splitlines()]


def test_of_columns_that_are_all_private_nothing_is_left() -> None:
    checked = Checked([(80, 4), (20.5, 1)], {"name": ["Ada", "Eve"]})
    found = logged(checked, private=("area", "rooms", "name"), ids=("name",))
    assert [(each["row"], each["inputs"], each["ids"]) for each in found] == [(0, {}, {}), (1, {}, {})]
    assert [each["outputs"]["prediction"] for each in found] == ANSWERS[0]


def test_equal_values_have_equal_hashes() -> None:
    checked = Checked([(3, 4), (3.0, None)], {})
    first, second = logged(checked, private=("area", "rooms"), key=b"key")
    assert first["inputs"]["area"] == second["inputs"]["area"] != first["inputs"]["rooms"]
    assert second["inputs"]["rooms"] is None


def test_integers_that_one_float_stands_for_have_hashes_of_their_own() -> None:
    checked = Checked([(2**53, -(2**53)), (2**53 + 1, -(2**53) - 1)], {})
    first, second = logged(checked, private=("area", "rooms"), key=b"key")
    assert len({*first["inputs"].values(), *second["inputs"].values()}) == 4


@pytest.mark.parametrize("length", [1, 64, 65, 1000])
def test_a_key_may_be_of_any_length(length: int) -> None:
    [first, _] = logged(Checked([(3, 4), (3, 4)], {}), private=("area",), key=b"k" * length)
    assert first["inputs"]["area"].startswith("blake2b:")
    [other, _] = logged(Checked([(3, 4), (3, 4)], {}), private=("area",), key=b"k" * (length - 1) + b"l")
    assert other["inputs"]["area"] != first["inputs"]["area"]
