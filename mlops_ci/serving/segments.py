"""The files of the prediction log: `NAME.open` is being written, `NAME.jsonl` is closed and never changes again."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from pathlib import Path


class Segment:
    """One file that only this process appends to; the lock on it says that its writer lives."""

    def __init__(self, folder: Path) -> None:
        now = time.time()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
        self._path = folder / f"predictions-{stamp}-{secrets.token_hex(4)}.open"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.began = now
        self.size = 0

    def append(self, lines: bytes) -> None:
        """Whole lines or nothing: what a full disk took of them is cut off again. Raises OSError."""
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._file, lines[written:])
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += written

    def close(self) -> None:
        """Give it its final name; an empty one goes. Raises OSError."""
        _finish(self._path, self.size)
        os.close(self._file)


def sweep(folder: Path) -> None:
    """Finish what writers left that were killed: their lock is gone. A line that was cut off goes."""
    for path in folder.glob("predictions-*.open"):
        with path.open("rb+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if path.exists():
                _finish(path, _whole(file.fileno()))


def _whole(file: int) -> int:
    """Cut the file after its last line end; its size then."""
    size = end = os.fstat(file).st_size
    while end and os.pread(file, 1, end - 1) != b"\n":
        end -= 1
    if end < size:
        os.ftruncate(file, end)
    return end


def _finish(path: Path, size: int) -> None:
    if size:
        path.rename(path.with_suffix(".jsonl"))
    else:
        path.unlink()
