"""Writes tar archives that are the same bytes for the same content: names sorted, one time, one owner, two modes."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(into: IO[bytes], entries: Mapping[str, Path | bytes], *, time: int) -> None:
    """Write `entries`, posix path -> file or content, as an uncompressed tar; `time`: of all, seconds since 1970."""
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in _folders(entries):
            archive.addfile(_entry(name, time, folder=True))
        for name in sorted(entries):
            _add(archive, _entry(name, time), entries[name])


def _add(archive: tarfile.TarFile, entry: tarfile.TarInfo, content: Path | bytes) -> None:
    if isinstance(content, bytes):
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
        return
    with content.open("rb") as file:
        entry.size = content.stat().st_size
        archive.addfile(entry, file)


def _folders(entries: Mapping[str, Path | bytes]) -> list[str]:
    found = {str(parent) for name in entries for parent in PurePosixPath(name).parents}
    return sorted(found - {"."})


def _entry(name: str, time: int, *, folder: bool = False) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime = time
    entry.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    entry.mode = 0o755 if folder else 0o644
    return entry
