"""ci plan: which projects of the repository the checked out commit is about."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.records.due import Due
from mlops_ci.steps import ci_job
from mlops_ci.steps.affected import is_affected, last_judged
from mlops_ci.steps.base import tip_of
from mlops_ci.steps.due import due
from mlops_ci.steps.project import Project, repository_around
from mlops_ci.steps.projects import projects_at


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is to be checked, as a row of the workflow's matrix."""

    project: str
    folder: str
    labels: tuple[str, ...]


def plan(start: Path) -> tuple[Planned, ...]:
    """The projects that the change is about; the output `projects` of this step, for the jobs that check them."""
    job = ci_job.this_job()
    repository = repository_around(start)
    head = repository.resolve("HEAD")
    base = ci_job.base_commit(job, repository)
    found = [] if ci_job.asks_again(job) else [*projects_at(repository, head).values()]
    planned = []
    for one in found:
        if isinstance(one, ConfigError):
            raise one
        if is_affected(one, _since(one, job.event, base, head), head):
            planned.append(_row(one))
    ci_job.put_out(job, "projects", json.dumps([msgspec.to_builtins(row) for row in planned]))
    return tuple(planned)


def plan_releases(start: Path) -> tuple[Due, ...]:
    """The commits that are to be released; the output `projects` of this step. None off the default branch."""
    job = ci_job.this_job()
    repository = repository_around(start)
    head = repository.resolve("HEAD")
    tip = tip_of(repository, ci_job.default_branch(job, repository))
    there = tip is not None and repository.is_ancestor(head, tip)
    planned = due(repository, head, again=ci_job.is_asked_for(job)) if there else ()
    ci_job.put_out(job, "projects", json.dumps([msgspec.to_builtins(row) for row in planned]))
    return planned


def _since(project: Project, event: str, base: str, head: str) -> str:
    """On the default branch what counts is the last commit that was judged: several may have been pushed at once."""
    return last_judged(project.repository, project.config.project, head) if event == "push" else base


def _row(project: Project) -> Planned:
    return Planned(project=project.config.project, folder=project.folder or ".", labels=project.config.runner.labels)
