"""Keys that tell equal rows of one table from different ones, fast.

They are for questions inside one run ("which rows are copies?"); what is recorded uses `canonical`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.canonical import missing
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0xD6E8FEB86659FD93)


def row_keys(table: Table, names: Sequence[str]) -> NDArray[np.uint64]:
    """One key a row from the values of `names`, shape (rows,). Equal rows have equal keys; missing equals missing.

    Text enters by its code, so keys of two tables cannot be compared.
    """
    keys = np.zeros(table.rows, dtype=np.uint64)
    for place, name in enumerate(names, start=1):
        bits = _bits(table.column(name))
        bits += np.uint64(place * int(_GOLDEN) % 2**64)
        keys += mix(bits)
    return keys


def mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014, https://doi.org/10.1145/2660193.2660195), in place."""
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def _bits(column: Column) -> NDArray[np.uint64]:
    values = column.values
    if column.kind is Kind.FLOAT:
        bits = (values.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0: the two zeros are equal
    else:
        wide = values.view(np.int64) if values.dtype.kind == "M" else values.astype(np.int64)
        bits = wide.copy().view(np.uint64)
    absent = missing(column)
    if absent.any():
        bits[absent] = _MISSING
    return bits
