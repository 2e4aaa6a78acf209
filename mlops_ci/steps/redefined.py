"""Whether the way from sources to rows, and not the sources, makes other rows held out or says otherwise what is true.

Prepared by base's way, the same sources give what base's rules are about: where head's way gives other held-out rows or
another truth of a row, the commit has changed the question (statistics.md 14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data import canonical
from mlops_ci.data.difference import row_change
from mlops_ci.errors import ConfigError, SourceError, UserCodeError
from mlops_ci.steps.case import Case
from mlops_ci.steps.snapshot import Snapshot, make_snapshot
from mlops_ci.steps.workshop import Workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray


def redefined(case: Case, snapshot: Snapshot, workshop: Workshop) -> tuple[str, ...]:
    """What the commit's way of preparing changes of the rows that are judged, in words; empty: nothing.

    Settings that change the question are told from themselves.
    """
    base, head = case.base, case.head
    if base is None or case.judge.changes or not _is_other_way(case):
        return ()
    way = head.config.data.prepare or "data.prepare"
    try:
        was, _ = make_snapshot(case.project, head, workshop=workshop.beside(base), apart=case.apart, way=base)
    except (ConfigError, SourceError, UserCodeError) as error:
        return (f"{way}: its rows cannot be made as at {base.commit[:7]}, to compare them ({error.message})",)
    held = row_change(was.held_ids, was.held_ids, snapshot.held_ids, snapshot.held_ids)
    truth = row_change(*_truth(was, head.config.data.target), *_truth(snapshot, head.config.data.target))
    told = []
    if count := held.added + held.removed:
        told.append(f"{way} changes which rows are held out ({count:,} rows)")
    if truth.changed:
        told.append(f"{way} changes the target of {truth.changed:,} rows")
    return tuple(told)


def way_files(case: Case) -> tuple[str, ...]:
    """The files by which the way of preparing differs, relative to the project."""
    named = {tree.config.data.prepare for tree in (case.base, case.head) if tree}
    return ("mlops.yaml",) if len(named) > 1 else case.change.code


def _is_other_way(case: Case) -> bool:
    """Whether preparing may do something else: another setting or SQL; of a function, any of the project's code."""
    if case.base is None:
        return False
    before, after = case.base.config.data.prepare, case.head.config.data.prepare
    if before != after:
        return True
    return after is not None and (after in case.change.code or (":" in after and "code" in case.change.kinds))


def _truth(snapshot: Snapshot, target: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Row ids and digests of the target, each shape (rows,), of the rows kept for verdicts too."""
    parts = [snapshot] if snapshot.gate_part is None else [snapshot, snapshot.gate_part.rows]
    return (
        np.concatenate([part.ids for part in parts]),
        np.concatenate([canonical.row_digests(part.table, [target]) for part in parts]),
    )
