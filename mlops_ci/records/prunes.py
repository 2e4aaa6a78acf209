"""What is removed to make room, and what is left behind of what lay in the store."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlops_ci.records.stores import ItemKind


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """`erased/DIGEST.json` of the ledger: a bundle, predictions or a snapshot not in the store any more, and why."""

    version: int
    digest: str
    project: str
    releases: tuple[str, ...]
    """`v3`: those it was."""
    store: str
    time: str
    """ISO 8601, UTC."""
    reason: str
    kind: ItemKind | msgspec.UnsetType = msgspec.UNSET
    """Left out of the JSON of a bundle."""


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that nothing needs. `name`: v3 (3fa9c2d17b06), or a path below the project's folder."""

    kind: Literal["bundle", "predictions", "snapshot", "copy", "run", "cache"]
    name: str
    bytes: int
    reason: str
    digest: str = ""
    """Of what lies in the store; a `copy` is one of this machine that the store has no more."""
    item: ItemKind | msgspec.UnsetType = msgspec.UNSET
    """What lies under the digest."""


class Stays(msgspec.Struct, frozen=True, kw_only=True):
    """A release whose bundle is kept, and for what."""

    release: str
    digest: str
    reasons: tuple[str, ...]


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `prune`. `done`: it was removed."""

    goes: tuple[Goes, ...]
    stays: tuple[Stays, ...]
    done: bool

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.goes)
