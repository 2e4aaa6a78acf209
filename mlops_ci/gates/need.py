"""How many rows a gate needs, and what the rows there can see (statistics.md 8)."""

from __future__ import annotations

from math import ceil, isnan, log1p, sqrt
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.gates.bounds.delong_paired import PairedAuc
from mlops_ci.gates.bounds.groups import ByGroup
from mlops_ci.gates.quantiles import upper_normal

if TYPE_CHECKING:
    from mlops_ci.gates.bounds.estimate import Estimate
    from mlops_ci.gates.gate import Gate

POWER = 0.8
MOST_TIMES = 100


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """rows: if the true difference is 0, for an absolute gate if it is what was observed. observed: if the latter."""

    rows: int | None = None
    observed: int | None = None
    detectable: float | None = None


def need(gate: Gate, estimate: Estimate, alpha: float, *, difference: bool) -> Need:
    """Rows that decide with 80 % power; None where that truth does not pass or it takes over 100 times the rows.

    alpha: level of the pass side.
    """
    at_observed = rows(gate, estimate, estimate.value, alpha)
    at_zero = rows(gate, estimate, 0.0, alpha) if difference else at_observed
    truth = 0.0 if difference and _passes(gate, 0.0) else estimate.value
    return Need(rows=at_zero, observed=at_observed, detectable=detectable(estimate, truth, alpha))


def rows(gate: Gate, estimate: Estimate, truth: float, alpha: float) -> int | None:
    """ceil(n ((z_C + z_.80) se / |truth - threshold|)²), and never fewer than where nothing varies."""
    margin = abs(truth - gate.threshold)
    error = estimate.error(truth)
    if not _passes(gate, truth) or isnan(error):
        return None
    # Rows that would not decide if nothing varied at all do not decide when something does.
    reach = estimate.reach
    still = log1p(-estimate.still(alpha) / reach) / log1p(-margin / reach) if margin < reach else 0.0
    times = max(_times(_reach(alpha) * error, _behind(estimate, alpha), margin), still)
    return ceil(estimate.rows * times) if times <= MOST_TIMES else None


def detectable(estimate: Estimate, truth: float, alpha: float) -> float | None:
    """The smallest distance from the threshold that these rows decide with 80 % power."""
    error = estimate.error(truth)
    if isnan(error):
        return None
    return _reach(alpha) * error + _behind(estimate, alpha) if error > 0.0 else estimate.still(alpha)


def _times(errors: float, behind: float, margin: float) -> float:
    """How many times the rows: errors / √k + behind / k = margin; without the second term (errors / margin)²."""
    return (
        ((errors + sqrt(errors**2 + 4.0 * behind * margin)) / (2.0 * margin)) ** 2 if behind else (errors / margin) ** 2
    )


def _behind(estimate: Estimate, alpha: float) -> float:
    """What rows that were never seen take from the bound of two AUCs."""
    by_row = estimate.by_row if isinstance(estimate, ByGroup) else estimate
    return by_row.behind(alpha) if isinstance(by_row, PairedAuc) else 0.0


def _reach(alpha: float) -> float:
    return upper_normal(alpha) + upper_normal(1.0 - POWER)


def _passes(gate: Gate, truth: float) -> bool:
    """Strictly: at the threshold itself no number of rows decides."""
    return truth > gate.threshold if gate.upwards else truth < gate.threshold
