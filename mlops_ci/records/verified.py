"""What `verify` found: what does not hold, how each verdict was checked, and what could not be seen."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.outcomes import Status


class How(StrEnum):
    """How far a verdict could be checked."""

    RECOMPUTED = "recomputed"
    """Judged again from its rows, by the method it names."""
    RECORDED = "recorded"
    """It follows from numbers or words that somebody measured and wrote down: latency, sizes, one answer told."""
    UNAVAILABLE = "unavailable"
    """Its rows are not to be had here, or this version does not know its method."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not hold. Texts are plain and may hold hostile names."""

    where: str
    """A file of the ledger, of the default branch or of the store."""
    message: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be looked at, and why: no problem, and no proof either."""

    where: str
    message: str


class CheckedGate(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded verdict."""

    decision: str
    gate: str
    verdict: Status
    how: How
    reason: str = ""


Finding = Problem | Note | CheckedGate


class Authenticity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what was checked is what was there when somebody wrote down a head of the ledger elsewhere."""

    authenticated: bool
    told: str
    """By what; or what cannot be seen without."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at."""

    environments: int
    releases: int
    decisions: int
    gates: int


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `verify`."""

    authenticity: Authenticity
    checked: Counts
    problems: tuple[Problem, ...]
    gates: tuple[CheckedGate, ...]
    notes: tuple[Note, ...]

    @property
    def ok(self) -> bool:
        return not self.problems
