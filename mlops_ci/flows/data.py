"""data: look at the data, compare it, infer its contract, check it; nothing is decided and nothing recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.data import contract
from mlops_ci.records.data import DataChange, Profile, SnapshotInfo
from mlops_ci.records.results import Result
from mlops_ci.steps.case import Asked, Case, settle
from mlops_ci.steps.holdout import make_parts
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.snapshot import Snapshot, make_snapshot
from mlops_ci.steps.suites import examine
from mlops_ci.steps.workshop import Workshop


class DataLook(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot without its values, what changed since the base, and what the checks say."""

    snapshot: SnapshotInfo
    profile: Profile
    base: str
    change: DataChange | None
    results: tuple[Result, ...]


def look(start: Path, base: str | None, progress: Progress) -> DataLook:
    """Everything that is known of the data of the working tree."""
    case = settle(open_project(start), Asked(base=base, only="data"))
    workshop = Workshop(case.project, case.head, progress.note)
    with Clock(progress).step("data", "reading and joining the sources") as line:
        snapshot, _ = make_snapshot(case.project, case.head, workshop=workshop, apart=case.apart)
        line.found = f"{snapshot.info.rows:,} rows, {len(snapshot.info.columns)} columns"
    holdout, _ = make_parts(snapshot, case.head.config)
    found = examine(case, snapshot, holdout, _before(case, workshop))
    return DataLook(
        snapshot=snapshot.info,
        profile=snapshot.profile,
        base=case.base_commit,
        change=found.change,
        results=found.results,
    )


def infer_contract(start: Path, progress: Progress) -> str:
    """The contract that the working tree's data would be given by `init`, as text."""
    project = open_project(start)
    case = settle(project, Asked(only="data"))
    snapshot, _ = make_snapshot(project, case.head, workshop=Workshop(project, case.head, progress.note))
    data = case.head.config.data
    inferred = contract.infer(snapshot.table, snapshot.profile, target=data.target, id=data.id, time=data.time)
    return contract.write(inferred)


def _before(case: Case, workshop: Workshop) -> Snapshot | None:
    return make_snapshot(case.project, case.base, workshop=workshop, apart=case.apart)[0] if case.base else None
