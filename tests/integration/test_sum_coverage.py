"""Sums of n, o and d with factors: the truth is made, and counted how often it lies beyond the bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from bench.verdicts.coverage import Truth, missed
from mlops_ci.gates.bounds import dirichlet
from mlops_ci.gates.bounds.dirichlet_sum import WorthByCell

if TYPE_CHECKING:
    from mlops_ci.gates.bounds.estimate import Estimate

_FACTOR = (-0.1, 1.0, -1.1, 0.0)
"""n - 1.1 * o of a row that is right in both models, in the candidate, in the champion, in none."""
_CHANGES = (0.0, 1.5, -0.5, 0.0, 0.5)
"""n - o + 0.5 * d, and wrong in both otherwise."""
CELLS = {
    "usual": (0.75, 0.05, 0.05, 0.1, 0.05),
    "rare harm": (0.94, 0.0, 0.01, 0.04, 0.01),
    "much better": (0.3, 0.1, 0.0, 0.5, 0.1),
    "much worse": (0.3, 0.0, 0.1, 0.55, 0.05),
}


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirichlet, "DRAWS", 10_000)


def truth(name: str, rows: int, worth: tuple[float, ...], times: float) -> Truth:
    shares = np.array(CELLS[name])
    if len(worth) < len(shares):
        shares = np.array([*shares[:3], shares[3:].sum()])

    def draw(generator: np.random.Generator) -> Estimate:
        return WorthByCell(table=tuple(generator.multinomial(rows, shares).tolist()), worth=worth)

    value = float(shares @ np.array(worth))
    return Truth(name=f"{name}, {rows:,} rows, {worth}", value=value, draw=draw, runs=250, times=(times, times))


@pytest.mark.parametrize("worth", [_FACTOR, _CHANGES], ids=["n - 1.1 o", "n - o + 0.5 d"])
@pytest.mark.parametrize("rows", [30, 300])
@pytest.mark.parametrize("name", CELLS)
def test_the_bounds_of_a_sum_miss_the_truth_at_most_as_often_as_stated(
    name: str, rows: int, worth: tuple[float, ...]
) -> None:
    assert not missed(truth(name, rows, worth, times=1.35)).too_often()


@pytest.mark.parametrize(("name", "side"), [("much better", 1), ("much worse", 0)])
def test_few_rows_with_one_kind_of_change_counted_exactly(name: str, side: int) -> None:
    """P(the bound lies beyond the truth), over every table of 20 rows; the every-cell prior alone gave .089."""
    both, ours, theirs, *wrong = CELLS[name]
    shares, true = (both, ours, theirs, sum(wrong)), both * -0.1 + ours - 1.1 * theirs
    changed, total = (1 if side else 2), 0.0
    for right in range(21):
        for moved in range(21 - right):
            table = [right, 0, 0, 20 - right - moved]
            table[changed] = moved
            found = WorthByCell(table=tuple(table), worth=_FACTOR)
            low, high = found.low(0.05, passing=True), found.high(0.05, passing=True)
            assert low is not None
            assert high is not None
            if high < true if side else low > true:
                total += float(stats.multinomial.pmf(table, 20, shares))
    assert total <= 0.06
