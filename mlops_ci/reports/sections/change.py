"""What the commit changes: parameters, data, code, environment, judge."""

from __future__ import annotations

from mlops_ci.reports import numbers
from mlops_ci.reports.document import Align, Block, Bullets, Code, Heading, Spans, Strong, Table, Text
from mlops_ci.reports.story import Story

_MOST = 8


def section(story: Story) -> tuple[Block, ...]:
    blocks = items(story)
    # One parameter is told in the line under the verdict.
    alone = len(blocks) == 1 and len(story.decision.change.params) == 1
    return (Heading((Text("What changed"),)), *blocks) if blocks and not alone else ()


def items(story: Story) -> tuple[Block, ...]:
    """The same without a heading: a table of parameters, a list of files."""
    change = story.decision.change
    told = story.evidence.data_change
    data = () if told is not None and (told.files_added or told.files_removed or told.files_changed) else change.data
    differences = story.decision.judge.differences if story.decision.judge.source == "base" else ()
    # What the rules now say is told; which of their files changed only where nothing else is known.
    judge = () if differences else change.judge
    named = (("Data", data), ("Code", change.code), ("Environment", change.environment), ("Judge", judge))
    listed = [_paths(name, paths) for name, paths in named if paths]
    listed += [(Strong("Judge: "), Text(difference)) for difference in differences[:_MOST]]
    listed += _more_differences(differences)
    return (*_params(story), *((Bullets(tuple(listed)),) if listed else ()))


def _params(story: Story) -> tuple[Block, ...]:
    params = story.decision.change.params
    if not params:
        return ()
    rows: list[tuple[Spans, ...]] = [
        ((Code(one.key),), _value(one.before), _value(one.after), (Code(one.file),)) for one in params[:20]
    ]
    if len(params) > 20:
        rows.append(((Text(f"{len(params) - 20} more"),), (), (), ()))
    align = (Align.LEFT, Align.RIGHT, Align.RIGHT, Align.LEFT)
    return (Table(head=("parameter", "before", "after", "file"), align=align, rows=tuple(rows), caption="Parameters"),)


def _value(text: str) -> Spans:
    return (Code(text),) if text else (Text(numbers.NONE),)


def _paths(name: str, paths: tuple[str, ...]) -> Spans:
    spans: Spans = (Strong(f"{name}: "),)
    for position, path in enumerate(paths[:_MOST]):
        spans += (Text(", "), Code(path)) if position else (Code(path),)
    rest = len(paths) - _MOST
    return (*spans, Text(f" and {rest} more")) if rest > 0 else spans


def _more_differences(differences: tuple[str, ...]) -> list[Spans]:
    rest = len(differences) - _MOST
    return [(Strong("Judge: "), Text(f"{numbers.plural(rest, 'more change')}"))] if rest > 0 else []
