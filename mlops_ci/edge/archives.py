"""Zip files of strangers, unpacked into a folder: only plain files under plain names, and no more than allowed.

What the archive says of its sizes is not believed; bytes are counted as they come.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path

from mlops_ci.errors import UsageError

_NAME = re.compile(r"(?!/)(?:(?!\.{1,2}/)[A-Za-z0-9][A-Za-z0-9._-]{0,199}/){0,8}[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 1 << 20


def unpack(archive: Path, into: Path, *, most_bytes: int, most_files: int) -> None:
    """Write the files of `archive` below `into`, an empty folder. UsageError says what was not allowed."""
    left = most_bytes
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > most_files:
                raise _refused(f"it holds {len(members):,} files, at most {most_files:,} are read")
            if len({member.filename.casefold() for member in members}) < len(members):
                raise _refused("it holds a file twice")
            for member in members:
                if not member.is_dir():
                    left -= _unpack_one(opened, member, into, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise _refused(f"it is no zip file that can be read ({type(error).__name__})") from error


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path, left: int) -> int:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    if not _NAME.fullmatch(name) or ".." in name:
        raise _refused(f"it holds a file named {name[:80]!r}")
    if kind not in (0, stat.S_IFREG) or member.flag_bits & 0x1 or member.compress_type not in _METHODS:
        raise _refused(f"{name[:80]} is no plain file")
    path = into / name
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(member) as source, path.open("xb") as target:
        while data := source.read(_CHUNK):
            size += len(data)
            if size > left:
                raise _refused("unpacked it is larger than what a check leaves")
            target.write(data)
    return size


def _refused(what: str) -> UsageError:
    return UsageError(f"the artifact is not what `mlops-ci check` leaves: {what}", "Run the check again.")
