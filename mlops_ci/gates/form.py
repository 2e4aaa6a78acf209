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


def is_share_of_changes(gate: Gate) -> bool:
    """`d < p`, of all rows."""
    return form(gate) is Form.CHANGED and not gate.upwards and not gate.terms[0].slice


def changes_accuracy(gate: Gate) -> bool:
    """`c * (n - o)`, of all rows: at most the share of changed predictions is not 0 in it."""
    if len(gate.terms) != 2:
        return False
    one, other = gate.terms
    return (
        all(term.kind is TermKind.METRIC and term.name == "accuracy" and not term.slice for term in gate.terms)
        and one.champion != other.champion
        and one.coefficient == -other.coefficient
    )


def why_no_tolerance(gate: Gate, task: Task, metrics: Mapping[str, Metric]) -> str:
    """Why `+/-` cannot be claimed of this gate in this task; empty where it can."""
    for term in gate.terms:
        if term.kind is TermKind.FACT:
            return "a fact is measured, not estimated: no tolerance can be claimed of it"
        if term.over_slices:
            return f"a tolerance on {term.kind}(...) is not yet possible: write the gate with `@` alone"
        known = metrics.get(term.name)
        if known is not None and task in known.tasks and known.kind != "proportion":
            return f"a tolerance needs a share of rows, and {term.name} is none"
        if term.coefficient == 0.0:
            return f"{term.name} is multiplied by 0"
    return ""


def why_no_claim(gate: Gate, task: Task, metrics: Mapping[str, Metric], histories: int = 1) -> str:
    """Why `@` cannot be claimed of this gate in this task; empty where it can.

    histories: what a guarantee for many decisions divides the level by.
    """
    if gate.tolerance is not None:
        return why_no_tolerance(gate, task, metrics)
    found = form(gate)
    if all(term.kind is TermKind.FACT for term in gate.terms):
        return "a fact is measured, not estimated: no confidence can be claimed of it"
    if found is None:
        return (
            "`@` is not yet possible for this expression: it needs one metric, worst(metric, by=...), "
            "gap(metric, by=...) or metric - champion.metric, without factors"
        )
    name = gate.terms[0].name
    if found is Form.WORST and name in metrics and not metrics[name].higher_is_better:
        return f"`@` on worst({name}, ...) is not yet possible: its worst slice is the largest, and no bound is built"
    if found is Form.WORST and not gate.upwards:
        return "`@` on worst(...) needs > or >=: that the worst slice is low is no claim over all slices"
    if found is Form.GAP and gate.upwards:
        return "`@` on gap(...) needs < or <=: that two slices differ is no claim over all of them"
    if found is Form.CHANGED:
        return ""
    if name in metrics and task in metrics[name].tasks and not has_bound(name, task):
        several = " with more than two classes" if has_bound(name, Task.BINARY) else ""
        return f"`@` on {name}{several} is not yet possible: no valid bound is built"
    if gate.alpha / histories < FINITE_ONLY and not has_finite_bound(name, paired=found is Form.PAIRED):
        most = 100 * (1 - FINITE_ONLY * histories)
        many = f" under a guarantee for {histories:,} decisions" if histories > 1 else ""
        return f"`@` above {max(most, 0):g} %{many} is not yet possible for this: no valid bound is known"
    return ""
