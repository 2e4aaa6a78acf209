"""Which of the champion's stored answers belongs to which row of the holdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.evaluation.counts import Array
    from mlops_ci.records.evaluation import Holdout, Predictions


def answered_part(holdout: Holdout, unanswered: Array, *answers: Predictions) -> tuple[Holdout, list[Predictions]]:
    """The rows that are not unanswered, shape (n,) bool, of the holdout and of each set of predictions."""
    rows = ~unanswered
    slices = {name: replace(factor, codes=factor.codes[rows]) for name, factor in holdout.slices.items()}
    group = None if holdout.group is None else holdout.group[rows]
    cut = replace(holdout, ids=holdout.ids[rows], truth=holdout.truth[rows], group=group, slices=slices)
    return cut, [
        replace(
            one,
            labels=one.labels[rows],
            scores=None if one.scores is None else one.scores[rows],
            own={name: values if values.ndim == 0 else values[rows] for name, values in one.own.items()},
        )
        for one in answers
    ]


def pair(ids: Array, features: Array, champion_ids: Array, champion_features: Array) -> NDArray[np.int64]:
    """For each row the champion's row with the same id and the same features, or -1 (statistics.md 12).

    ids, features: shape (n,) uint64 digests; champion_*: shape (m,). Returns shape (n,) int64. A corrected label
    keeps its pair, corrected features lose it. Where the champion has several such rows, each of ours gets the first:
    the same features had the same answer.
    """
    key = np.concatenate([champion_ids, ids])
    content = np.concatenate([champion_features, features])
    order = np.lexsort((content, key))  # stable: of equal rows the champion's come first, in their order
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (np.diff(key[order]) != 0) | (np.diff(content[order]) != 0)
    first = order[starts][np.cumsum(starts) - 1] if len(order) else order
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.where(first < len(champion_ids), first, -1)
    return found[len(champion_ids) :]
