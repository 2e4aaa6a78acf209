"""What is looked at in a source file before DuckDB sees it, and the SQLite files DuckDB cannot read by itself."""

from __future__ import annotations

import codecs
import csv
import gzip
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from mlops_ci.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".json.gz": "json",
    ".jsonl": "json",
    ".jsonl.gz": "json",
    ".ndjson": "json",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}
_DELIMITERS = ",;\t|"
_LFS = b"version https://git-lfs.github.com/spec"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Cell: TypeAlias = int | float | str | bytes | None


class SqliteColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a SQLite table: `values` and `missing`, shape (rows,); `declared`, the type it was made with."""

    name: str
    declared: str
    values: NDArray[np.generic]
    missing: NDArray[np.bool_]


def file_of(path: Path) -> Path:
    """The file of a source path: `store.sqlite` of `store.sqlite#orders`."""
    return Path(_without_table(str(path)))


def suffix(path: Path) -> str:
    """The ending that says the format, in lower case: `.csv.gz`; empty when it is none we read."""
    name = file_of(path).name.lower()
    return max((ending for ending in FORMATS if name.endswith(ending)), key=len, default="")


def inspect(path: Path, *, shown: str) -> str:
    """The format of a file that is there, is not empty and is what its name says; else SourceError."""
    format_ = FORMATS.get(suffix(path), "")
    if not format_:
        raise SourceError(
            f"no data format ends like {file_of(path).name!r}", f"Read are: {', '.join(FORMATS)}.", where=shown
        )
    head, tail = _ends(path, shown)
    if not head:
        raise SourceError("the file is empty", "Write the data again, or take it out of data.sources.", where=shown)
    if head.startswith(_LFS):
        raise SourceError(
            "this is a Git LFS pointer, not the data",
            "Run `git lfs pull` (Git LFS has to be installed); in GitHub Actions check out with `lfs: true`.",
            where=shown,
        )
    if format_ == "parquet" and not (head.startswith(b"PAR1") and tail == b"PAR1"):
        raise SourceError(
            "this is not a whole Parquet file: the mark PAR1 is missing at its start or end",
            "It may have been cut off while it was written or uploaded: write it again.",
            where=shown,
        )
    if format_ in {"csv", "json"} and head.startswith(_UTF16):
        raise SourceError(
            "the file is UTF-16, and only UTF-8 is read", "Save it as UTF-8: `iconv -f UTF-16 -t UTF-8`.", where=shown
        )
    return format_


def header(path: Path, *, shown: str) -> tuple[str, list[str]]:
    """The delimiter of a CSV file and the names in its first line: of `,` `;` tab `|` the one that gives most names."""
    packed = file_of(path).name.lower().endswith(".gz")
    try:
        # As bytes: decoding reads ahead, and would blame the first line for a later one.
        with gzip.open(path) if packed else path.open("rb") as file:
            line = file.readline().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            "the first line is not UTF-8",
            "Only UTF-8 is read; save the file as UTF-8, for example with `iconv -f LATIN1 -t UTF-8`.",
            where=f"{shown}:1",
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"the file cannot be unpacked: {error}", "Compress it again with gzip.", where=shown
        ) from error
    try:
        rows = {delimiter: next(csv.reader([line], delimiter=delimiter), []) for delimiter in _DELIMITERS}
    except csv.Error as error:
        raise SourceError(
            f"the header cannot be read: {error}", "The first line must name the columns.", where=shown
        ) from error
    best = max(_DELIMITERS, key=lambda delimiter: len(rows[delimiter]))
    return best, rows[best]


def sqlite_columns(path: Path, *, shown: str) -> tuple[SqliteColumn, ...]:
    """The columns of `file.sqlite#table`, or of the only table, read-only. SourceError if there is no such table."""
    file = file_of(path)
    wanted = str(path)[len(str(file)) + 1 :]
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            table = _table(connection, wanted, shown)
            quoted = table.replace('"', '""')
            declared = {row[1]: str(row[2]) for row in connection.execute(f'pragma table_info("{quoted}")')}
            cursor = connection.execute(f'select * from "{quoted}"')  # noqa: S608 - quoted just above
            names = [description[0] for description in cursor.description]
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise SourceError(
            f"SQLite cannot read the file: {error}",
            "Check it with `sqlite3 FILE 'pragma integrity_check'`.",
            where=shown,
        ) from error
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return tuple(
        _sqlite_column(name, declared.get(name, "").upper(), values)
        for name, values in zip(names, columns, strict=True)
    )


def _without_table(text: str) -> str:
    base, hash_, _ = text.rpartition("#")
    is_sqlite = hash_ and any(base.lower().endswith(ending) for ending, kind in FORMATS.items() if kind == "sqlite")
    return base if is_sqlite else text


def _ends(path: Path, shown: str) -> tuple[bytes, bytes]:
    file = file_of(path)
    try:
        with file.open("rb") as opened:
            head = opened.read(256)
            opened.seek(-min(4, len(head)), 2)
            return head, opened.read()
    except FileNotFoundError as error:
        raise SourceError(
            "the file is not there",
            "Check the path in data.sources; is it committed, or fetched by DVC or LFS?",
            where=shown,
        ) from error
    except OSError as error:
        raise SourceError(
            f"the file cannot be read: {error.strerror}", "Check what it is and who may read it.", where=shown
        ) from error


def _table(connection: sqlite3.Connection, wanted: str, shown: str) -> str:
    found = [row[0] for row in connection.execute("select name from sqlite_master where type in ('table', 'view')")]
    tables = sorted(name for name in found if not name.startswith("sqlite_"))
    if wanted in tables:
        return wanted
    if not wanted and len(tables) == 1:
        return str(tables[0])
    problem = f"there is no table {wanted!r}" if wanted else f"there are {len(tables)} tables"
    advice = f"Name one as FILE#TABLE; the file has: {', '.join(tables) or 'none'}."
    raise SourceError(problem, advice, where=shown)


def _sqlite_column(name: str, declared: str, values: tuple[Cell, ...]) -> SqliteColumn:
    """SQLite types values, not columns: whole numbers only, numbers only, or text for anything else."""
    missing = np.array([value is None for value in values], dtype=np.bool_)
    types = {type(value) for value in values if value is not None}
    array: NDArray[np.generic]
    if types == {int}:
        array = np.array([value or 0 for value in values], dtype=np.int64)
    elif types and types <= {int, float}:
        array = np.array([value or 0.0 for value in values], dtype=np.float64)
    else:
        array = np.array([_sqlite_text(value) for value in values], dtype=object)
    return SqliteColumn(name=name, declared=declared, values=array, missing=missing)


def _sqlite_text(value: Cell) -> str:
    if value is None:
        return ""
    return value.hex() if isinstance(value, bytes) else str(value)
