"""Slope and intercept of the logistic recalibration, against scikit-learn and against what is known by construction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_ci.evaluation.calibration import intercept, slope


def calibrated(seed: int, rows: int = 4_000) -> tuple[Any, Any]:
    """Truth drawn from its own probabilities: log odds (rows,), positive (rows,)."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(-1, 1.5, rows)
    return odds, draw.random(rows) < 1 / (1 + np.exp(-odds))


def chances(odds: Any) -> Any:
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_the_slope_is_the_one_of_an_unpenalised_logistic_regression(seed: int) -> None:
    odds, positive = calibrated(seed, 300)
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(1.7 * odds[:, None] - 0.4, positive)
    assert slope(positive, chances(1.7 * odds - 0.4)) == pytest.approx(fitted.coef_[0, 0], rel=1e-4)


def test_right_probabilities_have_slope_one_and_intercept_nought() -> None:
    found = [
        (slope(positive, chances(odds)), intercept(positive, chances(odds)))
        for odds, positive in (calibrated(seed) for seed in range(40))
    ]
    slopes, intercepts = (np.array([pair[which] for pair in found], dtype=float) for which in (0, 1))
    assert slopes.mean() == pytest.approx(1.0, abs=4 * slopes.std() / 40**0.5)
    assert intercepts.mean() == pytest.approx(0.0, abs=4 * intercepts.std() / 40**0.5)


def test_twice_as_extreme_is_half_the_slope_and_a_shift_is_the_intercept() -> None:
    odds, positive = calibrated(1)
    plain = slope(positive, chances(odds))
    assert plain is not None
    assert slope(positive, chances(2 * odds)) == pytest.approx(plain / 2, rel=1e-3)
    right, shifted = intercept(positive, chances(odds)), intercept(positive, chances(odds - 0.5))
    assert right is not None
    assert shifted == pytest.approx(right + 0.5, abs=1e-4)
    assert shifted > 0  # too low on the whole


def test_there_is_no_slope_where_none_is_the_likeliest() -> None:
    scores = np.linspace(0.1, 0.9, 50).astype(np.float32)
    assert slope(scores > 0.5, scores) is None
    assert slope(np.ones(50, dtype=bool), scores) is None
    assert slope(scores > 0.5, np.full(50, 0.3, dtype=np.float32)) is None
    assert intercept(np.zeros(50, dtype=bool), scores) is None


def test_certain_and_wrong_has_numbers_all_the_same() -> None:
    positive = np.arange(40) % 2 == 0
    scores = np.where(np.arange(40) % 4 < 2, 0.0, 1.0).astype(np.float32)
    assert slope(positive, scores) == pytest.approx(0.0, abs=1e-6)
    assert intercept(positive, scores) == pytest.approx(0.0, abs=1e-3)
