"""The canonical form of cells and rows, and the digests made from it (docs/data.md, version 1).

A cell is 17 bytes: a tag for the kind and a payload of 16 bytes. A row is the sha256 of the schema's digest and
the cells in order of column name. Nothing here depends on the order of rows, files or columns, on DuckDB or on
the version of numpy; a test holds golden digests. A change of form is a new version, never an edit.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CELL = 17
"""Bytes of a cell."""
_CHUNK = 65_536
_MISSING = 0
_TAGS = {Kind.BOOLEAN: 1, Kind.INTEGER: 2, Kind.FLOAT: 3, Kind.TEXT: 4, Kind.DATE: 5, Kind.TIMESTAMP: 6}
_EXACT = float(2**53)

Bytes: TypeAlias = NDArray[np.uint8]


def snapshot_digest(table: Table) -> str:
    """The identity of a table's content, 32 hex digits: the sum mod 2^128 of its rows' sha256.

    Order of rows and columns does not matter; a row that is there twice counts twice.
    """
    total = 0
    for digests in _row_sha256(table, table.names):
        # Four columns of 32 bits, so that the sum of a chunk cannot overflow 64.
        words = digests[:, 16:].copy().view(">u4").sum(axis=0, dtype=np.uint64)
        total += sum(int(word) << shift for word, shift in zip(words, (96, 64, 32, 0), strict=True))
    return f"{total % 2**128:032x}"


def row_digests(table: Table, columns: Sequence[str]) -> NDArray[np.uint64]:
    """The content of `columns` row by row, shape (rows,): the first 8 bytes of the row's sha256."""
    return _first_words(_row_sha256(table, columns), table.rows)


def id_digests(table: Table, id_columns: Sequence[str], salt: str) -> NDArray[np.uint64]:
    """The keyed row ids, shape (rows,): the first 8 bytes of sha256(salt ‖ canonical id), big-endian.

    The split reads them as a fraction of 2^64. The canonical id is the cells of `id_columns` in order of name,
    without the names, so a renamed column moves no row while the order of the names stays; a whole number in a
    float column is written as an integer, so 17.0 and 17 are one id.
    """
    prefix = salt.encode()
    cells = [_id_cells(table.column(name)) for name in sorted(id_columns)]
    return _first_words(_sha256(prefix, cells, table.rows), table.rows)


def order(table: Table, ids: NDArray[np.uint64], contents: NDArray[np.uint64] | None = None) -> NDArray[np.intp]:
    """The positions that sort a table by (id digest, row digest), shape (rows,): the same for any order of reading.

    Without `contents` the row digests are computed for the rows that share an id.
    """
    if contents is None:
        contents = _contents_of_shared_ids(table, ids)
    return np.lexsort((contents, ids))


def take(table: Table, rows: NDArray[np.bool_] | NDArray[np.integer]) -> Table:
    """The rows of a mask, shape (rows,), or of positions, in that order."""
    columns = tuple(_take(column, rows) for column in table.columns)
    kept = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
    return Table(rows=kept, columns=columns)


def select(table: Table, columns: Sequence[str]) -> Table:
    """Only `columns`, in that order. KeyError for a name that is not there."""
    return Table(rows=table.rows, columns=tuple(table.column(name) for name in columns))


def missing(column: Column) -> NDArray[np.bool_]:
    """Which values are missing, shape (rows,)."""
    return np.zeros(len(column.values), dtype=np.bool_) if column.missing is None else np.asarray(column.missing)


