"""All projects of a repository: at a commit, and in the working files as far as its workflows are made from them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_ci.config import load, yaml
from mlops_ci.errors import ConfigError
from mlops_ci.steps.project import SETTINGS, STATE, Project, read_settings
from mlops_ci.workflows.generate import ProjectInputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.config.settings import Config
    from mlops_ci.edge.git import Repository


def projects_at(repository: Repository, commit: str) -> dict[str, Project | ConfigError]:
    """By folder, `` at the root: the project, or why its settings cannot be read."""
    found = _settings_files(repository.files(commit, "") if commit else ())
    return {folder: _opened(repository, commit, name, folder) for folder, name in found.items()}


def alone(found: dict[str, Project | ConfigError]) -> dict[str, Project | ConfigError]:
    """The same, with what is wrong in place of projects that share a name: their decisions could not be told apart."""
    named: dict[str, list[str]] = {}
    for folder, one in found.items():
        if isinstance(one, Project):
            named.setdefault(one.config.project, []).append(folder or ".")
    wrong = {name: folders for name, folders in named.items() if len(folders) > 1}
    return {
        folder: ConfigError(
            f"two projects are named {one.config.project}: in {' and '.join(wrong[one.config.project])}"
        )
        if isinstance(one, Project) and one.config.project in wrong
        else one
        for folder, one in found.items()
    }


def projects(repository: Repository) -> tuple[ProjectInputs, ...]:
    """Every project of the working tree, by folder; ConfigError naming the file where one cannot be read."""
    found = _settings_files(repository.worktree_files(""))
    return tuple(
        project_inputs(read_settings(repository.root / name, name=name), folder=folder)
        for folder, name in sorted(found.items())
    )


def project_inputs(config: Config, *, folder: str) -> ProjectInputs:
    """What a project asks of the workflows. `folder`: of the project in the repository."""
    runner = config.runner
    return ProjectInputs(
        name=config.project,
        folder=folder,
        labels=runner.labels,
        timeout=runner.timeout,
        secrets=runner.secrets,
        pushes=tuple(filter(None, (config.package.image, config.store))),
        signs=config.package.trust is not None,
    )


def check_apart(found: tuple[ProjectInputs, ...]) -> None:
    """ConfigError where projects share a name, under which decisions are kept, or lie in each other."""
    for at, one in enumerate(found):
        for other in found[:at]:
            files = f"{_settings(other)} and {_settings(one)}"
            if one.name == other.name:
                raise ConfigError(f"two projects are named {one.name}: {files}", "Give one another name: `project:`.")
            inner, outer = (one, other) if len(one.folder) > len(other.folder) else (other, one)
            if not outer.folder or inner.folder.startswith(f"{outer.folder}/"):
                raise ConfigError(f"a project lies inside another one: {files}", "Put them beside each other.")


def _settings_files(names: Iterable[str]) -> dict[str, str]:
    """Folder -> its mlops.yaml, as paths in the repository."""
    paths = [PurePosixPath(name) for name in names]
    return {
        "" if path.parent == PurePosixPath() else path.parent.as_posix(): str(path)
        for path in paths
        if path.name == SETTINGS and STATE not in path.parts
    }


def _opened(repository: Repository, commit: str, name: str, folder: str) -> Project | ConfigError:
    try:
        config = load.parse(yaml.decode(repository.show(commit, name) or b"", file=name), file=name)
    except ConfigError as error:
        return error
    return Project(root=repository.root / folder, folder=folder, repository=repository, config=config)


def _settings(project: ProjectInputs) -> str:
    return f"{project.folder}/{SETTINGS}" if project.folder else SETTINGS
