"""The classes of a target: one order everywhere, the last of two is the positive one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_ci.data.classes import class_codes
from mlops_ci.records.tables import Column, Kind


@pytest.mark.parametrize(
    ("kind", "values", "classes", "codes"),
    [
        (Kind.BOOLEAN, np.array([True, False, True]), ("false", "true"), [1, 0, 1]),
        (Kind.INTEGER, np.array([10, 9, -1]), ("-1", "9", "10"), [2, 1, 0]),
        (Kind.FLOAT, np.array([10.0, 9.5, 10.0]), ("9.5", "10"), [1, 0, 1]),
        (
            Kind.DATE,
            np.array(["2013-10-01", "2013-09-30"], dtype="datetime64[D]"),
            ("2013-09-30", "2013-10-01"),
            [1, 0],
        ),
    ],
)
def test_classes_are_sorted_as_their_kind_is(
    kind: Kind, values: Any, classes: tuple[str, ...], codes: list[int]
) -> None:
    found, names = class_codes(Column(name="y", kind=kind, values=values))
    assert (found.tolist(), names) == (codes, classes)


def test_text_without_rows_is_no_class_and_missing_has_no_code() -> None:
    column = Column(
        name="y",
        kind=Kind.TEXT,
        values=np.array([2, 0, -1], dtype=np.int32),
        missing=np.array([False, False, True]),
        categories=("B", "a", "b"),
    )
    found, names = class_codes(column)
    assert (found.tolist(), names) == ([1, 0, -1], ("B", "b"))
