"""ci judge: what a run left, judged again in a job that may only read."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from mlops_ci.errors import ConfigError, MlopsCiError
from mlops_ci.records.decisions import Trust
from mlops_ci.records.judged import Judged, JudgedProject, State
from mlops_ci.steps import ci_job, hub, ledger
from mlops_ci.steps.affected import is_affected, last_judged
from mlops_ci.steps.agreement import Owners
from mlops_ci.steps.base import base_on, tip_of
from mlops_ci.steps.case import Asked, Case, settle
from mlops_ci.steps.hand_over import write_list
from mlops_ci.steps.hub import Left, Subject
from mlops_ci.steps.judge import rules_at
from mlops_ci.steps.moved_files import judge_moves
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import SETTINGS, Project, repository_around
from mlops_ci.steps.projects import alone, projects_at
from mlops_ci.steps.runs import read_run
from mlops_ci.steps.setup import check_left
from mlops_ci.steps.trusted import Standing, judge_reported, write_judged

SECONDS_OF_SQL = 15 * 60.0
"""For the SQL of all projects together: half of what the job has."""


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the projects of one run are judged."""

    subject: Subject
    base: str
    tip: str
    left: Left
    nothing: str
    """Why there may be nothing to judge."""
    owners: Owners
    into: Path
    until: float
    progress: Progress


def judge(start: Path, into: Path, progress: Progress) -> Judged | None:
    """Judge every project that the run's commit is about; None where nobody waits. `into`: for the recording job."""
    job = ci_job.this_job()
    run, repository, github = ci_job.judged_run(job), repository_around(start), hub.github()
    subject = hub.subject_of(github, run)
    if subject is None:
        return None
    hub.fetch_commit(repository, subject)
    ledger.fetch(repository)
    tip = tip_of(repository, subject.branch) or ""
    desk = _Desk(
        subject=subject,
        base=base_on(repository, subject.commit, subject.branch),
        tip=tip,
        left=hub.left_by(github, run),
        owners=Owners(hub=github, pull=subject.pull, repository=repository, commit=subject.commit, tip=tip),
        nothing=ci_job.why_nothing(run),
        into=into,
        until=time.monotonic() + SECONDS_OF_SQL,
        progress=progress,
    )
    now, before = projects_at(repository, subject.commit), projects_at(repository, desk.base)
    now = alone(now)
    found = [
        each
        for folder in sorted(now.keys() | before)
        for each in _with_moves(desk, now.get(folder), _judged(desk, folder, now.get(folder), before.get(folder)))
    ]
    judged = Judged(
        commit=subject.commit, run=run.id, attempt=run.run_attempt, trust=subject.trust, projects=tuple(found)
    )
    write_list(into, judged)
    return judged


def _with_moves(desk: _Desk, project: Project | ConfigError | None, judged: JudgedProject) -> list[JudgedProject]:
    """What was found of a project, and of the files of its environments where the commit changes them."""
    if not isinstance(project, Project):
        return [judged]
    root = desk.into.parent / f"{desk.into.name}-moves" / project.config.project
    root.mkdir(parents=True)
    # What is to be merged goes on top of what the branch has by now; what lies on it, on what lay there before.
    waits = desk.subject.trust is not Trust.DEFAULT_BRANCH and not desk.subject.queued
    at = (desk.tip if waits else "") or desk.base
    moved = judge_moves(project, base=desk.base, commit=desk.subject.commit, at=at, root=root)
    if moved is None:
        return [judged]
    told = msgspec.structs.replace(judged, state=State.MOVED, outcome=moved.outcome, reason=moved.told, run="")
    return [told] if judged.state is State.UNAFFECTED else [judged, told]


def _judged(
    desk: _Desk, folder: str, project: Project | ConfigError | None, before: Project | ConfigError | None
) -> JudgedProject:
    if project is None:
        return _removed(desk, folder, before)
    if isinstance(project, ConfigError):
        return JudgedProject(name=_name(folder, before), folder=folder, state=State.NO_EVIDENCE, reason=_told(project))
    name = project.config.project
    try:
        run = _judge_one(desk, project)
    except MlopsCiError as error:
        return JudgedProject(name=name, folder=folder, state=State.NO_EVIDENCE, reason=_told(error))
    if run:
        return JudgedProject(name=name, folder=folder, state=State.JUDGED, run=run)
    if _is_affected(desk, project):
        return JudgedProject(name=name, folder=folder, state=State.NO_EVIDENCE, reason=desk.nothing)
    return JudgedProject(name=name, folder=folder, state=State.UNAFFECTED)


def _removed(desk: _Desk, folder: str, before: Project | ConfigError | None) -> JudgedProject:
    agreed = desk.owners.agree([f"{folder}/{SETTINGS}" if folder else SETTINGS])
    return JudgedProject(
        name=_name(folder, before),
        folder=folder,
        state=State.REMOVED,
        reason="its mlops.yaml is taken away, and its gates with it",
        opened=agreed.by if agreed else (),
    )


def _name(folder: str, before: Project | ConfigError | None) -> str:
    """What a project whose settings cannot be read is called."""
    return before.config.project if isinstance(before, Project) else folder or SETTINGS


def _judge_one(desk: _Desk, project: Project) -> str:
    """The name of the folder with the decision; empty where the run left nothing of this project."""
    left = desk.into.parent / f"{desk.into.name}-left" / project.config.project
    left.mkdir(parents=True)
    if not desk.left.take(project.config.project, left):
        return ""
    check_left(left, project.config)
    asked = Asked(base=desk.base or None, at=desk.subject.commit, trust=desk.subject.trust)
    kept, case = read_run(left), settle(_without_files(project, desk), asked)
    standing = Standing(owners=desk.owners, outdated=_outdated(desk, case), until=desk.until)
    return write_judged(case, judge_reported(case, kept, Clock(desk.progress), standing), kept, desk.into)


def _without_files(project: Project, desk: _Desk) -> Project:
    """The project in an empty folder, so that nothing but what git holds of the commit is read."""
    root = desk.into.parent / f"{desk.into.name}-work" / project.config.project
    root.mkdir(parents=True)
    return msgspec.structs.replace(project, root=root)


def _outdated(desk: _Desk, case: Case) -> str:
    """Of a branch that left the default branch before its rules became others; a queue's commit stands on its tip."""
    if desk.subject.trust is Trust.DEFAULT_BRANCH or desk.subject.queued or not desk.tip:
        return ""
    if rules_at(case.project, desk.tip) == rules_at(case.project, desk.base):
        return ""
    return f"the rules on {desk.subject.branch} are others by now: update the branch"


def _is_affected(desk: _Desk, project: Project) -> bool:
    commit = desk.subject.commit
    pushed = desk.subject.trust is Trust.DEFAULT_BRANCH
    since = last_judged(project.repository, project.config.project, commit) if pushed else desk.base
    return is_affected(project, since, commit)


def _told(error: MlopsCiError) -> str:
    return f"{error.where}: {error.message}" if error.where else error.message
