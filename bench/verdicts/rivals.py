"""How others decide, on the same samples: the value that is seen, a careless interval, the row bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np

from bench.verdicts.worlds import Drawn, Pair
from mlops_ci.gates.bounds.delong import Auc
from mlops_ci.gates.gate import Gate, TermKind
from mlops_ci.gates.sample import rows_of
from mlops_ci.records.outcomes import Status

RESAMPLES = 2_000
_HALF_A_POINT = 0.005

Rival = Callable[[Gate, Drawn], Status | None]
"""A verdict, or None where the rule says nothing about such a gate."""


def better(gate: Gate, drawn: Drawn) -> Status | None:
    """The new value is above the old one; without a champion, above the threshold."""
    return _each(gate, drawn, lambda part: _point(gate, part, 0.0))


def half_a_point(gate: Gate, drawn: Drawn) -> Status | None:
    """The new value is half a point above the old one, or above the threshold."""
    return _each(gate, drawn, lambda part: _point(gate, part, _HALF_A_POINT))


def careless(gate: Gate, drawn: Drawn) -> Status | None:
    """The usual interval: of two unpaired shares, of one share (Wald), plain DeLong; each row counted by itself."""
    z = NormalDist().inv_cdf(1.0 - gate.alpha)
    return _each(gate, drawn, lambda part: _three_way(gate, part.value - z * part.error, part.value + z * part.error))


def bootstrap(gate: Gate, drawn: Drawn) -> Status | None:
    """The percentile bootstrap of rows, 2,000 resamples; None for AUC, which would take minutes."""
    if gate.terms[0].name == "roc_auc":
        return None
    return _each(
        gate, drawn, lambda part: _three_way(gate, *_resampled(part.plus, part.minus, part.rows, alpha=gate.alpha))
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Rows that count +1 and -1, of how many; `error` as if all rows, and both models, were independent."""

    value: float
    error: float
    plus: int = 0
    minus: int = 0
    rows: int = 0


def _each(gate: Gate, drawn: Drawn, decide: Callable[[_Part], Status]) -> Status:
    """Of a gate over the worst slice every slice must pass."""
    found = {decide(part) for part in _parts(gate, drawn)}
    return next((one for one in (Status.FAILED, Status.UNDECIDED) if one in found), Status.PASSED)


def _point(gate: Gate, part: _Part, better_by: float) -> Status:
    limit = better_by if gate.against else gate.threshold
    return Status.PASSED if part.value > limit else Status.FAILED


def _three_way(gate: Gate, low: float, high: float) -> Status:
    if low > gate.threshold:
        return Status.PASSED
    return Status.FAILED if high <= gate.threshold else Status.UNDECIDED


@lru_cache(maxsize=100_000)
def _resampled(plus: int, minus: int, rows: int, *, alpha: float) -> tuple[float, float]:
    """Resampling the counts is resampling the rows: only how often each outcome is drawn matters."""
    generator = np.random.default_rng((plus, minus, rows))
    drawn = generator.multinomial(rows, [plus / rows, minus / rows, (rows - plus - minus) / rows], size=RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / rows, [alpha, 1.0 - alpha], method="inverted_cdf")
    return float(low), float(high)


def _parts(gate: Gate, drawn: Drawn) -> list[_Part]:
    if isinstance(drawn, Pair):
        return [_compared(drawn.losses, drawn.wins, drawn.both_wrong, drawn.rows)]
    question, term = drawn.question(), gate.terms[0]
    if term.name == "roc_auc":
        found = Auc.of(question.holdout.truth == 1, question.predictions.scores)
        return [_Part(value=found.value, error=found.se)]
    wrong = question.predictions.labels != 0  # the truth of these worlds is always 0
    if question.champion is not None and question.champion.predictions is not None:
        theirs = question.champion.predictions.labels != 0
        only = int((wrong & ~theirs).sum()), int((theirs & ~wrong).sum())
        return [_compared(*only, int((wrong & theirs).sum()), len(wrong))]
    if not term.column:
        return [_alone(wrong)]
    factor = question.holdout.slices[term.column]
    values = factor.values if term.kind is TermKind.WORST else (term.value,)
    return [_alone(wrong[rows_of(term.column, value, question.holdout)]) for value in values]


def _compared(losses: int, wins: int, both_wrong: int, rows: int) -> _Part:
    error = sqrt(_variance(losses + both_wrong, rows) + _variance(wins + both_wrong, rows))
    return _Part(value=(wins - losses) / rows, error=error, plus=wins, minus=losses, rows=rows)


def _alone(wrong: np.ndarray) -> _Part:
    rows, right = len(wrong), int((~wrong).sum())
    return _Part(value=right / rows, error=sqrt(_variance(right, rows)), plus=right, rows=rows)


def _variance(count: int, rows: int) -> float:
    return count / rows * (1.0 - count / rows) / rows


RIVALS: dict[str, Rival] = {
    "new > old": better,
    "new > old + 0.5": half_a_point,
    "careless interval": careless,
    "row bootstrap": bootstrap,
}
