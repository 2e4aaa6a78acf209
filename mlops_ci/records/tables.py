"""Tables in memory: named columns of one length, each of one kind."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Kind(StrEnum):
    """What a column holds, whatever file it came from."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column.

    `values`, shape (rows,), by kind: boolean bool, integer int64, float float64 (NaN is missing),
    text int32 codes into `categories` (-1 is missing), date datetime64[D], timestamp datetime64[us] in UTC
    (NaT is missing). `missing`, shape (rows,) bool, is given where any value is missing, else None.
    """

    name: str
    kind: Kind
    values: NDArray[np.generic]
    missing: NDArray[np.bool_] | None = None
    categories: tuple[str, ...] = ()
    """Text only: the distinct values, sorted by code point."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of the same length, in the order of the source. Holds arrays only: nothing here reads a file."""

    rows: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none (settings are checked before this is asked)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
