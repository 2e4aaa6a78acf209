"""What a model test counted: how often the model behaves as people expect."""

from __future__ import annotations

import msgspec

from mlops_ci.records.results import Result, Where


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Of `of` rows it held for `held`; it should for a share of `needed`, known at `confidence`."""

    kind: str
    """minimum | invariance | direction"""
    held: int
    of: int
    needed: float
    confidence: float
    when_undecided: str = "refuse"
    """refuse | warn | accept"""
    groups: tuple[tuple[int, int, int], ...] | None = None
    """(held, rows, how many groups are so), where rows that belong together were told apart; None: by row."""
    where: Where | None = None


class ModelTest(msgspec.Struct, frozen=True, kw_only=True):
    """What one model test came to by itself, and what it counted: that is still to be judged."""

    result: Result
    behaviours: tuple[Behaviour, ...] = ()
