"""The data: rows, target, what differs from the base, which columns drifted, what the contract says."""

from __future__ import annotations

from mlops_ci.records.data import ColumnChange, DataChange
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import (
    Align,
    Block,
    Bullets,
    Code,
    Details,
    Heading,
    Paragraph,
    Spans,
    Strong,
    Table,
    Text,
)
from mlops_ci.reports.story import Story

_MOST = 12
_CHECKS = 60


def section(story: Story) -> tuple[Block, ...]:
    change = story.evidence.data_change
    results = story.results(Part.DATA)
    if story.evidence.snapshot is None and not results:
        return ()
    if change is None or not _moved(change):
        checks = _checks(results)
        label: Spans = (Strong("Data: "), *_summary(story))
        return (Details(label, checks),) if checks else (Paragraph(label),)
    summary = f"Checks of the data: {checks_line(results).removeprefix('checks ') or 'all skipped'}"
    folded = (Details((Text(summary),), _checks(results)),) if results else ()
    told = (*_difference(change), *_files(change), *_columns(change), *folded)
    return (Heading((Text("Data"),)), Paragraph(_summary(story)), *_relabelled(change), *told)


def _relabelled(change: DataChange) -> tuple[Block, ...]:
    """What is true of a row is what models are judged by: said before any number."""
    if not change.relabelled:
        return ()
    rows = numbers.plural(change.relabelled, "row")
    told = f"the target of {rows} that {'was' if change.relabelled == 1 else 'were'} there before says something else."
    return (Paragraph((Strong("Other truth: "), Text(told))),)


def _moved(change: DataChange) -> bool:
    return bool(change.added or change.removed or change.changed or change.columns or change.base_rows != change.rows)


def _same(story: Story) -> bool:
    """Whether nothing that makes the data has changed: there is then no comparison with the base."""
    decision = story.decision
    about_data = {"data", "code", "environment"} & set(decision.change.kinds)
    compared = bool(decision.base) and decision.judge.source == "base"
    return compared and story.evidence.data_change is None and not about_data


def _summary(story: Story) -> Spans:
    snapshot, change = story.evidence.snapshot, story.evidence.data_change
    parts = []
    if snapshot is not None:
        apart = f" ({numbers.count(snapshot.gate_rows)} kept for verdicts)" if snapshot.gate_rows else ""
        sides = f"{numbers.count(snapshot.train_rows)} to train and {numbers.count(snapshot.holdout_rows)} held out"
        parts.append(f"{numbers.plural(snapshot.rows, 'row')}, {sides}{apart}")
        if snapshot.dropped_missing_target:
            parts.append(f"{numbers.plural(snapshot.dropped_missing_target, 'row')} without a target dropped")
    if _same(story) or (change is not None and not _moved(change)):
        parts.append("unchanged since the base")
    parts.append(checks_line(story.results(Part.DATA)))
    return (Text(" · ".join(part for part in parts if part)),)


def checks_line(results: tuple[Result, ...]) -> str:
    """`checks 18 of 19, contract 8 of 8`: of those that had something to ask; empty where all were skipped."""
    asked = [result for result in results if result.status is not Status.SKIPPED]
    if not asked:
        return ""
    passed = sum(result.status is Status.PASSED for result in asked)
    contract = next((r for r in results if r.check == "contract" and {"held", "clauses"} <= r.numbers.keys()), None)
    rules = f", contract {contract.numbers['held']} of {contract.numbers['clauses']}" if contract else ""
    return f"checks {passed} of {len(asked)}{rules}"


def _difference(change: DataChange) -> tuple[Block, ...]:
    def row(name: str, before: str, after: str, note: str = "") -> tuple[Spans, ...]:
        return ((Text(name),), (Text(before),), (Text(after),), (Text(note),))

    moved = (("+", change.added, "row"), ("−", change.removed, "row"), ("", change.changed, "changed row"))
    note = ", ".join(f"{sign}{numbers.plural(number, what)}" for sign, number, what in moved if number)
    rows = [row("rows", numbers.count(change.base_rows), numbers.count(change.rows), note)]
    before, added = dict(change.target_before), dict(change.target_of_added)
    for name, after in change.target_after[:_MOST]:
        alone = f"added rows alone: {_target(name, added[name])}" if name in added else ""
        rows.append(row(f"target: {name}", _target(name, before.get(name)), _target(name, after), alone))
    align = (Align.LEFT, Align.RIGHT, Align.RIGHT, Align.LEFT)
    head = ("data", "before", "after", "note")
    return (Table(head=head, align=align, rows=tuple(rows), caption="What differs from the base"),)


def _target(name: str, value: float | None) -> str:
    """A class share, or the mean or median of a regression target."""
    if value is None:
        return numbers.NONE
    return numbers.fixed(value, numbers.natural(value)) if name in {"mean", "median"} else numbers.percent(value)


def _files(change: DataChange) -> tuple[Block, ...]:
    lines: list[Spans] = []
    for word, paths in (
        ("added", change.files_added),
        ("removed", change.files_removed),
        ("changed", change.files_changed),
    ):
        if not paths:
            continue
        spans: Spans = (Text(f"{numbers.plural(len(paths), 'file')} {word}: "),)
        for position, path in enumerate(paths[:_MOST]):
            spans += (Text(", "), Code(path)) if position else (Code(path),)
        lines.append((*spans, Text(f" and {len(paths) - _MOST} more")) if len(paths) > _MOST else spans)
    return (Bullets(tuple(lines)),) if lines else ()


def _columns(change: DataChange) -> tuple[Block, ...]:
    if not change.columns:
        return (Paragraph((Text("No column drifted above noise."),)),)
    shown = sorted(change.columns, key=lambda one: (one.change == "drift", -(one.psi or 0.0), one.column))
    table = Table(
        head=("column", "change", "before", "after", "PSI", "noise floor"),
        align=(Align.LEFT, Align.LEFT, Align.RIGHT, Align.RIGHT, Align.RIGHT, Align.RIGHT),
        rows=tuple(_column(one) for one in shown[:_MOST]),
        caption="Columns that changed",
    )
    rest = len(shown) - _MOST
    more = (
        (Paragraph((Text(f"{numbers.plural(rest, 'more column')}: "), Code("mlops-ci data diff"))),) if rest > 0 else ()
    )
    return (table, *more)


def _column(one: ColumnChange) -> tuple[Spans, ...]:
    places = 3 if one.psi is None or one.floor is None else numbers.apart(one.psi, one.floor, 3)
    return (
        (Code(one.column),),
        (Text(one.change),),
        (Text(one.before or numbers.NONE),),
        (Text(one.after or numbers.NONE),),
        (Text(numbers.fixed(one.psi, places)),),
        (Text(numbers.fixed(one.floor, places)),),
    )


def _checks(results: tuple[Result, ...]) -> tuple[Block, ...]:
    if not results:
        return ()
    rows = tuple(
        (
            (words.answer(result),),
            (Code(result.check),),
            (Code(result.column),) if result.column else (),
            (Text(result.message),),
        )
        for result in sorted(results, key=lambda result: result.status is Status.PASSED)[:_CHECKS]
    )
    table = Table(
        head=("", "check", "column", "found"), align=(Align.LEFT,) * 4, rows=rows, caption="Checks of the data"
    )
    rest = len(results) - _CHECKS
    more = (Paragraph((Text(f"{numbers.plural(rest, 'more check')} in the evidence."),)),) if rest > 0 else ()
    return (table, *more)
