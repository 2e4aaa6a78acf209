"""ci rescore: what the packaging job left, asked about every held-out row in a job that may only read."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from mlops_ci.errors import MlopsCiError
from mlops_ci.records.due import Due, Rescored
from mlops_ci.steps import ci_job, due, hub, ledger, packaged, rescored
from mlops_ci.steps.hub import Left
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import repository_around
from mlops_ci.steps.rescore import cost_of, rescore, table_at

SECONDS_OF_SQL = 15 * 60.0


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bundles of one run are looked at."""

    start: Path
    left: Left
    into: Path
    until: float
    progress: Progress


def rescore_in_job(start: Path, into: Path, progress: Progress) -> tuple[Rescored, ...]:
    """Look at the bundle of every project that is to be released; what was found goes `into` a folder."""
    job = ci_job.this_job()
    ledger.fetch(repository_around(start))
    desk = _Desk(
        start=start,
        left=hub.bundles_of(hub.github(), job, packaged.BUNDLES),
        into=into,
        until=time.monotonic() + SECONDS_OF_SQL,
        progress=progress,
    )
    found = tuple(_looked_at(desk, row) for row in ci_job.planned(job))
    rescored.write_list(into, found)
    return found


def _looked_at(desk: _Desk, row: Due) -> Rescored:
    told = Rescored(project=row.project, commit=row.commit)
    left = desk.into.parent / f"{desk.into.name}-left" / row.project
    try:
        case = due.case_of(repository_around(desk.start), row, desk.into.parent / f"{desk.into.name}-work")
        left.mkdir(parents=True)
        if not desk.left.take(row.project, left):
            return msgspec.structs.replace(told, reason="the job that packages it left no bundle")
        taken = packaged.take(left, row, case.head)
        scored = rescore(case, taken, row.decision, Clock(desk.progress), until=desk.until)
        table, why = table_at(case, until=desk.until)
        cost = cost_of(taken, due.passed_decision(repository_around(desk.start), row), Clock(desk.progress), scored)
    except MlopsCiError as error:
        return msgspec.structs.replace(told, reason=error.message)
    rescored.lay(desk.into, row.project, taken.bundle)
    if table:
        rescored.lay_table(desk.into, row.project, table)
    results = (*scored.results, *([why] if why else []))
    return msgspec.structs.replace(
        told, info=taken.info, results=results, reported=scored.reported, cost=cost, table=table is not None
    )
