"""The two parts deepchecks is asked in: which rows, what it is handed, and its answer kept by fingerprint."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mlops_ci.data import canonical
from mlops_ci.edge import deepchecks, frames
from mlops_ci.edge.processes import Limits, default_memory
from mlops_ci.records.evaluation import Holdout, Predictions, Task
from mlops_ci.records.results import Part
from mlops_ci.records.tables import Kind, Table
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.case import Case
from mlops_ci.steps.deepchecks_results import Counts
from mlops_ci.steps.snapshot import Snapshot, feature_columns
from mlops_ci.steps.suites import DataFound

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 5_000
"""Rows of each side, at most."""
_SEED = 0
_TIMES = (Kind.DATE, Kind.TIMESTAMP)

Conditions = tuple[deepchecks.Condition, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One part: what it looks at, and how the files for it are laid down (folder -> what the request says of them)."""

    part: Part
    counts: Counts
    reads: list[object]
    asked: dict[str, Any]
    lay: Callable[[Path], dict[str, str]]


def of_data(case: Case, data: DataFound) -> Question:
    """data_integrity and train_test_validation: features and target of both sides."""
    snapshot = data.snapshot
    train, holdout = sample(~snapshot.holdout), sample(snapshot.holdout)
    info = snapshot.info
    return Question(
        part=Part.DATA,
        counts=Counts(train=len(train), train_of=info.train_rows, holdout=len(holdout), holdout_of=info.holdout_rows),
        reads=_reads(case, data, Part.DATA),
        asked=_asked(case, data.holdout, Part.DATA),
        lay=partial(_lay_tables, case=case, snapshot=snapshot, sides={"train": train, "holdout": holdout}),
    )


def of_model(case: Case, data: DataFound, predictions: Predictions) -> Question | None:
    """What of model_evaluation needs no model: the answers on held-out rows. None when that is nothing."""
    scores = _probabilities(predictions)
    slow = case.rules.config.checks.slow
    if data.holdout.task is not Task.REGRESSION and scores is None and "weak_segments_performance" not in slow:
        return None
    holdout = sample(data.snapshot.holdout)
    rows = np.searchsorted(np.flatnonzero(data.snapshot.holdout), holdout)
    tables = partial(_lay_tables, case=case, snapshot=data.snapshot, sides={"holdout": holdout})
    return Question(
        part=Part.MODEL,
        counts=Counts(train=0, train_of=0, holdout=len(holdout), holdout_of=data.holdout.rows),
        reads=[*_reads(case, data, Part.MODEL), predictions.digest],
        asked=_asked(case, data.holdout, Part.MODEL),
        lay=partial(
            _lay_answers,
            tables=tables,
            labels=predictions.labels[rows],
            scores=None if scores is None else scores[rows],
        ),
    )


def ask(case: Case, question: Question, python: Path, stop: Path) -> Conditions:
    """The answer, restored while nothing it reads changes. UserCodeError or OutsideError when there is none."""
    folder, _ = Cache(case.project.state).folder(
        "deepchecks", question.reads, partial(_run, case=case, question=question, python=python, stop=stop)
    )
    return msgspec.json.decode((folder / "conditions.json").read_bytes(), type=Conditions)


def sample(side: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Positions of at most SAMPLE rows of one side of a snapshot, shape (rows,): those with the smallest row ids.

    Ids are hashes keyed by the split's salt and a snapshot is in their order, so this is a random sample with the salt
    as its seed. It does not depend on how a library draws numbers, and data that grow move few rows of it.
    """
    return np.flatnonzero(side)[:SAMPLE]


def _asked(case: Case, holdout: Holdout, part: Part) -> dict[str, Any]:
    return {
        "part": part,
        "label": case.head.config.data.target,
        "task": holdout.task,
        "classes": holdout.classes,
        "slow": case.rules.config.checks.slow,
        "seed": _SEED,
    }


def _reads(case: Case, data: DataFound, part: Part) -> list[object]:
    info = data.snapshot.info
    asked = _asked(case, data.holdout, part)
    return [deepchecks.digest(), asked, SAMPLE, info.digest, info.split, data.holdout.digest, case.head.config.data.id]


def _run(folder: Path, *, case: Case, question: Question, python: Path, stop: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mlops-ci-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        conditions = deepchecks.run(
            {**question.asked, **question.lay(scratch)},
            python=python,
            scratch=scratch,
            stop=stop,
            limits=Limits(
                seconds=case.rules.config.runner.timeout,
                memory_bytes=default_memory(),
                threads=max(1, (os.cpu_count() or 1) // 2),  # the training beside it needs the others
            ),
        )
    (folder / "conditions.json").write_bytes(msgspec.json.encode(conditions))


def _lay_tables(
    scratch: Path, *, case: Case, snapshot: Snapshot, sides: dict[str, NDArray[np.int64]]
) -> dict[str, str]:
    columns = _columns(case, snapshot.table)
    for side, rows in sides.items():
        frames.write(canonical.take(canonical.select(snapshot.table, columns), rows), scratch / side)
    return {side: str(scratch / side) for side in sides}


def _lay_answers(
    scratch: Path,
    *,
    tables: Callable[[Path], dict[str, str]],
    labels: NDArray[np.generic],
    scores: NDArray[np.float32] | None,
) -> dict[str, str]:
    np.save(scratch / "labels.npy", labels)
    if scores is not None:
        np.save(scratch / "scores.npy", scores)
    paths = {"labels": str(scratch / "labels.npy"), "scores": "" if scores is None else str(scratch / "scores.npy")}
    return tables(scratch) | paths


def _columns(case: Case, table: Table) -> tuple[str, ...]:
    """The target and the features; dates are none for deepchecks, and ids are looked at by the native checks."""
    features = feature_columns(case.head.config, table.names)
    return (*(name for name in features if table.column(name).kind not in _TIMES), case.head.config.data.target)


def _probabilities(predictions: Predictions) -> NDArray[np.float32] | None:
    """The scores where they are shares; values of a decision function are none."""
    scores = predictions.scores
    if scores is None or not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    if scores.ndim == 2 and not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return None
    return scores
