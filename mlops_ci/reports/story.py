"""What a report is told from."""

from __future__ import annotations

import msgspec

from mlops_ci.records.data import Profile
from mlops_ci.records.decisions import Decision, Evidence, RunInfo
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result
from mlops_ci.records.verdicts import IdleWaiver, Waiver


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A decision before this one: its id, commit, outcome and the sentence it was told in."""

    id: str
    commit: str
    outcome: Outcome
    sentence: str = ""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, what it was computed from and what came before.

    `run` is None in the report that is stored, so that the same evidence gives the same bytes. `prefix` is the
    project's folder in the repository, `models/churn` or empty. `profile_before` is the base's profile, for the
    pictures of columns that drifted. `found_by`: what commands find the decision by where it will be recorded under
    another id, because it is judged again.
    """

    decision: Decision
    decision_id: str
    evidence: Evidence
    earlier: tuple[Earlier, ...] = ()
    run: RunInfo | None = None
    prefix: str = ""
    profile_before: Profile | None = None
    found_by: str = ""

    @property
    def stopped_by(self) -> tuple[Result, ...]:
        """The checks that ended the run before there was a model, most severe first."""
        judged = any(verdict.verdict is not Status.SKIPPED for verdict in self.decision.gates)
        if self.evidence.evaluation is not None or judged:
            return ()
        blocking = [result for result in self.decision.checks if result.blocking]
        order = (Status.ERRORED, Status.FAILED, Status.UNDECIDED)
        return tuple(result for status in order for result in blocking if result.status is status)

    @property
    def short_id(self) -> str:
        return self.decision_id[:12]

    @property
    def name(self) -> str:
        """What commands call it."""
        return self.found_by or self.short_id

    @property
    def champion(self) -> str:
        """`v12 in production`, or empty."""
        return self.decision.champion.name if self.decision.champion else ""

    @property
    def anchor(self) -> str:
        """`the anchor, a1b2c3d`, or empty."""
        return self.decision.anchor.name if self.decision.anchor else ""

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """Those that let a gate through, each once."""
        return tuple(dict.fromkeys(one.waived for one in self.decision.numbered_gates if one.waived))

    @property
    def idle_waivers(self) -> tuple[IdleWaiver, ...]:
        """Those that changed nothing."""
        return self.decision.judge.idle_waivers or ()

    def results(self, part: Part) -> tuple[Result, ...]:
        return tuple(result for result in self.decision.checks if result.part is part)
