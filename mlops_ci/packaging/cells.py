"""Values of columns as JSON has them: missing is null, times are ISO 8601 text in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.records.bundles import Cell


def cells(column: Column, rows: NDArray[np.int64]) -> tuple[Cell, ...]:
    """The values of these rows; rows: shape (k,), places in the column."""
    values = column.values[rows]
    gone = np.zeros(len(rows), dtype=bool) if column.missing is None else column.missing[rows]
    return tuple(None if missing else _cell(value, column) for value, missing in zip(values, gone, strict=True))


def _cell(value: np.generic, column: Column) -> Cell:
    if column.kind is Kind.TEXT:
        return column.categories[int(value)]
    if column.kind is Kind.DATE:
        return str(value)
    if column.kind is Kind.TIMESTAMP:
        return f"{value}Z"
    found = value.item()
    assert isinstance(found, bool | int | float)  # noqa: S101 - for the type checker
    return found
