"""Every bound's truth is made, and counted how often it lies beyond: below and above apart, at 90, 95 and 99 %."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.verdicts import grid
from bench.verdicts.coverage import Truth, missed
from mlops_ci.gates.bounds import dirichlet, tango
from mlops_ci.gates.bounds.tango import PairedProportion


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred in the tail at 99 %: enough for rates, and four times as fast."""
    monkeypatch.setattr(dirichlet, "DRAWS", 10_000)


@pytest.mark.parametrize("truth", grid.small(), ids=lambda truth: truth.name)
def test_a_bound_misses_the_truth_at_most_as_often_as_stated(truth: Truth) -> None:
    assert not missed(truth).too_often()


@pytest.mark.parametrize("truth", grid.first_versions(), ids=lambda truth: truth.name)
def test_the_version_before_missed_it_too_often(truth: Truth) -> None:
    assert missed(truth).too_often()


def _exactly(rows: int, alpha: float, true: float, discordant: float, version: int) -> float:
    """P(the low bound lies above the truth), summed over every outcome."""
    lost, won = (discordant - true) / 2, (discordant + true) / 2
    total = 0.0
    for losses in range(int(stats.binom.ppf(1 - 1e-7, rows, lost)) + 1):
        for wins in range(int(stats.binom.ppf(1 - 1e-7, rows, won)) + 1):
            found = PairedProportion(losses=losses, wins=wins, of=rows, version=version)
            if found.low(alpha, passing=True) > true:
                shares = [lost, won, 1 - lost - won]
                total += float(stats.multinomial.pmf([losses, wins, rows - losses - wins], rows, shares))
    return total


@pytest.mark.parametrize(
    ("alpha", "true", "discordant", "before"),
    [(0.05, 0.0313, 0.0313, 1.85), (0.01, 0.02, 0.0217, 1.95), (0.1, -0.0082, 0.0082, 1.9), (0.001, 0.05, 0.0501, 2.5)],
)
def test_tango_counted_exactly_where_it_is_worst(alpha: float, true: float, discordant: float, before: float) -> None:
    rows = 100 if alpha == 0.05 else 200 if alpha == 0.1 else 300
    assert _exactly(rows, alpha, true, discordant, 1) > before * alpha
    assert _exactly(rows, alpha, true, discordant, 2) <= 1.05 * alpha


def test_nothing_discordant_passes_as_often_as_stated_at_95_percent() -> None:
    # P(none of 200 rows differs) where every difference would be a loss, at the bound itself.
    bound = -tango.low(0, 0, 200, 0.05)
    assert (1 - bound) ** 200 == pytest.approx(0.068, abs=5e-4)
    assert (1 - bound) ** 200 <= 1.37 * 0.05
    assert np.exp(np.log1p(tango.low(0, 0, 200, 0.01)) * 200) < 0.01
