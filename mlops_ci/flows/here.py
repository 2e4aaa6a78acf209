"""The bare command: where am I, what was decided last, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import MlopsCiError, OutsideError, UsageError
from mlops_ci.records.environments import Standing
from mlops_ci.steps import environments, ledger
from mlops_ci.steps.project import Project, open_project

if TYPE_CHECKING:
    from pathlib import Path


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """`project` is empty outside any project."""

    project: str
    branch: str
    commit: str
    clean: bool
    last: str
    """The last decision in words, empty where there is none."""
    next: tuple[str, ...]
    environments: tuple[Standing, ...] = ()
    """In their order; empty where there are none, or nobody can tell what they run."""


def here(start: Path) -> Here:
    """Where `start` is. Settings that cannot be read stop: that is what to mend next."""
    try:
        project = open_project(start)
    except (OutsideError, UsageError):
        lines = ("mlops-ci init --data FILE --target COLUMN", "mlops-ci demo")
        return Here(project="", branch="", commit="", clean=True, last="", next=lines)
    repository = project.repository
    commit = repository.head() or ""
    clean = bool(commit) and repository.is_clean(project.folder)
    rows = ledger.history(repository, project=project.config.project, limit=1)
    last = f"{rows[0].word} at {rows[0].commit[:9]}: {rows[0].verdict}" if rows else ""
    return Here(
        project=project.config.project,
        branch=repository.branch() or "",
        commit=commit,
        clean=clean,
        last=last,
        next=_next(commit=commit, clean=clean, judged=rows[0].commit if rows else ""),
        environments=_environments(project) if project.config.environments and commit else (),
    )


def _environments(project: Project) -> tuple[Standing, ...]:
    try:
        return environments.standing(project)
    except MlopsCiError:
        return ()


def _next(*, commit: str, clean: bool, judged: str) -> tuple[str, ...]:
    if not commit:
        return ("mlops-ci check", "git add --all && git commit")
    if not clean:
        return ("mlops-ci check",)
    return ("mlops-ci check",) if judged != commit else ("mlops-ci report", "mlops-ci history")
