"""CSV and Parquet, read and written a batch at a time by pyarrow, which only files need (batch.lock)."""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from .. import forms
from ..arrays import Array, Distinct, Numbers
from ..described import Input
from ..errors import Refused

SUFFIXES = (".csv", ".parquet")
_ROWS = 2**16
_BLOCK = 2**22  # bytes of CSV; pyarrow reads some dozens of them ahead
_BUFFER = 2**20  # bytes of each column of Parquet, instead of all row groups
_TYPES = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "text": pa.string()}


class Reader:
    """One file. `names` are its columns; of CSV every column is text, and an empty field is missing."""

    def __init__(self, path: Path) -> None:
        """Raises Refused for what is no such file."""
        self.path = path
        self.text = path.suffix == ".csv"
        try:
            self.names: list[str] = _header(path) if self.text else pq.read_schema(path).names
        except (OSError, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise Refused("wrong_form", f"column {twice[0][:100]!r} is named twice", where=str(path))

    def schema(self, names: list[str]) -> Any:
        """The types of these columns."""
        if self.text:
            return pa.schema([(name, pa.string()) for name in names])
        schema = pq.read_schema(self.path)
        return pa.schema([schema.field(name).with_nullable(True) for name in names])

    def batches(self, names: list[str]) -> Iterator[tuple[Any, float]]:
        """Batches of these columns with the share of the file that is read then. Raises Refused where it is damaged."""
        try:
            yield from self._csv(names) if self.text else self._parquet(names)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from None

    def _parquet(self, names: list[str]) -> Iterator[tuple[Any, float]]:
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=_BUFFER) as file:
            total, done = file.metadata.num_rows, 0
            for batch in file.iter_batches(_ROWS, columns=names):
                done += batch.num_rows
                yield batch.select(names), done / total

    def _csv(self, names: list[str]) -> Iterator[tuple[Any, float]]:
        total = max(1, self.path.stat().st_size)
        with pa.OSFile(str(self.path)) as file:
            reader = pa_csv.open_csv(
                file,
                read_options=pa_csv.ReadOptions(block_size=_BLOCK),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=names,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                yield batch, file.tell() / total

    def _unreadable(self, error: Exception) -> Refused:
        code = "not_csv" if self.text else "not_parquet"
        if isinstance(error, OSError) and error.errno:
            return Refused("no_such_file", str(error.strerror), where=str(self.path))
        line, words = _bad_line(self.path) if self.text else (0, "")
        where = f"{self.path}, line {line}" if line else str(self.path)
        return Refused(code, words or str(error).splitlines()[0][:200], where=where)


def array(column: Any, described: Input, *, text: bool) -> Array | None:
    """A column of a batch as an array; None where only its values one by one can be told apart."""
    numbers = described.kind in ("integer", "float")
    try:
        if text and numbers:
            values = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
            # What is written as nan is no number, and nothing that is missing.
            return Numbers(values) if np.isnan(values).sum() == column.null_count else None
        if numbers:
            return _numbers(column)
        if pa.types.is_boolean(column.type):
            return Distinct([False, True], pc.fill_null(pc.cast(column, pa.int8()), -1).to_numpy(zero_copy_only=False))
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        encoded = _microseconds(plain).dictionary_encode()
    except (pa.ArrowException, ValueError):
        return None
    found = cells(encoded.dictionary, described, text=text)
    if None in found:
        return None
    return Distinct(found, pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False))


def _numbers(column: Any) -> Array | None:
    kind = column.type
    if pa.types.is_integer(kind) and not column.null_count:
        return Numbers(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Numbers(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False))
    return None


def cells(column: Any, described: Input, *, text: bool) -> list[Any]:
    """A column of a batch as JSON would have it: what is missing is None, times are text."""
    if text:
        read = forms.reader(described.kind)
        return [None if field is None else read(field) for field in column.to_pylist()]
    return [_cell(value, date=described.kind == "date") for value in _microseconds(column).to_pylist()]


def _cell(value: Any, *, date: bool) -> Any:
    if isinstance(value, dt.datetime) and date and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return None if value != value else value


def _microseconds(column: Any) -> Any:
    """Python has no nanoseconds."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    return column


def typed(values: Any, kind: str) -> Any:
    """A column of answers."""
    return pa.array(values, type=_TYPES[kind])


def type_of(kind: str) -> Any:
    """The type of a column of answers."""
    return _TYPES[kind]


class Writer:
    """A file that is there when it is whole: written beside its place under a lock, then moved."""

    def __init__(self, path: Path, schema: Any) -> None:
        """Raises Refused where the file is being written by somebody else."""
        self._path = path
        self._beside = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise Refused("in_use", "another run is writing it", where=str(path)) from None
        os.ftruncate(self._file, 0)
        self.schema = schema
        self._sink = pa.OSFile(str(self._beside), "wb")
        self._writer = (pa_csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter)(self._sink, schema)

    def write(self, batch: Any) -> None:
        """Append rows of the schema."""
        self._writer.write(batch)

    def commit(self) -> None:
        """Give it its name."""
        self._writer.close()
        self._sink.close()
        os.fsync(self._file)
        self._beside.replace(self._path)
        os.close(self._file)

    def discard(self) -> None:
        """Leave nothing."""
        self._sink.close()
        self._beside.unlink(missing_ok=True)
        os.close(self._file)


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(filter(None, csv.reader(file, strict=True)), None)
    if names is None:
        raise csv.Error("there is no line of names")
    return names


def _bad_line(path: Path) -> tuple[int, str]:
    """The line where a CSV file stops being one, and why; 0 where it is one to Python."""
    reader = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = filter(None, reader)
            width = len(next(lines, ()))
            for fields in lines:
                if len(fields) != width:
                    return reader.line_num, f"{len(fields)} values; there are {width} columns"
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        return (reader.line_num + 1 if reader else 1), str(error)[:200]
    return 0, ""
