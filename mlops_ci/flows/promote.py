"""promote, rollback: fetch → where the environment is → rules and gates → its file and the decision, or why not.

By a pull request: what is open already comes first, and the branch is proposed instead of moving the default one.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.promotion import rules
from mlops_ci.promotion.rules import Way
from mlops_ci.records.environments import EnvironmentFile, Move
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports.story import Story
from mlops_ci.steps import moving, promotion, promotion_decision, proposing
from mlops_ci.steps.moving import Carried
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.promotion import Settled, Wish

_ATTEMPTS = 20
_LONGEST_PAUSE = 2.0


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `story` is None where it runs there, or is proposed, already; `carried` where nothing was
    changed.
    """

    environment: str
    release: str
    before: EnvironmentFile
    story: Story | None
    carried: Carried | None
    change: str = ""
    """Of the environment's files, as a unified diff."""

    @property
    def already(self) -> bool:
        """It runs there."""
        return self.story is None and self.carried is None

    @property
    def proposed_before(self) -> bool:
        """An earlier run proposed it, and it is not merged yet."""
        return self.story is None and self.carried is not None

    @property
    def decision(self) -> str:
        """The decision that moves it, or put there what runs."""
        if self.story:
            return self.story.decision_id
        return self.carried.decision if self.carried else self.before.decision

    @property
    def move(self) -> Move | None:
        return (self.story.evidence.move or None) if self.story else None

    @property
    def outcome(self) -> Outcome:
        return self.story.decision.outcome if self.story else Outcome.PASSED

    def document(self) -> dict[str, Any]:
        """The JSON of the command."""
        decision = self.story.decision if self.story else None
        pull = self.carried.pull if self.carried else None
        return {
            "environment": self.environment,
            "release": self.release,
            "before": self.before.runs.release if self.before.runs else None,
            "outcome": self.outcome,
            "already": self.already,
            "decision": self.decision,
            "reason": decision.reason if decision else "",
            "rules": decision.checks if decision else (),
            "gates": decision.gates if decision else (),
            "commit": self.carried.commit if self.carried else None,
            "branch": self.carried.branch if self.carried else None,
            "pull_request": pull._asdict() if pull else None,
            "diff": self.change,
        }


def promote(start: Path, wish: Wish, progress: Progress, *, dry_run: bool = False) -> Moved:
    """Move a release into an environment, or back out of it; nothing is changed where a rule or gate says no."""
    promotion.require_reason(wish)
    project, clock = open_project(start), Clock(progress)
    hub = proposing.reach(project) if wish.way is Way.PULL_REQUEST and not dry_run else None
    first: EnvironmentFile | None = None
    for attempt in range(_ATTEMPTS):
        promotion.fetched(project, clock)
        settled = promotion.settle(project, wish)
        first = first or settled.site.state
        if settled.site.state != first:
            raise _overtaken(settled)
        if settled.there:
            return _moved(settled, None, None)
        if hub and (waiting := proposing.proposed_already(hub, settled)):
            return _moved(settled, None, waiting)
        story = _judged(settled, clock)
        if dry_run:
            return _moved(settled, story, None)
        entry = promotion_decision.entry_of(story, clock)
        if story.decision.outcome is not Outcome.PASSED:
            moving.refuse(settled, entry)
            return _moved(settled, story, None)
        if carried := moving.carry_out(settled, story, entry):
            proposed = proposing.opened(hub, settled, carried, entry.report_markdown) if hub else carried
            return _moved(settled, story, proposed)
        time.sleep(random.SystemRandom().uniform(0, min(_LONGEST_PAUSE, 0.05 * 2**attempt)))
    raise OutsideError(
        f"others pushed all the time: {wish.environment} could not be changed in {_ATTEMPTS} tries",
        "Nothing was changed. Run it again.",
    )


def _judged(settled: Settled, clock: Clock) -> Story:
    asked = promotion.asked_of(settled)
    with clock.step("rules", "asking the rules of the environment") as line:
        results = rules.rollback(asked) if settled.wish.back else rules.promotion(asked)
        line.found = f"{sum(one.status == 'passed' for one in results)} of {len(results)} hold"
    if settled.wish.back:
        results += promotion.tried(settled, clock)
        return promotion_decision.story_of(settled, (), results)
    with clock.step("gates", "asking the gates of the environment") as line:
        verdicts = promotion_decision.gates(settled)
        line.found = f"{sum(one.verdict == 'passed' for one in verdicts)} of {len(verdicts)} passed"
    return promotion_decision.story_of(settled, verdicts, results)


def _moved(settled: Settled, story: Story | None, carried: Carried | None) -> Moved:
    return Moved(
        environment=settled.site.name,
        release=settled.release.release,
        before=settled.site.state,
        story=story,
        carried=carried,
        change=moving.change(settled, story) if story and story.decision.outcome is Outcome.PASSED else "",
    )


def _overtaken(settled: Settled) -> OutsideError:
    """One promotion at a time: what somebody else put there meanwhile was never compared with this one."""
    site, last = settled.site, settled.stays[0]
    now = site.state.runs.release if site.state.runs else "nothing"
    return OutsideError(
        f"{site.name} was changed while this ran: it is {now} now, by {last.by} ({last.commit[:7]}, {last.since})",
        f"Nothing was changed by this one. Look at it (mlops-ci why {site.name}), and run it again if it still should.",
    )
