"""The files of the prediction log: `NAME.open` is being written, `NAME.jsonl` is closed and never changes again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from pathlib import Path


class Segment:
    """One file that only this process appends to; the lock on it says that its writer lives."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self.began = time.time()
        self.size = 0
        self._path, self._file = _begun(folder, self.began)
        while not _locked(self._file, self._path):  # another process swept it away in between
            os.close(self._file)
            self._path, self._file = _begun(folder, self.began)

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

    @property
    def gone(self) -> bool:
        """Whether somebody deleted it: what is written then is nowhere."""
        return os.fstat(self._file).st_nlink == 0

    def close(self) -> None:
        """Give it its final name; an empty one goes. Raises OSError."""
        try:
            _finish(self._path, self.size)
        finally:
            os.close(self._file)


def sweep(folder: Path) -> None:
    """Finish what writers left that were killed: their lock is gone. A line that was cut off goes. Raises OSError."""
    for path in folder.glob("predictions-*.open"):
        # Several workers may start at once; what one has finished is no longer there for the others.
        with contextlib.suppress(FileNotFoundError), path.open("rb+") as file:
            if _locked(file.fileno(), path):
                _finish(path, _whole(file.fileno()))


def _begun(folder: Path, now: float) -> tuple[Path, int]:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    path = folder / f"predictions-{stamp}-{secrets.token_hex(4)}.open"
    return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)


def _locked(file: int, path: Path) -> bool:
    """Whether the file is ours now, and still the one of that name: nobody takes it away from here on."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


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
