"""Every metric that was computed, gated or not."""

from __future__ import annotations

from mlops_ci.records.evaluation import ClassValue, Evaluation, MetricValue, Task
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
    classes = _by_class(story)
    summary = f"{len(metrics)} on the held-out rows{', and by class' if classes else ''}"
    return (Details((Strong("Metrics: "), Text(summary)), (*_classes(story), table, *classes)),)


def _classes(story: Story) -> tuple[Block, ...]:
    """What the labels are, how many rows each has, and which one recall, precision and ROC AUC are about."""
    evaluation = story.evidence.evaluation
    if evaluation is None or evaluation.task is Task.REGRESSION or len(_shown(evaluation)) == len(evaluation.classes):
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


def _by_class(story: Story) -> tuple[Block, ...]:
    """Where there are more than two classes: how the worst of them fare, beside the champion's numbers."""
    evaluation = story.evidence.evaluation
    shown = _shown(evaluation) if evaluation else ()
    if evaluation is None or not shown:
        return ()
    compared = any(one.champion is not None for one in shown)
    head = ("class", "rows", "F1", *(("F1 difference",) if compared else ()), "precision", "recall")
    table = Table(
        head=head,
        align=(Align.LEFT, *(Align.RIGHT,) * (len(head) - 1)),
        rows=tuple(_class(one, compared=compared) for one in shown),
        caption="Classes",
    )
    return (Paragraph((Text(_about_classes(evaluation, shown, story.champion if compared else "")),)), table)


def _shown(evaluation: Evaluation) -> tuple[ClassValue, ...]:
    return evaluation.by_class or ()


def _about_classes(evaluation: Evaluation, shown: tuple[ClassValue, ...], champion: str) -> str:
    told = "Classes, the lowest F1 first"
    if champion:
        told += f"; in brackets {champion}"
    flips = evaluation.flips
    if champion and flips is not None and flips.rows < evaluation.rows:
        told += f"; on the {numbers.plural(flips.rows, 'row')} that it has answers for"
    rest = len(evaluation.classes) - len(shown)
    return (
        f"{told}. {numbers.plural(rest, 'more class', 'more classes')}, none with a lower F1." if rest else f"{told}."
    )


def _class(one: ClassValue, *, compared: bool) -> tuple[Spans, ...]:
    sides = [one.candidate] if one.champion is None else [one.candidate, one.champion]
    f1, precision, recall = (
        _beside(*shares) for shares in zip(*((side.f1, side.precision, side.recall) for side in sides), strict=True)
    )
    difference = (_difference(*(side.f1 for side in sides)),) if compared else ()
    told = (numbers.count(one.candidate.rows), f1, *difference, precision, recall)
    return ((Code(one.name),), *((Text(cell),) for cell in told))


def _beside(value: float | None, *champion: float | None) -> str:
    return " ".join((numbers.fixed(value, 3), *(f"({numbers.fixed(old, 3)})" for old in champion)))


def _difference(ours: float | None, theirs: float | None = None) -> str:
    if ours is None or theirs is None:
        return numbers.NONE
    return numbers.signed(ours - theirs, numbers.apart(ours - theirs, 0.0, 3))
