"""Write files into a folder that belongs to people: new ones only, whole or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the planned files; paths relative to their folder."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    """There already: left as they are."""


def write_new(folder: Path, texts: dict[str, str], *, dry_run: bool) -> Written:
    """Write those of `texts` that are not there; a symlink counts as there, wherever it points."""
    kept = tuple(path for path in texts if (folder / path).is_symlink() or (folder / path).exists())
    written = tuple(path for path in texts if path not in kept)
    for path in written:
        _stays_inside(folder, path)
        if not dry_run:
            files.write(folder / path, texts[path].encode())
    return Written(written=written, kept=kept)


def replace(folder: Path, texts: dict[str, str]) -> None:
    """Write `texts` whatever is there: for files that are ours."""
    for path, text in texts.items():
        _stays_inside(folder, path)
        files.write(folder / path, text.encode("utf-8", "surrogateescape"))


def append(path: Path, text: str) -> None:
    """Add `text` to the end of a file, which is made where it is not there."""
    before = path.read_bytes() if path.is_file() else b""
    files.write(path, before + text.encode())


def copy_new(source: Path, target: Path) -> None:
    """Bring a file in; a file of that name with other content stays, and is an OutsideError."""
    if target.exists():
        if files.sha256(target) == files.sha256(source):
            return
        raise OutsideError(f"{target} is there already with other content", "Remove it, or give that one with --data.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def read_text(path: Path) -> str | None:
    """A file's text, undecodable bytes kept as surrogates; None where it is not there."""
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None


def _stays_inside(folder: Path, path: str) -> None:
    if not (folder / path).parent.resolve().is_relative_to(folder.resolve()):
        raise OutsideError(f"{path} leads out of {folder}", "A folder on the way is a symlink: replace it.")
