"""The projects of a repository at a commit, read from git."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_ci.config import load, yaml
from mlops_ci.errors import ConfigError
from mlops_ci.steps.project import SETTINGS, STATE, Project

if TYPE_CHECKING:
    from mlops_ci.edge.git import Repository


def projects_at(repository: Repository, commit: str) -> dict[str, Project | ConfigError]:
    """By folder, `` at the root: the project, or why its settings cannot be read."""
    found: dict[str, Project | ConfigError] = {}
    for name in repository.files(commit, "") if commit else ():
        path = PurePosixPath(name)
        if path.name == SETTINGS and STATE not in path.parts:
            folder = path.parent.as_posix().removeprefix(".")
            found[folder] = _opened(repository, commit, name, folder)
    return found


def _opened(repository: Repository, commit: str, name: str, folder: str) -> Project | ConfigError:
    try:
        config = load.parse(yaml.decode(repository.show(commit, name) or b"", file=name), file=name)
    except ConfigError as error:
        return error
    return Project(root=repository.root / folder, folder=folder, repository=repository, config=config)
