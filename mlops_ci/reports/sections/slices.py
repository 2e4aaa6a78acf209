"""Every declared slice with its metrics, beside the champion's."""

from __future__ import annotations

from mlops_ci.records.evaluation import SliceValue
from mlops_ci.reports import claims, numbers, words
from mlops_ci.reports.document import Align, Block, Code, Details, Paragraph, Spans, Strong, Table, Text, plain
from mlops_ci.reports.story import Story

_MOST = 40
_METRICS = 4
_USUAL = ("accuracy", "recall", "precision", "recall_macro", "precision_macro", "mae", "rmse")
"""What is shown of a slice beside the metrics that gates name, where it was computed."""


def section(story: Story) -> tuple[Block, ...]:
    evaluation = story.evidence.evaluation
    cuts = tuple(cut for cut in evaluation.cuts if cut.column) if evaluation else ()
    if not cuts:
        return ()
    names = shown_metrics(story, cuts)
    rows = tuple(_row(cut, names) for cut in cuts[:_MOST])
    head = ("slice", "rows", *(plain((words.metric(name),)) for name in names))
    table = Table(head=head, align=(Align.LEFT, *(Align.RIGHT,) * (len(head) - 1)), rows=rows, caption="Slices")
    note = "Each value; in brackets the champion's." if any(cut.champion for cut in cuts) else ""
    rest = len(cuts) - _MOST
    note += f" {numbers.plural(rest, 'more slice')} in the evidence." if rest > 0 else ""
    text = (Paragraph((Text(note.strip()),)),) if note else ()
    summary = f"{numbers.count(len(cuts))} in {_columns(cuts)}"
    return (Details((Strong("Slices: "), Text(summary)), (*text, table)),)


def shown_metrics(story: Story, cuts: tuple[SliceValue, ...]) -> tuple[str, ...]:
    """The metrics worth a column, at most four: those that gates name, in their order, then the usual ones."""
    named = [claims.metric_name(verdict) for verdict in story.decision.gates]
    there = {name for cut in cuts for name, value in cut.metrics.items() if value is not None}
    wanted = [name for name in dict.fromkeys((*named, *_USUAL)) if name in there]
    return tuple(wanted or sorted(there))[:_METRICS]


def _columns(cuts: tuple[SliceValue, ...]) -> str:
    return numbers.plural(len({cut.column for cut in cuts}), "column")


def _row(cut: SliceValue, names: tuple[str, ...]) -> tuple[Spans, ...]:
    cells: list[Spans] = [(Code(f"{cut.column}={cut.value}"),), (Text(numbers.count(cut.rows)),)]
    return (*cells, *((Text(_cell(cut.metrics.get(name), cut.champion.get(name))),) for name in names))


def _cell(value: float | None, champion: float | None) -> str:
    places = 3 if value is None else min(numbers.natural(value), 3)
    text = numbers.fixed(value, places)
    return f"{text} ({numbers.fixed(champion, places)})" if champion is not None else text
