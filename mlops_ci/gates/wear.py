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
        if _enough(claims, replace(question, wear=replace(most, looks=0)), chosen):
            return replace(most, looks=int(looks[chosen].max()), rows=chosen)
    return most


def _enough(gates: Sequence[Gate], question: Question, chosen: NDArray[np.bool_]) -> bool:
    """Whether the chosen rows are as many as every gate needs, by what the other rows show."""
    holdout = question.holdout
    if holdout.group is not None and len(np.unique(holdout.group[chosen])) < FEWEST:
        return False
    others = question.cut(~chosen)
    for gate in gates:
        parts = _parts(gate, holdout)
        for part, found in zip(parts, judge(parts, others), strict=True):
            small = len(parts) > 1 and (found.rows or 0) < part.terms[0].min_rows
            if not small and not all(_covers(found, about, chosen) for about in _about(part, holdout)):
                return False
    return True


def _covers(found: Verdict, about: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> bool:
    """found: the verdict on the rows that are not chosen; about, chosen: shape (n,)."""
    if found.method == SAME_MODEL:
        return True
    if found.rows is None or found.rows_needed is None:
        return False
    there = (about & ~chosen).sum()
    if not there:
        return True
    counted = found.rows / there  # of its rows those the metric divides by
    return bool((about & chosen).sum() * counted >= found.rows_needed)


def _parts(gate: Gate, holdout: Holdout) -> list[Gate]:
    """The gate; of `worst` one for every slice."""
    term = gate.terms[0]
    if term.kind is not TermKind.WORST or term.column not in holdout.slices:
        return [gate]
    values = holdout.slices[term.column].values
    return [replace(gate, terms=(replace(term, kind=TermKind.METRIC, value=value),)) for value in values]


def _about(gate: Gate, holdout: Holdout) -> list[NDArray[np.bool_]]:
    """The rows the gate is about; of a gap those of every slice."""
    term = gate.terms[0]
    if term.column not in holdout.slices:
        return [np.ones(holdout.rows, dtype=np.bool_)]
    values = holdout.slices[term.column].values if term.over_slices else (term.value,)
    return [rows_of(term.column, value, holdout) for value in values]
