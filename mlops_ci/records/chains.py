"""Why something runs somewhere: the chain of reasons from the environment's file down to the training run."""

from __future__ import annotations

import msgspec

from mlops_ci.records.decisions import Decision, Evidence, RunInfo
from mlops_ci.records.environments import Standing
from mlops_ci.records.releases import Release


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of the chain, with what was recorded beside it."""

    id: str
    decision: Decision
    evidence: Evidence
    run: RunInfo | None


class FileCommit(msgspec.Struct, frozen=True, kw_only=True):
    """The commit that gave an environment's file the release it names."""

    commit: str
    title: str
    by: str
    time: str
    """ISO 8601 UTC."""


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Of an environment, or of a release alone: then `standing`, `commit` and `moved` are None.

    A link the ledger at hand does not have is None, and `missing` says so in words.
    """

    project: str
    standing: Standing | None
    file: str
    """Of the environment, from the root of the repository."""
    commit: FileCommit | None
    moved: Link | None
    """The promotion or rollback."""
    release: Release
    made: Link | None
    judged: Link | None
    missing: tuple[str, ...]
