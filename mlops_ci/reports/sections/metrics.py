"""Every metric that was computed, gated or not."""

from __future__ import annotations

from mlops_ci.records.evaluation import MetricValue, Task
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Align, Block, Code, Details, Paragraph, Spans, Strong, Table, Text
from mlops_ci.reports.story import Story

_MOST = 40
_MOST_CLASSES = 20
_NEITHER = {"mean_error": "nearer 0", "selection_rate": "neither"}
_BETTER = {True: "higher", False: "lower", None: "not said"}


def section(story: Story) -> tuple[Block, ...]:
    metrics = story.decision.metrics or (story.evidence.evaluation.metrics if story.evidence.evaluation else ())
    if not metrics:
        return ()
    compared = any(one.champion is not None for one in metrics)
    head = ("metric", "this commit", *((story.champion or "champion",) if compared else ()), "better is", "note")
    align = (Align.LEFT, *(Align.RIGHT,) * (2 if compared else 1), Align.LEFT, Align.LEFT)
    rows = tuple(_row(one, compared=compared) for one in metrics[:_MOST])
    table = Table(head=head, align=align, rows=rows, caption="Metrics")
    summary = f"{len(metrics)} on the held-out rows"
    return (Details((Strong("Metrics: "), Text(summary)), (*_classes(story), table)),)


def _classes(story: Story) -> tuple[Block, ...]:
    """What the labels are, how many rows each has, and which one recall, precision and ROC AUC are about."""
    evaluation = story.evidence.evaluation
    if evaluation is None or evaluation.task is Task.REGRESSION:
        return ()
    classes = list(zip(evaluation.classes, evaluation.class_counts, strict=False))[:_MOST_CLASSES]
    spans: Spans = (Text("Held-out rows by class: "),)
    for place, (name, rows) in enumerate(classes):
        spans += (Text(", " if place else ""), Code(name), Text(f" {numbers.count(rows)}"))
    rest = len(evaluation.classes) - len(classes)
    spans += (Text(f" and {numbers.plural(rest, 'more class', 'more classes')}"),) if rest > 0 else ()
    if evaluation.task is Task.BINARY:
        spans += (Text(". The positive class is "), Code(evaluation.classes[1]))
    return (Paragraph((*spans, Text("."))),)


def _row(one: MetricValue, *, compared: bool) -> tuple[Spans, ...]:
    places = 3 if one.value is None else numbers.natural(one.value)
    if one.value is not None and one.champion is not None:
        places = numbers.apart(one.value, one.champion, places)
    champion: tuple[Spans, ...] = ((Text(numbers.with_unit(one.champion, one.unit, places)),),) if compared else ()
    better = _NEITHER.get(one.metric, _BETTER[one.higher_is_better])
    value = numbers.with_unit(one.value, one.unit, places)
    return ((words.metric(one.metric),), (Text(value),), *champion, (Text(better),), (Text(one.reason),))
