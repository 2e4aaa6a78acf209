"""Conditions on one column, in words: a range of bins, a value, missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.records.tables import Column, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.evaluation.bins import Coded

_VALUES = 50
"""The commonest values of text that are looked at."""


class Condition(msgspec.Struct, frozen=True):
    """`column` and what is asked of it: `= JFK`, `≥ 18`, `is missing`."""

    column: str
    asked: str


def conditions(
    column: Column, coded: Coded, searched: NDArray[np.bool_]
) -> tuple[tuple[Condition, ...], NDArray[np.float64]]:
    """Every condition on the column, and which bins fulfil it: shape (conditions, levels), 0 or 1.

    Values of text and bins are those of the `searched` rows, so a condition says nothing about the others.
    """
    counts = np.bincount(coded.codes[searched], minlength=coded.levels)
    if int((counts > 0).sum()) < 2:
        return (), np.zeros((0, coded.levels))
    found = _ranges(column, coded, counts) if coded.ordered else _values(column, counts)
    if counts[-1]:
        found.append(("is missing", range(coded.levels - 1, coded.levels)))
    members = np.zeros((len(found), coded.levels))
    for row, (_, inside) in enumerate(found):
        members[row, inside.start : inside.stop] = 1.0
    return tuple(Condition(column.name, asked) for asked, _ in found), members


def _values(column: Column, counts: NDArray[np.int64]) -> list[tuple[str, range]]:
    common = np.sort(np.argsort(-counts[:-1], kind="stable")[:_VALUES])
    return [(f"= {column.categories[code]}", range(code, code + 1)) for code in common.tolist()]


def _ranges(column: Column, coded: Coded, counts: NDArray[np.int64]) -> list[tuple[str, range]]:
    """Every range of neighbouring bins but all of them."""
    edges, above = coded.edges, len(coded.edges)
    last = above if counts[above] else above - 1  # nothing that was searched lies above the last edge
    found = []
    for low in range(last + 1):
        for high in range(low, last + 1):
            bounds = (None if low == 0 else edges[low - 1], None if high == last else edges[high])
            if bounds != (None, None):
                found.append((_asked(column, *bounds), range(low, above + 1 if high == last else high + 1)))
    return found


def _asked(column: Column, low: float | None, high: float | None) -> str:
    """Above `low` and up to `high`, as people say it of such a column."""
    if column.kind is Kind.BOOLEAN:
        return "= true" if high is None else "= false"
    if column.kind is Kind.INTEGER:
        return _of_integers(low, high)
    if high is None:
        return f"> {_written(column, low or 0.0)}"
    if low is None:
        return f"≤ {_written(column, high)}"
    return f"> {_written(column, low)} and ≤ {_written(column, high)}"


def _of_integers(low: float | None, high: float | None) -> str:
    if high is None:
        return f"≥ {int(low or 0.0) + 1}"
    if low is None:
        return f"≤ {int(high)}"
    return f"= {int(high)}" if int(low) + 1 == int(high) else f"from {int(low) + 1} to {int(high)}"


def _written(column: Column, edge: float) -> str:
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        moment = np.datetime64(int(edge), "us")
        return str(moment.astype("datetime64[D]" if column.kind is Kind.DATE else "datetime64[s]")).replace("T", " ")
    return f"{edge:.4g}"
