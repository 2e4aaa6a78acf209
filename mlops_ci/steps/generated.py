"""The generated workflows on disk: what they are, what they would be, and bringing them in step."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_ci import __version__
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.steps.project import SETTINGS, STATE, read_settings
from mlops_ci.steps.project_files import read_text, replace
from mlops_ci.workflows import compare
from mlops_ci.workflows.compare import Generated, GeneratedLock, State
from mlops_ci.workflows.generate import Inputs, ProjectInputs, generate

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.config.settings import Config
    from mlops_ci.edge.git import Repository

LOCK = f"{STATE}/generated.lock"
"""At the root of the repository: one set of workflows for all its projects."""


def projects(repository: Repository) -> tuple[ProjectInputs, ...]:
    """Every project of the working tree, by folder; ConfigError naming the file where one cannot be read."""
    files = [PurePosixPath(path) for path in repository.worktree_files("")]
    paths = sorted(path for path in files if path.name == SETTINGS and STATE not in path.parts)
    return tuple(
        project_inputs(
            read_settings(repository.root / path, name=str(path)), folder=path.parent.as_posix().removeprefix(".")
        )
        for path in paths
    )


def project_inputs(config: Config, *, folder: str) -> ProjectInputs:
    """What a project asks of the workflows. `folder`: of the project in the repository."""
    runner = config.runner
    return ProjectInputs(
        name=config.project, folder=folder, labels=runner.labels, timeout=runner.timeout, secrets=runner.secrets
    )


def look(repository: Repository) -> tuple[Generated, ...]:
    """Every generated file of the repository and its state; UsageError where it holds no project."""
    found = projects(repository)
    if not found:
        raise UsageError(
            f"there is no {SETTINGS} in {repository.root}",
            "Make a project: mlops-ci init --data FILE --target COLUMN",
        )
    return compared(repository.root, found, default_branch=repository.default_branch() or "main")


def compared(root: Path, found: tuple[ProjectInputs, ...], *, default_branch: str) -> tuple[Generated, ...]:
    """Every file these projects give and its state. The branch named when they were made stays in force."""
    _apart(found)
    lock = read_lock(root)
    branch = lock.default_branch if lock else default_branch
    made = generate(Inputs(version=__version__, default_branch=branch, projects=found))
    return tuple(
        compare.compare(path, mine=read_text(root / path), made=text, lock=lock) for path, text in made.items()
    )


def read_lock(root: Path) -> GeneratedLock | None:
    """The lock of generated files, or None where there is none; ConfigError where it cannot be read."""
    text = read_text(root / LOCK)
    return compare.parse_lock(text, file=LOCK) if text is not None else None


def update(found: tuple[Generated, ...], *, root: Path, default_branch: str) -> tuple[str, ...]:
    """Write what is missing or outdated, leave what was edited by hand; the paths written."""
    lock = read_lock(root)
    texts = {each.path: each.text for each in found if each.is_written}
    replace(root, texts)
    in_step = {each.path: each.text for each in found if each.state is not State.EDITED}
    branch = lock.default_branch if lock else default_branch
    kept = {path: digest for path, digest in (lock.files if lock else {}).items() if path not in in_step}
    replace(root, {LOCK: compare.lock_text(branch, in_step, kept=kept)})
    return tuple(texts)


def _apart(found: tuple[ProjectInputs, ...]) -> None:
    """ConfigError where projects share a name, under which decisions are kept, or lie in each other."""
    for at, one in enumerate(found):
        for other in found[:at]:
            files = f"{_settings(other)} and {_settings(one)}"
            if one.name == other.name:
                raise ConfigError(f"two projects are named {one.name}: {files}", "Give one another name: `project:`.")
            inner, outer = (one, other) if len(one.folder) > len(other.folder) else (other, one)
            if not outer.folder or inner.folder.startswith(f"{outer.folder}/"):
                raise ConfigError(f"a project lies inside another one: {files}", "Put them beside each other.")


def _settings(project: ProjectInputs) -> str:
    return f"{project.folder}/{SETTINGS}" if project.folder else SETTINGS
