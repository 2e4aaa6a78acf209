"""`disclose: verdict`: of the rows that `@` gates are judged on one answer leaves, passed or not passed.

All `@` gates of a decision share it, those of a commit that changes the gates among them. Were each gate told apart, or
failed from undecided, later models could follow more ways than the guarantee counts (histories.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_ci.gates import words
from mlops_ci.gates.judge import judge
from mlops_ci.gates.verdict import verdict
from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question, Wear
    from mlops_ci.records.verdicts import Verdict

METHOD = "verdict-only/1"
"""Of a verdict without numbers: it is recorded and cannot be recomputed from what is kept."""


def passes(lists: Sequence[Sequence[Gate]], question: Question) -> bool:
    """The one answer: whether every `@` gate of all lists passes on the gate part.

    A gate that is skipped for what everybody can see (no champion yet) is not asked.
    """
    part = question.gate_part
    if part is None:
        raise ValueError("there is no gate part")
    answers = [
        found.verdict is Status.PASSED
        for gates in lists
        for gate, found, seen in zip(gates, judge(gates, part), judge(gates, question), strict=True)
        if gate.confidence is not None and seen.verdict is not Status.SKIPPED
    ]
    return all(answers)


def verdicts(gates: Sequence[Gate], question: Question, *, passed: bool) -> tuple[Verdict, ...]:
    """One verdict a gate: of an `@` gate the answer that all share, of the others what the shown rows say."""
    claims = sum(gate.confidence is not None for gate in gates)
    wear = question.gate_part.wear if question.gate_part is not None else None
    return tuple(
        seen if gate.confidence is None or seen.verdict is Status.SKIPPED else _told(gate, wear, claims, passed=passed)
        for gate, seen in zip(gates, judge(gates, question), strict=True)
    )


def _told(gate: Gate, wear: Wear | None, claims: int, *, passed: bool) -> Verdict:
    """`undecided` is all that can be said of what did not pass, and it blocks: a failed gate reads the same."""
    status = Status.PASSED if passed else Status.UNDECIDED
    reason = words.verdict_only(claims, passed=passed)
    if wear is not None and wear.worn:
        reason = words.worn_out(wear, None)
    return replace(verdict(gate, status, method=METHOD, reason=reason), blocking=True)
