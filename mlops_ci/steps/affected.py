"""Which projects of a repository a change is about."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from mlops_ci.records.decisions import Trust
from mlops_ci.steps import ledger
from mlops_ci.steps.change import is_prose, is_read
from mlops_ci.steps.lock import TOOL_LOCK

if TYPE_CHECKING:
    from mlops_ci.edge.git import Repository
    from mlops_ci.steps.project import Project


def is_affected(project: Project, base: str, head: str) -> bool:
    """Whether anything between two commits can change what is decided of a project; without a base everything does."""
    if not base:
        return True
    changed = [path for _, path in project.repository.changed_paths(base, head, "")]
    # Another version of the tool is another judge of every project.
    return any(path == TOOL_LOCK or _is_about(project, path) for path in changed)


def last_judged(repository: Repository, project: str, commit: str) -> str:
    """The newest commit before `commit` that was judged on the default branch; empty where there is none."""
    judged = {
        row.commit
        for row in ledger.history(repository, project=project)
        if row.trust == Trust.DEFAULT_BRANCH and row.commit != commit
    }
    if not judged:
        return ""
    with repository.ancestors(commit) as commits:
        return next((each for each in commits if each in judged), "")


def _is_about(project: Project, path: str) -> bool:
    folders = [posixpath.normpath(posixpath.join(project.folder, pattern)) for pattern in project.config.watch]
    if any(path == folder or path.startswith(f"{folder}/") for folder in folders):
        return True
    prefix = f"{project.folder}/" if project.folder else ""
    name = path.removeprefix(prefix)
    return path.startswith(prefix) and (not is_prose(name) or is_read(project.config, name))
