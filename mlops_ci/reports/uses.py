"""How often the test set was used, and what a guarantee says of it, in plain words."""

from __future__ import annotations

from math import ceil

from mlops_ci.records.decisions import Evidence, Promise
from mlops_ci.reports import numbers
from mlops_ci.reports.document import Code, Spans, Strong, Text
from mlops_ci.reports.story import Story

_SOON = 0.8
"""The share of decisions used from which a report warns."""
_UNKNOWN = "They were used under another data.id or data.split, so nobody can tell which rows are fresh."
_UNREAD = "this holds for models not chosen by reading these reports, and for recorded looks"
_READ = (
    "this holds for models chosen by reading these reports too, and for recorded looks; "
    "not for those of someone who reads the data's files"
)


def holds(promise: Promise) -> str:
    """For whom the guarantee holds."""
    return _READ if promise.verdicts_only and promise.adaptivity != "none" else _UNREAD


def used(evidence: Evidence) -> str:
    """`used 5 times`, `used 5 times of 32 the guarantee allows`"""
    promise = evidence.promise
    if promise is None:
        return f"used {numbers.plural(evidence.looks, 'time')}"
    if promise.worn and promise.looks < promise.decisions:
        return f"used up after {numbers.plural(promise.looks, 'decision')}"
    if promise.worn:
        return f"used up: all {numbers.plural(promise.decisions, 'decision')} the guarantee allows"
    return f"used {numbers.plural(promise.looks + 1, 'time')} of {promise.decisions:,} the guarantee allows"


def note(story: Story) -> Spans:
    """What a reader must know of the rows; empty where nothing is promised, or much is left of it."""
    promise = story.evidence.promise
    if promise is None or all(verdict.confidence is None for verdict in story.decision.gates):
        return ()
    if promise.worn and promise.looks < promise.decisions:
        told = f" are undecided. {_UNKNOWN if promise.anywhere else 'Only fresh held-out rows help.'}"
        return (Strong("Test set worn out: "), Text(f"{_spent(promise)}, so gates with "), Code("@"), Text(told))
    if promise.worn:
        return (
            Strong("Test set worn out: "),
            Text(f"all {promise.decisions:,} decisions the guarantee allows on these rows are used, so gates with "),
            Code("@"),
            Text(f" are undecided. {_help(story, promise)}"),
        )
    number = promise.looks + 1
    if number >= _SOON * promise.decisions:
        which = "the last" if number == promise.decisions else f"decision {number:,}"
        told = f"this was {which} of the {promise.decisions:,} the guarantee allows on these rows. "
        return (Strong("Test set nearly used up: "), Text(told + _help(story, promise)))
    return _apart(story, promise) if promise.verdicts_only else _chosen(story, promise)


def _spent(promise: Promise) -> str:
    """Why no decision is left although fewer were made than may be."""
    if promise.retired:
        times = numbers.plural(promise.passes or 0, "time")
        return f"models passed {times} on these rows, as often as the guarantee allows"
    return "numbers of these rows stood in earlier reports"


def _apart(story: Story, promise: Promise) -> Spans:
    """Which rows the answer is about, and which the numbers."""
    evaluation = story.evidence.evaluation
    others = "others" if evaluation is None else f"{evaluation.rows:,} others"
    told = (
        f" were judged on {promise.rows:,} held-out rows of which nothing but the answer is told, one for all gates. "
    )
    return (
        Strong("Judged on rows kept for verdicts: "),
        Text("gates with "),
        Code("@"),
        Text(f"{told}Every number here is of {others}."),
    )


def _chosen(story: Story, promise: Promise) -> Spans:
    evaluation = story.evidence.evaluation
    if evaluation is None or evaluation.rows == promise.rows:
        return ()
    before = "that no decision had used" if promise.looks == 0 else "that have decisions left"
    told = f" were judged on the {promise.rows:,} of {evaluation.rows:,} held-out rows {before}."
    return (Strong("Judged on fresh rows: "), Text("gates with "), Code("@"), Text(told))


def _help(story: Story, promise: Promise) -> str:
    if promise.anywhere >= promise.decisions:
        return _UNKNOWN
    needed = _fresh(story, promise)
    return "Only fresh held-out rows help." if needed is None else f"{needed:,} fresh held-out rows help, nothing else."


def _fresh(story: Story, promise: Promise) -> int | None:
    """Held-out rows that would do for every `@` gate; None where one cannot say."""
    evaluation = story.evidence.evaluation
    rows = evaluation.rows if evaluation is not None and promise.worn else promise.rows
    needs: list[int] = []
    for verdict in story.decision.gates:
        if verdict.confidence is not None and verdict.rows:
            if verdict.rows_needed is None:
                return None
            needs.append(ceil(verdict.rows_needed * rows / verdict.rows))
    return max(needs, default=None)
