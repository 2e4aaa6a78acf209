"""ci package: the bundle of a commit that passed, in a job that runs the project's code and may write nothing."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.flows.release import package
from mlops_ci.steps import ci_job, packaged
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.packed import Packed
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.release import describe


def package_in_job(start: Path, progress: Progress) -> Packed:
    """Train or restore, convert, put together, load; leave the bundle for the job that looks at it."""
    job, project = ci_job.this_job(), open_project(start)
    made = package(settle(project, Asked(trust=ci_job.claimed_trust(job))), Clock(progress))
    packaged.leave(job, project.config.project, made.bundle, describe(made.bundle, made.exported, ""))
    return made
