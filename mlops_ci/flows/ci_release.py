"""ci release: bundles that were made and looked at elsewhere become releases, in a job that runs nothing of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import MlopsCiError
from mlops_ci.records.due import Due, Rescored
from mlops_ci.reports.story import Story
from mlops_ci.steps import ci_job, due, rescored
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import repository_around
from mlops_ci.steps.publish import bring_in
from mlops_ci.steps.release import Wish, write_errored, write_release
from mlops_ci.steps.release_decision import Candidate, passed_by
from mlops_ci.steps.signatures import signer


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bundles of one run are released; `folder`: what was handed over."""

    start: Path
    folder: Path
    wish: Wish
    progress: Progress


def release_in_job(start: Path, folder: Path, wish: Wish, progress: Progress) -> tuple[Story, ...]:
    """Write the decision about every project that is to be released, and tell it on the page of the run."""
    job, repository = ci_job.this_job(), repository_around(start)
    bring_in(repository)
    found = rescored.read_list(folder)
    wish = msgspec.structs.replace(wish, signer=signer(Clock(progress)))
    desk = _Desk(start=start, folder=folder, wish=wish, progress=progress)
    stories = []
    for row in ci_job.planned(job):
        nothing = Rescored(project=row.project, commit=row.commit, reason="the job that rescores it left no answer")
        stories.append(_released(desk, row, found.get(row.project, nothing)))
        ci_job.summarise(job, stories[-1])
    return tuple(stories)


def _released(desk: _Desk, row: Due, found: Rescored) -> Story:
    clock, repository, folder = Clock(desk.progress), repository_around(desk.start), desk.folder
    case = due.case_of(repository, row, folder.parent / f"{folder.name}-work")
    passed = passed_by(due.passed_decision(repository, row))
    try:
        if found.info is None or found.commit != row.commit:
            return write_errored(case, passed, found.reason or "the bundle is of another commit", clock)
        bundle = rescored.bundle_of(folder, found)
        candidate = Candidate(
            case=case,
            passed=passed,
            bundle=bundle,
            info=msgspec.structs.replace(found.info, decision=row.decision),
            results=found.results,
            reported=found.reported or msgspec.UNSET,
            cost=found.cost,
            table=rescored.table_of(folder, found),
        )
        return write_release(candidate, clock, desk.wish).story
    except MlopsCiError as error:
        return write_errored(case, passed, error.message, clock)
