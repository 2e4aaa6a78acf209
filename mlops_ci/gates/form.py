"""The forms of a gate that a confidence can be claimed for, and why not for the others."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mlops_ci.gates.by_group import FINITE_ONLY
from mlops_ci.gates.estimates import has_bound, has_finite_bound
from mlops_ci.gates.gate import Gate, TermKind, Whose
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.metric import Metric


class Form(StrEnum):
    """What one bound is about."""

    SINGLE = "single"
    PAIRED = "paired"
    WORST = "worst"
    GAP = "gap"
    CHANGED = "changed"
    SUM = "sum"
    """Of n, o and d with factors."""


def form(gate: Gate) -> Form | None:
    """The form of the gate's left side; None: only its point value can be judged."""
    terms = gate.terms
    if len(terms) == 1 and terms[0].coefficient == 1.0 and terms[0].whose is Whose.CANDIDATE:
        forms = {TermKind.METRIC: Form.SINGLE, TermKind.WORST: Form.WORST, TermKind.GAP: Form.GAP}
        forms[TermKind.CHANGED] = Form.CHANGED
        return forms.get(terms[0].kind)
    if len(terms) == 2 and all(term.kind is TermKind.METRIC for term in terms):
        one, other = terms
        same = (one.name, one.column, one.value, one.clip) == (other.name, other.column, other.value, other.clip)
        if (
            same
            and Whose.CANDIDATE in {one.whose, other.whose}
            and one.whose is not other.whose
            and {one.coefficient, other.coefficient} == {1.0, -1.0}
        ):
            return Form.PAIRED
    return Form.SUM if _is_sum(gate) else None


def _is_sum(gate: Gate) -> bool:
    """Two or more of n, o (of champion or anchor) and d, of the same rows, of which one is not the candidate's."""
    terms = gate.terms
    alike = {(term.column, term.value) for term in terms}
    known = all(
        term.kind is TermKind.CHANGED or (term.kind is TermKind.METRIC and term.name == "accuracy") for term in terms
    )
    return len(terms) > 1 and len(alike) == 1 and known and gate.against is not None


def is_share_of_changes(gate: Gate) -> bool:
    """`d < p`, of all rows."""
    return form(gate) is Form.CHANGED and not gate.upwards and not gate.terms[0].slice


def changes_accuracy(gate: Gate) -> bool:
    """`c * (n - o)`, of all rows: at most the share of changed predictions is not 0 in it.

    Not of the anchor: `d` says how many predictions differ from the champion's.
    """
    if len(gate.terms) != 2:
        return False
    one, other = gate.terms
    return (
        all(term.kind is TermKind.METRIC and term.name == "accuracy" and not term.slice for term in gate.terms)
        and {one.whose, other.whose} == {Whose.CANDIDATE, Whose.CHAMPION}
        and one.coefficient == -other.coefficient
    )


def why_no_tolerance(gate: Gate, task: Task) -> str:
    """Why `+/-` cannot be claimed of this gate in this task; empty where it can."""
    for term in gate.terms:
        if term.kind is TermKind.FACT:
            return "a fact is measured, not estimated: no tolerance can be claimed of it"
        if term.over_slices:
            return f"a tolerance on {term.kind}(...) is not yet possible: write the gate with `@` alone"
        known = term.metric
        if known is not None and task in known.tasks and known.kind != "proportion":
            return f"a tolerance needs a share of rows, and {term.name} is none"
        if term.coefficient == 0.0:
            return f"{term.name} is multiplied by 0"
    return ""


def why_no_claim(gate: Gate, task: Task, histories: int = 1) -> str:
    """Why `@` cannot be claimed of this gate, its metrics bound, in this task; empty where it can.

    histories: what a guarantee for many decisions divides the level by.
    """
    if gate.tolerance is not None:
        return why_no_tolerance(gate, task)
    term = gate.terms[0]
    if form(gate) is Form.WORST and term.metric and gate.upwards is not term.metric.higher_is_better:
        wanted, best = ("> or >=", "low") if term.metric.higher_is_better else ("< or <=", "high")
        return f"`@` on worst({term.name}) needs {wanted}: that the worst slice is {best} is no claim over all slices"
    if form(gate) is Form.GAP and gate.upwards:
        return "`@` on gap(...) needs < or <=: that two slices differ is no claim over all of them"
    return why_no_bound(gate, task, histories)


def why_no_bound(gate: Gate, task: Task, histories: int = 1) -> str:
    """Why nothing bounds what the gate is about; empty where something does."""
    found = form(gate)
    if all(term.kind is TermKind.FACT for term in gate.terms):
        return "a fact is measured, not estimated: no confidence can be claimed of it"
    if found is None:
        return (
            "`@` is not yet possible for this expression: it needs one metric, worst(metric, by=...), "
            "gap(metric, by=...), metric - champion.metric or metric - anchor.metric, without factors, "
            "or a sum of n, o and d such as n - 1.1 * o"
        )
    if found is Form.CHANGED:
        return ""
    if found is Form.SUM:
        return _why_not_so_sure(gate, histories)
    metric, paired = gate.terms[0].metric, found is Form.PAIRED
    if metric is None or task not in metric.tasks:
        return ""
    if found is Form.GAP and metric.kind == "mean":
        return f"`@` on a gap in {metric.name} is not yet possible: no valid bound is built"
    if not has_bound(metric, task, paired=paired):
        return _why_no_method(metric, paired=paired)
    return "" if has_finite_bound(metric, paired=paired) else _why_not_so_sure(gate, histories)


def _why_not_so_sure(gate: Gate, histories: int) -> str:
    """Of methods that are not known to hold far out; empty where the level is not."""
    if gate.alpha / histories >= FINITE_ONLY:
        return ""
    most = 100 * (1 - FINITE_ONLY * histories)
    many = f" under a guarantee for {histories:,} decisions" if histories > 1 else ""
    return f"`@` above {max(most, 0):g} %{many} is not yet possible for this: no valid bound is known"


def _why_no_method(metric: Metric, *, paired: bool) -> str:
    name = metric.name
    if metric.kind == "mean" and not metric.bounded:
        if metric.own:
            return (
                f"`@` on {name} needs the least and the most a row can be worth, since rows not seen could be worth "
                f"any amount: write {name}(clip=...), or its range under `metrics:`"
            )
        example = f"{name}(clip=5)" if metric.unit == "nats" else f"{name}(clip=...)"
        return (
            f"`@` on {name} needs the largest loss of a row that counts, since rows not seen could cost any amount: "
            f"write {example}"
        )
    if metric.own and metric.kind != "mean":
        return f"`@` on {name} needs a number for each row: its function gives one for all"
    if paired and metric.root:
        return f"`@` on a difference of {name} is not possible, a root is no mean: write it with mse"
    if has_bound(metric, Task.BINARY, paired=paired):
        return f"`@` on {name} with more than two classes is not yet possible: no valid bound is built"
    return f"`@` on {name} is not yet possible: no valid bound is built"
