"""Which method bounds a metric, as people read it: `explain METRIC` and docs/metrics.md."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import betting, clopper_pearson, delong, delong_paired, dirichlet, hall, tango
from mlops_ci.gates.estimates import truth_decides_members
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.metric import Metric

_FOR = {
    frozenset({Task.BINARY}): "two classes",
    frozenset({Task.MULTICLASS}): "more classes",
    frozenset({Task.BINARY, Task.MULTICLASS}): "classes",
    frozenset({Task.REGRESSION}): "regression",
}
_HEAD = """\
| metric | what it is | for | better | range | `@` | difference |
|---|---|---|---|---|---|---|
"""


def single_method(metric: Metric) -> str:
    """`clopper-pearson/1`; empty where there is none."""
    if metric.kind == "mean":
        return hall.NAME if metric.bounded else f"{hall.NAME} with a clip"
    if metric.kind == "auc":
        return f"{delong.LOGIT}/{delong.Auc.version}, {delong.WILSON}/2 (two classes)"
    return clopper_pearson.NAME if metric.kind in {"proportion", "f1"} else ""


def paired_method(metric: Metric) -> str:
    """Of the difference with the champion or the anchor; empty where there is none."""
    if metric.kind == "mean":
        return "" if metric.root else single_method(metric)
    if metric.kind == "auc":
        return f"{delong_paired.NAME} (two classes)"
    if truth_decides_members(metric):
        return f"{tango.NAME}, {betting.NAME}"
    return dirichlet.NAME if metric.kind in {"proportion", "f1"} else ""


def explain_metric(metric: Metric) -> str:
    """A short paragraph, plain text."""
    better = {True: "higher is better", False: "lower is better", None: "it does not say which is better"}
    needs = "; needs probabilities" if metric.needs_probabilities else "; needs scores" if metric.needs_scores else ""
    kind = f"For {_FOR.get(metric.tasks, 'every task')}, {_span(metric)}; {better[metric.higher_is_better]}{needs}."
    said = f"{metric.name}: {metric.meaning}. {kind}"
    return f"{said}\n\n{_claims(metric)}"


def _span(metric: Metric) -> str:
    """`from 0 to 1`; `0 and more nats`"""
    unit = f" {metric.unit}" if metric.unit else ""
    if isfinite(metric.high) and not isfinite(metric.low):
        return f"at most {metric.high:g}{unit}"
    if isfinite(metric.high):
        return f"from {_range(metric)}"
    return f"{metric.low:g} and more{unit}" if isfinite(metric.low) else f"any number{unit and f', in{unit}'}"


def reference() -> str:
    """The table of docs/metrics.md."""
    return _HEAD + "".join(f"| {' | '.join(_cells(metric))} |\n" for metric in METRICS.values())


def _claims(metric: Metric) -> str:
    single, paired = single_method(metric), paired_method(metric)
    if not single:
        return "It cannot be claimed with `@`: no bound of it is known to hold. The value that is seen decides."
    beside = "its difference with the champion or the anchor" if not metric.own else "its difference with the champion"
    if single == paired:
        return f"With `@` its bound, and that of {beside}, is {_or(single)}. docs/gates.md says what that is."
    difference = f"that of {beside} {_or(paired)}" if paired else f"of {beside} none is known to hold"
    return f"With `@` its bound is {_or(single)}; {difference}. docs/gates.md says what these are."


def _or(methods: str) -> str:
    return methods.replace(", ", " or ")


def _range(metric: Metric) -> str:
    high = f"{metric.high:g}"
    if metric.high_of_two is not None:
        high = f"{metric.high_of_two:g} (two classes) or {high}"
    return f"{metric.low:g} to {high}{f' {metric.unit}' if metric.unit else ''}"


def _cells(metric: Metric) -> tuple[str, ...]:
    return (
        f"`{metric.name}`",
        metric.meaning,
        _FOR[metric.tasks],
        "higher" if metric.higher_is_better else "lower",
        _range(metric),
        single_method(metric) or "–",
        paired_method(metric) or "–",
    )
