"""Where the model is worse than elsewhere, found by search and confirmed on rows that were not searched."""

from __future__ import annotations

from mlops_ci.records.evaluation import SliceSearch, WorseSlice
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Aside, Block, Bullets, Code, Paragraph, Span, Spans, Strong, Text
from mlops_ci.reports.story import Story


def section(story: Story) -> tuple[Block, ...]:
    evaluation = story.evidence.evaluation
    search = evaluation.worse_slices if evaluation else None
    if search is None:
        return ()
    if not search.found:
        return (Paragraph((Strong("Worse than elsewhere: "), Text(_none(search)))),)
    told = (
        f"{numbers.count(search.looked_at)} slices of one half of the held-out rows were looked at, "
        f"{search.asked} asked about on the other half, these confirmed; no gate asks about them."
    )
    head = Paragraph((Strong("Worse than elsewhere, found by search: "), Text(told)))
    return head, Bullets(tuple(_line(search, one) for one in search.found))


def _none(search: SliceSearch) -> str:
    if not search.looked_at:
        return "not searched for: half of the held-out rows are too few, or all answered alike."
    told = (
        f"no slice is confirmed ({numbers.count(search.looked_at)} looked at on one half of the held-out rows, "
        f"{search.asked} asked about on the other"
    )
    if search.groups is None or search.groups == search.rows:
        return f"{told})."
    return f"{told}, which has {numbers.plural(search.groups, 'group')} of rows that belong together)."


def _line(search: SliceSearch, one: WorseSlice) -> Spans:
    spans: list[Span] = []
    for column, asked in one.conditions:
        spans += [Text(" and "), Code(f"{column} {asked}")] if spans else [Code(f"{column} {asked}")]
    low, high = one.low, one.high
    places = numbers.decimals((high - low) / 2) if low is not None and high is not None else numbers.natural(one.value)
    spans += [Text(": "), words.metric(search.metric), Text(f" {numbers.fixed(one.value, places)}")]
    if low is not None and high is not None:
        spans.append(Aside(f" [{numbers.fixed(low, places)}, {numbers.fixed(high, places)}]"))
    rows = numbers.plural(one.rows, "row")
    return (*spans, Text(f" on {rows} of the confirming half, {numbers.fixed(one.elsewhere, places)} elsewhere"))
