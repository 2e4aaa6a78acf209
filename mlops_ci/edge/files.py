"""Files that are whole or not there: written to the side, flushed, then renamed; the disk's errors in words."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = {
    errno.EIO: "The disk could not be read or written: is it damaged?",
    errno.ENOSPC: "Free some space on that disk, then run the command again.",
    errno.EFBIG: "Files may not grow that large here (`ulimit -f`, or the kind of disk): use another folder.",
    errno.EDQUOT: "Your quota on that disk is used up: free some space, then run the command again.",
    errno.EACCES: "Give yourself the right to write there, or use another folder.",
    errno.EPERM: "Give yourself the right to write there, or use another folder.",
    errno.EROFS: "The disk is mounted read-only: use another folder.",
    errno.ENOENT: "Is the path right, and has nothing removed it?",
}
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_DAY = 24 * 3600.0
_WEEK = 7 * _DAY
_TEMPORARY = re.compile(r"(\..*|mlops-ci)\.(?P<host>[0-9a-f]{8})\.(?P<pid>\d+)\.[0-9a-z_]{8}\.part", re.DOTALL)


def write(path: Path, data: bytes) -> None:
    """Write a file; at any moment, even after kill -9, there is the old one or the new one. Folders are made."""
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(path)
        try:
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _flush(path.parent)


@contextmanager
def folder(target: Path) -> Iterator[Path]:
    """An empty folder that becomes `target` when the block ends, and is removed when it fails.

    Where somebody else made `target` meanwhile, theirs stays and ours is dropped.
    """
    beside = _beside(target)
    with _translated(target):
        beside.mkdir(parents=True)
    try:
        with _translated(target, only=_DISK):
            yield beside
        with _translated(target):
            _flush_all(beside)
            _rename(beside, target)
            _flush(target.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for as long as the block runs, among those of the machine; `sweep_temporary` knows whose it was."""
    with (
        _translated(Path(tempfile.gettempdir()), only=_DISK),
        tempfile.TemporaryDirectory(
            prefix=f"mlops-ci.{_host()}.{os.getpid()}.", suffix=".part", ignore_cleanup_errors=True
        ) as name,
    ):
        yield Path(name)


def sweep_temporary() -> None:
    """Remove what killed runs left among the machine's temporary folders."""
    sweep(Path(tempfile.gettempdir()), only="mlops-ci.")


def sweep(parent: Path, *, only: str = "") -> None:
    """Remove from a folder what killed runs left in it; `only`: what begins so, where others write too.

    That is: of a process of this machine that is gone, of another machine (a container) and older than a day, and
    whatever is older than a week, as process numbers come round again.
    """
    if not parent.is_dir():
        return
    for entry in os.scandir(parent):
        if entry.name.startswith(only) and _is_stale(entry):
            path = parent / entry.name
            shutil.rmtree(path, ignore_errors=True) if entry.is_dir(follow_symlinks=False) else path.unlink(True)


def touch(path: Path) -> None:
    """Say that a file or folder was used now; where nobody may write, it stays as old as it is."""
    with suppress(OSError):
        os.utime(path)


def forget(parent: Path, *, days: float) -> None:
    """Remove from a folder what was not used for so long, as `touch` says it."""
    oldest = time.time() - days * _DAY
    for path in parent.iterdir() if parent.is_dir() else ():
        if path.lstat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink(True)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it: under its name it is gone at once, and never in half."""
    with _translated(path, verb="removed"):
        if path.is_dir() and not path.is_symlink():
            beside = _beside(path)
            path.rename(beside)
            shutil.rmtree(beside, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """sha256 of a file's content, 64 hex digits."""
    with _translated(path, verb="read"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_lfs_pointer(path: Path) -> bool:
    """Whether git LFS left its pointer where the file should be (https://github.com/git-lfs/git-lfs, docs/spec.md)."""
    with _translated(path, verb="read"), path.open("rb") as file:
        return file.read(len(_LFS_POINTER)) == _LFS_POINTER


@contextmanager
def _translated(path: Path, *, verb: str = "written", only: tuple[int, ...] = ()) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if only and error.errno not in only:
            raise
        reason = error.strerror or str(error)
        raise OutsideError(f"{path} cannot be {verb}: {reason}", _ADVICE.get(error.errno or 0, "")) from error


def _beside(path: Path) -> Path:
    """A name in the same folder that says whose it is: machine and process."""
    return path.with_name(f".{path.name[:40]}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.part")


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _rename(beside: Path, target: Path) -> None:
    try:
        beside.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _is_stale(entry: os.DirEntry[str]) -> bool:
    match = _TEMPORARY.fullmatch(entry.name)
    if match is None:
        return False
    here = match["host"] == _host()
    if here and not _is_alive(int(match["pid"])):
        return True
    try:
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return False
    return age > (_WEEK if here else _DAY)


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _flush_all(root: Path) -> None:
    for parent, _, names in os.walk(root):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118
            if not os.path.islink(path):  # noqa: PTH114
                _flush(path)
        _flush(parent)


def _flush(path: Path | str) -> None:
    """Bring a file or a folder's list of names to the disk. Windows cannot open a folder for that."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
