"""What changed since the release before: files and parameters, libraries, format, sizes, metrics."""

from __future__ import annotations

from mlops_ci.records.evaluation import Interval, MetricValue
from mlops_ci.records.releases import Comparison
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Align, Block, Code, Details, Heading, Paragraph, Spans, Strong, Table, Text
from mlops_ci.reports.sections import change
from mlops_ci.reports.story import Story

_MOST = 40


def section(story: Story) -> tuple[Block, ...]:
    """Nothing for a first release."""
    found = story.evidence.comparison or None
    if found is None:
        return ()
    about = story.decision.change
    kinds = ", ".join(about.kinds) or "nothing that is trained or judged with"
    return (
        Heading((Text(f"Since {found.release}"),)),
        Paragraph((Strong("Changed: "), Text(kinds), Text(" (from "), Code(numbers.short(found.commit)), Text(")"))),
        _table(found),
        *change.items(story),
        *_metrics(found),
    )


def _table(found: Comparison) -> Table:
    """What differs, and what of it stayed."""
    rows: list[tuple[Spans, ...]] = [
        _row("rows of data", *(numbers.count(each) for each in found.rows)),
        _row("format", *found.format),
        _row("bundle", *(numbers.size(each) for each in found.bytes)),
    ]
    if any(found.image_bytes):
        rows.append(_row("image, unpacked", *(numbers.size(each) if each else "" for each in found.image_bytes)))
    rows += [_row(f"library {name}", *pair) for name, pair in list(found.packages.items())[:_MOST]]
    return Table(
        head=("", found.release, "now"),
        align=(Align.LEFT, Align.RIGHT, Align.RIGHT),
        rows=tuple(rows),
        caption=f"Since {found.release}",
    )


def _row(name: str, before: str, now: str) -> tuple[Spans, ...]:
    return ((Text(name),), *(((Text(each or numbers.NONE),)) for each in (before, now)))


def _metrics(found: Comparison) -> tuple[Block, ...]:
    if not found.metrics:
        return ()
    table = Table(
        head=("metric", found.release, "now", "interval now"),
        align=(Align.LEFT, Align.RIGHT, Align.RIGHT, Align.RIGHT),
        rows=tuple(_metric(one, found.intervals.get(one.metric)) for one in found.metrics[:_MOST]),
        caption=f"Metrics since {found.release}",
    )
    told = "each on the rows it was judged on; the bounds hold with 95 % on either side"
    return (Details((Strong("Metrics: "), Text(told)), (table,)),)


def _metric(one: MetricValue, interval: Interval | None) -> tuple[Spans, ...]:
    places = 3 if one.value is None else numbers.natural(one.value)
    if one.value is not None and one.champion is not None:
        places = numbers.apart(one.value, one.champion, places)
    values = [numbers.with_unit(each, one.unit, places) for each in (one.champion, one.value)]
    bounds = f"{numbers.fixed(interval.low, places)} to {numbers.fixed(interval.high, places)}" if interval else ""
    return ((words.metric(one.metric),), *((Text(each),) for each in values), (Text(bounds or numbers.NONE),))
