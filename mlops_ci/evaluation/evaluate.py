"""Everything the report says about a model, from what it answered on the holdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.errors import UserCodeError
from mlops_ci.evaluation.by_class import by_class
from mlops_ci.evaluation.counts import confusion_matrix
from mlops_ci.evaluation.curves import curves
from mlops_ci.evaluation.flips import flips
from mlops_ci.evaluation.metrics import METRICS, metrics_for
from mlops_ci.evaluation.pairing import answered_part
from mlops_ci.evaluation.slices import slice_values
from mlops_ci.records.evaluation import (
    Champion,
    Evaluation,
    Factor,
    Holdout,
    MetricValue,
    Predictions,
    SliceTable,
    SliceValue,
    Task,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_ci.evaluation.metric import Metric

_CONFUSION_CLASSES = 20


def evaluate(
    holdout: Holdout,
    predictions: Predictions,
    champion: Champion | None,
    *,
    slices: tuple[str, ...],
    metrics: Mapping[str, Metric] = METRICS,
) -> Evaluation:
    """Metrics, slices, flips, confusion and curves of `predictions`, beside the champion's where it has any.

    slices: names of the factors in `holdout.slices` to cut by. metrics: name -> Metric, the project's own among them.
    Raises UserCodeError for predictions that do not fit the holdout or are not finite.
    """
    rival = None if champion is None else champion.predictions
    for who, answers in (("the model", predictions), ("the champion", rival)):
        if answers is not None:
            _refuse_unusable(who, holdout, answers)
    labelled = holdout.task is not Task.REGRESSION
    # Where the champion has no answer for some rows, what is said of it is said of the others.
    there, ours, theirs = holdout, predictions, rival
    if champion is not None and champion.unanswered is not None and rival is not None:
        there, (ours, theirs) = answered_part(holdout, champion.unanswered, predictions, rival)
    return Evaluation(
        task=holdout.task,
        rows=holdout.rows,
        classes=holdout.classes,
        class_counts=_class_counts(holdout) if labelled else (),
        metrics=tuple(
            _metric_value(metric, holdout, predictions, there, theirs) for metric in metrics_for(holdout.task, metrics)
        ),
        slices=SliceTable.of(_slices(holdout, predictions, there, theirs, slices, metrics)),
        new_rows=_new_rows(holdout, predictions, champion, metrics),
        flips=flips(there, ours, theirs, slices) if labelled and theirs is not None else None,
        by_class=by_class(there, ours, theirs) if holdout.task is Task.MULTICLASS else msgspec.UNSET,
        confusion=_confusion(holdout, predictions) if labelled else (),
        curves=curves(holdout, predictions) | (curves(there, theirs, "_champion") if theirs is not None else {}),
    )


def _slices(
    holdout: Holdout,
    predictions: Predictions,
    there: Holdout,
    rival: Predictions | None,
    columns: tuple[str, ...],
    metrics: Mapping[str, Metric],
) -> tuple[SliceValue, ...]:
    if there is holdout or rival is None:
        return slice_values(holdout, predictions, rival, columns, metrics=metrics)
    theirs = {
        (one.column, one.value): one.metrics for one in slice_values(there, rival, None, columns, metrics=metrics)
    }
    return tuple(
        msgspec.structs.replace(one, champion=theirs.get((one.column, one.value), {}))
        for one in slice_values(holdout, predictions, None, columns, metrics=metrics)
    )


def _new_rows(
    holdout: Holdout, predictions: Predictions, champion: Champion | None, metrics: Mapping[str, Metric]
) -> SliceValue | None:
    if champion is None or champion.new_rows is None or champion.predictions is None:
        return None
    asked = champion.new_rows if champion.unanswered is None else champion.new_rows & ~champion.unanswered
    factor = Factor(codes=np.where(asked, 0, -1).astype(np.int32), values=("new rows",))
    cut = msgspec.structs.replace(holdout, slices={"": factor})
    return next(iter(slice_values(cut, predictions, champion.predictions, ("",), metrics=metrics)), None)


def _metric_value(
    metric: Metric, holdout: Holdout, predictions: Predictions, there: Holdout, rival: Predictions | None
) -> MetricValue:
    value = metric.of(holdout.truth, predictions, holdout.classes)
    return MetricValue(
        metric=metric.name,
        value=value,
        champion=None if rival is None else metric.of(there.truth, rival, there.classes),
        higher_is_better=metric.higher_is_better,
        unit=metric.unit,
        reason=why_undefined(metric, holdout, predictions) if value is None else "",
    )


def why_undefined(metric: Metric, holdout: Holdout, predictions: Predictions) -> str:
    """Why `metric.compute` gave None, in words."""
    if holdout.rows == 0:
        return "no rows"
    if metric.own:
        return "it is one number for all rows" if metric.name in predictions.own else "it could not be computed"
    if metric.needs_scores and predictions.scores is None:
        return "the model gives labels only, no scores"
    if not metric.usable(predictions.scores):
        return "the model's scores are not probabilities"
    if metric.name == "mape":
        return "the target is 0 in some row"
    if metric.kind == "auc":
        return "a class has no rows"
    if metric.denominator != "rows":
        return f"no {metric.denominator}"
    return "the target has one value only"


def _class_counts(holdout: Holdout) -> tuple[int, ...]:
    return tuple(int(rows) for rows in np.bincount(holdout.truth, minlength=len(holdout.classes)))


def _confusion(holdout: Holdout, predictions: Predictions) -> tuple[tuple[int, ...], ...]:
    if len(holdout.classes) > _CONFUSION_CLASSES:
        return ()
    table = confusion_matrix(holdout.truth, predictions.labels, len(holdout.classes))
    return tuple(tuple(int(rows) for rows in line) for line in table)


def _refuse_unusable(who: str, holdout: Holdout, answers: Predictions) -> None:
    for what, values in (("predictions", answers.labels), ("scores", answers.scores)):
        if values is None:
            continue
        if len(values) != holdout.rows:
            raise UserCodeError(
                f"{who} gave {len(values):,} {what} for {holdout.rows:,} held-out rows",
                "predict must answer once for each row, in the order of the frame it was given",
            )
        finite = np.isfinite(values)
        broken = int((~(finite if values.ndim == 1 else finite.all(axis=1))).sum())
        if broken:
            raise UserCodeError(
                f"{who} gave {what} that are not finite numbers for {broken:,} of {holdout.rows:,} held-out rows",
                "predict a number for each row: no NaN, no infinity",
            )
