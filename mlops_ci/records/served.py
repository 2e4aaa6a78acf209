"""What came of asking a server the golden requests of a bundle."""

from __future__ import annotations

from typing import Any

import msgspec


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundle: the digest with `sha256:`, the release where it has one, the fingerprint of its answers."""

    release: str
    digest: str
    fingerprint: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a server holds a bundle and answers as the judged model did."""

    ok: bool
    reason: str = ""
    """Why not."""
    address: str
    project: str
    expected: Named
    found: Named
    """What the server says of itself, cut to a line each; empty where it was not understood."""
    rows: int
    """Golden requests that it was asked."""

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return dict(msgspec.to_builtins(self))
