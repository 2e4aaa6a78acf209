"""Which files are meant: named ones, those of a folder, those a pattern fits."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from .files import SUFFIXES


class Given(NamedTuple):
    """A file, and what it is called among the others: its path from the folder that was named, else its name."""

    path: Path
    name: str


def inputs(asked: Sequence[str], output: Path) -> list[Given]:
    """The files, each once, none of what `output` holds. Raises Refused where there is nothing, or two of one name."""
    found: dict[Path, Given] = {}
    for each in asked:
        some = [given for given in _files(each) if not _within(given.path, output)]
        if not some:
            raise Refused("no_such_file", f"there is no {' or '.join(SUFFIXES)} file", where=each)
        found |= {given.path.resolve(): given for given in some}
    if output.resolve() in found:
        raise Refused("exists", "it is an input", where=str(output))
    names: dict[str, Given] = {}
    for given in found.values():
        if given.name in names and output.suffix not in SUFFIXES:
            words = f"{names[given.name].path} would be written to the same place"
            raise Refused("name_taken", words, where=str(given.path))
        names[given.name] = given
    return list(found.values())


def _files(asked: str) -> list[Given]:
    path = Path(asked)
    if path.is_dir():
        below = sorted(each for each in path.rglob("*") if _scored(each, path))
        return [Given(each, each.relative_to(path).as_posix()) for each in below]
    if not path.exists() and glob.has_magic(asked):
        fitting = sorted(glob.glob(asked, recursive=True))  # noqa: PTH207 - a Path only globs below itself
        return [Given(each, each.name) for each in map(Path, fitting) if _is_table(each)]
    return [Given(path, path.name)] if _is_table(path) else []


def _scored(path: Path, folder: Path) -> bool:
    """Hidden files, and those that begin with _, are notes of programs about a folder of tables."""
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return _is_table(path) and not hidden


def _is_table(path: Path) -> bool:
    return path.suffix in SUFFIXES and path.is_file()


def _within(path: Path, output: Path) -> bool:
    return output.suffix not in SUFFIXES and path.resolve().is_relative_to(output.resolve())
