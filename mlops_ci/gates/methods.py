"""Which method bounds a metric, as people read it: `explain METRIC` and docs/metrics.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.gates.bounds import betting, clopper_pearson, delong, delong_paired, dirichlet, hall, tango
from mlops_ci.gates.estimates import truth_decides_members
from mlops_ci.records.evaluation import Task

if TYPE_CHECKING:
    from mlops_ci.evaluation.metric import Metric

_HEAD = """\
| metric | what it is | for | better | range | `@` | difference |
|---|---|---|---|---|---|---|
"""


def single_method(metric: Metric) -> str:
    """`clopper-pearson/1`; empty where there is none."""
    if metric.kind == "mean":
        return hall.NAME if metric.bounded else f"{hall.NAME} with a clip"
    if metric.kind == "auc":
        return f"{delong.LOGIT}/{delong.Auc.version}, {delong.WILSON}/{delong.Auc.version} (two classes)"
    return clopper_pearson.NAME if metric.kind in {"proportion", "f1"} else ""


def paired_method(metric: Metric) -> str:
    """Of the difference with the champion; empty where there is none."""
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
    tasks = ", ".join(sorted(metric.tasks))
    kind = f"A metric of {tasks}, from {_range(metric)}; {better[metric.higher_is_better]}{needs}."
    said = f"{metric.name}: {metric.meaning}. {kind}"
    return f"{said}\n\n{_claims(metric)}"


def reference() -> str:
    """The table of docs/metrics.md."""
    return _HEAD + "".join(f"| {' | '.join(_cells(metric))} |\n" for metric in METRICS.values())


def _claims(metric: Metric) -> str:
    single, paired = single_method(metric), paired_method(metric)
    if not single:
        return "No `@`: no bound of it is known to hold. The value that is seen decides."
    if not paired:
        return f"`@`: {single}. Of its difference with the champion no bound is known to hold."
    return f"`@`: {single}. Of its difference with the champion: {paired}."


def _range(metric: Metric) -> str:
    high = f"{metric.high:g}"
    if metric.high_of_two is not None:
        high = f"{metric.high_of_two:g} (two classes) or {high}"
    return f"{metric.low:g} to {high}{f' {metric.unit}' if metric.unit else ''}"


def _cells(metric: Metric) -> tuple[str, ...]:
    classes = {
        frozenset({Task.BINARY}): "two classes",
        frozenset({Task.MULTICLASS}): "more classes",
        frozenset({Task.BINARY, Task.MULTICLASS}): "classes",
    }
    return (
        f"`{metric.name}`",
        metric.meaning,
        classes.get(metric.tasks, "regression"),
        "higher" if metric.higher_is_better else "lower",
        _range(metric),
        single_method(metric) or "–",
        paired_method(metric) or "–",
    )
