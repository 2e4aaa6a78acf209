"""Read the file that `init` was given: its table, its profile, and where it lies in the project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.data.profile import profile
from mlops_ci.edge import files, tables
from mlops_ci.errors import SourceError, UsageError

if TYPE_CHECKING:
    from mlops_ci.records.data import Profile
    from mlops_ci.records.tables import Table

MOST_BYTES = 100 * 1024 * 1024
"""GitHub refuses larger files (https://docs.github.com/en/repositories/working-with-files/managing-large-files)."""


class FirstLook(msgspec.Struct, frozen=True, kw_only=True):
    """The data as found. `pattern`: for mlops.yaml; `copy_from`: the file to bring in, if it is outside the project."""

    source: str
    pattern: str
    copy_from: Path | None
    table: Table
    profile: Profile


def first_look(folder: Path, given: str) -> FirstLook:
    """Read `given`, a file or a pattern, from the working folder or from anywhere on this machine.

    UsageError where nothing is there, SourceError where it cannot be read.
    """
    paths, pattern, copy_from = _located(folder, given)
    for path in paths:
        if files.is_lfs_pointer(path):
            raise SourceError(f"{given} is a git LFS pointer, not the data", "Fetch it first: git lfs pull")
    source = _table_name(pattern)
    table = tables.read({source: paths}, None)
    return FirstLook(source=source, pattern=pattern, copy_from=copy_from, table=table, profile=profile(table))


def _located(folder: Path, given: str) -> tuple[tuple[Path, ...], str, Path | None]:
    path = Path(given).expanduser()
    path = path if path.is_absolute() else folder / path
    if path.is_file():
        resolved = path.resolve()
        if resolved.is_relative_to(folder.resolve()):
            return (path,), resolved.relative_to(folder.resolve()).as_posix(), None
        if resolved.stat().st_size > MOST_BYTES:
            raise UsageError(
                f"{given} is outside the project and larger than 100 MB",
                "Put it into the project yourself (git LFS or DVC keep such files), then name it there.",
            )
        return (path,), f"data/{resolved.name}", resolved
    found = () if Path(given).is_absolute() else tables.expand(folder, given)
    if not found:
        raise UsageError(f"there is no file {given} in {folder}", "Name a CSV, Parquet or JSON-lines file with --data.")
    return found, given, None


def _table_name(pattern: str) -> str:
    """A table's name from a path: the file's name, or the folder's where the file is a pattern."""
    path = Path(pattern)
    stem = path.parent.name if "*" in path.name else path.stem
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").lower()[:40]
    return name if re.match(r"[a-z_]", name) else f"rows_{name}".rstrip("_")