def _contents_of_shared_ids(table: Table, ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    shared = counts[inverse] > 1
    contents = np.zeros(table.rows, dtype=np.uint64)
    if shared.any():
        contents[shared] = row_digests(take(table, shared), table.names)
    return contents


def _take(column: Column, rows: NDArray[np.bool_] | NDArray[np.integer]) -> Column:
    values, mask = column.values[rows], column.missing
    if mask is not None:
        mask = mask[rows]
        mask = mask if mask.any() else None
    categories = column.categories
    if column.kind is Kind.TEXT:
        values, categories = _without_unused(values, categories)
    return msgspec.structs.replace(column, values=values, missing=mask, categories=categories)


def _without_unused(
    values: NDArray[np.generic], categories: tuple[str, ...]
) -> tuple[NDArray[np.generic], tuple[str, ...]]:
    """So that a training table does not name the values that only held-out rows have."""
    codes = values.astype(np.int32)
    used = np.bincount(codes + 1, minlength=len(categories) + 1)[1:] > 0
    if used.all():
        return codes, categories
    renumbered = np.concatenate([np.cumsum(used, dtype=np.int32) - 1, [-1]]).astype(np.int32)
    return renumbered[codes], tuple(name for name, kept in zip(categories, used, strict=True) if kept)


def _row_sha256(table: Table, columns: Sequence[str]) -> Iterator[Bytes]:
    chosen = sorted((table.column(name) for name in columns), key=lambda column: column.name)
    schema = canonical_json([[column.name, str(column.kind)] for column in chosen])
    return _sha256(hashlib.sha256(schema).digest(), [_cells(column) for column in chosen], table.rows)


def _sha256(prefix: bytes, cells: list[_Cells], rows: int) -> Iterator[Bytes]:
    """sha256(prefix ‖ cells) of every row, as chunks of shape (<= 65,536, 32)."""
    width = len(prefix) + CELL * len(cells)
    for start in range(0, rows, _CHUNK):
        stop = min(start + _CHUNK, rows)
        matrix = np.empty((stop - start, width), dtype=np.uint8)
        matrix[:, : len(prefix)] = np.frombuffer(prefix, dtype=np.uint8)
        for position, cell in enumerate(cells):
            at = len(prefix) + CELL * position
            cell.write(matrix[:, at : at + CELL], start, stop)
        data = matrix.tobytes()
        sha256 = hashlib.sha256
        digests = b"".join([sha256(data[at : at + width]).digest() for at in range(0, len(data), width)])
        yield np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)


def _first_words(chunks: Iterator[Bytes], rows: int) -> NDArray[np.uint64]:
    words = np.empty(rows, dtype=np.uint64)
    start = 0
    for chunk in chunks:
        words[start : start + len(chunk)] = chunk[:, :8].copy().view(">u8")[:, 0]
        start += len(chunk)
    return words


class _Cells(msgspec.Struct, frozen=True):
    """A column ready to be written: `high` and `low` are the halves of the payload, `tags` is 0 where missing.

    Text holds one payload for each category and the codes that point at them.
    """

    tags: Bytes
    low: NDArray[np.uint64]
    high: NDArray[np.uint64] | None = None
    codes: NDArray[np.int32] | None = None

    def write(self, cells: Bytes, start: int, stop: int) -> None:
        """Rows start to stop into `cells`, shape (stop - start, 17)."""
        rows = slice(start, stop) if self.codes is None else self.codes[start:stop]
        cells[:, 0] = self.tags[start:stop]
        cells[:, 9:] = _big_endian(self.low[rows])
        cells[:, 1:9] = 0 if self.high is None else _big_endian(self.high[rows])


def _big_endian(words: NDArray[np.uint64]) -> Bytes:
    return words.astype(">u8").view(np.uint8).reshape(-1, 8)


def _cells(column: Column) -> _Cells:
    mask = missing(column)
    tags = np.where(mask, _MISSING, _TAGS[column.kind]).astype(np.uint8)
    if column.kind is Kind.TEXT:
        return _text_cells(column, tags)
    if column.kind is Kind.FLOAT:
        # -0.0 + 0.0 is 0.0: the two zeros are one value.
        values = np.where(mask, 0.0, column.values.astype(np.float64) + 0.0)
        return _Cells(tags=tags, low=values.view(np.uint64))
    integers = np.where(mask, 0, column.values.astype(np.int64))
    return _integer_cells(tags, integers)


def _id_cells(column: Column) -> _Cells:
    cells = _cells(column)
    if column.kind is not Kind.FLOAT:
        return cells
    values = cells.low.view(np.float64)
    whole = (np.abs(values) <= _EXACT) & (values == np.trunc(values)) & (cells.tags != _MISSING)
    integers = _integer_cells(cells.tags, np.where(whole, values, 0.0).astype(np.int64))
    tags = np.where(whole, _TAGS[Kind.INTEGER], cells.tags).astype(np.uint8)
    return _Cells(tags=tags, low=np.where(whole, integers.low, cells.low), high=integers.high)


def _integer_cells(tags: Bytes, integers: NDArray[np.int64]) -> _Cells:
    """Two's complement in 16 bytes: the upper half repeats the sign."""
    return _Cells(tags=tags, low=integers.view(np.uint64), high=(integers >> 63).view(np.uint64))


def _text_cells(column: Column, tags: Bytes) -> _Cells:
    # One payload of zeros more, at the end: code -1, missing, points at it.
    digests = b"".join([hashlib.sha256(text.encode()).digest()[:16] for text in column.categories]) + bytes(16)
    words = np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    return _Cells(tags=tags, low=words[:, 1], high=words[:, 0], codes=column.values.astype(np.int32))
