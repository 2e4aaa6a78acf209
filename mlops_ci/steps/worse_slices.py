"""Search one half of the held-out rows for slices where the model is worse, confirm them on the other. Never a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data import canonical
from mlops_ci.data.rowkeys import mix
from mlops_ci.evaluation.slice_search import search
from mlops_ci.gates.sample import Sample
from mlops_ci.gates.worse_slices import Comparison, compare
from mlops_ci.records.evaluation import Holdout, Predictions, SliceSearch, Task, WorseSlice
from mlops_ci.steps.snapshot import feature_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlops_ci.config.settings import Config
    from mlops_ci.evaluation.slice_search import Slice
    from mlops_ci.records.tables import Column
    from mlops_ci.steps.snapshot import Snapshot

ASKED = 5
"""Slices that the confirming half is asked about, at most."""
_SHARED = 0.5


def find_worse_slices(snapshot: Snapshot, holdout: Holdout, predictions: Predictions, config: Config) -> SliceSearch:
    """Over all columns but target, ids and groups: those name rows, customers or days."""
    held = canonical.take(snapshot.table, snapshot.holdout)
    names = [name for name in feature_columns(config, held.names) if name not in config.data.group]
    return search_and_confirm([held.column(name) for name in names], holdout, predictions)


def search_and_confirm(columns: list[Column], holdout: Holdout, predictions: Predictions) -> SliceSearch:
    """The search over these columns of the holdout's rows."""
    searched = _half(holdout)
    regression = holdout.task is Task.REGRESSION
    off = np.abs(holdout.truth.astype(np.float64) - predictions.labels.astype(np.float64))
    found = search(columns, off if regression else (off > 0).astype(np.float64), searched, most=ASKED)
    confirming = Sample(holdout=holdout, candidate=predictions).cut(~searched)
    group = confirming.holdout.group
    # A slice that the other half has hardly any rows of is not asked about, and costs the others nothing.
    asked = [one for one in found.slices if 1 < one.rows[~searched].sum() < confirming.holdout.rows - 1]
    answers = compare(confirming, [one.rows[~searched] for one in asked])
    return SliceSearch(
        metric="mae" if regression else "accuracy",
        looked_at=found.looked_at,
        asked=len(asked),
        rows=confirming.holdout.rows,
        groups=None if group is None else len(np.unique(group)),
        found=tuple(_told_once(asked, answers)),
    )


def _told_once(asked: list[Slice], answers: tuple[Comparison, ...]) -> Iterator[WorseSlice]:
    """The confirmed slices, but not one that shares half its rows with another told before."""
    told: list[Slice] = []
    for one, answer in zip(asked, answers, strict=True):
        shared = [(one.rows & other.rows).sum() / min(one.rows.sum(), other.rows.sum()) for other in told]
        if answer.worse and max(shared, default=0.0) <= _SHARED:
            told.append(one)
            yield _record(one, answer)


def _half(holdout: Holdout) -> NDArray[np.bool_]:
    """The rows to search in, shape (n,): by a hash of the row's id, or of the first id of the rows it belongs to."""
    ids = holdout.ids
    if holdout.group is not None:
        _, first, inverse = np.unique(holdout.group, return_index=True, return_inverse=True)
        ids = ids[first][inverse]
    return np.asarray(mix(ids ^ np.uint64(0x736C6963655F6279)) & np.uint64(1), dtype=bool)


def _record(one: Slice, answer: Comparison) -> WorseSlice:
    return WorseSlice(
        conditions=tuple((condition.column, condition.asked) for condition in one.conditions),
        rows=answer.rows,
        value=_rounded(answer.value),
        elsewhere=_rounded(answer.elsewhere),
        low=None if answer.low is None else _rounded(answer.low),
        high=None if answer.high is None else _rounded(answer.high),
        method=answer.method,
    )


def _rounded(value: float) -> float:
    """Six significant digits, so that the order of summation cannot show."""
    return float(f"{value:.6g}")
