"""What gates can see with the rows at hand, before anything is spent (statistics.md 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.gates.judge import judge
from mlops_ci.gates.need import MOST_TIMES
from mlops_ci.gates.tolerated import cost
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import GatePlan, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question


def plan(gates: Sequence[Gate], question: Question) -> tuple[GatePlan, ...]:
    """One plan a gate: the numbers are those of the verdicts, because they come from them."""
    return tuple(
        _plan(gate, found, gates, question.histories) for gate, found in zip(gates, judge(gates, question), strict=True)
    )


def _plan(gate: Gate, found: Verdict, gates: Sequence[Gate], histories: int) -> GatePlan:
    return GatePlan(
        gate=gate.text,
        method=found.method,
        rows_available=found.rows,
        rows_needed=found.rows_needed,
        detectable=found.detectable,
        reason=_reason(gate, found, gates, histories),
    )


def _reason(gate: Gate, found: Verdict, gates: Sequence[Gate], histories: int) -> str:
    if found.verdict in {Status.SKIPPED, Status.ERRORED} or found.rows is None:
        return found.reason if gate.confidence is not None or found.verdict is not Status.PASSED else "a recorded fact"
    if gate.tolerance is not None:
        planned = cost(gate, gates, histories=histories)
        told = planned.told
        if found.method != planned.method:
            told = f"by Hoeffding's inequality, because d is not shown to be small ({planned.rows:,} where it is)"
        return f"the tolerance takes {found.rows_needed:,} rows, whatever is seen, {told}; {found.rows:,} are there"
    if gate.confidence is None:
        return "the value that is seen decides, however many rows there are"
    truth = "the true difference is 0" if found.difference else "the true value is what was observed"
    if found.rows_needed is not None:
        return f"if {truth}, {found.rows_needed:,} rows decide it 4 times out of 5; {found.rows:,} are there"
    seen = 0.0 if found.difference else found.observed
    if seen is None or (seen > gate.threshold if gate.upwards else seen < gate.threshold):
        return f"if {truth}, over {MOST_TIMES} times the {found.rows:,} rows that are there would be needed"
    return f"if {truth}, the gate does not hold, and no number of rows makes it pass"
