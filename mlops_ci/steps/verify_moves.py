"""The decision on a move, asked again: the rules of its environment at the commit and the time it was decided."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlops_ci.errors import MlopsCiError
from mlops_ci.ledger import names
from mlops_ci.promotion import rules
from mlops_ci.promotion.rules import Way
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verified import Finding, Note, Problem
from mlops_ci.steps import environments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.records.environments import Move
    from mlops_ci.records.results import Result
    from mlops_ci.steps.environments import Site
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.verify_commits import Commits
    from mlops_ci.steps.verify_shelf import Shelf

_FINE = (Status.PASSED, Status.SKIPPED)
_FIXED = ("trust", "quarantine", "order", "soak", "freeze")
"""Rules that answer the same whenever they are asked of the same commit and time. What a release is may be known only
later, and `clock` and `approvals` were about where it was decided."""
_GROWING = ("release", "evidence")
_APART = timedelta(minutes=5)
"""How far clocks may be apart, as promotion/rules.py has it."""


def move_of(project: Project, shelf: Shelf, commits: Commits, parts: Parts, move: Move) -> Iterator[Finding]:
    """What does not hold of a promotion or rollback, refused ones too."""
    where = f"decision {parts.short}"
    if commits.time(parts.decision.base) is None:
        told = f"the commit {parts.decision.base[:7]} it was decided on is not in this clone"
        yield Note(where=where, message=f"its rules cannot be asked again: {told}")
        return
    try:
        at = datetime.fromisoformat(move.at)
        site = environments.site(project, move.environment, parts.decision.base)
        yield from _times(commits, parts, move, at)
        yield from _state(where, site, move)
        yield from _gates(where, parts, site)
        yield from _answers(where, parts, _again(project, shelf, parts, move, site, at))
    except MlopsCiError as error:
        yield Problem(where=where, message=f"its rules cannot be asked again: {error.message}")
    except (ValueError, TypeError) as error:
        yield Problem(where=where, message=f"it was decided at no time that can be read: {error}")


def _times(commits: Commits, parts: Parts, move: Move, at: datetime) -> Iterator[Finding]:
    """No decision is older than what it was made on."""
    where = f"decision {parts.short}"
    for what, commit in (("the commit it was decided on", parts.decision.base), ("the ledger it saw", move.ledger)):
        seen = commits.time(commit)
        if seen and datetime.fromisoformat(seen) - at > _APART:
            yield Problem(where=where, message=f"it is dated back: {move.at}, and {what} was made at {seen}")


def _state(where: str, site: Site, move: Move) -> Iterator[Problem]:
    state = site.state
    if (state.runs, state.decision) != (move.before, move.replaced):
        now = state.runs.release if state.runs else "nothing"
        then = move.before.release if move.before else "nothing"
        told = f"it says {then} ran in {site.name}, and {site.path} at {site.commit[:7]} says {now}"
        yield Problem(where=where, message=told)


def _gates(where: str, parts: Parts, site: Site) -> Iterator[Problem]:
    """The gates of the environment, all and no others, unless the release was imported or refused as unknown."""
    asked = [one.gate for one in parts.decision.gates]
    there = [setting.text.strip() for setting in site.rules.gates]
    if asked and asked != there:
        yield Problem(where=where, message=f"it asked other gates than {site.name} had at {site.commit[:7]}")
    imported = parts.evidence is not None and parts.evidence.move and not parts.evidence.move.judged
    passed = parts.decision.kind is DecisionKind.PROMOTION and parts.decision.outcome.value == "passed"
    if there and not asked and passed and not imported:
        yield Problem(where=where, message=f"{site.name} had gates at {site.commit[:7]}, and none was asked")


def _again(
    project: Project, shelf: Shelf, parts: Parts, move: Move, site: Site, at: datetime
) -> tuple[Result, ...] | Problem:
    """Every rule's answer to the recorded question."""
    number = int(move.after.release.removeprefix("v") or 0) if move.after.release[1:].isdigit() else 0
    release = shelf.release(names.release_path(parts.decision.project, number))
    if isinstance(release, Problem):
        return release
    made, judged = shelf.parts(move.released), shelf.parts(move.judged)
    bundle = (made.evidence.bundle or made.evidence.imported or None) if made and made.evidence else None
    after = site.rules.after
    stays = environments.stays(project, after, site.commit) if after else ()
    asked = rules.Asked(
        environment=site.name,
        rules=site.rules,
        where=site.where,
        state=site.state,
        release=release,
        project=site.config.project,
        made=made.decision if made else None,
        bundle=bundle.digest if bundle else "",
        judged=judged.decision if judged else None,
        stay=rules.longest(stays, release.bundle, at) if after else None,
        now=at,
        newest=move.at,
        way=Way.PULL_REQUEST,
    )
    back = parts.decision.kind is DecisionKind.ROLLBACK
    return rules.rollback(asked) if back else rules.promotion(asked)


def _answers(where: str, parts: Parts, again: tuple[Result, ...] | Problem) -> Iterator[Problem]:
    if isinstance(again, Problem):
        if parts.decision.outcome.value == "passed":
            yield again
        return
    recorded = {one.check: one for one in parts.decision.checks}
    for now in again:
        if now.check not in (*_FIXED, *_GROWING):
            continue
        then = recorded.get(now.check)
        if then is None:
            yield Problem(where=where, message=f"the rule {now.check} was not asked")
        elif now.check in _GROWING and then.status not in _FINE:
            continue
        elif then.status is not now.status or (now.check in _FIXED and not then.blocking):
            told = f"the rule {now.check}: recorded {then.status}, and it was {now.status}: {now.message}"
            yield Problem(where=where, message=told)
