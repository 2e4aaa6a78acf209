"""What a job of GitHub Actions is about, and what it leaves for the next one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import actions
from mlops_ci.edge.actions import Job, OnRepository, OnWorkflowRun, Run
from mlops_ci.errors import UsageError
from mlops_ci.records.decisions import Trust
from mlops_ci.records.due import Due
from mlops_ci.reports import markdown
from mlops_ci.reports.report import build
from mlops_ci.steps.base import base_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.git import Repository
    from mlops_ci.reports.story import Story

RUNS = "mlops-run"
"""Below the runner's folder for temporary files: one folder a project, which the workflow keeps as an artifact."""
PLANNED = "MLOPS_CI_PLANNED"
"""The variable with what is to be released, as JSON."""
_ENDS = {
    "action_required": "the run waits until somebody who may write here approves it",
    "cancelled": "the run was cancelled",
    "startup_failure": "the workflow could not be started",
    "timed_out": "the run took longer than it may",
}


def this_job() -> Job:
    """The job this process runs in. UsageError at a desk."""
    return actions.job()


def asks_again(job: Job) -> bool:
    """A review changes nothing of what a run finds: what was found is judged again."""
    return job.event == "pull_request_review"


def base_commit(job: Job, repository: Repository) -> str:
    """What the checked out commit is compared with: where it left the default branch, wherever it is to be merged.

    A branch that anybody may make decides nothing; and a status holds for the commit, into whatever it is merged.
    """
    return base_on(repository, repository.resolve("HEAD"), default_branch(job, repository))


def default_branch(job: Job, repository: Repository) -> str:
    """As GitHub says it, else as the clone does."""
    told = actions.payload(job, OnRepository).repository
    return (told.default_branch if told else "") or repository.default_branch() or ""


def is_asked_for(job: Job) -> bool:
    """Somebody started the run by hand, or started it again."""
    return job.event == "workflow_dispatch" or job.attempt > 1


def judged_run(job: Job) -> Run:
    """The run whose evidence is to be judged."""
    return actions.payload(job, OnWorkflowRun).workflow_run


def why_nothing(run: Run) -> str:
    """Why a run left nothing to judge, as far as GitHub knows."""
    return _ENDS.get(run.conclusion or "", "the run left nothing to judge")


def claimed_trust(job: Job) -> Trust:
    """As far as a run can tell of itself; whoever records it asks GitHub."""
    return Trust.DEFAULT_BRANCH if job.event == "push" else Trust.PULL_REQUEST


def planned(job: Job) -> tuple[Due, ...]:
    """What the first job of this run found to be released; only its form is believed."""
    try:
        return msgspec.json.decode(actions.given(PLANNED), type=tuple[Due, ...])
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{PLANNED} of run {job.run} cannot be read: {error}", "The job `plan` puts it out."
        ) from error


def put_out(job: Job, name: str, value: str) -> None:
    """An output of the step."""
    actions.put_out(job, name, value)


def leave(job: Job, project: str, run: Path) -> Path:
    """Lay the folder of a run where the workflow takes the artifact from."""
    target = job.temporary / RUNS / project
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run, target)
    return target


def leave_word(job: Job, project: str, write: Callable[[Path], None], *, below: str = RUNS) -> None:
    """Lay there, in place of a run, what `write` puts into a folder: word of why there is none, or something else."""
    target = job.temporary / below / project
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    write(target)


def summarise(job: Job, story: Story) -> None:
    """The report on the page of the run, without pictures: nobody keeps them there.

    Its commands name the commit: what is recorded of it is judged again, and has another id.
    """
    commit = story.decision.subject.commit
    story = msgspec.structs.replace(story, found_by=commit[:12])
    files = f"{job.server}/{job.repository}/blob/{commit}/{story.prefix}{'/' if story.prefix else ''}" if commit else ""
    actions.summarise(job, markdown.render(build(story), files=files, charts=None))
