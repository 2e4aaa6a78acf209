"""What runs in an environment, and a move of it: a promotion or a rollback."""

from __future__ import annotations

import msgspec


class ReleaseRef(msgspec.Struct, frozen=True, kw_only=True):
    """A release by what it is made of: `v3`, the digest of its bundle (64 hex digits), its image by digest."""

    release: str
    bundle: str
    image: str = ""
    """`repository@sha256:…` of the server; empty where none was pushed."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was rolled back: no promotion installs it again while this is written."""

    bundle: str
    release: str
    reason: str
    by: str
    """Who rolled it back, as git names them."""


class EnvironmentFile(msgspec.Struct, frozen=True, kw_only=True):
    """`environments/NAME.yaml`: which release belongs there, and what must not come back."""

    runs: ReleaseRef | None = None
    """None: nothing yet."""
    decision: str = ""
    """The promotion or rollback that put it there."""
    quarantine: tuple[Quarantined, ...] = ()

    def quarantined(self, bundle: str) -> Quarantined | None:
        """The entry that keeps a bundle out."""
        return next((one for one in self.quarantine if one.bundle == bundle), None)


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which an environment ran one release without a break: times are ISO 8601 UTC, to the second."""

    runs: ReleaseRef
    decision: str
    since: str
    commit: str
    """The commit that put it there."""
    by: str
    """Its author."""
    until: str = ""
    """Empty: it runs there still."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion or a rollback was decided on, beside its rules and gates."""

    environment: str
    before: ReleaseRef | None
    after: ReleaseRef
    replaced: str
    """The decision the environment's file named before; empty for the first."""
    released: str
    """The decision that made the release."""
    judged: str
    """The decision that passed its model; empty for a model that was imported."""
    ledger: str
    """The head of the ledger when it was decided: what it holds cannot be rewritten unseen."""
    at: str
    """When the rules were asked, ISO 8601 UTC, to the second: soak and freeze depend on it."""
    stay: Stay | None = None
    """Its longest stay in the environment before, where one is named."""
    reason: str = ""
    """Of a rollback."""
    quarantined: Quarantined | msgspec.UnsetType = msgspec.UNSET
    """What a rollback keeps out from here on; left out of the JSON of promotions."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An environment as it stands: an element of `mlops-ci status --json`. None: nothing runs there yet."""

    name: str
    release: str | None
    digest: str | None
    """Of its bundle."""
    image: str | None
    since: str | None
    """ISO 8601 UTC."""
    decision: str | None
    by: str | None
    """Who made the commit."""
    quarantine: tuple[Quarantined, ...]
