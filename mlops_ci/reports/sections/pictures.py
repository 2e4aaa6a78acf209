"""The charts that suit the task."""

from __future__ import annotations

from mlops_ci.records.data import ColumnProfile
from mlops_ci.records.evaluation import Curve, Evaluation, MetricValue, Task
from mlops_ci.reports import charts, letters, numbers, words
from mlops_ci.reports.document import Block, Chart, Details, Strong, Text, plain
from mlops_ci.reports.sections.slices import shown_metrics
from mlops_ci.reports.story import Story


def section(story: Story) -> tuple[Block, ...]:
    evaluation = story.evidence.evaluation
    found = [_gates(story)]
    if evaluation is not None:
        found += [_slices(story, evaluation)]
        if evaluation.task is Task.BINARY:
            found += [_roc(story, evaluation), _calibration(story, evaluation)]
        if evaluation.task is Task.REGRESSION:
            found += [_errors(story, evaluation)]
        else:
            found += [_confusion(evaluation)]
    found.append(_drift(story))
    drawn = tuple(chart for chart in found if chart is not None)
    if not drawn:
        return ()
    return (Details((Strong("Charts: "), Text(", ".join(_called(chart) for chart in drawn))), drawn),)


def _called(chart: Chart) -> str:
    return {"roc": "ROC", "gates": "gates and their uncertainty"}.get(chart.name, chart.name)


def _chart(name: str, alt: str, svg: str | None, drawn: tuple[Block, ...]) -> Chart | None:
    return Chart(name, alt, svg, drawn) if svg is not None else None


def _rival(story: Story) -> str:
    """The champion in a word or two."""
    return story.champion.partition(",")[0].removesuffix(" in production")


def _gates(story: Story) -> Chart | None:
    alt = "How far each gate is from what it needs, with its interval; every row has a scale of its own."
    return _chart("gates", alt, charts.gates(story.decision.gates, alt), letters.gates(story.decision.gates))


def _slices(story: Story, evaluation: Evaluation) -> Chart | None:
    cuts = [cut for cut in evaluation.cuts if cut.column and cut.metrics]
    asked = shown_metrics(story, tuple(cuts))[:1]
    if not asked:
        return None
    metric = next((one for one in evaluation.metrics if one.metric in asked), MetricValue(metric=asked[0], value=None))
    whole = f"; {numbers.fixed(metric.value, 3)} on all rows (dashed)" if metric.value is not None else ""
    alt = f"{plain((words.metric(asked[0]),))} on each slice{whole}."
    drawn = letters.slices(cuts, metric, _rival(story))
    return _chart("slices", alt, charts.slices(cuts, metric, story.champion, alt), drawn)


def _curve(evaluation: Evaluation, name: str) -> tuple[Curve, Curve | None] | None:
    curve = evaluation.curves.get(name)
    return (curve, evaluation.curves.get(f"{name}_champion")) if curve is not None and curve.x else None


def _value(evaluation: Evaluation, metric: str) -> str:
    found = next((one for one in evaluation.metrics if one.metric == metric and one.value is not None), None)
    if found is None or found.value is None:
        return ""
    old = f", the champion's {numbers.fixed(found.champion, 3)}" if found.champion is not None else ""
    return f" {numbers.fixed(found.value, 3)}{old}"


def _roc(story: Story, evaluation: Evaluation) -> Chart | None:
    curves = _curve(evaluation, "roc")
    if curves is None:
        return None
    value = _value(evaluation, "roc_auc")
    alt = f"ROC curve; area{value}." if value else "ROC curve."
    return _chart("roc", alt, charts.roc(*curves, story.champion, alt), letters.roc(*curves, _rival(story)))


def _calibration(story: Story, evaluation: Evaluation) -> Chart | None:
    curves = _curve(evaluation, "calibration")
    if curves is None:
        return None
    alt = "How often what was predicted came true; on the dashed line scores can be read as probabilities."
    rows = evaluation.curves.get("calibration_rows")
    drawn = letters.calibration(*curves, rows, _rival(story))
    return _chart("calibration", alt, charts.calibration(*curves, rows, story.champion, alt), drawn)


def _errors(story: Story, evaluation: Evaluation) -> Chart | None:
    curves = _curve(evaluation, "error_quantiles")
    if curves is None:
        return None
    alt = "Errors, predicted minus true: the share of held-out rows whose error is at most this; dashed is no error."
    return _chart("errors", alt, charts.errors(*curves, story.champion, alt), letters.errors(*curves, _rival(story)))


def _confusion(evaluation: Evaluation) -> Chart | None:
    alt = "Rows by true class (down) and predicted class (across)."
    told = (evaluation.confusion, evaluation.classes)
    return _chart("confusion", alt, charts.confusion(*told, alt), letters.confusion(*told))


def _drift(story: Story) -> Chart | None:
    before, after, change = story.profile_before, story.evidence.profile, story.evidence.data_change
    if before is None or after is None or change is None:
        return None
    drifted = sorted(
        (one for one in change.columns if one.change == "drift"), key=lambda one: (-(one.psi or 0.0), one.column)
    )
    pairs: list[tuple[ColumnProfile, ColumnProfile]] = []
    for one in drifted[:3]:
        old = next((column for column in before.columns if column.name == one.column), None)
        new = next((column for column in after.columns if column.name == one.column), None)
        if old is not None and new is not None:
            pairs.append((old, new))
    alt = "The columns that drifted most: share of rows before and after."
    return _chart("drift", alt, charts.drift(pairs, alt), letters.drift(pairs))
