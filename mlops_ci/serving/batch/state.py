"""What was scored into a folder, so that a run that was stopped goes on where it was: `_scored.json`."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from ..errors import Refused
from .inputs import Given
from .run import Counts

_NAME = "_scored.json"


class _File(msgspec.Struct, frozen=True):
    """A file that is done: its size and time then, by what it was scored, and what came of it."""

    bytes: int
    modified: int
    by: dict[str, Any]
    rows: int
    bad_rows: int


class State:
    """The notes of one folder, which one run at a time may fill."""

    def __init__(self, folder: Path, by: dict[str, Any]) -> None:
        """`by`: what a file must have been scored by, to be done."""
        self._folder = folder
        self._by = by
        self._files: dict[str, _File] = {}

    def __enter__(self) -> State:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise Refused("in_use", "another run is writing into it", where=str(self._folder)) from None
        try:
            content = (self._folder / _NAME).read_bytes()
            self._files = msgspec.json.decode(content, type=dict[str, _File])
        except (FileNotFoundError, msgspec.DecodeError):
            self._files = {}
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        os.close(self._lock)

    def known(self, given: Given) -> Counts | None:
        """What came of a file that is done, and has not changed since."""
        found = self._files.get(given.name)
        if found is None or (found.bytes, found.modified, found.by) != (*_now(given), self._by):
            return None
        return Counts(found.rows, found.bad_rows)

    def done(self, given: Given, counts: Counts) -> None:
        """Note a file."""
        size, modified = _now(given)
        self._files[given.name] = _File(size, modified, self._by, counts.rows, counts.bad_rows)
        beside = self._folder / f".{_NAME}.part"
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(self._files), indent=1))
        beside.replace(self._folder / _NAME)


def _now(given: Given) -> tuple[int, int]:
    found = given.path.stat()
    return found.st_size, found.st_mtime_ns
