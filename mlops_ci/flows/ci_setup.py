"""ci setup: the commands of `runner.setup`, in the job that runs the branch's code and may write nothing."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.steps import ci_job, setup
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.project import open_project


def set_up(start: Path, progress: Progress) -> int:
    """Run the commands of the checked out commit; how many there were.

    UserCodeError at the first that fails, after word of it is left for the recording workflow.
    """
    job = ci_job.this_job()
    project = open_project(start)
    stopped = setup.run_all(project, progress)
    if stopped is not None:
        ci_job.leave_word(job, project.config.project, lambda folder: setup.leave(stopped, folder))
        raise setup.failure(stopped, project.config)
    return len(project.config.runner.setup)
