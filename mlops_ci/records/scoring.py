"""What scoring files came to."""

from __future__ import annotations

import msgspec


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of how many files were answered, by which model, and where the answers are."""

    rows: int
    bad_rows: int
    """Rows that were not answered, as they break the signature or the model has no number for them."""
    files: int
    scored_before: int
    """Files that an earlier run had done."""
    unasked: tuple[str, ...]
    """Columns that the model is not asked about, and that were not kept."""
    output: str
    digest: str
    release: str
