"""The generated workflows on disk: what they are, what they would be, and bringing them in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci import __version__
from mlops_ci.steps.project_files import read_text, replace
from mlops_ci.workflows import compare
from mlops_ci.workflows.compare import Generated, GeneratedLock, State
from mlops_ci.workflows.generate import Inputs, generate

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.config.settings import Config

LOCK = ".mlops-ci/generated.lock"


def workflow_files(config: Config, *, folder: str, default_branch: str) -> dict[str, str]:
    """Path in the repository -> text, from the settings. `folder`: of the project in the repository."""
    return generate(
        Inputs(
            version=__version__,
            project=config.project,
            folder=folder,
            default_branch=default_branch,
            labels=config.runner.labels,
            timeout=config.runner.timeout,
        )
    )


def look(config: Config, *, project: Path, root: Path, default_branch: str) -> tuple[Generated, ...]:
    """Every generated file of the project and its state. The branch named when they were made stays in force."""
    lock = read_lock(project)
    folder = project.resolve().relative_to(root.resolve()).as_posix().removeprefix(".")
    made = workflow_files(config, folder=folder, default_branch=lock.default_branch if lock else default_branch)
    return tuple(
        compare.compare(path, mine=read_text(root / path), made=text, lock=lock) for path, text in made.items()
    )


def read_lock(project: Path) -> GeneratedLock | None:
    """The lock of generated files, or None where there is none; ConfigError where it cannot be read."""
    text = read_text(project / LOCK)
    return compare.parse_lock(text, file=LOCK) if text is not None else None


def update(found: tuple[Generated, ...], *, project: Path, root: Path, default_branch: str) -> tuple[str, ...]:
    """Write what is missing or outdated, leave what was edited by hand; the paths written."""
    lock = read_lock(project)
    texts = {each.path: each.text for each in found if each.state in (State.MISSING, State.OUTDATED)}
    replace(root, texts)
    in_step = {each.path: each.text for each in found if each.state is not State.EDITED}
    branch = lock.default_branch if lock else default_branch
    kept = {path: digest for path, digest in (lock.files if lock else {}).items() if path not in in_step}
    replace(project, {LOCK: compare.lock_text(branch, in_step, kept=kept)})
    return tuple(texts)
