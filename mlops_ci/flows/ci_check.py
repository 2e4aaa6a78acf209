"""ci check: the check of one project in a job that runs the branch's code and may write nothing."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.flows.check import check
from mlops_ci.steps import ci_job
from mlops_ci.steps.case import Asked
from mlops_ci.steps.leftovers import forget
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.write import Checked


def check_in_job(start: Path, progress: Progress) -> Checked:
    """Judge the checked out commit; leave the evidence for the recording workflow and the report on the run's page."""
    job = ci_job.this_job()
    project = open_project(start)
    base = ci_job.base_commit(job, project.repository)
    checked = check(start, Asked(base=base or None, trust=ci_job.claimed_trust(job)), progress)
    ci_job.leave(job, project.config.project, checked.folder)
    ci_job.summarise(job, checked.story)
    forget(project)
    return checked
