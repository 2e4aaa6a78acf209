"""Zip files: a folder packed into the same bytes wherever it is, and those of strangers unpacked.

Only plain files under plain names come out, and no more than allowed. What an archive says of its sizes is not
believed; bytes are counted as they come.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_PLAIN = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
_NAME = re.compile(rf"(?:{_PLAIN}/){{0,8}}(?:{_PLAIN}|\.python-version)")
"""Of hidden files the one that bundles have."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK = 1 << 20
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""Of time in zip files."""


class ArchiveError(Exception):
    """Why an archive is not unpacked, as the end of a sentence: `it holds a file twice`."""


def is_plain(name: str) -> bool:
    """Whether a path in a folder comes out of an archive again."""
    return bool(_NAME.fullmatch(name)) and ".." not in name


def lost(names: Iterable[str]) -> str:
    """The first of these paths that does not come out of an archive again with the others; empty: all do."""
    seen = set[str]()
    for name in names:
        if not is_plain(name) or name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return ""


def pack(folder: Path, archive: Path, only: Container[str] | None = None) -> None:
    """Write the files of a folder as a zip: sorted, of one time, not compressed, so that no library changes a byte.

    `only`: the names from the folder of those that go in; left out, all.
    """
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for name, path in sorted((name, path) for name, path in names.items() if only is None or name in only):
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.create_system = 3  # Unix, on Windows too
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as content, made.open(entry, "w") as written:
                shutil.copyfileobj(content, written, _CHUNK)


def unpack(archive: Path, into: Path, *, most_bytes: int, most_files: int) -> None:
    """Write the files of `archive` below `into`, an empty folder. ArchiveError says what was not allowed."""
    left = most_bytes
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > most_files:
                raise ArchiveError(f"it holds {len(members):,} files, at most {most_files:,} are read")
            if len({member.filename.casefold() for member in members}) < len(members):
                raise ArchiveError("it holds a file twice")
            for member in members:
                if not member.is_dir():
                    left -= _unpack_one(opened, member, into, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ArchiveError(f"it is no zip file that can be read ({type(error).__name__})") from error


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path, left: int) -> int:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    if not is_plain(name):
        raise ArchiveError(f"it holds a file named {name[:80]!r}")
    if kind not in (0, stat.S_IFREG) or member.flag_bits & 0x1 or member.compress_type not in _METHODS:
        raise ArchiveError(f"{name[:80]} is no plain file")
    path = into / name
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(member) as source, path.open("xb") as target:
        while data := source.read(_CHUNK):
            size += len(data)
            if size > left:
                raise ArchiveError("unpacked it is larger than allowed")
            target.write(data)
    return size
