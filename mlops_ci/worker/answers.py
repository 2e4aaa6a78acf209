"""Asks a model and brings what it says into one form: labels as codes or numbers, scores by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import classes as texts
from .failures import Failure, user_code


class Answers:
    """labels: shape (n,), int32 codes into the classes, or float32 values (regression).

    scores: float32, shape (n,) of the positive class (binary) or (n, classes), or None;
    score_kind: probability, decision or none. unseen: the first few labels that are no class of the target.
    predicted: whether the scores are what `predict` itself answered.
    """

    def __init__(
        self, labels: Any, scores: Any, score_kind: str, unseen: list[str], *, predicted: bool = False
    ) -> None:
        self.labels = labels
        self.scores = scores
        self.score_kind = score_kind
        self.unseen = unseen
        self.predicted = predicted

    def take(self, rows: Any) -> Answers:
        """Those of some rows."""
        scores = None if self.scores is None else self.scores[rows]
        return Answers(self.labels[rows], scores, self.score_kind, self.unseen, predicted=self.predicted)


def ask(model: Any, frame: Any, *, task: str, classes: list[str]) -> Answers:
    """Ask `model` about every row of `frame`. `task`: binary, multiclass or regression. Raises Failure."""
    if not callable(getattr(model, "predict", None)):
        raise Failure("unusable", f"the model, a {type(model).__name__}, has no predict")
    with user_code("predict"):
        raw = _array(model.predict(frame), "predict", len(frame))
    if task == "regression":
        return Answers(_finite(_column(raw, "predict"), "predict"), None, "none", [])
    own = _probabilities_from_predict(raw, task, classes)
    if own is not None:
        return own
    labels, unseen = texts.codes(_column(raw, "predict"), classes)
    scores, kind = _scores(model, frame, task, classes)
    return Answers(labels, scores, kind, unseen)


def raw_scores(model: Any, frame: Any, *, task: str, classes: list[str]) -> Any:
    """Probabilities (or decision values) by class, or None where the model gives labels only."""
    return _scores(model, frame, task, classes)[0]


def _scores(model: Any, frame: Any, task: str, classes: list[str]) -> tuple[Any, str]:
    for name, kind in (("predict_proba", "probability"), ("decision_function", "decision")):
        method = getattr(model, name, None)
        if callable(method):
            with user_code(name):
                values = _array(method(frame), name, len(frame))
            by_class = _by_class(model, values, name, classes)
            if by_class is None:
                return None, "none"
            scores = by_class[:, -1] if task == "binary" else by_class
            return _finite(scores, name, probability=kind == "probability"), kind
    return None, "none"


def _by_class(model: Any, values: Any, name: str, classes: list[str]) -> Any | None:
    """Scores in the order of the target's classes; a class the model does not know gets the lowest there is."""
    known = _model_classes(model)
    if values.ndim == 1 or values.shape[1] == 1:
        column = values.reshape(len(values))
        if known is not None and len(known) == 1:
            values = column[:, None]
        else:
            lowest = 1 - column if name == "predict_proba" else -column
            values = np.column_stack([lowest, column])
    if known is None:
        known = classes
    if values.ndim != 2 or values.shape[1] != len(known):
        if name == "decision_function":
            return None  # one against one, for example: no score per class
        raise Failure(
            "unusable", f"{name} answered shape {values.shape}, and the model has {len(known)} classes", _PER_CLASS
        )
    places = texts.positions(list(known), classes)
    absent = 0.0 if name == "predict_proba" else float(np.nanmin(values)) if values.size else 0.0
    return np.column_stack([values[:, place] if place >= 0 else np.full(len(values), absent) for place in places])


_NUMBERS = "finite numbers are expected"
_PER_ROW = "one label or value a row is expected"
_PER_CLASS = "one column per class is expected"


def _model_classes(model: Any) -> Any:
    found = getattr(model, "classes_", None)
    return found if found is not None and np.ndim(found) == 1 else None


def _probabilities_from_predict(raw: Any, task: str, classes: list[str]) -> Answers | None:
    """Boosters and MLflow models answer probabilities from predict: shares between 0 and 1 that are no classes."""
    if raw.dtype.kind != "f":
        return None
    if raw.ndim == 2 and raw.shape[1] == len(classes) > 1:
        matrix = _finite(raw, "predict", probability=True)
        scores = matrix[:, -1] if task == "binary" else matrix
        return Answers(matrix.argmax(axis=1).astype(np.int32), scores, "probability", [], predicted=True)
    if task == "binary" and (raw.ndim == 1 or raw.shape[1] == 1):
        column = raw.reshape(len(raw))
        shares = np.isfinite(column).all() and ((column >= 0) & (column <= 1)).all() and (column % 1 != 0).any()
        if shares and not {texts.class_text(value) for value in np.unique(column)[:100]} & set(classes):
            scores = column.astype(np.float32)
            return Answers((scores >= 0.5).astype(np.int32), scores, "probability", [], predicted=True)
    return None


def _array(answer: Any, name: str, rows: int) -> Any:
    if answer is None:
        raise Failure("unusable", f"{name} answered None", _PER_ROW)
    if isinstance(answer, list) and answer and getattr(answer[0], "ndim", 0) == 2:
        raise Failure("unusable", f"{name} answered {len(answer)} outputs", "a model with one output is expected")
    values = np.asarray(answer)
    if values.ndim == 0 or len(values) != rows:
        found = "one value" if values.ndim == 0 else f"{len(values)} rows"
        raise Failure("unusable", f"{name} answered {found} for {rows} rows", _PER_ROW)
    return values


def _column(values: Any, name: str) -> Any:
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 1:
        raise Failure("unusable", f"{name} answered shape {values.shape}", _PER_ROW)
    return values


def _finite(values: Any, name: str, *, probability: bool = False) -> Any:
    try:
        numbers = values.astype(np.float64).astype(np.float32)
    except (TypeError, ValueError):
        raise Failure("unusable", f"{name} answered values that are not numbers ({values.dtype})", _NUMBERS) from None
    bad = int((~np.isfinite(numbers)).sum())
    if bad:
        raise Failure("unusable", f"{name} answered NaN or infinity {bad} times in {numbers.size}", _NUMBERS)
    if probability and numbers.size and (numbers.min() < -1e-6 or numbers.max() > 1 + 1e-6):
        found = f"{name} answered {numbers.min():.3g} to {numbers.max():.3g}, not probabilities"
        raise Failure("unusable", found, "from 0 to 1 is expected; values without bounds belong into decision_function")
    return numbers
