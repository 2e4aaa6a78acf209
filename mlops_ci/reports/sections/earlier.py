"""What was decided before, newest first."""

from __future__ import annotations

from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import Block, Bullets, Code, Details, Spans, Strong, Text
from mlops_ci.reports.story import Earlier, Story

_MOST = 5


def section(story: Story) -> tuple[Block, ...]:
    if not story.earlier:
        return ()
    lines = tuple(_line(one) for one in story.earlier[:_MOST])
    newest = story.earlier[0]
    last = f"the one before {words.OUTCOMES[newest.outcome]}"
    return (Details((Strong("Earlier: "), Text(last)), (Bullets(lines),)),)


def _line(one: Earlier) -> Spans:
    told = f": {one.sentence}" if one.sentence else ""
    return (
        Code(numbers.short(one.commit) if one.commit else one.id[:12]),
        Text(f" {words.OUTCOMES[one.outcome]}{told}"),
    )
