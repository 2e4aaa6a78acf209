"""Find the project around a folder: the nearest mlops.yaml, not above the git root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = "mlops.yaml"


def git_root(start: Path) -> Path | None:
    """The folder around `start` (itself included) that holds `.git`, or None."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)


def project_folder(start: Path, root: Path | None) -> Path:
    """The folder of the mlops.yaml around `start`, up to the repository's `root` (only `start` without one).

    UsageError where there is none; ConfigError where projects lie in each other: the outer one's tree would
    change with every commit of the inner one.
    """
    found = projects_around(start, root)
    if not found:
        raise UsageError(
            f"there is no {SETTINGS} in {start} or above it",
            "Go to a project, name one with -C DIR, or make one: mlops-ci init --data FILE --target COLUMN",
        )
    if len(found) > 1:
        raise ConfigError(
            f"this project lies inside another one: {found[0] / SETTINGS} and {found[1] / SETTINGS}",
            "Put them beside each other: each project is a folder of its own.",
        )
    return found[0]


def projects_around(start: Path, root: Path | None) -> tuple[Path, ...]:
    """Folders with an mlops.yaml from `start` up to `root`, the nearest first."""
    start = start.resolve()
    if not start.is_dir():
        raise UsageError(f"{start} is not a folder", "Name a folder that exists.")
    if root is None or not start.is_relative_to(root := root.resolve()):
        folders: tuple[Path, ...] = (start,)
    else:
        folders = tuple(folder for folder in (start, *start.parents) if folder.is_relative_to(root))
    return tuple(folder for folder in folders if (folder / SETTINGS).is_file())
