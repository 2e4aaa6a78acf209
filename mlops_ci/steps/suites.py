"""The native checks on a snapshot, and what changed in the data since the base."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from mlops_ci import __version__
from mlops_ci.checks import data_checks
from mlops_ci.checks.facts import BaseFacts, DataFacts
from mlops_ci.data import canonical, profile
from mlops_ci.data.belonging import belonging
from mlops_ci.data.classes import target_centre, target_shares
from mlops_ci.data.difference import BaseData, column_drifts, difference
from mlops_ci.data.drift import Drift
from mlops_ci.data.group_drift import FEWEST_GROUPS, drifts_by_group
from mlops_ci.records.data import DataChange, Profile
from mlops_ci.records.evaluation import Holdout, Task
from mlops_ci.records.results import Result
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.case import Case
from mlops_ci.steps.judge import contract_text, parse_contract
from mlops_ci.steps.snapshot import Snapshot


class DataFound(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the data before any model."""

    snapshot: Snapshot
    holdout: Holdout
    """The held-out rows whose numbers may be shown."""
    gate_part: Holdout | None = None
    """Those of which nothing but one answer may be told."""
    results: tuple[Result, ...]
    change: DataChange | None
    max_drift: float | None
    """The largest PSI of a column against the base beyond what chance gives; None where nothing moved."""
    profile_before: Profile | None
    reported: tuple[str, ...] = ()
    """What of it is the word of the run alone, in words."""


class _Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept between runs."""

    results: tuple[Result, ...]
    change: DataChange | None
    max_drift: float | None


def examine(case: Case, snapshot: Snapshot, holdout: Holdout, before: Snapshot | None) -> DataFound:
    """Compare with the base's snapshot where there is one, and run every native check by the judge's contract.

    Restored while the snapshots, the contract and the columns' roles are the same.
    """
    moved = before is not None and before.info.digest != snapshot.info.digest
    reads = [
        __version__,
        snapshot.folder.name,
        before.folder.name if before else "",
        [(file.path, file.sha256) for side in (before, snapshot) if side for file in side.info.sources],
        holdout.task,
        contract_text(case.rules),
        [case.head.config.data.group, _time(case, snapshot)],
        _as_of(case),
    ]

    def produce(folder: Path) -> None:
        answers = _examine(case, snapshot, holdout, before, moved=moved)
        (folder / "answers.json").write_bytes(msgspec.json.encode(answers))

    folder, _ = Cache(case.project.state).folder("checks", reads, produce)
    kept = msgspec.json.decode((folder / "answers.json").read_bytes(), type=_Answers)
    return DataFound(
        snapshot=snapshot,
        holdout=holdout,
        results=kept.results,
        change=kept.change,
        max_drift=kept.max_drift,
        profile_before=before.profile if before is not None and moved else None,
    )


def _examine(case: Case, snapshot: Snapshot, holdout: Holdout, before: Snapshot | None, *, moved: bool) -> _Answers:
    change, drift = _compare(case, snapshot, before, holdout) if before is not None and moved else (None, ())
    config = case.head.config.data  # the roles of columns that this table has; other ones leave it undecided
    facts = DataFacts(
        table=snapshot.table,
        holdout=snapshot.holdout,
        ids=snapshot.ids,
        profile=snapshot.profile,
        task=holdout.task,
        target=config.target,
        id=config.id,
        group=config.group,
        time=_time(case, snapshot),
        contract=parse_contract(case.rules),
        base=_base_facts(before, config.target, holdout.task) if before is not None else None,
        data_change=change,
        drift=drift,
        as_of=_as_of(case),
    )
    # Nine digits: the order of a floating sum must not show in a decision's id.
    excess = max((float(f"{found.excess:.9g}") for _, found in drift), default=None)
    return _Answers(results=data_checks(facts), change=change, max_drift=excess)


def _time(case: Case, snapshot: Snapshot) -> str | None:
    """The judge's time column, head's where that one is gone."""
    rules = case.rules.config.data.time
    return rules if rules in snapshot.table.names else case.head.config.data.time


def _as_of(case: Case) -> str:
    return case.project.repository.commit_info(case.head.commit).committed if case.head.commit else ""


def _compare(
    case: Case, snapshot: Snapshot, before: Snapshot, holdout: Holdout
) -> tuple[DataChange, tuple[tuple[str, Drift], ...]]:
    target = case.head.config.data.target
    now = profile.profile(snapshot.table, before.profile)
    regression = holdout.task is Task.REGRESSION
    drifts = _drifts(case, snapshot, before, now)
    sides = (_side(before, before.profile, target, regression), _side(snapshot, now, target, regression))
    return difference(*sides, drifts), drifts


def _drifts(case: Case, snapshot: Snapshot, before: Snapshot, now: Profile) -> tuple[tuple[str, Drift], ...]:
    group = case.head.config.data.group
    if not set(group) <= set(before.table.names):
        return column_drifts(before.profile, now)
    keys = [belonging(side.table, group, _time(case, snapshot)) for side in (before, snapshot)]
    then, since = keys
    if then is None or since is None:
        return column_drifts(before.profile, now)
    if not group and min(len(np.unique(then)), len(np.unique(since))) < FEWEST_GROUPS:
        return column_drifts(before.profile, now)  # days that nobody declared are a help, not a condition
    return drifts_by_group(before.table, snapshot.table, then, since, before.profile)


def _side(snapshot: Snapshot, seen: Profile, target: str, regression: bool) -> BaseData:
    names = snapshot.table.names
    return BaseData(
        digest=snapshot.info.digest,
        sources=snapshot.info.sources,
        ids=np.asarray(snapshot.ids),
        contents=canonical.row_digests(snapshot.table, names),
        profile=seen,
        target=snapshot.table.column(target) if target in names else None,
        regression=regression,
    )


def _base_facts(before: Snapshot, target: str, task: Task) -> BaseFacts:
    shares: tuple[tuple[str, float], ...] = ()
    if target in before.table.names:
        column = before.table.column(target)
        shares = target_centre(column) if task is Task.REGRESSION else target_shares(column)
    return BaseFacts(profile=before.profile, rows=before.table.rows, target_shares=shares)
