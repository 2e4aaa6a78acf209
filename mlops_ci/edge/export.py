"""The files of a commit as a folder, byte for byte: no filters, no line-end changes, nothing outside the folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from mlops_ci.edge.git import Entry, Repository


def export(repository: Repository, entries: tuple[Entry, ...], target: Path) -> tuple[str, ...]:
    """Write `entries` into `target`. Given back are those left out: submodules, and links that lead outside."""
    for entry in entries:
        _refuse_unsafe(entry.path)
    try:
        return _written(repository, entries, target)
    except (FileExistsError, NotADirectoryError) as error:
        message = f"the commit holds a file and a folder of the same name here: {error.filename!r}"
        raise OutsideError(message, "Names may differ only in case, or the commit was made by hand.") from error


def _written(repository: Repository, entries: tuple[Entry, ...], target: Path) -> tuple[str, ...]:
    plain = [entry for entry in entries if entry.mode.startswith("100")]
    for entry, (size, content) in zip(plain, repository.blobs([entry.blob for entry in plain]), strict=True):
        _write(target / entry.path, size, content, executable=entry.mode == "100755")
    links = [entry for entry in entries if entry.mode == "120000"]
    for entry, (size, content) in zip(links, repository.blobs([entry.blob for entry in links]), strict=True):
        (target / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (target / entry.path).symlink_to(os.fsdecode(content.read(size)))
    modules = [entry.path for entry in entries if entry.mode == "160000"]
    return tuple(sorted(modules + _drop_links_outside(target, [entry.path for entry in links])))


def _refuse_unsafe(path: str) -> None:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise OutsideError(f"the commit holds a file that git would not check out: {path!r}", "Remove it from history.")


def _write(path: Path, size: int, content: BinaryIO, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        while size:
            chunk = content.read(min(size, 1 << 20))
            if not chunk:
                raise OutsideError(
                    "git stopped in the middle of a file", "`git fsck` tells whether the clone is whole."
                )
            size -= file.write(chunk)
    if executable:
        path.chmod(path.stat().st_mode | 0o111)


def _drop_links_outside(target: Path, links: list[str]) -> list[str]:
    """Remove links that lead outside, seen once all of them are there: two harmless ones can make a way out."""
    root = target.resolve()
    outside = [link for link in links if not Path(os.path.realpath(target / link)).is_relative_to(root)]
    for link in outside:
        (target / link).unlink()
    return outside
