"""Gates and what they are asked about in, verdicts out: a pure function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.evaluation.own import registry
from mlops_ci.gates import claim, point, tolerated, words
from mlops_ci.gates.form import Form, form
from mlops_ci.gates.gate import bound
from mlops_ci.gates.obstacles import obstacle
from mlops_ci.gates.verdict import verdict
from mlops_ci.records.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.gates.gate import Gate
    from mlops_ci.gates.question import Question
    from mlops_ci.records.verdicts import Verdict

SAME_MODEL = "same-model/1"
_SAME: dict[Form | None, str] = {Form.PAIRED: "the difference is 0", Form.CHANGED: "no prediction differs"}


def judge(gates: Sequence[Gate], question: Question) -> tuple[Verdict, ...]:
    """One verdict a gate, in their order.

    The pass side of every `@` gate is at its own 1 - confidence: all must pass, so nothing is lost by their number. The
    fail side shares its error over all `@` gates (statistics.md 4). Under a guarantee the pass side is at a K-th of
    that, on the rows that have a look left (`question.wear`). A gate with a tolerance keeps the reliability it names
    for itself, on both sides.
    """
    metrics, unworn = registry(question.own), _unworn(question)
    gates = [bound(gate, metrics) for gate in gates]
    return tuple(_judge(gate, gates, question if gate.confidence is None else unworn) for gate in gates)


def _unworn(question: Question) -> Question:
    """The question for `@` gates: at its level, on the rows that have a look left."""
    wear = question.wear
    if wear is None:
        return question
    return msgspec.structs.replace(question if wear.rows is None else question.cut(wear.rows), histories=wear.histories)


def _judge(gate: Gate, gates: Sequence[Gate], question: Question) -> Verdict:
    if found := obstacle(gate, question):
        return verdict(gate, found.status, reason=found.reason, method="")
    if gate.confidence is None or (form(gate) is None and gate.tolerance is None):
        return point.judge(gate, question)
    rival = question.rival(gate.against) if gate.against else None
    if rival is not None and rival.same_model and (why := _SAME.get(form(gate))):
        return _same_model(gate, question, why)
    if gate.tolerance is not None:
        return _tolerated(gate, gates, question)
    claims = sum(other.confidence is not None and other.tolerance is None for other in gates)
    return claim.judge(gate, question, claims)


def _tolerated(gate: Gate, gates: Sequence[Gate], question: Question) -> Verdict:
    wear = question.wear
    if wear is None or not wear.worn:
        return tolerated.judge(gate, gates, question)
    needed = tolerated.cost(gate, gates, histories=question.histories).rows
    return verdict(gate, Status.UNDECIDED, rows_needed=needed, reason=words.worn_out(wear, needed))


def _same_model(gate: Gate, question: Question, why: str) -> Verdict:
    """One model compared with itself: the difference is 0 and no estimate."""
    return msgspec.structs.replace(
        point.judge(gate, question),
        low=0.0,
        high=0.0,
        method=SAME_MODEL,
        reason=f"this is the {gate.against}'s model, byte for byte: {why}",
    )
