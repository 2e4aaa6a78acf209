"""Who is affected: predictions that differ from the champion's, and the slices they fall in."""

from __future__ import annotations

from mlops_ci.records.evaluation import Flips, FlipSlice, Task
from mlops_ci.reports import numbers
from mlops_ci.reports.document import Align, Block, Code, Heading, Paragraph, Spans, Strong, Table, Text
from mlops_ci.reports.story import Story

_MOST = 5


def section(story: Story) -> tuple[Block, ...]:
    evaluation = story.evidence.evaluation
    if evaluation is None or evaluation.flips is None or evaluation.task is Task.REGRESSION:
        return ()
    flips = evaluation.flips
    blocks: list[Block] = [Heading((Text("Who is affected"),)), Paragraph(_summary(story, flips))]
    worst = worst_slices(flips)
    if worst:
        blocks.append(_table(worst))
    if flips.changed:
        command = f"mlops-ci rows {story.name} --flipped worse"
        blocks.append(Paragraph((Text("Which rows: "), Code(command))))
    return tuple(blocks)


def _summary(story: Story, flips: Flips) -> Spans:
    if not flips.changed:
        return (
            Text(
                f"None of the {numbers.count(flips.rows)} predictions differs from {story.champion or 'the champion'}."
            ),
        )
    other = f"; {numbers.count(flips.other)} wrong before and after, in another way" if flips.other else ""
    share = numbers.percent(flips.changed / flips.rows)
    return (
        Strong(f"{numbers.count(flips.changed)} of {numbers.count(flips.rows)}"),
        Text(f" predictions changed ({share}): "),
        Strong(f"{numbers.count(flips.lost)} became wrong"),
        Text(f", {numbers.count(flips.won)} became right{other}."),
    )


def worst_slices(flips: Flips) -> tuple[FlipSlice, ...]:
    """Slices that lose more rows than they win, the largest loss first."""
    losing = [cut for cut in flips.by_slice if cut.lost > cut.won]
    return tuple(sorted(losing, key=lambda cut: (cut.won - cut.lost, cut.column, cut.value))[:_MOST])


def _table(worst: tuple[FlipSlice, ...]) -> Table:
    rows = tuple(
        (
            (Code(f"{cut.column}={cut.value}"),),
            (Text(numbers.count(cut.rows)),),
            (Text(numbers.count(cut.lost)),),
            (Text(numbers.count(cut.won)),),
            (Text(numbers.signed_count(cut.won - cut.lost)),),
        )
        for cut in worst
    )
    right = (Align.RIGHT,) * 4
    return Table(
        head=("where it got worse", "rows", "became wrong", "became right", "balance"),
        align=(Align.LEFT, *right),
        rows=rows,
        caption="Slices that lose most",
    )
