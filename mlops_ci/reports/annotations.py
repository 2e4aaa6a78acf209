"""What stopped a commit, each at the line where it can be mended: few enough that GitHub shows every one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Where
from mlops_ci.reports import claims, words
from mlops_ci.reports.document import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.reports.story import Story

MOST = 10
"""Of one kind that GitHub shows of a step; the rest it drops without a word."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One message at a place of the repository. Nothing in it is escaped yet."""

    kind: str
    """error | warning"""
    title: str
    message: str
    where: Where | None = None


def of_story(story: Story) -> tuple[Annotation, ...]:
    """Gates, checks and parameters that made the outcome, the decisive ones first; the last says how many more."""
    found = tuple(_found(story))
    if len(found) <= MOST:
        return found
    more = len(found) - MOST + 1
    rest = Annotation(kind=found[MOST - 1].kind, title="mlops-ci", message=f"and {more} more: the report has them all")
    return (*found[: MOST - 1], rest)


def _found(story: Story) -> Iterator[Annotation]:
    decision = story.decision
    wanted = (Status.ERRORED, Status.FAILED, Status.UNDECIDED)
    stopped = any(one.blocking and one.verdict in wanted for one in (*decision.gates, *decision.judge.head_verdicts))
    for status in wanted:
        for gate in (*decision.gates, *decision.judge.head_verdicts):
            if gate.blocking and gate.verdict is status:
                told = f"{plain(claims.outcome(gate))}: {gate.gate}"
                yield _annotation(story, status, gate.name or gate.gate, told, gate.where)
        for result in decision.checks:
            if result.blocking and result.status is status:
                yield _annotation(story, status, result.check, result.message, result.where)
    if stopped:
        for one in decision.change.params[:1]:
            told = f"{one.key} went from {one.before} to {one.after}: what this commit changes"
            yield Annotation(
                kind="warning",
                title="mlops-ci: what moved it",
                message=told,
                where=_in_repository(story, Where(one.file, one.line or None)),
            )


def _annotation(story: Story, status: Status, about: str, message: str, where: Where | None) -> Annotation:
    kind = "warning" if status is Status.UNDECIDED else "error"
    title = f"mlops-ci: {about} {words.STATUSES[status]}"
    return Annotation(kind=kind, title=title, message=message, where=_in_repository(story, where))


def _in_repository(story: Story, where: Where | None) -> Where | None:
    if where is None or not story.prefix:
        return where
    return Where(f"{story.prefix}/{where.file}", where.line)
