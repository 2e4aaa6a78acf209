"""What lies around a folder before it is a project, or whatever state it is in: nothing here stops."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from mlops_ci.config import find
from mlops_ci.edge.git import Repository
from mlops_ci.edge.git_process import call
from mlops_ci.edge.remote import remote_of
from mlops_ci.errors import ConfigError, OutsideError, UsageError

DATA_SUFFIXES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")
_SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".mlops-ci", ".tox", "mlruns"}
_MOST_FILES = 5000


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """A folder and what is in it; paths are relative to the folder, posix."""

    folder: Path
    root: Path | None
    """Of the git repository around; None: there is none."""
    commits: bool
    branch: str
    remote: str
    files: tuple[str, ...]

    @property
    def inside(self) -> str:
        """Path of the folder in the repository, empty at its root."""
        relative = self.folder.relative_to(self.root).as_posix() if self.root else "."
        return "" if relative == "." else relative

    @property
    def data_files(self) -> tuple[str, ...]:
        found = [name for name in self.files if name.endswith(DATA_SUFFIXES)]
        return tuple(
            name for name in found if not name.endswith(("package.json", "package-lock.json", "tsconfig.json"))
        )


def look_around(folder: Path) -> Surroundings:
    """Files and repository around `folder`; UsageError where it is no folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "Make it first, or name another with -C.")
    folder = folder.resolve()
    repository = open_repository(folder)
    remote = remote_of(repository) if repository else None
    return Surroundings(
        folder=folder,
        root=repository.root.resolve() if repository else None,
        commits=bool(repository and repository.head()),
        branch=(repository.default_branch() if repository else None) or "main",
        remote=remote.url if remote else "",
        files=_files(folder),
    )


def open_repository(folder: Path) -> Repository | None:
    """The repository around `folder`, or None where no `.git` is around; OutsideError where it cannot be used."""
    return Repository.open(folder) if find.git_root(folder) else None


def make_repository(folder: Path) -> Path:
    """`git init` in `folder`, on `main` unless the user's own settings name another branch; nothing is committed."""
    named = call(folder, "config", "--get", "init.defaultBranch").code == 0
    answer = call(folder, "init", "--quiet", *(() if named else ("--initial-branch=main",)))
    if answer.code != 0:
        raise OutsideError(f"git init failed in {folder}: {answer.err.strip()}", "Run `git init` there yourself.")
    return Repository.open(folder).root


def refuse_nested(around: Surroundings) -> None:
    """ConfigError where a project is here already, or around."""
    found = find.projects_around(around.folder, around.root)
    if found and found[0] == around.folder:
        raise UsageError(
            f"{find.SETTINGS} is here already: this is a project",
            "What is missing, and how to mend it: mlops-ci doctor",
        )
    if found:
        raise ConfigError(
            f"{around.folder} lies inside the project {found[0]}",
            "Projects lie beside each other: make it in a folder outside that one.",
        )


def _files(folder: Path) -> tuple[str, ...]:
    found: list[str] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        found += [(Path(parent) / name).relative_to(folder).as_posix() for name in sorted(names)]
        if len(found) > _MOST_FILES:
            break
    return tuple(found[:_MOST_FILES])
