"""The forms of a gate that a confidence can be claimed for, and why not for the others."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mlops_ci.gates.estimates import FINITE_ONLY, has_bound, has_finite_bound
from mlops_ci.gates.gate import Gate, TermKind
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric


class Form(StrEnum):
    """What one bound is about."""

    SINGLE = "single"
    PAIRED = "paired"
    WORST = "worst"
    GAP = "gap"
    CHANGED = "changed"


def form(gate: Gate) -> Form | None:
    """The form of the gate's left side; None: only its point value can be judged."""
    terms = gate.terms
    if len(terms) == 1 and terms[0].coefficient == 1.0 and not terms[0].champion:
        forms = {TermKind.METRIC: Form.SINGLE, TermKind.WORST: Form.WORST, TermKind.GAP: Form.GAP}
        forms[TermKind.CHANGED] = Form.CHANGED
        return forms.get(terms[0].kind)
    if len(terms) == 2 and all(term.kind is TermKind.METRIC for term in terms):
        one, other = terms
        same = (one.name, one.column, one.value) == (other.name, other.column, other.value)
        if same and one.champion != other.champion and {one.coefficient, other.coefficient} == {1.0, -1.0}:
            return Form.PAIRED
    return None


def why_no_claim(gate: Gate, task: Task, metrics: Mapping[str, Metric]) -> str:
    """Why `@` cannot be claimed of this gate in this task; empty where it can."""
    found = form(gate)
    if all(term.kind is TermKind.FACT for term in gate.terms):
        return "a fact is measured, not estimated: no confidence can be claimed of it"
    if found is None:
        return (
            "`@` is not yet possible for this expression: it needs one metric, worst(metric, by=...), "
            "gap(metric, by=...) or metric - champion.metric, without factors"
        )
    if found is Form.WORST and not gate.upwards:
        return "`@` on worst(...) needs > or >=: that the worst slice is low is no claim over all slices"
    if found is Form.GAP and gate.upwards:
        return "`@` on gap(...) needs < or <=: that two slices differ is no claim over all of them"
    if found is Form.CHANGED:
        return ""
    name = gate.terms[0].name
    if name in metrics and task in metrics[name].tasks and not has_bound(name, task):
        several = " with more than two classes" if has_bound(name, Task.BINARY) else ""
        return f"`@` on {name}{several} is not yet possible: no valid bound is built"
    if gate.alpha < FINITE_ONLY and not has_finite_bound(name, paired=found is Form.PAIRED):
        return f"`@` above {100 * (1 - FINITE_ONLY):g} % is not yet possible for this: no valid bound is known"
    return ""
