"""Scores files: read, asked and written a batch at a time, a few batches at once, in their order."""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pyarrow as pa

from ..errors import Refused
from ..model import Model
from .files import Reader, Writer, type_of
from .rows import Scored, Scorer

_AHEAD = 2  # batches that wait for each thread


class Counts(NamedTuple):
    """Rows that were answered, and rows that were not."""

    rows: int = 0
    bad_rows: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(self.rows + other.rows, self.bad_rows + other.bad_rows)


class BadRows:
    """The rows that are not answered, as CSV: file, row, column, code, message, and the ids of the row."""

    def __init__(self, path: Path, ids: tuple[str, ...]) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = self._beside.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._ids = ids
        self._writer.writerow(["file", "row", "column", "code", "message", *ids])

    def write(self, file: Path, first: int, bad: dict[int, Refused], batch: Any) -> None:
        """The bad rows of a batch whose first row is row `first` of the file."""
        known = [name if name in batch.schema.names else "" for name in self._ids]
        for row, refused in sorted(bad.items()):
            column = refused.where.partition(", column ")[2]
            ids = [batch.column(name)[row].as_py() if name else "" for name in known]
            self._writer.writerow([file, first + row, column, refused.code, refused.message, *ids])

    def commit(self) -> None:
        """Give it its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._path)

    def discard(self) -> None:
        """Leave nothing."""
        self._file.close()
        self._beside.unlink(missing_ok=True)


class Run:
    """What is the same for all files: the model, and which of their columns go on."""

    def __init__(self, model: Model, *, keep: bool, told: Callable[[int, float], None]) -> None:
        """`told`: rows that were written, and the share of the file."""
        self._scorer = Scorer(model)
        self._serving = model.serving
        self._signature = model.signature
        self._keep = keep
        self._told = told
        self._threads = _processors() if self._scorer.parallel else 1

    def schema(self, reader: Reader) -> Any:
        """The columns that are written for a file: its ids, or all of its columns, then the answers. Raises Refused."""
        try:
            self._signature.check_missing(reader.names)
        except Refused as refused:
            raise Refused(refused.code, refused.message, where=f"{reader.path}: {refused.where}") from None
        kept = reader.schema(self._kept(reader))
        outputs = pa.schema([(each.name, type_of(each.kind)) for each in self._serving.outputs])
        for name in outputs.names:
            if name in kept.names:
                words = f"there is a column {name!r} already, and the answer would be another"
                raise Refused("name_taken", words, where=str(reader.path))
        return pa.schema([*kept, *outputs])

    def file(self, reader: Reader, into: Writer, bad_rows: BadRows | None) -> Counts:
        """Score one file. Raises Refused: damaged, or the first bad row where bad rows are not wanted."""
        counts, first = Counts(), 0
        kept = self._kept(reader)
        for batch, scored, share in self._in_order(reader):
            if scored.bad and bad_rows is None:
                raise _placed(reader.path, first, scored.bad[min(scored.bad)])
            if bad_rows is not None:
                bad_rows.write(reader.path, first, scored.bad, batch)
            into.write(_fitted([*map(scored.batch.column, kept), *scored.answers], into.schema, reader.path))
            counts = counts.plus(Counts(scored.batch.num_rows, len(scored.bad)))
            first += batch.num_rows
            self._told(batch.num_rows, share)
        return counts

    def unasked(self, reader: Reader) -> list[str]:
        """Columns that are neither asked about nor written."""
        return [name for name in reader.names if name not in {*self._signature.names, *self._kept(reader)}]

    def _kept(self, reader: Reader) -> list[str]:
        return [name for name in reader.names if self._keep or name in self._serving.ids]

    def _in_order(self, reader: Reader) -> Iterator[tuple[Any, Scored, float]]:
        needed = list(dict.fromkeys([*self._signature.names, *self._kept(reader)]))
        waiting: deque[tuple[Any, Future[Scored], float]] = deque()
        with ThreadPoolExecutor(self._threads) as threads:
            try:
                for batch, share in reader.batches(needed):
                    waiting.append((batch, threads.submit(self._scorer.score, batch, text=reader.text), share))
                    while len(waiting) > _AHEAD * self._threads:
                        read, scored, far = waiting.popleft()
                        yield read, scored.result(), far
                for read, scored, far in waiting:
                    yield read, scored.result(), far
            finally:
                threads.shutdown(cancel_futures=True)


def _fitted(columns: list[Any], schema: Any, file: Path) -> Any:
    """A batch of the schema, which may be that of another file."""
    fitted = []
    for column, field in zip(columns, schema, strict=True):
        try:
            fitted.append(column if column.type == field.type else column.cast(field.type))
        except pa.ArrowException:
            words = f"column {field.name!r} is {column.type}; in the first file it is {field.type}"
            raise Refused("other_type", words, where=str(file)) from None
    return pa.record_batch(fitted, schema=schema)


def _placed(file: Path, first: int, refused: Refused) -> Refused:
    """What was said of a row of a batch, said of the file."""
    where = refused.where.replace(f"row {refused.row}", f"row {first + (refused.row or 0)}", 1)
    return Refused(refused.code, refused.message, where=f"{file}: {where}")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
