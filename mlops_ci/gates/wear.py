"""Which held-out rows a guarantee for many decisions still lets `@` gates be judged on (statistics.md 3).

Rows are chosen by how often they were looked at and never by their labels: what a chosen row says stays unseen until
the gates are asked about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from mlops_ci.gates.bounds.groups import FEWEST
from mlops_ci.gates.gate import TermKind
from mlops_ci.gates.judge import SAME_MODEL, judge
from mlops_ci.gates.question import Question, Wear
from mlops_ci.gates.sample import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_ci.gates.gate import Gate
    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.records.verdicts import Verdict


def settle_apart(
    gates: Sequence[Gate], question: Question, looks: NDArray[np.int64], *, decisions: int
) -> tuple[NDArray[np.bool_], ...]:
    """Which rows of the gate part to judge on, shape (n,) bool, one after the other: the first that is not worn out.

    looks: shape (n,), earlier looks at each row of the gate part, as many as `decisions` where it is used up. How many
    rows are enough follows from what the rows show whose numbers may be shown: the gate part's own are not asked.
    """
    part = question.gate_part
    if part is None:
        raise ValueError("there is no gate part")
    claims = [gate for gate in gates if gate.confidence is not None]
    found = [
        chosen
        for chosen in (looks == 0, looks < decisions)
        if chosen.any() and not chosen.all() and _enough(claims, part.holdout.cut(chosen), question)
    ]
    return (*found, np.ones(len(looks), dtype=np.bool_))


def settle(
    gates: Sequence[Gate], question: Question, looks: NDArray[np.int64], *, decisions: int, histories: int
) -> Wear:
    """The rows to judge `@` gates on and the looks they have behind them.

    looks: shape (n,), earlier looks at each row. Unexposed rows alone where they are as many as every `@` gate needs;
    else the rows that have a look left, where they are; else all, which are worn out once one of them is.
    """
    most = Wear(decisions=decisions, looks=int(looks.max(initial=0)), histories=histories)
    claims = [gate for gate in gates if gate.confidence is not None]
    for chosen in (looks == 0, looks < decisions):
        if chosen.all() or not chosen.any():
            continue
        others = replace(question, wear=replace(most, looks=0)).cut(~chosen)
        if _enough(claims, question.holdout.cut(chosen), others):
            return replace(most, looks=int(looks[chosen].max()), rows=chosen)
    return most


def _enough(gates: Sequence[Gate], chosen: Holdout, others: Question) -> bool:
    """Whether the chosen rows are as many as every gate needs, by what other rows show."""
    if chosen.group is not None and len(np.unique(chosen.group)) < FEWEST:
        return False
    for gate in gates:
        parts = _parts(gate, chosen)
        for part, found in zip(parts, judge(parts, others), strict=True):
            small = len(parts) > 1 and (found.rows or 0) < part.terms[0].min_rows
            sizes = zip(_about(part, chosen), _about(part, others.holdout), strict=True)
            if not small and not all(_covers(found, here=here, there=there) for here, there in sizes):
                return False
    return True


def _covers(found: Verdict, *, here: int, there: int) -> bool:
    """found: the verdict on the other rows; here, there: chosen and other rows that the gate is about."""
    if found.method == SAME_MODEL:
        return True
    if found.rows is None or found.rows_needed is None:
        return False
    if not there:
        return True
    counted = found.rows / there  # of its rows those the metric divides by
    return here * counted >= found.rows_needed


def _parts(gate: Gate, holdout: Holdout) -> list[Gate]:
    """The gate; of `worst` one for every slice."""
    term = gate.terms[0]
    if term.kind is not TermKind.WORST or term.column not in holdout.slices:
        return [gate]
    values = holdout.slices[term.column].values
    return [replace(gate, terms=(replace(term, kind=TermKind.METRIC, value=value),)) for value in values]


def _about(gate: Gate, holdout: Holdout) -> list[int]:
    """How many rows the gate is about; of a gap those of every slice."""
    term = gate.terms[0]
    if term.column not in holdout.slices:
        return [holdout.rows]
    values = holdout.slices[term.column].values if term.over_slices else (term.value,)
    return [int(rows_of(term.column, value, holdout).sum()) for value in values]
