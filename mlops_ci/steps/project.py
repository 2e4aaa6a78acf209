"""Open a project: its folder, its repository, its settings."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.config import find, load, yaml
from mlops_ci.config.settings import Config
from mlops_ci.edge.git import Repository

SETTINGS = "mlops.yaml"
STATE = ".mlops-ci"


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with an mlops.yaml in a git repository."""

    root: Path
    folder: str
    """Path of the project in the repository, posix, empty at its root."""
    repository: Repository
    config: Config

    @property
    def state(self) -> Path:
        return self.root / STATE

    def path(self, name: str) -> str:
        """The repository path of a file of the project."""
        return f"{self.folder}/{name}" if self.folder else name


def open_project(start: Path) -> Project:
    """The project around `start`; its settings are read from the working files."""
    repository = repository_around(start)
    root = find.project_folder(start, repository.root)
    return Project(
        root=root,
        folder=root.relative_to(repository.root).as_posix().removeprefix("."),
        repository=repository,
        config=read_settings(root / SETTINGS),
    )


def repository_around(start: Path) -> Repository:
    """The repository around `start`, whether a project is there or not; OutsideError where there is none."""
    return Repository.open(start)


def read_settings(path: Path, *, name: str = SETTINGS) -> Config:
    """Parse an mlops.yaml from disk; `name`: what errors call it."""
    return load.parse(yaml.decode(path.read_bytes(), file=name), file=name)
