"""What a gate names must exist, and a confidence is only claimed where a bound is computed: checked at load time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.facts import AT_RELEASE, FACTS, KINDS_OF_FACT
from mlops_ci.gates.form import why_no_claim
from mlops_ci.gates.gate import Gate, Term, TermKind, Whose, bound
from mlops_ci.gates.refusals import nearest, refusal
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from mlops_ci.errors import ConfigError
    from mlops_ci.evaluation.metric import Metric


_NO_METRIC = {TermKind.FACT, TermKind.CHANGED}


def validate(
    gates: Iterable[Gate],
    *,
    task: Task | str,
    slices: Collection[str],
    metrics: Mapping[str, Metric] = METRICS,
    histories: int = 1,
    anchored: bool = True,
) -> None:
    """ConfigError for the first gate that could never be judged.

    task: a Task, or `classification` where the classes are not yet known: what either kind allows is then allowed.
    slices: the columns under `slices:`. metrics: name -> Metric. histories: what
    a guarantee for many decisions divides the level of `@` by. anchored: whether `anchor:` is
    set, which terms of the anchor need.
    """
    tasks = _tasks(task)
    for gate in (bound(gate, metrics) for gate in gates):
        for term in gate.terms:
            if term.kind is TermKind.CHANGED:
                _refuse_values(gate, term, tasks)
            else:
                _refuse_unknown(gate, term, metrics)
            if term.kind is TermKind.FACT:
                _refuse_fact_of_other_task(gate, term, tasks)
            elif term.kind is not TermKind.CHANGED:
                _refuse_other_task(gate, term, tasks, metrics)
            if term.whose is Whose.ANCHOR:
                _refuse_anchor(gate, term, anchored=anchored)
            _refuse_column(gate, term, slices)
            _refuse_clip(gate, term)
        _refuse_equality(gate)
        _refuse_claim(gate, tasks, metrics, histories)


def validate_names(gates: Iterable[Gate]) -> None:
    """ConfigError for the first gate that names no built-in metric and no fact: all that is known without a project."""
    for gate in gates:
        for term in gate.terms:
            if term.kind is not TermKind.CHANGED:
                _refuse_unknown(gate, term, METRICS)


def _tasks(task: Task | str) -> tuple[Task, ...]:
    return (Task.BINARY, Task.MULTICLASS) if task == "classification" else (Task(task),)


def _refuse(gate: Gate, term: Term, message: str, advice: str) -> ConfigError:
    return refusal(gate.text, term.at, message, advice, gate.where)


def _refuse_unknown(gate: Gate, term: Term, metrics: Mapping[str, Metric]) -> None:
    if term.kind is TermKind.FACT:
        if term.name not in FACTS:
            advice = f"{nearest(term.name, FACTS)}facts are {', '.join(KINDS_OF_FACT)}"
            raise _refuse(gate, term, f'there is no fact "{term.name}"', advice)
        _refuse_mixed(gate, term)
    elif term.whose is not Whose.CANDIDATE and term.name in FACTS:
        advice = f"compare the fact with a number, or a metric with {term.whose}.metric"
        message = f'"{term.whose}.{term.name}" is not yet understood: facts of the {term.whose} are not kept'
        raise _refuse(gate, term, message, advice)
    elif term.name not in metrics:
        advice = f"{nearest(term.name, [*metrics, *FACTS])}metrics are {', '.join(metrics)}"
        raise _refuse(gate, term, f'there is no metric "{term.name}"', advice)


def _refuse_anchor(gate: Gate, term: Term, *, anchored: bool) -> None:
    if not anchored:
        advice = "name a decision that passed, by its commit or its id (`mlops-ci history`): anchor: a1b2c3d"
        raise _refuse(gate, term, f'"anchor.{term.name}" needs `anchor:` in mlops.yaml, which is not set', advice)
    if term.metric is not None and term.metric.own:
        advice = f"compare it with champion.{term.name}, or with a number"
        message = f'"anchor.{term.name}" is not yet understood: own metrics are not computed for the anchor'
        raise _refuse(gate, term, message, advice)


def _refuse_mixed(gate: Gate, term: Term) -> None:
    """What a release measures is known when nothing is asked of rows any more, and the other way round."""
    others = [one for one in gate.terms if one.name not in AT_RELEASE]
    if term.name in AT_RELEASE and others:
        told = f'"{term.name}" is measured at the release, and "{others[0].name}" in the check'
        raise _refuse(gate, term, told, "write a gate for each")


def _refuse_fact_of_other_task(gate: Gate, term: Term, tasks: Collection[Task]) -> None:
    if FACTS[term.name].tasks.isdisjoint(tasks):
        for_tasks = " or ".join(task for task in Task if task in FACTS[term.name].tasks)
        advice = f"it is measured for {for_tasks}"
        raise _refuse(gate, term, f'"{term.name}" is no fact of {" or ".join(tasks)}', advice)


def _refuse_other_task(gate: Gate, term: Term, tasks: Collection[Task], metrics: Mapping[str, Metric]) -> None:
    if metrics[term.name].tasks.isdisjoint(tasks):
        fitting = [name for name, metric in metrics.items() if not metric.tasks.isdisjoint(tasks)]
        what = " or ".join(tasks)
        raise _refuse(gate, term, f'"{term.name}" is no metric of {what}', f"for {what} there are {', '.join(fitting)}")


def _refuse_values(gate: Gate, term: Term, tasks: Collection[Task]) -> None:
    if set(tasks) <= {Task.REGRESSION}:
        advice = "of numbers nearly all differ a little; compare errors: mae <= 1.02 * champion.mae"
        raise _refuse(gate, term, "d counts predicted classes that differ, and regression predicts numbers", advice)


def _refuse_column(gate: Gate, term: Term, slices: Collection[str]) -> None:
    if term.column and term.column not in slices:
        known = f"`slices:` has {', '.join(sorted(slices))}" if slices else "`slices:` is empty"
        advice = f"{nearest(term.column, slices)}add the column to `slices:`, which are the columns rows are cut by"
        raise _refuse(gate, term, f'"{term.column}" is not under `slices:` ({known})', advice)


def _refuse_clip(gate: Gate, term: Term) -> None:
    if term.clip is not None and term.metric and term.metric.kind != "mean":
        means = "log_loss, mae, mape, mse, rmse"
        raise _refuse(gate, term, f'"{term.name}" is no mean of losses', f"only means have a clip, such as {means}")


def _refuse_equality(gate: Gate) -> None:
    metric = next((term for term in gate.terms if term.kind is not TermKind.FACT), None)
    if gate.comparison in {"==", "!="} and metric:
        raise _refuse(gate, metric, f"{gate.comparison} is for facts and counts", "compare a metric with >= or <=")


def _refuse_claim(gate: Gate, tasks: Collection[Task], metrics: Mapping[str, Metric], histories: int) -> None:
    if gate.confidence is None:
        return
    reasons = [why_no_claim(gate, task, histories) for task in tasks if _all_exist(gate, task, metrics)]
    if reasons and all(reasons) and gate.tolerance is not None:
        advice = "`+/-` works on n, o, d, on shares of rows (accuracy, recall, precision) and on sums of them"
        at = max(gate.text.rfind("+"), gate.text.rfind("±"))
        raise refusal(gate.text, at, reasons[0], advice, gate.where)
    if reasons and all(reasons):
        advice = (
            "leave out `@ …`: the value that is seen then decides; `@` works on accuracy, recall, precision, "
            "specificity, f1, roc_auc, brier, on means of losses with a clip such as log_loss(clip=5), and on their "
            "differences with the champion or the anchor"
        )
        raise refusal(gate.text, gate.text.rfind("@"), reasons[0], advice, gate.where)


def _all_exist(gate: Gate, task: Task, metrics: Mapping[str, Metric]) -> bool:
    """All metrics of the gate exist for the task."""
    return all(term.kind in _NO_METRIC or task in metrics[term.name].tasks for term in gate.terms)
