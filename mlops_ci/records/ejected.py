"""What leaving mlops-ci removes, and what stays."""

from __future__ import annotations

import msgspec


class Stays(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stays, and what it is without the tool."""

    what: str
    without: str


class Ejecting(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `eject`. `goes`: paths from the root of the repository; `done`: they were removed."""

    goes: tuple[str, ...]
    stays: tuple[Stays, ...]
    done: bool
