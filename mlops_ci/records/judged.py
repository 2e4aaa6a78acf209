"""What the judging job hands to the recording job: which commit, and what was found of each project."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.decisions import Trust
from mlops_ci.records.outcomes import Outcome


class State(StrEnum):
    """What became of one project."""

    JUDGED = "judged"
    UNAFFECTED = "unaffected"
    """Nothing that it reads has changed."""
    NO_EVIDENCE = "no-evidence"
    """The run left nothing that could be judged."""
    MOVED = "moved"
    """It changes files of environments: `outcome` says whether as a decision of the ledger says."""
    REMOVED = "removed"
    """The commit takes it away, and its rules with it."""


class JudgedProject(msgspec.Struct, frozen=True, kw_only=True):
    """One project. `run`: name of the folder beside that holds the decision, where there is one."""

    name: str
    folder: str
    state: State
    run: str = ""
    reason: str = ""
    outcome: Outcome | None = None
    """Of a change of environments."""
    opened: tuple[str, ...] = ()
    """Who agreed that it is taken away."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged for one run of the checking workflow."""

    commit: str
    run: int
    attempt: int
    trust: Trust
    projects: tuple[JudgedProject, ...]
