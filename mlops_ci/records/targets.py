"""A bundle made ready for another place to run."""

from __future__ import annotations

import msgspec


class Packaged(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, and how large it is."""

    target: str
    output: str
    bytes: int
    unpacked: int
    """Bytes of all its files; of what is no archive the same as `bytes`."""
    largest: tuple[tuple[str, int], ...]
    """What takes the room: top folders and files with their bytes, the largest first."""
    bundle: str
    """Its digest, 64 hex digits."""
    python: str = ""
    """`3.13`, where its libraries are for one."""
