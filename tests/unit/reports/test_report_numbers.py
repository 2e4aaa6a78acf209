from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.reports import numbers


@pytest.mark.parametrize(
    ("uncertainty", "places"),
    [
        (0.0022, 4),
        (0.022, 3),
        (0.009, 3),
        (0.00354, 4),
        (0.00355, 3),
        (0.0999, 2),
        (1.2, 1),
        (4.0, 0),
        (25.0, 0),
        (0.0, 3),
        (math.inf, 3),
    ],
)
def test_digits_follow_the_uncertainty(uncertainty: float, places: int) -> None:
    assert numbers.decimals(uncertainty) == places


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(1904), "1,904"),
        (numbers.signed_count(-105), "−105"),
        (numbers.fixed(-0.0031, 4), "−0.0031"),
        (numbers.fixed(-0.00001, 3), "0.000"),
        (numbers.signed(0.00001, 3), "0.000"),
        (numbers.signed(0.008, 4), "+0.0080"),
        (numbers.fixed(None, 3), "–"),
        (numbers.fixed(-math.inf, 3), "−∞"),
        (numbers.fixed(math.nan, 3), "not a number"),
        (numbers.exact(0.38), "0.38"),
        (numbers.exact(0.1 + 0.2), "0.3"),
        (numbers.exact(1000.0), "1,000"),
        (numbers.percent(0.1234), "12.3 %"),
        (numbers.size(65_000_000), "65 MB"),
        (numbers.size(1_100_000), "1.1 MB"),
        (numbers.size(999_600), "1.0 MB"),
        (numbers.size(12), "12 bytes"),
        (numbers.duration(0.31), "0.3 s"),
        (numbers.duration(0.012), "12 ms"),
        (numbers.duration(0.0053), "5.3 ms"),
        (numbers.duration(0.005), "5 ms"),
        (numbers.duration(0.00042), "0.420 ms"),
        (numbers.duration(125), "2 min 5 s"),
        (numbers.duration(7260), "2 h 1 min"),
        (numbers.with_unit(12.0, "ms"), "12.0 ms"),
        (numbers.with_unit(5.0, "rows"), "5"),
        (numbers.plural(1, "row"), "1 row"),
        (numbers.short("sha256:9f3c1e27ab"), "9f3c1e2"),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written == expected


def test_two_numbers_that_differ_are_never_written_alike() -> None:
    places = numbers.apart(0.37996, 0.38, 3)
    assert numbers.fixed(0.37996, places) != numbers.fixed(0.38, places)
    assert places == 5


@given(st.floats(-1e6, 1e6), st.integers(0, 9))
def test_what_is_written_is_the_number_rounded(value: float, places: int) -> None:
    written = numbers.fixed(value, places).replace("−", "-").replace(",", "")
    assert float(written) == pytest.approx(value, rel=1e-12, abs=0.51 * 10.0**-places)
