"""Predicted labels that differ from the champion's ("negative flips": Yan et al. 2021, arXiv:2011.09161)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.evaluation.slices import by_size, rows_by_value
from mlops_ci.records.evaluation import Factor, Flips, FlipSlice, Holdout, Predictions

if TYPE_CHECKING:
    from mlops_ci.evaluation.counts import Array


def flips(holdout: Holdout, predictions: Predictions, champion: Predictions, columns: tuple[str, ...]) -> Flips:
    """Flips in all and by slice, for a classification. won − lost = (accuracy − champion's accuracy) · rows."""
    won, lost, other = flip_masks(holdout.truth, predictions.labels, champion.labels)
    by_slice: list[FlipSlice] = []
    for column in columns:
        by_slice += _by_value(column, holdout.slices[column], won=won, lost=lost, other=other)
    return Flips(
        rows=holdout.rows, won=int(won.sum()), lost=int(lost.sum()), other=int(other.sum()), by_slice=tuple(by_slice)
    )


def flip_masks(truth: Array, labels: Array, champion_labels: Array) -> tuple[Array, Array, Array]:
    """(won, lost, other), bool arrays of shape (n,). Two labels of -1, classes never seen, count as the same answer."""
    right, was_right = labels == truth, champion_labels == truth
    return right & ~was_right, was_right & ~right, (labels != champion_labels) & ~right & ~was_right


def _by_value(column: str, factor: Factor, *, won: Array, lost: Array, other: Array) -> list[FlipSlice]:
    rows = rows_by_value(factor)
    counted = [_count(factor, mask) for mask in (won, lost, other)]
    return [
        FlipSlice(
            column=column,
            value=factor.values[code],
            rows=rows[code],
            won=counted[0][code],
            lost=counted[1][code],
            other=counted[2][code],
        )
        for code in by_size(factor, rows)
    ]


def _count(factor: Factor, mask: Array) -> list[int]:
    present = factor.codes[mask & (factor.codes >= 0)]
    return [int(rows) for rows in np.bincount(present, minlength=len(factor.values))]
