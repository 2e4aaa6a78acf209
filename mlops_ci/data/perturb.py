"""Tables as they may come in production: noise in numbers, gaps, misspelt text. Rows keep their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from mlops_ci.data.canonical import missing
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NUMBERS = (Kind.INTEGER, Kind.FLOAT)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def with_noise(table: Table, draw: np.random.Generator, share: float) -> Table:
    """Normal noise of `share` standard deviations of the column on every number; an integer stays an integer."""
    return _each(table, _NUMBERS, lambda column: _noisy(column, draw, share))


def with_gaps(table: Table, draw: np.random.Generator, share: float) -> Table:
    """`share` of the values of every column taken away, at random and independently of each other."""
    return _each(table, tuple(Kind), lambda column: _gapped(column, draw.random(table.rows) < share))


def with_typos(table: Table, draw: np.random.Generator, share: float) -> Table:
    """`share` of the values of every text column misspelt: two letters swapped, or one lost, doubled or wrong."""
    return _each(table, (Kind.TEXT,), lambda column: _misspelt(column, draw, share))


def _each(table: Table, kinds: tuple[Kind, ...], change: Callable[[Column], Column]) -> Table:
    columns = tuple(change(column) if column.kind in kinds else column for column in table.columns)
    return Table(rows=table.rows, columns=columns)


def _noisy(column: Column, draw: np.random.Generator, share: float) -> Column:
    values = column.values.astype(np.float64)
    known = values[~missing(column) & np.isfinite(values)]
    spread = float(known.std()) if len(known) else 0.0
    moved = values + draw.normal(0.0, 1.0, len(values)) * share * spread
    if column.kind is Kind.FLOAT:
        return replace(column, values=moved)
    # Beyond 2^53 a float cannot hold the integer: those, keys rather than measures, stay as they are.
    exact = np.abs(values) < 2.0**53
    return replace(column, values=np.where(exact, np.rint(np.where(exact, moved, 0.0)).astype(np.int64), column.values))


def _gapped(column: Column, gone: NDArray[np.bool_]) -> Column:
    values = column.values.copy()
    if column.kind is Kind.TEXT:
        values[gone] = -1
    elif column.kind is Kind.FLOAT:
        values[gone] = np.nan
    elif column.kind in (Kind.DATE, Kind.TIMESTAMP):
        values[gone] = np.datetime64("NaT")
    mask = missing(column) | gone
    return replace(column, values=values, missing=mask if mask.any() else None)


def _misspelt(column: Column, draw: np.random.Generator, share: float) -> Column:
    codes = column.values.astype(np.int64)
    rows = np.flatnonzero((draw.random(len(codes)) < share) & (codes >= 0))
    written = [misspell(column.categories[codes[row]], draw) for row in rows]
    categories = tuple(sorted({*column.categories, *written}))
    place = {text: position for position, text in enumerate(categories)}
    renumbered = np.array([*(place[text] for text in column.categories), -1], dtype=np.int32)
    values = renumbered[codes]
    values[rows] = [place[text] for text in written]
    return replace(column, values=values, categories=categories)


def misspell(text: str, draw: np.random.Generator) -> str:
    """Another text: two neighbours swapped, or one character lost, doubled or replaced by a letter."""
    if len(text) < 2:
        return text + _letter(draw)
    at = int(draw.integers(len(text) - 1))
    one, two = text[at], text[at + 1]
    made = (
        text[:at] + two + one + text[at + 2 :],
        text[:at] + text[at + 1 :],
        text[: at + 1] + text[at:],
        text[:at] + _letter(draw) + text[at + 1 :],
    )[int(draw.integers(4))]
    return made if made != text else text[: at + 1] + text[at:]


def _letter(draw: np.random.Generator) -> str:
    return _LETTERS[int(draw.integers(len(_LETTERS)))]
