"""The generated workflows on disk: what they are, what they would be, and bringing them in step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mlops_ci import __version__
from mlops_ci.edge.merge import Labels, merge
from mlops_ci.errors import UsageError
from mlops_ci.steps.project import SETTINGS, STATE
from mlops_ci.steps.project_files import read_text, replace
from mlops_ci.steps.projects import check_apart, projects
from mlops_ci.workflows import compare
from mlops_ci.workflows.compare import Generated, Recipe, State
from mlops_ci.workflows.generate import Inputs, ProjectInputs, generate, settings
from mlops_ci.workflows.lock import GeneratedLock, Recorded, parse, written

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.git import Repository

LOCK = f"{STATE}/generated.lock"
"""At the root of the repository: one set of workflows for all its projects."""
KEPT = (State.CONFLICT, State.UNKNOWN)
"""What is not written by a command that may not touch what people wrote."""


class Workflows(msgspec.Struct, frozen=True, kw_only=True):
    """Every generated file with its state; `lock`: what was known of them."""

    files: tuple[Generated, ...]
    lock: GeneratedLock

    def without_conflicts(self) -> Workflows:
        """The same, where files that would conflict stay as they are."""
        files = tuple(
            msgspec.structs.replace(each, is_written=False, record=None) if each.state is State.CONFLICT else each
            for each in self.files
        )
        return msgspec.structs.replace(self, files=files)


def look(repository: Repository) -> Workflows:
    """Every generated file of the repository and its state; UsageError where it holds no project."""
    found = projects(repository)
    if not found:
        raise UsageError(
            f"there is no {SETTINGS} in {repository.root}",
            "Make a project: mlops-ci init --data FILE --target COLUMN",
        )
    branch = repository.default_branch() or "main"
    return compared(repository.root, found, default_branch=branch, repository=repository)


def compared(
    root: Path, found: tuple[ProjectInputs, ...], *, default_branch: str, repository: Repository | None
) -> Workflows:
    """Every file these projects give and its state. The branch named when they were made stays in force."""
    check_apart(found)
    lock = read_lock(root) or GeneratedLock(default_branch=default_branch)
    inputs = Inputs(version=__version__, default_branch=lock.default_branch, projects=found)
    made = generate(inputs)
    gone = _deleted(repository, lock, tuple(made))
    files = [
        compare.deleted(path, lock.files[path])
        if path in gone
        else _compare(root / path, path, made=text, record=lock.files.get(path), inputs=inputs)
        for path, text in made.items()
    ]
    return Workflows(files=tuple(files), lock=lock)


def read_lock(root: Path) -> GeneratedLock | None:
    """The lock of generated files, or None where there is none; ConfigError where it cannot be read."""
    text = read_text(root / LOCK)
    return parse(text, file=LOCK) if text is not None else None


def update(found: Workflows, *, root: Path, repository: Repository | None) -> tuple[str, ...]:
    """Write what an update changes; the paths written.

    UsageError where marks of a conflict would go into a file that git could not bring back as it was.
    """
    changed = texts(found)
    for each in found.files:
        if each.path in changed and each.lines and not (repository and repository.is_clean(each.path)):
            raise UsageError(
                f"{each.path} has changes that are not committed, and they conflict with what is generated now",
                "Commit or stash them, then update again: the conflicts are marked in the file.",
            )
    replace(root, changed)
    return tuple(path for path in changed if path != LOCK)


def texts(found: Workflows) -> dict[str, str]:
    """Path -> text of what an update would write, the lock among them; marks of conflicts may be in it."""
    changed = {each.path: each.text for each in found.files if each.is_written and each.text is not None}
    return changed | {LOCK: _lock_text(found)}


def _lock_text(found: Workflows) -> str:
    return written(compare.lock_after(found.lock, found.files))


def _compare(file: Path, path: str, *, made: str, record: Recorded | str | None, inputs: Inputs) -> Generated:
    """One file. What a link stands for is not ours: nothing is known of it."""
    is_link, mine = file.is_symlink(), read_text(file)
    before = record.made_by if isinstance(record, Recorded) else "older"
    labels = Labels("yours", f"generated before, by mlops-ci {before}", f"generated now, by mlops-ci {inputs.version}")
    return compare.compare(
        path,
        mine="" if is_link and mine is None else mine,
        made=made,
        record=None if is_link else record,
        recipe=Recipe(made_by=inputs.version, settings=settings(inputs), merge=partial(merge, labels=labels)),
    )


def _deleted(repository: Repository | None, lock: GeneratedLock, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those that a commit took away: it holds the lock that names them, and not the files."""
    missing = [path for path in paths if path in lock.files and repository and _is_gone(repository.root / path)]
    head = repository.head() if repository and missing else None
    if repository is None or head is None:
        return ()
    there = {entry.path for entry in repository.look_up(head, [LOCK, *missing])}
    return tuple(path for path in missing if LOCK in there and path not in there)


def _is_gone(file: Path) -> bool:
    return not file.is_symlink() and read_text(file) is None
