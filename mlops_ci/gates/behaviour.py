"""Behaviours that model tests counted, judged like a gate `share >= needed @ confidence`.

The pass side is at each one's own 1 - confidence; the fail side shares its error over all behaviours of the run
(statistics.md 1 and 4). Clopper-Pearson by row; where rows came in groups, the group jackknife (statistics.md 9).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mlops_ci.gates import words
from mlops_ci.gates.bounds.clopper_pearson import Proportion
from mlops_ci.gates.bounds.estimate import Estimate
from mlops_ci.gates.claim import decided
from mlops_ci.gates.estimates import share_by_group
from mlops_ci.gates.gate import Gate
from mlops_ci.gates.need import rows
from mlops_ci.records.behaviours import Behaviour, ModelTest
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Number, Result, Where

_ORDER = (Status.FAILED, Status.UNDECIDED, Status.PASSED)
_MOST = 5


class _Judged(msgspec.Struct, frozen=True, kw_only=True):
    behaviour: Behaviour
    status: Status
    blocking: bool
    message: str
    numbers: dict[str, Number]


def judge(tested: Sequence[ModelTest]) -> tuple[Result, ...]:
    """One Result a test: its own where it did not pass or counted nothing, else what its behaviours come to."""
    claims = max(sum(len(one.behaviours) for one in tested), 1)
    return tuple(_result(one, claims) for one in tested)


def _result(tested: ModelTest, claims: int) -> Result:
    result = tested.result
    if result.status is not Status.PASSED or not tested.behaviours:
        return result
    judged = sorted((_judge(one, claims) for one in tested.behaviours), key=_severity)
    worst = judged[0]
    told = [one.message for one in judged[:_MOST]]
    rest = [f"and {len(judged) - _MOST} more"] if len(judged) > _MOST else []
    return msgspec.structs.replace(
        result,
        status=worst.status,
        blocking=result.blocking and worst.blocking,
        message=words.joined(*told, *rest),
        numbers=result.numbers | worst.numbers,
        where=_line(result.where, worst.behaviour.where),
    )


def _line(test: Where | None, asked: Where | None) -> Where | None:
    """The line that asked, where it stands in the test's own file: which file that is decides whether it blocks."""
    return asked if test is not None and asked is not None and asked.file == test.file else test


def _severity(judged: _Judged) -> tuple[int, bool]:
    """What decides comes first: of several undecided ones those that may not be let through."""
    return _ORDER.index(judged.status), not judged.blocking


def _judge(behaviour: Behaviour, claims: int) -> _Judged:
    gate = Gate(
        text="",
        name=behaviour.kind,
        comparison=">=",
        terms=(),
        threshold=behaviour.needed,
        confidence=behaviour.confidence,
    )
    estimate = _estimate(behaviour, gate.alpha)
    low = _share(estimate.low(gate.alpha, passing=True))
    high = _share(estimate.high(gate.alpha / claims, passing=False))
    status = decided(gate, low, high)
    needed = rows(gate, estimate, estimate.value, gate.alpha) if status is Status.UNDECIDED else None
    return _Judged(
        behaviour=behaviour,
        status=status,
        blocking=status is not Status.UNDECIDED or behaviour.when_undecided == "refuse",
        message=_message(behaviour, estimate, low, high, needed if status is Status.UNDECIDED else -1),
        numbers={
            "held": behaviour.held,
            "of": behaviour.of,
            "rate": estimate.value,
            "low": low,
            "high": high,
            "needed": behaviour.needed,
            "confidence": behaviour.confidence,
            "groups": estimate.groups,
            "rows_needed": needed,
            "method": estimate.method,
        },
    )


def _share(bound: float | None) -> float | None:
    """The jackknife knows no ends; a share has two."""
    return None if bound is None else min(max(bound, 0.0), 1.0)


def _estimate(behaviour: Behaviour, alpha: float) -> Estimate:
    by_row = Proportion(count=behaviour.held, of=behaviour.of)
    if behaviour.groups is None:
        return by_row
    times = [many for _, _, many in behaviour.groups]
    held, of = (np.repeat([group[part] for group in behaviour.groups], times).astype(np.float64) for part in (0, 1))
    return share_by_group(by_row, held, of, alpha=alpha)


def _message(
    behaviour: Behaviour, estimate: Estimate, low: float | None, high: float | None, rows_needed: int | None
) -> str:
    """`holds for 91 % of 2,000 rows [89.9, 92], needs 95 %`"""
    shown = [estimate.value, behaviour.needed, 0.0, 1.0]
    interval = (
        f" [{', '.join(words.percent_of(bound, *shown[1:]) for bound in (low, high))}]"
        if low is not None and high is not None
        else ""
    )
    count = f"{behaviour.of:,} row{'s' * (behaviour.of != 1)}"
    held = words.percent_of(estimate.value, *shown[1:])
    told = f"{behaviour.kind} holds for {held} % of {count}{interval}, needs {words.percent_of(behaviour.needed)} %"
    if low is None:
        return words.joined(told, estimate.note)
    if rows_needed == -1:
        return told
    more = f"{rows_needed:,} rows would decide it" if rows_needed else "more rows of the same kind would not decide it"
    return words.joined(told, f"the rows cannot tell: if it holds as often as it was seen to, {more}")
