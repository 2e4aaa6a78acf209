"""The answer of one gate, and the waiver that may let it through."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Where


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A gate knowingly overridden for a while: an entry of waivers.yaml. Texts are people's and are not escaped."""

    gate: str
    """The gate as it is written in mlops.yaml."""
    reason: str
    owner: str
    until: str
    """The last day it counts, `2026-12-01`, in UTC."""
    where: Where | None = None

    def is_for(self, gate: str) -> bool:
        """Whether it is about the gate of this text: how it is spaced does not count, all else does."""
        return self.gate.split() == gate.split()


class Idle(StrEnum):
    """Why a waiver has no effect."""

    EXPIRED = "expired"
    TOO_LONG = "too-long"
    """It would hold for longer than a waiver may."""
    ERRORED = "errored"
    """The gate could not be judged: what is not known is not waived."""
    NOT_NEEDED = "not-needed"
    NO_SUCH_GATE = "no-such-gate"


class IdleWaiver(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that changed nothing, and why."""

    waiver: Waiver
    why: Idle


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One model's value of the metric a gate is about, with its counts where it is a proportion."""

    value: float | None
    count: int | None = None
    of: int | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's verdict with the numbers it was read from. Field names are the JSON contract."""

    gate: str
    """As written, without the comment."""
    name: str
    verdict: Status
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    confidence: float | None = None
    """Of the gate's own claim, `@ 95%` = 0.95; None for a point gate (its low and high then are shown at 95 %)."""
    alpha_pass: float | None = None
    alpha_fail: float | None = None
    rows: int | None = None
    """Rows in the metric's denominator."""
    groups: int | None = None
    rows_needed: int | None = None
    detectable: float | None = None
    method: str = ""
    """name/version of the rule that gave the verdict: `clopper-pearson/1`, `point/1`."""
    reason: str = ""
    blocking: bool = True
    """False where `when_undecided: warn|accept` lets an undecided verdict through, or a waiver a failed one too."""
    waived: Waiver | msgspec.UnsetType = msgspec.UNSET
    """The waiver that lets it through; left out of the JSON where there is none."""
    difference: bool = False
    """The gate compares with the champion or the anchor: observed, low, high are differences."""
    candidate: Side | None = None
    champion: Side | None = None
    slice: str = ""
    """The slice the numbers belong to: `origin=JFK`; for `worst`, the worst one."""
    unit: str = ""
    where: Where | None = None
    environment: str | msgspec.UnsetType = msgspec.UNSET
    """The environment whose gate it is; left out of the JSON of those that decide the check."""
    anchor: Side | msgspec.UnsetType = msgspec.UNSET
    """In place of `champion` where the gate compares with the anchor; left out of the JSON of all others."""


def added(gates: tuple[Verdict, ...], own: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Of the verdicts of a commit's own gates those of new or changed ones, or another answer to the same gate."""
    there = {(one.gate, one.verdict, one.blocking) for one in gates}
    return tuple(one for one in own if (one.gate, one.verdict, one.blocking) not in there)


class GatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate can see with the rows at hand (statistics.md 8)."""

    gate: str
    method: str
    rows_available: int | None
    rows_needed: int | None
    detectable: float | None
    reason: str = ""
    environment: str = ""
