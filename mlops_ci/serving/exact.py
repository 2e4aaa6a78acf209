"""The usual body, read by a decoder of the model's own: its types are the columns, and what they allow.

It reads what `forms` would read the same, and what the checks of columns would give back as it is. Everything else it
leaves to them, to be converted, or refused in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from .described import Cell
from .named import struct

Row = tuple[Cell, ...]


class Exact:
    """Reads `dataframe_split` with the columns in the order of the signature, and `dataframe_records` in any."""

    def __init__(self, names: Sequence[str], types: Sequence[Any]) -> None:
        """`types` are those of the columns that say which values need no look; None where a look is needed."""
        values = [Cell if each is None else each for each in types]
        split: Any = msgspec.defstruct(
            "Split",
            [
                ("columns", tuple[tuple(Literal[name] for name in names)]),  # type: ignore[misc]
                ("data", list[tuple[tuple(values)]]),  # type: ignore[misc]
                ("index", list[Cell] | None, None),
            ],
            forbid_unknown_fields=True,
        )
        record: Any = struct(names, values)
        records = None if record is None else list[record] | None
        body = msgspec.defstruct(
            "Body",
            [("dataframe_split", split | None, None), ("dataframe_records", records, None)],
            forbid_unknown_fields=True,
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(body)

    def rows(self, body: bytes) -> list[Row] | None:
        """The rows in the order of the signature; None where it is not for this decoder to say."""
        try:
            found = self._decoder.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        split, records = found.dataframe_split, found.dataframe_records
        if records is None:
            return None if split is None else split.data
        return [msgspec.structs.astuple(record) for record in records] if split is None else None
