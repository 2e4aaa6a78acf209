from __future__ import annotations

import itertools

import pytest
from scipy import special, stats

from mlops_ci.gates import quantiles

SHAPES = [0.5, 1, 2, 7, 50, 1e3, 1e4, 5e5, 1e6]
LEVELS = [1e-6, 1e-4, 0.005, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1 - 1e-6]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_a_beta_quantile_is_scipys_to_nine_digits_after_the_point(a: float, b: float) -> None:
    for level in LEVELS:
        assert quantiles.beta_quantile(level, a, b) == pytest.approx(
            special.betaincinv(a, b, level), abs=1e-9, rel=1e-7
        )


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_the_beta_distribution_is_scipys(a: float, b: float) -> None:
    for level in LEVELS:
        x = special.betaincinv(a, b, level)
        assert quantiles.beta_cdf(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 3, 19, 35, 100, 1e3, 1e6])
def test_a_t_quantile_is_scipys(degrees: float) -> None:
    for alpha in [1e-6, 1e-4, 0.005, 0.01, 0.05, 0.1, 0.2, 0.4, 0.49, 0.5]:
        assert quantiles.upper_t(alpha, degrees) == pytest.approx(stats.t.isf(alpha, degrees), rel=1e-9, abs=1e-9)


def test_a_normal_quantile_is_scipys_in_both_tails() -> None:
    for alpha in [1e-12, 1e-6, 0.01, 0.05, 0.5, 0.9, 0.999]:
        assert quantiles.upper_normal(alpha) == pytest.approx(stats.norm.isf(alpha), abs=1e-9)
