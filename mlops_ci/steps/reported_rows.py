"""The rows of a commit whose data cannot be read here without running its code, as its run reports them.

Of rows that the default branch held out before, the truth is known from there (statistics.md 14: no rule, and no truth,
is loosened by who is judged).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.edge import files, sources, tables
from mlops_ci.errors import SourceError
from mlops_ci.records.decisions import Trust
from mlops_ci.records.evaluation import Holdout, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.records.tables import Table
from mlops_ci.steps import ledger
from mlops_ci.steps.champion import FEATURES
from mlops_ci.steps.decide import Found, errored
from mlops_ci.steps.deepchecks_results import NAME as DEEPCHECKS
from mlops_ci.steps.holdout import ids_digest
from mlops_ci.steps.kept_rows import rows_of
from mlops_ci.steps.snapshot import Snapshot, ToldFeatures, specification
from mlops_ci.steps.suites import DataFound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.config.settings import Config
    from mlops_ci.steps.case import Case
    from mlops_ci.steps.ledger import StoredDecision
    from mlops_ci.steps.runs import Kept
    from mlops_ci.steps.trees import Tree

_AGAIN = "Run the check again; what it leaves is written by `mlops-ci check` alone."
_LIE = (
    "If labels were corrected: whoever may do so has to merge past this status, and the default branch is judged anew."
)
_TRIES = 20


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier decision says of the same rows. same, other, new, gone: numbers of held-out rows."""

    decision: str
    same: int
    other: int
    new: int
    gone: int
    same_split: bool


def unreadable(tree: Tree) -> str:
    """Why a tree's data cannot be read from git without running its code; empty: it can."""
    prepare = tree.config.data.prepare
    if prepare and not prepare.endswith(".sql"):
        return f"{prepare} is the project's own code"
    for pattern in tree.config.data.sources.values():
        paths = [sources.file_of(path) for path in tables.expand(tree.root, pattern)]
        if not paths:
            return f"{pattern} is not in git"
        if any(files.is_lfs_pointer(path) for path in paths):
            return f"of {pattern} git holds Git LFS pointers only"
    return ""


def rows_reported(case: Case, kept: Kept, why: str) -> Found:
    """The rows as the run tells them. `why`: they are not read here."""
    results = tuple(
        one for one in kept.decision.checks if one.part is Part.DATA and one.check.partition("/")[0] != DEEPCHECKS
    )
    if any(one.blocking and one.status in (Status.FAILED, Status.ERRORED) for one in results):
        return Found(results=results)
    if wrong := _unusable(kept, case.head.config):
        return Found(results=(*results, _errored(f"{wrong}, and the data cannot be read here ({why})", _AGAIN)))
    holdout, known = _holdout(kept), _known(case, kept)
    if known is not None and known.other:
        lie = f"what is true of {known.other:,} of {holdout.rows:,} rows is other than in {_named(known)}"
        return Found(results=(*results, _errored(f"{lie}, and the data cannot be read here ({why})", _LIE)))
    return Found(
        data=_data(kept, holdout, results, words=_words(holdout, known, why)),
        results=results,
        changes=_changes(case, known, why),
    )


def _errored(message: str, advice: str) -> Result:
    return errored("data", SourceError(message, advice), Part.DATA)


def _words(holdout: Holdout, known: _Known | None, why: str) -> tuple[str, ...]:
    """What is taken as reported; what is true of rows that the default branch held out before is not."""
    told = [f"held-out rows and their features ({why})"]
    if known is None:
        return (*told, "what is true of these rows")
    earlier = _named(known)
    if known.new:
        told.append(f"what is true of {known.new:,} of {holdout.rows:,} rows (of the others it is as in {earlier})")
    if known.gone:
        told.append(f"that {known.gone:,} rows are gone which {earlier} held out")
    return tuple(told)


def _named(known: _Known) -> str:
    return f"decision {known.decision[:12]} of the default branch"


def _changes(case: Case, known: _Known | None, why: str) -> tuple[str, ...]:
    """What an owner has to agree to: an easier way to be believed, or other rows of the same sources."""
    told = []
    if case.base is not None and not unreadable(case.base):
        told.append(f"its data cannot be read from git any more ({why})")
    moved = known is not None and known.same_split and known.new + known.gone > 0
    if moved and known is not None and not case.change.data and _in_git(case.head):
        told.append(f"other rows are held out ({known.new + known.gone:,}), and no source has changed")
    return tuple(told)


def _in_git(tree: Tree) -> bool:
    return all(tables.expand(tree.root, pattern) for pattern in tree.config.data.sources.values())


