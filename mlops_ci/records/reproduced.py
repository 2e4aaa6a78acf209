"""A release's model made again, beside what was recorded of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Likeness(StrEnum):
    """How like the model made again is, from the most to the least."""

    BITS = "bit-identical"
    """Its file is the same, byte for byte."""
    PREDICTIONS = "prediction-identical"
    """It answers every held-out row the same, to the last bit of 32-bit floats."""
    METRICS = "metric-equal"
    """It answers some rows otherwise, and no metric moves by more than the tolerance."""
    DIFFERENT = "different"


class Differs(msgspec.Struct, frozen=True, kw_only=True):
    """Something it was made from that is another one now; empty: not there."""

    what: str
    """data | split | parameters | environment | python | mlops-ci | library NAME"""
    recorded: str
    now: str


class MetricAgain(msgspec.Struct, frozen=True, kw_only=True):
    metric: str
    recorded: float
    now: float


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """What `mlops-ci reproduce --json` prints."""

    release: str
    commit: str
    decision: str
    """The decision on its model, whose rows are compared."""
    likeness: Likeness
    rows: int
    labels_differ: int
    largest_difference: float | None
    """Of scores, or of predicted numbers; None: the rows are not the same, or were not kept."""
    tolerance: float
    metrics: tuple[MetricAgain, ...]
    """Those that moved, the most first."""
    differs: tuple[Differs, ...]
    seconds: float
    """Of the training."""

    @property
    def ok(self) -> bool:
        return self.likeness is not Likeness.DIFFERENT
