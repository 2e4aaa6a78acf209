"""The hand-over format between the tool and the worker: a folder with frame.json and .npy files (docs/data.md).

The worker writes and reads the same with numpy alone. What is read here may come from the project's own code, so
every size, type, shape and code is checked, nothing is unpickled and no file is named by a column.
"""

from __future__ import annotations

import stat
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from mlops_ci.errors import SourceError
from mlops_ci.records.tables import Column, Kind, Table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = 1

_T = TypeVar("_T")

_DTYPES = {
    Kind.BOOLEAN: "|b1",
    Kind.INTEGER: "<i8",
    Kind.FLOAT: "<f8",
    Kind.TEXT: "<i4",
    Kind.DATE: "<M8[D]",
    Kind.TIMESTAMP: "<M8[us]",
}
_MAX_JSON = 2**30
_ADVICE = "The format is in docs/data.md, under hand-over; return a plain table of columns of equal length."


class _ColumnEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    kind: Kind
    values: str
    missing: str = ""
    categories: str = ""


class _Frame(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    rows: int
    columns: list[_ColumnEntry]


def write(table: Table, folder: Path) -> None:
    """Write `table` into `folder`, made if it is not there. Files are named by the position of the column."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [_write_column(column, position, folder) for position, column in enumerate(table.columns)]
    frame = _Frame(format=FORMAT, rows=table.rows, columns=entries)
    (folder / "frame.json").write_bytes(msgspec.json.encode(frame))


def read(folder: Path, *, memory_map: bool = False) -> Table:
    """The table in `folder`. SourceError, naming the file, for anything that is not as the format says.

    memory_map: values stay on disk and are read when they are used; the folder must then outlive the table.
    """
    frame = _frame(folder / "frame.json")
    if len({entry.name for entry in frame.columns}) < len(frame.columns):
        raise _unusable(folder / "frame.json", "two columns have the same name")
    columns = tuple(
        _read_column(entry, position, folder, rows=frame.rows, memory_map=memory_map)
        for position, entry in enumerate(frame.columns)
    )
    return Table(rows=frame.rows, columns=columns)


def save(path: Path, values: NDArray[np.generic]) -> None:
    """np.save through Python's own file: numpy's `tofile` loses why a write failed, and the last bytes with it."""
    with path.open("wb") as file:
        np.save(SimpleNamespace(write=file.write), values, allow_pickle=False)


def _write_column(column: Column, position: int, folder: Path) -> _ColumnEntry:
    entry = _ColumnEntry(name=column.name, kind=column.kind, values=f"{position}.npy")
    save(folder / entry.values, column.values.astype(_DTYPES[column.kind], copy=False))
    if column.missing is not None:
        entry.missing = f"{position}.missing.npy"
        save(folder / entry.missing, column.missing)
    if column.kind is Kind.TEXT:
        entry.categories = f"{position}.categories.json"
        (folder / entry.categories).write_bytes(msgspec.json.encode(column.categories))
    return entry


def _frame(path: Path) -> _Frame:
    frame = _json(path, _Frame)
    if frame.format != FORMAT:
        raise _unusable(path, f"format {frame.format} is not {FORMAT}")
    if frame.rows < 0:
        raise _unusable(path, f"{frame.rows} rows")
    return frame


def _read_column(entry: _ColumnEntry, position: int, folder: Path, *, rows: int, memory_map: bool) -> Column:
    _names_are_fixed(entry, position, folder)
    values = _array(folder / entry.values, _DTYPES[entry.kind], rows, memory_map=memory_map)
    mask = _array(folder / entry.missing, "|b1", rows, memory_map=memory_map) if entry.missing else None
    categories = _categories(folder / entry.categories) if entry.kind is Kind.TEXT else ()
    if entry.kind is Kind.TEXT and rows:
        low, high = int(values.min()), int(values.max())
        if low < -1 or high >= len(categories):
            raise _unusable(folder / entry.values, f"codes from {low} to {high} for {len(categories)} categories")
    mask = _missing(entry, values, mask, folder)
    return Column(name=entry.name, kind=entry.kind, values=values, missing=mask, categories=categories)


def _names_are_fixed(entry: _ColumnEntry, position: int, folder: Path) -> None:
    """Names in frame.json are a check, never a path to follow."""
    categories = f"{position}.categories.json" if entry.kind is Kind.TEXT else ""
    expected = (f"{position}.npy", f"{position}.missing.npy" if entry.missing else "", categories)
    found = (entry.values, entry.missing, entry.categories)
    if found != expected:
        raise _unusable(folder / "frame.json", f"column {position} names the files {found}, not {expected}")


def _missing(
    entry: _ColumnEntry, values: NDArray[np.generic], mask: NDArray[np.generic] | None, folder: Path
) -> NDArray[np.bool_] | None:
    """The mask, None where nothing is missing. Kinds with a sign for missing of their own (NaN, NaT, -1) must agree."""
    if entry.kind in {Kind.BOOLEAN, Kind.INTEGER}:
        return np.asarray(mask, dtype=np.bool_) if mask is not None and mask.any() else None
    own = values == -1 if entry.kind is Kind.TEXT else np.isnan(values)
    if mask is not None and not np.array_equal(own, mask):
        raise _unusable(folder / entry.missing, "the mask and the values do not agree on what is missing")
    return np.asarray(own, dtype=np.bool_) if own.any() else None


def _array(path: Path, dtype: str, rows: int, *, memory_map: bool) -> NDArray[np.generic]:
    _regular(path)
    try:
        # Mapped first in any case: numpy then compares the size it is told with the size there is before it
        # takes memory. An empty array cannot be mapped.
        values = np.load(path, mmap_mode="r" if rows else None, allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError, MemoryError) as error:
        raise _unusable(path, f"not an array numpy can read without pickle ({error})") from error
    if not isinstance(values, np.ndarray) or values.dtype != np.dtype(dtype) or values.shape != (rows,):
        found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise _unusable(path, f"{found}, expected {np.dtype(dtype)} ({rows},)")
    return values if memory_map else np.array(values)


def _categories(path: Path) -> tuple[str, ...]:
    categories = tuple(_json(path, list[str]))
    if any(before >= after for before, after in pairwise(categories)):
        raise _unusable(path, "categories must be different and sorted by code point")
    return categories


def _json(path: Path, kind: type[_T]) -> _T:
    size = _regular(path)
    if size > _MAX_JSON:
        raise _unusable(path, f"{size:,} bytes, more than {_MAX_JSON:,}")
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from error


def _regular(path: Path) -> int:
    """The size of a plain file. A link or a pipe is refused: reading it would leave the folder or never end."""
    try:
        status = path.lstat()
    except OSError as error:
        raise _unusable(path, "the file is not there") from error
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, "not a plain file")
    return status.st_size


def _unusable(path: Path, found: str) -> SourceError:
    return SourceError(
        f"the table handed over cannot be used: {found}", _ADVICE, where=f"{path.parent.name}/{path.name}"
    )
