"""The metrics of the rows that share a value of a column, for all values at once where a metric allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.evaluation.counts import Array, Counts, count_by
from mlops_ci.evaluation.metrics import METRICS, metrics_for
from mlops_ci.records.evaluation import Factor, Holdout, Predictions, SliceValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric

Row = dict[str, float | None]


def slice_values(
    holdout: Holdout,
    predictions: Predictions,
    champion: Predictions | None,
    columns: tuple[str, ...],
    *,
    metrics: Mapping[str, Metric] = METRICS,
) -> tuple[SliceValue, ...]:
    """Every value of every column that has rows, by column, then by rows (most first), then by value.

    Rows where the column is missing are in no slice. KeyError for a column that the holdout cannot be cut by.
    """
    found: list[SliceValue] = []
    for column in columns:
        factor = holdout.slices[column]
        rows = rows_by_value(factor)
        ours = _metrics_by_value(holdout, predictions, factor, metrics)
        theirs = [Row() for _ in factor.values]
        if champion is not None:
            theirs = _metrics_by_value(holdout, champion, factor, metrics)
        found += [
            SliceValue(
                column=column, value=factor.values[code], rows=rows[code], metrics=ours[code], champion=theirs[code]
            )
            for code in by_size(factor, rows)
        ]
    return tuple(found)


def rows_by_value(factor: Factor) -> list[int]:
    """The rows of each value of the factor, in the order of its values."""
    present = factor.codes[factor.codes >= 0]
    return [int(rows) for rows in np.bincount(present, minlength=len(factor.values))]


def by_size(factor: Factor, rows: list[int]) -> list[int]:
    """The codes that have rows, most rows first, then by value."""
    present = [code for code, of_code in enumerate(rows) if of_code > 0]
    return sorted(present, key=lambda code: (-rows[code], factor.values[code]))


def _metrics_by_value(
    holdout: Holdout, predictions: Predictions, factor: Factor, metrics: Mapping[str, Metric]
) -> list[Row]:
    columns = {
        metric.name: _by_value(metric, holdout, predictions, factor)
        for metric in metrics_for(holdout.task, metrics)
        if metric.usable(predictions.scores)
    }
    return [{name: _finite(values[code]) for name, values in columns.items()} for code in range(len(factor.values))]


def _by_value(metric: Metric, holdout: Holdout, predictions: Predictions, factor: Factor) -> Array:
    """Shape (values,), NaN where the metric is not defined."""
    if metric.rate is not None:
        return metric.rate(_counts(holdout, predictions, factor))
    losses = metric.by_row(holdout.truth, predictions)
    if losses is not None:
        means = _means(losses, factor)
        return np.sqrt(means) if metric.root else means
    if metric.own:
        return np.full(len(factor.values), np.nan)
    return _one_by_one(metric, holdout, predictions, factor)


def _counts(holdout: Holdout, predictions: Predictions, factor: Factor) -> Counts:
    return count_by(factor.codes, len(factor.values), holdout.truth, predictions.labels, classes=len(holdout.classes))


def _means(losses: Array, factor: Factor) -> Array:
    inside = factor.codes >= 0
    codes = factor.codes[inside]
    values = len(factor.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.bincount(codes, losses[inside], minlength=values) / np.bincount(codes, minlength=values)


def _one_by_one(metric: Metric, holdout: Holdout, predictions: Predictions, factor: Factor) -> Array:
    order = np.argsort(factor.codes, kind="stable")
    starts = np.searchsorted(factor.codes[order], np.arange(len(factor.values) + 1))
    found = np.full(len(factor.values), np.nan)
    for code in range(len(factor.values)):
        rows = order[starts[code] : starts[code + 1]]
        scores = None if predictions.scores is None else predictions.scores[rows]
        value = metric.compute(holdout.truth[rows], predictions.labels[rows], scores, holdout.classes)
        found[code] = np.nan if value is None else value
    return found


def _finite(value: float) -> float | None:
    """Six digits: slices are read, not judged, and there are many of them in every decision."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
