"""Which rows belong together, so that they are resampled as one: rows of one group, or of one day (statistics.md 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.data import canonical
from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.tables import Table


def belonging(table: Table, group: tuple[str, ...], time: str | None) -> NDArray[np.uint64] | None:
    """Shape (rows,), equal for rows that belong together; None where nothing says so.

    The columns of `group` decide; without them the day (UTC) of `time`, since rows of one day share its weather, its
    prices and its mistakes. Rows without a time are one group. A `time` that holds no dates says nothing.
    """
    if group:
        return canonical.row_digests(canonical.select(table, group), group)
    if time is None or time not in table.names or table.column(time).kind not in (Kind.DATE, Kind.TIMESTAMP):
        return None
    days: NDArray[np.uint64] = table.column(time).values.astype("datetime64[D]").astype("int64").view("uint64")
    return days
