"""Predictions as the table that every way of asking the model gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.records.bundles import Cell, Output
from mlops_ci.records.evaluation import Predictions
from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

PREDICTION = "prediction"
PROBABILITY = "probability_"
_NUMBERS = {"false": "0", "true": "1"}


def outputs(label: Kind, classes: Sequence[str]) -> tuple[Output, ...]:
    """`prediction`, of the kind the model answers in, and a probability for each of `classes`, in that order."""
    shares = (Output(name=f"{PROBABILITY}{name}", kind=Kind.FLOAT) for name in classes)
    return (Output(name=PREDICTION, kind=label), *shares)


def answers(predictions: Predictions, classes: Sequence[str], columns: Sequence[Output]) -> dict[str, tuple[Cell, ...]]:
    """Output -> its values, one a row of the predictions. classes: the target's, which labels are codes into."""
    label, *shares = columns
    found: dict[str, tuple[Cell, ...]] = {label.name: _labels(predictions, classes, label.kind)}
    if shares and predictions.scores is not None:
        scores = predictions.scores.astype(np.float64)
        table = np.column_stack([1.0 - scores, scores]) if scores.ndim == 1 else scores
        for column in shares:
            place = _place(column.name.removeprefix(PROBABILITY), classes)
            found[column.name] = tuple(table[:, place].tolist())
    return found


def _place(name: str, classes: Sequence[str]) -> int:
    """Of a class of the model among the target's: a boolean target is often trained on as 0 and 1."""
    return classes.index(name) if name in classes else ("0", "1").index(name)


def _labels(predictions: Predictions, classes: Sequence[str], kind: Kind) -> tuple[Cell, ...]:
    if not classes:
        return tuple(float(value) for value in predictions.labels.astype(np.float64))
    values = [of_class(name, kind) for name in classes]
    return tuple(values[code] if code >= 0 else None for code in predictions.labels.astype(np.int64).tolist())


def of_class(text: str, kind: Kind) -> Cell:
    """A class in the kind the model answers in, from its text form (docs/worker.md)."""
    if kind is Kind.BOOLEAN:
        return text == "true"
    if kind in (Kind.INTEGER, Kind.FLOAT):
        number = float(_NUMBERS.get(text, text))
        return int(number) if kind is Kind.INTEGER else number
    return text