def _data(kept: Kept, holdout: Holdout, results: tuple[Result, ...], *, words: tuple[str, ...]) -> DataFound:
    evidence = kept.evidence
    if evidence.snapshot is None or evidence.profile is None or evidence.training is None:
        raise ValueError("the run told no rows")
    return DataFound(
        snapshot=Snapshot(
            info=evidence.snapshot,
            table=Table(rows=holdout.rows, columns=()),
            holdout=np.ones(holdout.rows, dtype=np.bool_),
            ids=holdout.ids,
            profile=evidence.profile,
            folder=Path(),
            told=ToldFeatures(
                columns=evidence.training.features,
                digests=kept.arrays[FEATURES].astype(np.uint64),
            ),
        ),
        holdout=holdout,
        results=results,
        change=evidence.data_change,
        max_drift=evidence.facts.get("drift.max_psi"),
        profile_before=None,
        reported=words,
    )


def _holdout(kept: Kept) -> Holdout:
    if kept.holdout is None:
        raise ValueError("the run told no rows")
    return kept.holdout


def _unusable(kept: Kept, config: Config) -> str:
    """What of the rows cannot be; empty: they can be judged."""
    told, info = kept.holdout, kept.evidence.snapshot
    there = (told, info, kept.evidence.profile, kept.evidence.training, kept.arrays.get(FEATURES))
    if told is None and config.evidence.rows == "none":
        return "evidence: {rows: none} leaves no rows to judge by"
    if told is None or info is None or any(each is None for each in there):
        return "the run left no rows"
    if (told.task is Task.REGRESSION) != (config.task == "regression") or set(told.slices) != set(config.slices):
        return "the run is about another question"
    if info.split != specification(config) or not re.fullmatch("[0-9a-f]{32}", info.digest):
        return "the run divides rows otherwise than the settings say"
    rows = (len(told.ids),)
    beside = [told.truth, kept.arrays[FEATURES], *(one.codes for one in told.slices.values())]
    beside += [] if told.group is None else [told.group]
    if not rows[0] or told.ids.shape != rows or any(each.shape != rows for each in beside):
        return "the rows of the run are not of one number"
    if (
        told.ids.dtype != np.uint64
        or (np.diff(told.ids.astype(np.float64)) < 0).any()
        or ids_digest(told.ids) != told.digest
    ):
        return "the ids of the run's rows are none"
    if config.data.group and told.group is None:
        return "the run does not say which rows belong together"
    return _unlike_truth(told)


def _unlike_truth(told: Holdout) -> str:
    if told.task is Task.REGRESSION:
        fine = told.truth.dtype.kind == "f" and bool(np.isfinite(told.truth).all())
    else:
        codes = [(told.truth, 0, len(told.classes))]
        codes += [(one.codes, -1, len(one.values)) for one in told.slices.values()]
        fine = len(told.classes) >= 2 and len(set(told.classes)) == len(told.classes)
        fine = fine and all(_are_codes(*each) for each in codes)
        fine = fine and (told.task is Task.BINARY) == (len(told.classes) == 2)
    fine = fine and (told.group is None or told.group.dtype.kind == "i")
    return "" if fine else "the truth of the run's rows cannot be"


def _are_codes(codes: NDArray[np.generic], lowest: int, end: int) -> bool:
    return codes.dtype.kind == "i" and int(codes.min()) >= lowest and int(codes.max()) < end


def _known(case: Case, kept: Kept) -> _Known | None:
    """The newest decision of the default branch at base or before it that kept its rows."""
    told = _holdout(kept)
    for stored in _earlier(case):
        before = rows_of(case.project.repository, case.project, stored).holdout
        if before is None or before.task is not told.task:
            continue
        places = np.minimum(np.searchsorted(before.ids, told.ids), before.rows - 1)
        both = before.ids[places] == told.ids
        split = stored.evidence.snapshot.split if stored.evidence.snapshot else ""
        other = int((_values(before)[places[both]] != _values(told)[both]).sum())
        return _Known(
            decision=stored.id,
            same=int(both.sum()) - other,
            other=other,
            new=int((~both).sum()),
            gone=int((~np.isin(before.ids, told.ids)).sum()),
            same_split=kept.evidence.snapshot is not None and kept.evidence.snapshot.split == split,
        )
    return None


def _values(holdout: Holdout) -> NDArray[np.generic]:
    """What is true, whatever the codes of the classes are."""
    return np.asarray(holdout.classes, dtype=object)[holdout.truth] if holdout.classes else holdout.truth


def _earlier(case: Case) -> list[StoredDecision]:
    if not case.base_commit:
        return []
    repository = case.project.repository
    rows = [
        row for row in ledger.history(repository, project=case.head.config.project) if row.trust == Trust.DEFAULT_BRANCH
    ]
    by_commit = {row.commit: row.id for row in reversed(rows)}
    with repository.ancestors(case.base_commit) as commits:
        found = [by_commit[commit] for commit in commits if commit in by_commit]
    return [ledger.find(repository, each) for each in found[:_TRIES]]
